/** A thread that runs circom's programs of single parts; it must load nothing that loads snarkjs' thread package. */
import { readFile } from "node:fs/promises";
import { type CircuitInputs, WitnessCalculator } from "../../circuits/compiler/witness-calculator.ts";
import { isRollupError } from "../../circuits/rollup-error.ts";

export interface PartRequest {
  readonly wasmPath: string;
  readonly inputs: CircuitInputs;
  readonly portCount: number;
  /** Over shared memory; filled with the values of the wires behind the ports. */
  readonly own: Uint8Array;
}

export type PartAnswer =
  | { readonly kind: "calculated"; readonly ports: Uint8Array }
  /** `code` of a RollupError, with its data; null for anything else. */
  | {
      readonly kind: "failed";
      readonly code: string | null;
      readonly message: string;
      readonly data: object;
    };

const calculators = new Map<string, WitnessCalculator>();

/** What piscina calls with each task. An error that it passes on would lose its code. */
export async function answer(request: PartRequest): Promise<PartAnswer> {
  try {
    return await calculate(request);
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
