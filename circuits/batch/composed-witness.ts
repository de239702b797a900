import { ComposedCopies, type CopyProgress, mismatch, type RunPart } from "../compiler/composed-copies.ts";
import { batchSectionsOf, type ComposedDescription } from "../compiler/composed-description.ts";
import type { CircuitInputs, InputValue } from "../compiler/witness-calculator.ts";
import { type BatchSections, foreseeStates, frameInputs, type SlotState } from "./composed-inputs.ts";
import { SlotChain } from "./slot-chain.ts";

export interface ComposedWitnessReport {
  /** Slots that were calculated twice, because the slot before left another state than was foreseen. */
  readonly repeatedSlots: number;
}

/** The witness of a composed batch circuit (docs/composition.md). The frame comes last: it needs the slots' outputs. */
export class ComposedWitness {
  readonly #copies: ComposedCopies;
  readonly #chain: SlotChain;
  readonly #sections: BatchSections;

  /**
   * @param foresee a state for every slot; a wrong one costs time, nothing else
   * @throws RollupError CIR_COMPOSITION_INVALID where the description is of no batch
   */
  constructor(description: ComposedDescription, run: RunPart, foresee = foreseeStates) {
    this.#copies = new ComposedCopies(description, run);
    this.#sections = batchSectionsOf(description);
    this.#chain = new SlotChain(this.#copies, 0, this.#sections, foresee);
  }

  /**
   * @param values of all wires, 32 little-endian bytes each, to be filled; memory that `run` may share with threads
   * @param onProgress told of slots that are calculated; the frame is the last
   * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH
   */
  async calculate(
    inputs: CircuitInputs,
    values: Uint8Array,
    onProgress: CopyProgress = () => {},
  ): Promise<ComposedWitnessReport> {
    const { narrow, wide } = this.#sections;
    let done = 0;
    const start = { root: toBigInt(inputs.oldRoot), nextId: toBigInt(inputs.oldNextId) };
    const { slots, last, repeatedSlots } = await this.#chain.calculate(
      inputs,
      Promise.resolve(start),
      values,
      () => onProgress(++done, narrow + wide + 1),
    );
    const frame = await this.#runFrame(inputs, slots, last, values);
    this.#copies.place([...slots, frame], values);
    return { repeatedSlots };
  }

  async #runFrame(
    inputs: CircuitInputs,
    slots: readonly Uint8Array[],
    last: SlotState,
    values: Uint8Array,
  ): Promise<Uint8Array> {
    const { narrow, wide } = this.#sections;
    const copy = narrow + wide;
    const given = frameInputs(inputs, this.#copies.inputPorts(copy));
    this.#copies.collect(copy, given, "narrow", slots.slice(0, narrow), 0);
    this.#copies.collect(copy, given, "wide", slots.slice(narrow), narrow);
    given.lastRoot = last.root;
    given.lastNextId = last.nextId;
    return this.#copies.calculate(copy, withoutEmpty(given), values);
  }
}

/** A batch without slots of a section has their arrays, without an element; the circuit has no such signals. */
export const withoutEmpty = (inputs: CircuitInputs): CircuitInputs =>
  Object.fromEntries(
    Object.entries(inputs).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  );

export function toBigInt(value: InputValue | undefined): bigint {
  if (value === undefined || typeof value === "object") throw mismatch("oldRoot or oldNextId is missing");
  return BigInt(value as bigint);
}
