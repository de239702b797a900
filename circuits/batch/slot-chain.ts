/**
 * Computes the witnesses of a batch's wide slots (operations that the leaf table cannot hold) in parallel: each starts from a
 * predicted state, and runs again if the slot before leaves another one. table-witness.ts calls it while the narrow slots are
 * calculated.
 */
import type { ComposedCopies } from "../compiler/composed-copies.ts";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { foreseeStates, type SlotState, slotInputs } from "./composed-inputs.ts";

/** Result of one slot from one state: its port values, or the error. */
interface Outcome {
  readonly state: SlotState;
  readonly ports: Uint8Array | null;
  readonly error: unknown;
}

interface ChainOutcome {
  /** Port values of every slot. */
  readonly slots: readonly Uint8Array[];
  readonly last: SlotState;
  /** Slots that were calculated twice, because the slot before left another state than was foreseen. */
  readonly repeatedSlots: number;
}

/**
 * Calculation of a composed circuit's wide slots, each of which starts from the state of the slot before. All
 * start at once, each with a foreseen state. The outcomes are then taken in order, so a refusal and its
 * reason do not depend on the foreseen states.
 */
export class SlotChain {
  readonly #copies: ComposedCopies;
  readonly #firstCopy: number;
  readonly #count: number;
  readonly #foresee: typeof foreseeStates;

  /** @param foresee a state for every slot; a wrong one costs time, nothing else */
  constructor(copies: ComposedCopies, firstCopy: number, count: number, foresee = foreseeStates) {
    this.#copies = copies;
    this.#firstCopy = firstCopy;
    this.#count = count;
    this.#foresee = foresee;
  }

  /**
   * Calculates all slots.
   * @param start state that the first slot finds, known at the latest when all slots have been calculated
   * @param onSlot called after each slot's first calculation
   * @throws RollupError CIR_WITNESS_REFUSED, CIR_INPUT_MISMATCH
   */
  async calculate(
    inputs: CircuitInputs,
    start: Promise<SlotState>,
    values: Uint8Array,
    onSlot: () => void,
  ): Promise<ChainOutcome> {
    const pending = this.#foresee(inputs, this.#count).map(async (state, i) => {
      const outcome = await this.#tryCopy(i, inputs, state, values);
      onSlot();
      return outcome;
    });
    const [first, ...outcomes] = await Promise.all([start, ...pending]);
    let repeatedSlots = 0;
    let state = first;
    const slots: Uint8Array[] = [];
    for (const [i, found] of outcomes.entries()) {
      const isForeseen = found.state.root === state.root && found.state.nextId === state.nextId;
      const outcome = isForeseen ? found : await this.#tryCopy(i, inputs, state, values);
      if (!isForeseen) repeatedSlots++;
      if (outcome.ports === null) throw outcome.error;
      slots.push(outcome.ports);
      const read = (port: string) => this.#copies.element(this.#firstCopy + i, outcome.ports!, port);
      state = { root: read("newRoot"), nextId: read("newNextId") };
    }
    return { slots, last: state, repeatedSlots };
  }

  async #tryCopy(
    slot: number,
    inputs: CircuitInputs,
    state: SlotState,
    values: Uint8Array,
  ): Promise<Outcome> {
    const copy = this.#firstCopy + slot;
    try {
      const own = slotInputs(inputs, "wide", slot, this.#count, this.#copies.inputPorts(copy));
      own.oldRoot = state.root;
      own.nextId = state.nextId;
      return { state, ports: await this.#copies.calculate(copy, own, values), error: null };
    } catch (error) {
      return { state, ports: null, error };
    }
  }
}
