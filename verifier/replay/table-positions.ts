/**
 * Rules of the orders in which a batch's operations may have arrived at the sequencer (circuits/table/table-order.ts): wide
 * slots keep their order, and a narrow slot came before the first wide one that names one of its leaves. Nothing else of the
 * order can be seen. So a promise of positions is broken if no order that the batch can come from has the operations in them.
 */
export interface OrderedSlot {
  readonly section: "narrow" | "wide";
  /** Index among the signed slots of the section. */
  readonly index: number;
}

interface OrderRules {
  /** Index of the wide slot that each narrow slot has to stand before; wideCount if there is none. */
  readonly deadlines: readonly number[];
  readonly wideCount: number;
}

/**
 * Orders all slots as the rules allow, with these slots at these positions.
 *
 * Wide slots that are free are placed as late as may be, from the last one on. Then every prefix of the positions holds as many
 * free ones for narrow slots as in any order, and every deadline is as late as in any. Narrow slots take them by deadline.
 * So where this finds no order there is none.
 * @param fixed slots by place, 0 to all slots less 1; each slot once
 * @returns null if there is no such order
 */
export function orderSlots(
  { deadlines, wideCount }: OrderRules,
  fixed: ReadonlyMap<number, OrderedSlot>,
): OrderedSlot[] | null {
  const count = deadlines.length + wideCount;
  const order = Array.from({ length: count }, (_, position) => fixed.get(position) ?? null);
  const widePositions: number[] = Array(wideCount).fill(-1);
  const freeNarrow = new Set(deadlines.keys());
  for (const [position, { index, section }] of fixed) {
    if (section === "wide") widePositions[index] = position;
    else freeNarrow.delete(index);
  }
  let limit = count;
  for (let index = wideCount - 1; index >= 0; index--) {
    if (widePositions[index] === -1) {
      let position = limit - 1;
      while (position >= 0 && order[position] !== null) position -= 1;
      if (position < 0) return null;
      order[position] = { section: "wide", index };
      widePositions[index] = position;
    }
    if (widePositions[index]! >= limit) return null;
    limit = widePositions[index]!;
  }
  const free = [...freeNarrow].sort((x, y) => deadlines[x]! - deadlines[y]!);
  let next = 0;
  for (const position of order.keys()) order[position] ??= { section: "narrow", index: free[next++]! };
  const isKept = order.every(
    (slot, position) =>
      slot!.section === "wide" ||
      position < (widePositions[deadlines[slot!.index]!] ?? Number.POSITIVE_INFINITY),
  );
  return isKept ? (order as OrderedSlot[]) : null;
}
