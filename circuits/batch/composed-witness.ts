import { batchSectionsOf, type ComposedDescription } from "../compiler/composed-description.ts";
import type { CircuitInputs, InputValue } from "../compiler/witness-calculator.ts";
import {
  type BatchSections,
  foreseeStates,
  frameInputs,
  mismatch,
  type SlotState,
  slotInputs,
} from "./composed-inputs.ts";

/** One copy of a part to be calculated. */
export interface PartTask {
  /** Index into the description's parts. */
  readonly part: number;
  readonly inputs: CircuitInputs;
  /** For the values of the copy's own wires, 32 bytes each. */
  readonly own: Uint8Array;
}

/**
 * Calculates a copy: fills `own`, and gives the values of the part's ports.
 * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH
 */
export type RunPart = (task: PartTask) => Promise<Uint8Array>;

export interface ComposedWitnessReport {
  /** Slots that were calculated twice, because the slot before left another state than was foreseen. */
  readonly repeatedSlots: number;
}

const VALUE_BYTES = 32;

interface Outcome {
  readonly state: SlotState;
  readonly ports: Uint8Array | null;
  readonly error: unknown;
}

/**
 * The witness of a composed batch circuit (docs/composition.md). Slots are handed to `run` all at once, each with the
 * state that it will find; the outcomes are then taken in order, so what is refused, and why, does not depend on what
 * was foreseen. The frame comes last: it needs the slots' outputs.
 */
export class ComposedWitness {
  readonly #description: ComposedDescription;
  readonly #run: RunPart;
  readonly #foresee: typeof foreseeStates;
  readonly #sections: BatchSections;

  /**
   * @param foresee a state for every slot; a wrong one costs time, nothing else
   * @throws RollupError CIR_COMPOSITION_INVALID where the description is of no batch
   */
  constructor(description: ComposedDescription, run: RunPart, foresee = foreseeStates) {
    this.#description = description;
    this.#run = run;
    this.#foresee = foresee;
    this.#sections = batchSectionsOf(description);
  }

