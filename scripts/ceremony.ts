import { isRollupError } from "@openledger/foundation/rollup-error";
import type { ResolveCircuit } from "@openledger/prover/keys/ceremony";
import { Command } from "commander";
import { addPracticeCommands } from "./ceremony-drill.ts";
import { addServedCommands } from "./ceremony-served.ts";

// Annotated, so that the compiler knows that program.error ends the process.
const program: Command = new Command("ceremony")
  .description("Makes the production keys of a circuit (docs/how-to/keys.md).")
  .configureHelp({ showGlobalOptions: true });

/** Log lines go to stderr, so that stdout holds the result alone. */
const onLog = (line: string) => process.stderr.write(`${line}\n`);
console.log = onLog; // snarkjs prints some of its verdicts itself

async function loadCeremony() {
  return import("@openledger/prover/keys/ceremony"); // snarkjs takes a second to load, and --help does not need it
}

async function loadResolver(): Promise<ResolveCircuit> {
  return (await import("@openledger/circuits/registry/circuit-registry")).circuitSpec;
}

function report(result: object, isJson: boolean | undefined): void {
  if (isJson === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  for (const [name, value] of Object.entries(result)) {
    process.stdout.write(`${name}: ${typeof value === "object" ? JSON.stringify(value) : value}\n`);
  }
}

const example = (line: string) => `\nExample:\n  $ npm run ceremony -- ${line}\n`;
const prepared = "powers of tau, prepared for phase 2";

program
  .command("new")
  .description("start a circuit's key from a powers-of-tau file")
  .requiredOption("--circuit <name>", "the circuit, such as table-10-6-5-20-6-1-2")
  .requiredOption("--ptau <file>", prepared)
  .requiredOption("--out <zkey>", "the key to write")
  .option("--json", "print the result as JSON")
  .addHelpText(
    "after",
    example("new --circuit table-10-6-5-20-6-1-2 --ptau pot18.ptau --out table-10-6-5-20-6-1-2.0.zkey"),
  )
  .action(async (options: { circuit: string; ptau: string; out: string; json?: boolean }) => {
    const { startKey } = await loadCeremony();
    const resolveCircuit = await loadResolver();
    const { circuit: circuitName, ptau: ptauPath, out: zkeyPath } = options;
    report(await startKey({ circuitName, resolveCircuit, ptauPath, zkeyPath }, { onLog }), options.json);
  });

program
  .command("contribute")
  .description("add a secret to a key, and forget it")
  .requiredOption("--from <zkey>", "the key as the last contributor left it")
  .requiredOption("--to <zkey>", "the key to write")
  .requiredOption("--name <who>", "goes into the key's public transcript")
  .option("--entropy <text>", "mixed with this machine's randomness")
  .option("--json", "print the result as JSON")
  .addHelpText(
    "after",
    example('contribute --from table-10-6-5-20-6-1-2.0.zkey --to table-10-6-5-20-6-1-2.1.zkey --name "Ada"'),
  )
  .action(async (options: { from: string; to: string; name: string; entropy?: string; json?: boolean }) => {
    const { contributeToKey } = await loadCeremony();
    const { from: fromPath, to: toPath, name: contributorName, entropy } = options;
    const request = { fromPath, toPath, contributorName, ...(entropy === undefined ? {} : { entropy }) };
    report(await contributeToKey(request, { onLog }), options.json);
  });

program
  .command("beacon")
  .description("end the ceremony with a public value that was unpredictable")
  .requiredOption("--from <zkey>", "the key with all contributions")
  .requiredOption("--to <zkey>", "the key to write")
  .requiredOption("--beacon <hex>", "the value: an announced block's hash, without 0x")
  .option("--iterations-exp <n>", "hash the value 2^n times", "10")
  .option("--json", "print the result as JSON")
  .addHelpText(
    "after",
    example(
      "beacon --from table-10-6-5-20-6-1-2.3.zkey --to table-10-6-5-20-6-1-2.final.zkey --beacon 0102030405060708090a0b0c0d0e0f10",
    ),
  )
  .action(
    async (options: { from: string; to: string; beacon: string; iterationsExp: string; json?: boolean }) => {
      const { applyBeacon } = await loadCeremony();
      const { from: fromPath, to: toPath, beacon: beaconHex } = options;
      const iterationsExp = Number(options.iterationsExp);
      report(await applyBeacon({ fromPath, toPath, beaconHex, iterationsExp }, { onLog }), options.json);
    },
  );

program
  .command("verify")
  .description("check a key against its circuit, the powers of tau and its contributions")
  .requiredOption("--circuit <name>", "the circuit, such as table-10-6-5-20-6-1-2")
  .requiredOption("--ptau <file>", prepared)
  .requiredOption("--zkey <zkey>", "the key to check")
  .option("--json", "print the result as JSON")
  .addHelpText(
    "after",
    example(
      "verify --circuit table-10-6-5-20-6-1-2 --ptau pot18.ptau --zkey table-10-6-5-20-6-1-2.final.zkey",
    ),
  )
  .action(async (options: { circuit: string; ptau: string; zkey: string; json?: boolean }) => {
    const { verifyKey } = await loadCeremony();
    const resolveCircuit = await loadResolver();
    const { circuit: circuitName, ptau: ptauPath, zkey: zkeyPath } = options;
    const verdict = await verifyKey({ circuitName, resolveCircuit, ptauPath, zkeyPath }, { onLog });
    report(verdict, options.json);
    if (!verdict.isValid) process.exitCode = 1;
  });

program
  .command("export")
  .description("write the folder that the prover and the deployment read, with the Solidity verifying key")
  .requiredOption("--circuit <name>", "the circuit, such as table-10-6-5-20-6-1-2")
  .requiredOption("--out <folder>", "the folder to make")
  .option("--ptau <file>", prepared)
  .option("--zkey <zkey>", "the finished key, which is verified first")
  .option("--development", "a key from public constants instead: INSECURE, refused off chain 31337")
  .option("--json", "print the result as JSON")
  .addHelpText(
    "after",
    `${example("export --circuit table-10-6-5-20-6-1-2 --ptau pot18.ptau --zkey table-10-6-5-20-6-1-2.final.zkey --out keys/table-10-6-5-20-6-1-2")}${example(
      "export --circuit table-10-6-5-20-6-1-2 --development --out /tmp/table-10-6-5-20-6-1-2-development",
    )}`,
  )
  .action(async (options: ExportOptions) => {
    const { exportDevelopmentKey, exportKey } = await loadCeremony();
    const resolveCircuit = await loadResolver();
    const { circuit: circuitName, ptau: ptauPath, zkey: zkeyPath, out: folder } = options;
    const request = { circuitName, resolveCircuit, folder };
    if (options.development === true) {
      if (ptauPath !== undefined || zkeyPath !== undefined) {
        program.error("--development makes its own key: leave out --ptau and --zkey", { exitCode: 2 });
      }
      report(await exportDevelopmentKey(request, { onLog }), options.json);
      return;
    }
    if (ptauPath === undefined || zkeyPath === undefined) {
      program.error("a production key needs --ptau and --zkey; a development key --development", {
        exitCode: 2,
      });
    }
    report(await exportKey({ ...request, ptauPath, zkeyPath }, { onLog }), options.json);
  });

program
  .command("prepare")
  .description(
    "make powers of tau ready for phase 2, as snarkjs does byte for byte, and several times as fast",
  )
  .requiredOption("--from <file>", "powers of tau with their contributions")
  .requiredOption("--to <file>", "the file to write")
  .option("--json", "print the result as JSON")
  .addHelpText("after", example("prepare --from pot18_beacon.ptau --to pot18.ptau"))
  .action(async ({ from, json, to }: { from: string; to: string; json?: boolean }) => {
    const { logShare } = await loadCeremony();
    const { preparePowers } = await import("@openledger/prover/powers/prepare-powers");
    await preparePowers(from, to, logShare({ onLog }, "preparing for phase 2"));
    report({ ptau: to }, json);
  });

addServedCommands(program, { onLog, loadResolver, report });
addPracticeCommands(program, { onLog, loadResolver, report });

interface ExportOptions {
  circuit: string;
  out: string;
  ptau?: string;
  zkey?: string;
  development?: boolean;
  json?: boolean;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!isRollupError(error)) throw error;
  const isJson = process.argv.includes("--json");
  process.stderr.write(isJson ? `${JSON.stringify(error)}\n` : `${error.code}: ${error.message}\n`);
  process.exitCode = 1;
}
