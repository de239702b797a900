/** Our back ends against snarkjs (and rapidsnark, if given): same key, same witness, in turns. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { BatchBuilder } from "../../circuits/batch.ts";
import { batchStatement } from "../../circuits/batch-data.ts";
import { batchInputs } from "../../circuits/batch-inputs.ts";
import { circuitSpec } from "../../circuits/circuit-registry.ts";
import { compileCircuit, repositoryRoot } from "../../circuits/compile.ts";
import { initPoseidon } from "../../circuits/poseidon.ts";
import { TREE_DEPTH } from "../../circuits/protocol.ts";
import { RandomLedger } from "../../circuits/random-ledger.ts";
import { WitnessCalculator } from "../../circuits/witness-calculator.ts";
import { developmentSetup } from "../../prover/development-setup.ts";
import type { ProvingCircuit } from "../../prover/prover.ts";
import { encodeWitness } from "../../prover/wtns-file.ts";
import { readZkeyHeader } from "../../prover/zkey-file.ts";
import type { ChildAnswer, ChildRequest } from "./prove-child.ts";

/** A batch whose constraints fill most of each domain. Keys come from τ = a hash: no two points are equal. */
const SHAPE_OF_DOMAIN: Record<number, { narrow: number; wide: number }> = {
  16: { narrow: 0, wide: 2 },
  17: { narrow: 2, wide: 2 },
  18: { narrow: 8, wide: 4 },
  19: { narrow: 20, wide: 4 },
  20: { narrow: 40, wide: 8 },
};
const BACKENDS = ["snarkjs", "wasm", "native"] as const;
type Contestant = (typeof BACKENDS)[number] | "rapidsnark";

export interface BenchProveOptions {
  sizes: string;
  rounds: string;
  rapidsnark?: string;
  zkey?: string;
  wtns?: string;
}

interface Case {
  circuit: ProvingCircuit;
  wtnsPath: string;
  constraints: number | null;
  domainLog2: number;
}

