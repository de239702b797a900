/**
 * Witness of a composed circuit, put together from the witnesses of its parts' copies: the inputs and outputs of each copy, and
 * its position in the whole. table-witness.ts computes a batch's witness by it.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { circuitError } from "../circuit-errors.ts";
import type { CircuitInputs, InputValue } from "./witness-calculator.ts";

// composition.json beside a composed circuit: how the parts' witnesses make the whole's.

export const COMPOSITION_FILE = "composition.json";

const count = z.number().int().nonnegative();
const descriptionSchema = z.object({
  plan: z.record(z.string(), z.union([z.string(), z.number()])),
  wireCount: count,
  publicCount: count,
  parts: z.array(
    z.object({
      wireCount: count,
      ports: z.array(z.string()),
      outputCount: count,
      wasmFile: z.string(),
      /** Steps of row-steps.ts. Absent if a wire follows from no row. */
      steps: z
        .object({
          file: z.string(),
          inputs: z.array(z.object({ name: z.string(), firstWire: count, count })),
        })
        .optional(),
    }),
  ),
  /** CopyLayout of compose-layout.ts. */
  copies: z.array(z.object({ part: count, ports: z.array(count), firstWire: count })),
});

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };
export type ComposedDescription = DeepReadonly<z.infer<typeof descriptionSchema>>;

/**
 * True if a circuit's calculator (ProvingCircuit.wasmPath) is a composition's description, not circom's
 * program.
 */
export const isComposition = (wasmPath: string): boolean => wasmPath.endsWith(`/${COMPOSITION_FILE}`);

/** @throws RollupError CIR_COMPOSITION_INVALID */
export async function readDescription(
  path: string,
): Promise<{ description: ComposedDescription; wasmPaths: string[]; stepsPaths: (string | null)[] }> {
  const parsed = descriptionSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
  if (!parsed.success) {
    throw circuitError("CIR_COMPOSITION_INVALID", `${path}: ${z.prettifyError(parsed.error)}`, {
      data: { path },
    });
  }
  const description = parsed.data;
  const inFolder = (file: string) => join(dirname(path), file);
  return {
    description,
    wasmPaths: description.parts.map(({ wasmFile }) => inFolder(wasmFile)),
    stepsPaths: description.parts.map(({ steps }) => (steps === undefined ? null : inFolder(steps.file))),
  };
}

/** One copy of a part to be calculated. */
export interface PartTask {
  /** Index into the description's parts. */
  readonly part: number;
  readonly inputs: CircuitInputs;
  /** Output buffer for the values of the copy's own wires, 32 bytes each. */
  readonly own: Uint8Array;
}

/**
 * Calculates a copy: fills `own` and returns the values of the part's ports.
 * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH
 */
export type RunPart = (task: PartTask) => Promise<Uint8Array>;

/** Copies of one part, one after the other. */
interface BlockTask {
  readonly part: number;
  readonly inputs: readonly CircuitInputs[];
  /** Output buffer for the values of all copies' own wires, 32 bytes each. */
  readonly own: Uint8Array;
}

/**
 * Follows RunPart for many copies at once. Resolves to null if the part has no steps or one of its rows does
 * not hold; circom's program then tells which row.
 */
export type RunBlock = (task: BlockTask) => Promise<readonly Uint8Array[] | null>;

/** Called as copies are calculated. */
export type CopyProgress = (done: number, total: number) => void;

const VALUE_BYTES = 32;
/** Copies that share the inversions of a block. More do not fit into a core's cache. */
const BLOCK_COPIES = 16;

export class ComposedCopies {
  readonly #description: ComposedDescription;
  readonly #run: RunPart;
  readonly #runBlock: RunBlock;

  constructor(description: ComposedDescription, run: RunPart, runBlock: RunBlock = async () => null) {
    this.#description = description;
    this.#run = run;
    this.#runBlock = runBlock;
  }

  /** Names of a copy's input ports, arrays once. */
  inputPorts(copy: number): Set<string> {
    const { ports, outputCount } = this.#partOf(copy);
    return new Set(ports.slice(outputCount).map((port) => port.split("[")[0]!));
  }

