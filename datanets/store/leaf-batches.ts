/** Joins requests for single leaves into requests for many: what is asked for in one turn of the event loop goes out together. */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Maximum leaves of one request, by the sequencer's limit. */
export const MAX_LEAVES_A_REQUEST = 100;

/** Cuts a list into parts of one request each. */
export const requestParts = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / MAX_LEAVES_A_REQUEST) }, (_, i) =>
    all.slice(i * MAX_LEAVES_A_REQUEST, (i + 1) * MAX_LEAVES_A_REQUEST),
  );

export class LeafBatches<Leaf extends { readonly id: number }> {
  readonly #ask: (ids: readonly number[]) => Promise<readonly Leaf[]>;
  /** Leaves of the next requests; null while nobody waits. */
  #wanted: Set<number> | null = null;
  #answers: Promise<ReadonlyMap<number, Promise<ReadonlyMap<number, Leaf>>>> | null = null;

  /** @param ask requests at most MAX_LEAVES_A_REQUEST leaves */
  constructor(ask: (ids: readonly number[]) => Promise<readonly Leaf[]>) {
    this.#ask = ask;
  }

  /** null if there is no such leaf. @throws what `ask` throws */
  async leaf(id: number): Promise<Leaf | null> {
    this.#wanted ??= new Set();
    this.#wanted.add(id);
    this.#answers ??= this.#send();
    const found = await (await this.#answers).get(id)!;
    return found.get(id) ?? null;
  }

  async #send() {
    await nextTurn();
    const parts = requestParts([...this.#wanted!]);
    this.#wanted = null;
    this.#answers = null;
    const answers = new Map<number, Promise<ReadonlyMap<number, Leaf>>>();
    for (const ids of parts) {
      const answer = this.#ask(ids).then((leaves) => new Map(leaves.map((leaf) => [leaf.id, leaf])));
      for (const id of ids) answers.set(id, answer);
    }
    return answers;
  }
}