export async function benchProve(options: BenchProveOptions) {
  const rounds = Number(options.rounds);
  const folder = await mkdtemp(join(tmpdir(), "openledger-bench-"));
  try {
    const cases: Case[] = [];
    if (options.zkey !== undefined || options.wtns !== undefined) {
      if (options.zkey === undefined || options.wtns === undefined)
        throw new Error("--zkey and --wtns go together");
      cases.push(await foreignCase(options.zkey, options.wtns));
    } else {
      await initPoseidon();
      for (const size of options.sizes.split(",")) cases.push(await ledgerCase(Number(size), folder));
    }
    const machine = {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    };
    console.log(
      `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, node ${process.version}`,
    );
    const sizes = [];
    for (const one of cases) sizes.push(await measure(one, rounds, options.rapidsnark, folder));
    return { machine, rounds, sizes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ledgerCase(domainLog2: number, folder: string): Promise<Case> {
  const shape = SHAPE_OF_DOMAIN[domainLog2];
  if (shape === undefined) throw new Error(`sizes are ${Object.keys(SHAPE_OF_DOMAIN).join(", ")}`);
  const name = `batch-${shape.narrow}-${shape.wide}`;
  console.log(`2^${domainLog2}: ${name}, compiling, making its key, filling a batch`);
  const compiled = await compileCircuit(circuitSpec(name));
  const circuit = await developmentSetup(compiled);
  const world = new RandomLedger(domainLog2, TREE_DEPTH);
  const builder = new BatchBuilder(world.ledger, world.opening(shape));
  for (let i = 0; i < shape.narrow; i++) builder.add(world.transfer());
  const sealed = builder.seal();
  const inputs = batchInputs(sealed, batchStatement(sealed.data, 1n).z, TREE_DEPTH);
  const witness = (await WitnessCalculator.load(circuit.wasmPath)).calculate(inputs);
  const wtnsPath = join(folder, `${name}.wtns`);
  await writeFile(wtnsPath, encodeWitness(witness));
  const { nonLinear, linear } = compiled.constraintCounts;
  return { circuit, wtnsPath, constraints: nonLinear + linear, domainLog2 };
}

async function foreignCase(zkeyPath: string, wtnsPath: string): Promise<Case> {
  const header = await readZkeyHeader(zkeyPath);
  const circuit = {
    name: zkeyPath,
    wasmPath: "",
    zkeyPath,
    verificationKey: header.verificationKey,
    contentHash: "",
    isDevelopment: false,
  };
  return { circuit, wtnsPath, constraints: null, domainLog2: Math.log2(header.domainSize) };
}

async function measure(one: Case, rounds: number, rapidsnark: string | undefined, folder: string) {
  const children = new Map<Contestant, ChildProcess>();
  const times = new Map<Contestant, number[]>();
  const peakMb = new Map<Contestant, number>();
  const phases = new Map<Contestant, object>();
  const contestants: Contestant[] = [
    ...BACKENDS,
    ...(rapidsnark === undefined ? [] : (["rapidsnark"] as const)),
  ];
  try {
    // One round more than is counted: the first loads the key.
    for (let round = 0; round <= rounds; round++) {
      for (const who of contestants) {
        if (round > 0 && !times.has(who)) continue;
        const answer =
          who === "rapidsnark"
            ? await runRapidsnark(rapidsnark!, one, folder)
            : await ask(childOf(who, children), one);
        if (!answer.ok) {
          console.log(`  ${who} did not run: ${answer.code} ${answer.message}`);
          times.delete(who);
          continue;
        }
        const list = times.get(who) ?? [];
        if (round > 0) list.push(answer.proveMs);
        times.set(who, list);
        peakMb.set(who, answer.peakMb);
        if (answer.phases !== null) phases.set(who, answer.phases);
        console.log(
          `  round ${round}${round === 0 ? " (not counted)" : ""}: ${who} ${Math.round(answer.proveMs)} ms, peak ${Math.round(answer.peakMb)} MB`,
        );
      }
    }
  } finally {
    for (const child of children.values()) child.kill("SIGKILL");
  }
  const medianMs = (who: Contestant) => (times.has(who) ? Math.round(median(times.get(who)!)) : null);
  const ratio = (ours: Contestant, peer: Contestant) => {
    const [a, b] = [medianMs(ours), medianMs(peer)];
    return a === null || b === null ? null : Math.round((100 * b) / a) / 100;
  };
  const every = (value: (who: Contestant) => number | null) => ({
    snarkjs: value("snarkjs"),
    wasm: value("wasm"),
    native: value("native"),
    webgpu: null,
    rapidsnark: value("rapidsnark"),
  });
  const row = {
    constraints: one.constraints,
    domainLog2: one.domainLog2,
    medianMs: every(medianMs),
    peakMb: every((who) => (times.has(who) ? Math.round(peakMb.get(who)!) : null)),
    ratios: {
      wasmToSnarkjs: ratio("wasm", "snarkjs"),
      nativeToSnarkjs: ratio("native", "snarkjs"),
      wasmToRapidsnark: ratio("wasm", "rapidsnark"),
      nativeToRapidsnark: ratio("native", "rapidsnark"),
    },
    phases: Object.fromEntries(phases),
  };
  console.log(`2^${row.domainLog2}: ${JSON.stringify({ medianMs: row.medianMs, ratios: row.ratios })}`);
  return row;
}

function childOf(who: Contestant, children: Map<Contestant, ChildProcess>): ChildProcess {
  let child = children.get(who);
  if (child === undefined) {
    child = fork(join(repositoryRoot, "scripts", "bench", "prove-child.ts"), [who], {
      execArgv: ["--import", "tsx"],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    children.set(who, child);
  }
  return child;
}

function ask(child: ChildProcess, { circuit, wtnsPath }: Case): Promise<ChildAnswer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a prover's process ended with ${code}`));
    child.once("exit", onExit);
    child.once("message", (answer: ChildAnswer) => {
      child.off("exit", onExit);
      resolve(answer);
    });
    child.send({ circuit, wtnsPath } satisfies ChildRequest);
  });
}

/** rapidsnark's command line reads the key anew for every proof; its process is timed whole, as its users run it. */
function runRapidsnark(binary: string, one: Case, folder: string): Promise<ChildAnswer> {
  return new Promise((resolve, reject) => {
    const startedAtMs = performance.now();
    const child = spawn(
      binary,
      [one.circuit.zkeyPath, one.wtnsPath, join(folder, "proof.json"), join(folder, "public.json")],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    child.on("error", reject);
    child.on("exit", (code) =>
      resolve(
        code === 0
          ? { ok: true, proveMs: performance.now() - startedAtMs, peakMb: 0, phases: null }
          : { ok: false, code: "PRV_PROVE_FAILED", message: `rapidsnark ended with ${code}` },
      ),
    );
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