  /** Fills the copy's own wires in `values` and returns the values of its ports. @throws as RunPart */
  calculate(copy: number, inputs: CircuitInputs, values: Uint8Array): Promise<Uint8Array> {
    const { part, firstWire } = this.#description.copies[copy]!;
    const { wireCount, ports } = this.#partOf(copy);
    const from = firstWire * VALUE_BYTES;
    const own = values.subarray(from, from + (wireCount - 1 - ports.length) * VALUE_BYTES);
    return this.#run({ part, inputs, own });
  }

  /**
   * Follows `calculate` for consecutive copies of one part. @param onCopies called with the number of copies
   * calculated since the last call
   */
  async calculateAll(
    firstCopy: number,
    inputs: readonly CircuitInputs[],
    values: Uint8Array,
    onCopies: (count: number) => void,
  ): Promise<Uint8Array[]> {
    const blocks = Array.from({ length: Math.ceil(inputs.length / BLOCK_COPIES) }, async (_, k) => {
      const from = k * BLOCK_COPIES;
      const block = inputs.slice(from, from + BLOCK_COPIES);
      const { part, firstWire } = this.#description.copies[firstCopy + from]!;
      const { wireCount, ports } = this.#description.parts[part]!;
      const size = (wireCount - 1 - ports.length) * VALUE_BYTES;
      const at = firstWire * VALUE_BYTES;
      const own = values.subarray(at, at + block.length * size);
      const made =
        (await this.#runBlock({ part, inputs: block, own })) ??
        (await Promise.all(block.map((each, i) => this.calculate(firstCopy + from + i, each, values))));
      onCopies(block.length);
      return made;
    });
    return (await Promise.all(blocks)).flat();
  }

  /** A signal among a copy's ports: a value, or an array over its first index. @throws CIR_INPUT_MISMATCH */
  port(copy: number, bytes: Uint8Array, name: string): InputValue {
    const { ports } = this.#partOf(copy);
    const read = (k: number) => readValue(bytes, k * VALUE_BYTES);
    const single = ports.indexOf(name);
    if (single >= 0) return read(single);
    const elements: bigint[] = [];
    for (let k = ports.indexOf(`${name}[0]`); k >= 0; k = ports.indexOf(`${name}[${elements.length}]`))
      elements.push(read(k));
    if (elements.length === 0) throw mismatch(`a copy has no port ${name}`);
    return elements;
  }

  /** @throws CIR_INPUT_MISMATCH */
  element(copy: number, bytes: Uint8Array, name: string): bigint {
    const value = this.port(copy, bytes, name);
    if (typeof value !== "bigint") throw mismatch(`${name} is an array`);
    return value;
  }

  /**
   * Adds to `inputs` what the copy takes of a section and the caller does not give: the copy's input wideCore[i] is the
   * section's i-th output core.
   * @param ports of the section's copies, the first of which is `firstCopy`
   */
  collect(
    copy: number,
    inputs: CircuitInputs,
    section: string,
    ports: readonly Uint8Array[],
    firstCopy: number,
  ): void {
    for (const name of this.inputPorts(copy)) {
      if (name in inputs || !name.startsWith(section) || !/^[A-Z]/.test(name.slice(section.length))) continue;
      const output = name[section.length]!.toLowerCase() + name.slice(section.length + 1);
      inputs[name] = ports.map((bytes, i) => this.port(firstCopy + i, bytes, output));
    }
  }

  /** Writes the constant 1 and every copy's ports to their wires. */
  place(portsOfCopies: readonly Uint8Array[], values: Uint8Array): void {
    values[0] = 1;
    for (const [copy, ports] of portsOfCopies.entries())
      for (const [k, wire] of this.#description.copies[copy]!.ports.entries())
        values.set(ports.subarray(k * VALUE_BYTES, (k + 1) * VALUE_BYTES), wire * VALUE_BYTES);
  }

  #partOf(copy: number) {
    return this.#description.parts[this.#description.copies[copy]!.part]!;
  }
}

function readValue(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, VALUE_BYTES);
  let value = 0n;
  for (let k = VALUE_BYTES - 8; k >= 0; k -= 8) value = (value << 64n) | view.getBigUint64(k, true);
  return value;
}

export function mismatch(reason: string): RollupError {
  return circuitError("CIR_INPUT_MISMATCH", reason, { data: { reason } });
}