  /**
   * @param values of all wires, 32 little-endian bytes each, to be filled; memory that `run` may share with threads
   * @param onProgress told of slots that are calculated; the frame is the last
   * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH
   */
  async calculate(
    inputs: CircuitInputs,
    values: Uint8Array,
    onProgress: (done: number, total: number) => void = () => {},
  ): Promise<ComposedWitnessReport> {
    const { narrow } = this.#sections;
    const foreseen = this.#foresee(inputs, this.#sections);
    let done = 0;
    const pending = foreseen.map(async (state, i) => {
      const outcome = await this.#tryCopy(i, inputs, state, values);
      onProgress(++done, foreseen.length + 1);
      return outcome;
    });
    const outcomes = await Promise.all(pending);

    let repeatedSlots = 0;
    let state: SlotState = { root: toBigInt(inputs.oldRoot), nextId: toBigInt(inputs.oldNextId) };
    const slots: Uint8Array[] = [];
    for (const [i, first] of outcomes.entries()) {
      const isForeseen =
        first.state.root === state.root && (i < narrow || first.state.nextId === state.nextId);
      const outcome = isForeseen ? first : await this.#tryCopy(i, inputs, state, values);
      if (!isForeseen) repeatedSlots++;
      if (outcome.ports === null) throw outcome.error;
      slots.push(outcome.ports);
      const root = this.#readPort(i, outcome.ports, "newRoot");
      state = { root, nextId: i < narrow ? state.nextId : this.#readPort(i, outcome.ports, "newNextId") };
    }
    const frame = await this.#runFrame(inputs, slots, state, values);

    values[0] = 1;
    for (const [copy, ports] of [...slots, frame].entries()) {
      for (const [k, wire] of this.#description.copies[copy]!.ports.entries())
        values.set(ports.subarray(k * VALUE_BYTES, (k + 1) * VALUE_BYTES), wire * VALUE_BYTES);
    }
    return { repeatedSlots };
  }

  async #tryCopy(
    copy: number,
    inputs: CircuitInputs,
    state: SlotState,
    values: Uint8Array,
  ): Promise<Outcome> {
    const { narrow } = this.#sections;
    try {
      const section = copy < narrow ? "narrow" : "wide";
      const index = copy < narrow ? copy : copy - narrow;
      const ports = this.#inputPorts(copy);
      const own = slotInputs(inputs, section, index, this.#sections, ports);
      own.oldRoot = state.root;
      if (ports.has("nextId")) own.nextId = state.nextId;
      return { state, ports: await this.#runCopy(copy, own, values), error: null };
    } catch (error) {
      return { state, ports: null, error };
    }
  }

  async #runFrame(
    inputs: CircuitInputs,
    slots: readonly Uint8Array[],
    last: SlotState,
    values: Uint8Array,
  ): Promise<Uint8Array> {
    const { narrow, wide } = this.#sections;
    const copy = narrow + wide;
    const ports = this.#inputPorts(copy);
    const given = frameInputs(inputs, ports);
    for (const port of ports) {
      const [, section, name] = /^(narrow|wide)([A-Z]\w*)$/.exec(port) ?? [];
      if (section === undefined || name === undefined || port in given) continue;
      const output = name[0]!.toLowerCase() + name.slice(1);
      const [from, to] = section === "narrow" ? [0, narrow] : [narrow, narrow + wide];
      given[port] = slots.slice(from, to).map((bytes, i) => this.#readOutput(from + i, bytes, output));
    }
    given.lastRoot = last.root;
    given.lastNextId = last.nextId;
    // A batch without narrow slots has their arrays, without an element; its frame has no such signals.
    for (const [name, value] of Object.entries(given))
      if (Array.isArray(value) && value.length === 0) delete given[name];
    return this.#runCopy(copy, given, values);
  }

  #runCopy(copy: number, inputs: CircuitInputs, values: Uint8Array): Promise<Uint8Array> {
    const { part, firstWire } = this.#description.copies[copy]!;
    const { wireCount, ports } = this.#description.parts[part]!;
    const from = firstWire * VALUE_BYTES;
    const own = values.subarray(from, from + (wireCount - 1 - ports.length) * VALUE_BYTES);
    return this.#run({ part, inputs, own });
  }

  /** Names of a copy's input ports, arrays once. */
  #inputPorts(copy: number): Set<string> {
    const { ports, outputCount } = this.#description.parts[this.#description.copies[copy]!.part]!;
    return new Set(ports.slice(outputCount).map((port) => port.split("[")[0]!));
  }

  #readPort(copy: number, bytes: Uint8Array, port: string): bigint {
    const value = this.#readOutput(copy, bytes, port);
    if (typeof value !== "bigint") throw mismatch(`${port} is an array`);
    return value;
  }

  /** A signal among a part's ports: a value, or an array over its first index. */
  #readOutput(copy: number, bytes: Uint8Array, name: string): InputValue {
    const { ports } = this.#description.parts[this.#description.copies[copy]!.part]!;
    const read = (k: number) => readValue(bytes, k * VALUE_BYTES);
    const single = ports.indexOf(name);
    if (single >= 0) return read(single);
    const elements: bigint[] = [];
    for (let k = ports.indexOf(`${name}[0]`); k >= 0; k = ports.indexOf(`${name}[${elements.length}]`))
      elements.push(read(k));
    if (elements.length === 0) throw mismatch(`a slot has no output ${name}`);
    return elements;
  }
}

function readValue(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, VALUE_BYTES);
  let value = 0n;
  for (let k = VALUE_BYTES - 8; k >= 0; k -= 8) value = (value << 64n) | view.getBigUint64(k, true);
  return value;
}

function toBigInt(value: InputValue | undefined): bigint {
  if (value === undefined || typeof value === "object") throw mismatch("oldRoot or oldNextId is missing");
  return BigInt(value as bigint);
}
