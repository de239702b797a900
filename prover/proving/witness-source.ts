/**
 * Witness step before a proof: inputs in, .wtns bytes out, by circom's program or a composition's parts on
 * threads. The helper thread of a back end and snarkjs' process run it.
 */
import { readFile } from "node:fs/promises";
import type { RunBlock, RunPart } from "@openledger/circuits/compiler/composed-copies";
import { isComposition, readDescription } from "@openledger/circuits/compiler/composed-copies";
import { type InputValue, WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { TableWitness } from "@openledger/circuits/table/table-witness";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { OWN_WORK_HEAP_MB, TaskPool } from "@openledger/foundation/threads/task-pool";
import { layOutWitness } from "../formats/wtns-file.ts";
import { proverError } from "../prover-errors.ts";
import { flattenInputs } from "../witness/step-inputs.ts";
import { loadStepRunner } from "../witness/step-runner.ts";
import type { CircuitInputs, SignalValue } from "./prover.ts";
import { proofThreadCount } from "./thread-count.ts";

/**
 * Called with the number of calculated parts. circom's own program has one part and reports nothing before
 * its end.
 */
type WitnessProgress = (done: number, total: number) => void;

/** Makes the witnesses of one circuit. */
export interface WitnessSource {
  /**
   * Bytes of a .wtns file.
   * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH; SyntaxError or TypeError for a signal that is no
   * number
   */
  calculate(inputs: CircuitInputs, onProgress?: WitnessProgress): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/**
 * Opens the witness step of a circuit: if `wasmPath` (ProvingCircuit) names a composition, its parts run side by side
 * on threads, anything else by circom's program in this thread. A part whose compiled steps are missing or unusable
 * falls back to circom's program, and one process warning (PRV_STEPS_UNUSABLE) says so.
 *
 * @throws RollupError CIR_COMPOSITION_INVALID; errors of the file system and of WebAssembly
 */
export async function openWitnessSource(
  wasmPath: string,
  threadCount: number = proofThreadCount(),
): Promise<WitnessSource> {
  if (isComposition(wasmPath)) return openComposition(wasmPath, threadCount);
  const calculator = new WitnessCalculator(await readFile(wasmPath));
  return {
    async calculate(inputs) {
      calculator.run(toNumbers(inputs));
      const { bytes, values } = layOutWitness(calculator.wireCount);
      calculator.copyWires(0, values);
      return bytes;
    },
    async close() {},
  };
}

/** Threads that calculate parts of witnesses, each one at a time. They start when needed, and keep nobody alive. */
export const openWitnessThreads = (threadCount: number) =>
  new TaskPool<typeof import("./witness-tasks.ts")>({
    tasks: new URL("./witness-tasks.ts", import.meta.url),
    threadCount,
    // The circuits are the rollup's own.
    maxHeapMb: OWN_WORK_HEAP_MB,
    ended: (cause) =>
      proverError("PRV_WORKER_DIED", `a witness thread ended: ${cause.message}`, {
        data: { reason: cause.message },
        cause,
      }),
  });

/**
 * Returns true if an error says that a circuit has no witness for the inputs: by its code, or by BigInt for a signal
 * that is no number.
 */
export const isRefusedWitness = (error: unknown): error is Error =>
  (isRollupError(error) && error.code.startsWith("CIR_")) ||
  error instanceof SyntaxError ||
  error instanceof TypeError;

async function openComposition(path: string, threadCount: number): Promise<WitnessSource> {
  await initPoseidon();
  const { description, wasmPaths, stepsPaths } = await readDescription(path);
  const threads = openWitnessThreads(threadCount);
  const run: RunPart = ({ part, inputs, own }) =>
    threads.run("runPart", {
      wasmPath: wasmPaths[part]!,
      inputs,
      portCount: description.parts[part]!.ports.length,
      own,
    });
  const hasRunner = loadStepRunner() !== null;
  const unusable = new Set<string>();
  const runBlock: RunBlock = async ({ part, inputs, own }) => {
    const stepsPath = stepsPaths[part];
    const { steps, ports } = description.parts[part]!;
    if (!hasRunner || stepsPath == null || steps === undefined || unusable.has(stepsPath)) return null;
    const bytes = flattenInputs(inputs, steps.inputs);
    if (bytes === null) return null;
    const [copyCount, portCount] = [inputs.length, ports.length];
    let made: Uint8Array | null;
    try {
      made = await threads.run("runBlock", { stepsPath, inputs: bytes, copyCount, portCount, own });
    } catch (error) {
      if (!isRollupError(error, "PRV_STEPS_UNUSABLE")) throw error;
      if (!unusable.has(stepsPath))
        process.emitWarning(`${error.message}: circom's program is used instead`, { code: error.code });
      unusable.add(stepsPath);
      return null;
    }
    if (made === null) return null;
    return inputs.map((_, i) => made.subarray(32 * portCount * i, 32 * portCount * (i + 1)));
  };
  const witness = new TableWitness(description, run, runBlock);
  return {
    async calculate(inputs, onProgress) {
      const shared = new SharedArrayBuffer(32 * description.wireCount);
      const { bytes, values } = layOutWitness(description.wireCount);
      await witness.calculate(toNumbers(inputs), new Uint8Array(shared), onProgress);
      values.set(new Uint8Array(shared));
      return bytes;
    },
    close: () => threads.close(),
  };
}

function toNumbers(inputs: CircuitInputs): Record<string, InputValue> {
  const convert = (value: SignalValue): InputValue =>
    typeof value === "object" ? value.map(convert) : BigInt(value);
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, convert(value)]));
}
