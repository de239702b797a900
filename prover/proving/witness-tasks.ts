/**
 * Tasks of the threads that compute a composed circuit's witness part by part (witness-source.ts), by circom's programs. It
 * must load nothing that loads snarkjs' thread package.
 */
import { readFile } from "node:fs/promises";
import { type CircuitInputs, WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import { proverError } from "../prover-errors.ts";
import { type LoadedSteps, loadStepRunner } from "../witness/step-runner.ts";

export interface PartRequest {
  readonly wasmPath: string;
  readonly inputs: CircuitInputs;
  readonly portCount: number;
  /** Output in shared memory: the values of the wires behind the ports. */
  readonly own: Uint8Array;
}

/** Copies of a part, by its steps. */
export interface BlockRequest {
  readonly stepsPath: string;
  /** Inputs of all copies, copy after copy: 32 bytes each, in the order of the part's wires. */
  readonly inputs: Uint8Array;
  readonly copyCount: number;
  readonly portCount: number;
  readonly own: Uint8Array;
}

const calculators = new Map<string, WitnessCalculator>();
const programs = new Map<string, LoadedSteps>();

/**
 * The values of a part's ports.
 * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH; an Error where the program is broken
 */
export async function runPart({ wasmPath, inputs, portCount, own }: PartRequest): Promise<Uint8Array> {
  let calculator = calculators.get(wasmPath);
  if (calculator === undefined) {
    calculator = new WitnessCalculator(await readFile(wasmPath));
    calculators.set(wasmPath, calculator);
  }
  calculator.run(inputs);
  const ports = new Uint8Array(portCount * calculator.valueBytes);
  calculator.copyWires(1, ports);
  calculator.copyWires(1 + portCount, own);
  return ports;
}

/** The values of the ports of all copies; null where a row of one does not hold. @throws PRV_STEPS_UNUSABLE */
export async function runBlock(request: BlockRequest): Promise<Uint8Array | null> {
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
  if (brokenRow !== -1) return null;
  own.set(values);
  return ports;
}
