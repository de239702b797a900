/**
 * Rule by which an open batch (table-builder.ts) takes a narrow operation, one for the leaf table, after wide ones. The batch's
 * circuit applies all narrow slots before the first wide one, whatever came first, so such an operation has to commute with the
 * wide ones.
 *
 * The rule: **none of the leaves that it names is named by an earlier wide slot of the batch.** Why that is enough:
 * 1. What an operation does is a function of the leaves A and B that its record names, of the batch's header (timestamp,
 *    number, fee), and, for Creates and deposits, of nextId. It writes no other leaf: an unused A or B is leaf 0 unchanged,
 *    and counts as named. Narrow operations neither read nor write nextId.
 * 2. So by the rule, all narrow slots of a leaf come before its first wide one in the order of arrival. Wide slots keep
 *    their order, and so do the narrow slots of a section, and with them the chains.
 * 3. Therefore every slot finds its leaves as it found them on arrival, and each leaf ends as it ended. The narrow slots
 *    of a leaf are the first of it, so its balance and nonce after the table are ones that it had: "at once" holds.
 * 4. Fees are credited after the last slot, and what is in the header only counts slots.
 */
import type { SlotRecord } from "../batch/batch-data.ts";

type NamedLeaves = Pick<SlotRecord, "a" | "b">;

/** The leaves that wide slots of a batch name. */
export class WideLeaves {
  readonly #ids = new Set<number>();

  /** Adds the leaves of a wide slot's record. B of a Create or a deposit is the id that it opens. */
  add({ a, b }: NamedLeaves): void {
    this.#ids.add(a).add(b);
  }

  /** True if a narrow operation that comes now may be applied before all of these. */
  commutesWith({ a, b }: NamedLeaves): boolean {
    return !this.#ids.has(a) && !this.#ids.has(b);
  }
}
