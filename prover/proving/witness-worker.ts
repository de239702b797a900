/** A thread that runs circom's programs of single parts; it must load nothing that loads snarkjs' thread package. */
import { readFile } from "node:fs/promises";
import { type CircuitInputs, WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { proverError } from "../prover-errors.ts";
import { type LoadedSteps, loadStepRunner } from "../witness/step-runner.ts";

export interface PartRequest {
  readonly wasmPath: string;
  readonly inputs: CircuitInputs;
  readonly portCount: number;
  /** Output buffer over shared memory for the values of the wires after the ports. */
  readonly own: Uint8Array;
}

/** Copies of a part, by its steps. */
export interface BlockRequest {
  readonly stepsPath: string;
  /** Inputs of all copies, each in the order of the part's wires, 32 bytes each. */
  readonly inputs: Uint8Array;
  readonly copyCount: number;
  readonly portCount: number;
  readonly own: Uint8Array;
}

export type PartAnswer =
  | { readonly kind: "calculated"; readonly ports: Uint8Array }
  /** Answer if a row of some copy does not hold. */
  | { readonly kind: "broken" }
  /** `code` of a RollupError, with its data; null for anything else. */
  | {
      readonly kind: "failed";
      readonly code: string | null;
      readonly message: string;
      readonly data: object;
    };

const calculators = new Map<string, WitnessCalculator>();
const programs = new Map<string, LoadedSteps>();

/** Answers one task; piscina calls it. An error that piscina passes on would lose its code. */
export async function answer(request: PartRequest | BlockRequest): Promise<PartAnswer> {
  try {
    return await ("stepsPath" in request ? runSteps(request) : calculate(request));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [code, data] = isRollupError(error) ? [error.code, error.data] : [null, {}];
    return { kind: "failed", code, message, data: data ?? {} };
  }
}

async function calculate({ wasmPath, inputs, portCount, own }: PartRequest): Promise<PartAnswer> {
  let calculator = calculators.get(wasmPath);
  if (calculator === undefined) {
    calculator = new WitnessCalculator(await readFile(wasmPath));
    calculators.set(wasmPath, calculator);
  }
  calculator.run(inputs);
  const ports = new Uint8Array(portCount * calculator.valueBytes);
  calculator.copyWires(1, ports);
  calculator.copyWires(1 + portCount, own);
  return { kind: "calculated", ports };
}

/** @throws PRV_STEPS_UNUSABLE */
async function runSteps(request: BlockRequest): Promise<PartAnswer> {
  const { stepsPath, inputs, copyCount, portCount, own } = request;
  const ports = new Uint8Array(32 * portCount * copyCount);
  // The addon takes no shared memory.
  const values = new Uint8Array(own.length);
  let brokenRow: number;
  try {
    const runner = loadStepRunner();
    if (runner === null) throw new Error("the step runner is not built");
    let program = programs.get(stepsPath);
    if (program === undefined) {
      program = runner.load(await readFile(stepsPath));
      programs.set(stepsPath, program);
    }
    brokenRow = runner.run(program, inputs, ports, values);
  } catch (cause) {
    throw proverError("PRV_STEPS_UNUSABLE", `${stepsPath}: ${(cause as Error).message}`, {
      data: { stepsPath },
    });
  }
  if (brokenRow !== -1) return { kind: "broken" };
  own.set(values);
  return { kind: "calculated", ports };
}
