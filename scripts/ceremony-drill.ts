/** `ceremony powers` and `rehearse`: which powers of tau a circuit needs, and a whole ceremony for practice. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { PUBLIC_POWERS, publicPowersUrl } from "@openledger/prover/powers/public-powers";
import { type Command, InvalidArgumentError } from "commander";
import type { CeremonyTools } from "./ceremony-served.ts";

const example = (line: string) => `\nExample:\n  $ npm run ceremony -- ${line}\n`;

export function addPracticeCommands(program: Command, tools: CeremonyTools): void {
  program
    .command("powers")
    .description(
      "which circuit needs which powers of tau, and where to get them; or whether a file is one of these",
    )
    .option("--circuit <name>", "this one alone; else those of the smallest deployment and of the devnet")
    .option("--ptau <file>", "compare its hash with those of the public files")
    .option("--json", "print the result as JSON")
    .addHelpText("after", example("powers --ptau powersOfTau28_hez_final_16.ptau"))
    .action(async (options: { circuit?: string; ptau?: string; json?: boolean }) => {
      if (options.ptau !== undefined) {
        const hash = createHash("blake2b512");
        for await (const chunk of createReadStream(options.ptau)) hash.update(chunk as Buffer);
        const blake2b = hash.digest("hex");
        const [power] = [...PUBLIC_POWERS].find(([, one]) => one === blake2b) ?? [null];
        tools.report({ blake2b, isPublic: power !== null, power }, options.json);
        if (power === null) process.exitCode = 1;
        return;
      }
      const rows = await powersOfCircuits(options.circuit, tools);
      if (options.json === true) return tools.report({ circuits: rows }, true);
      const { renderColumns } = await import("@openledger/e2e/scenarios/table");
      const head = ["circuit", "constraints", "power"];
      const cells = rows.map((row) => [row.circuit, row.constraints.toLocaleString("en"), `${row.power}`]);
      const needed = [...new Set(rows.map(({ power }) => power))].sort((a, b) => a - b);
      const files = needed.map((power) => `${publicPowersUrl(power)}\n  b2sum ${PUBLIC_POWERS.get(power)}`);
      process.stdout.write(`${[renderColumns([head, ...cells]), "", ...files].join("\n")}\n`);
    });

  program
    .command("rehearse")
    .description(
      "a whole ceremony on this machine, a rollup with its keys, a batch, and its verification: ten minutes",
    )
    .option("--contributions <n>", "to the smallest circuit, each by a process of its own", wholeCount, 2)
    .option("--keep <folder>", "folder for logs, data and keys, kept afterwards")
    .addHelpText("after", example("rehearse --contributions 150"))
    .action(async (options: { contributions: number; keep?: string }) => {
      const { rehearse } = await import("@openledger/e2e/scenarios/operator/rehearsal");
      const startedAtMs = performance.now();
      const tell = (text: string) =>
        tools.onLog(
          `${String(Math.round((performance.now() - startedAtMs) / 1_000)).padStart(5)} s  ${text}`,
        );
      const rehearsal = await rehearse(options, tell);
      tools.report({ rehearsal }, true);
      process.exit(rehearsal.verified ? 0 : 1);
    });
}

interface CircuitPowers {
  readonly circuit: string;
  readonly constraints: number;
  readonly power: number;
}

async function powersOfCircuits(only: string | undefined, tools: CeremonyTools): Promise<CircuitPowers[]> {
  const [{ compileCircuit }, { neededPower }, { CIRCUITS }, { circuitsOf }, { PLANS }] = await Promise.all([
    import("@openledger/circuits/compiler/compile"),
    import("@openledger/prover/keys/ceremony"),
    import("@openledger/e2e/scenarios/operator/rehearsed-keys"),
    import("@openledger/e2e/devnet/circuits"),
    import("@openledger/e2e/devnet/plan"),
  ]);
  const resolve = await tools.loadResolver();
  const deployed = [...CIRCUITS, ...circuitsOf(PLANS.full).map(({ spec }) => spec.name)];
  const rows: CircuitPowers[] = [];
  for (const circuit of only === undefined ? new Set(deployed) : [only]) {
    const compiled = await compileCircuit(resolve(circuit), { onProgress: tools.onLog });
    const { linear, nonLinear } = compiled.constraintCounts;
    rows.push({ circuit, constraints: nonLinear + linear, power: neededPower(compiled) });
  }
  return rows;
}

function wholeCount(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It has to be a whole number above 0.");
}
