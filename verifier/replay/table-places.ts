/**
 * Rules of the orders in which a batch's operations may have arrived at the sequencer (circuits/table/table-order.ts): wide
 * slots keep their order, and a narrow slot came before the first wide one that names one of its leaves. Nothing else of the
 * order can be seen. So a promise of places is broken if no order that the batch can come from has the operations in them.
 */
export interface PlacedSlot {
  readonly section: "narrow" | "wide";
  /** Index among the signed slots of the section. */
  readonly index: number;
}

interface PlaceRules {
  /** Index of the wide slot that each narrow slot has to stand before; wideCount if there is none. */
  readonly deadlines: readonly number[];
  readonly wideCount: number;
}

/**
 * Orders all slots as the rules allow, with these slots at these places.
 *
 * Wide slots that are free are placed as late as may be, from the last one on. Then every prefix of the places holds as many
 * free ones for narrow slots as in any order, and every deadline is as late as in any. Narrow slots take them by deadline.
 * So where this finds no order there is none.
 * @param fixed slots by place, 0 to all slots less 1; each slot once
 * @returns null if there is no such order
 */
export function placeSlots(
  { deadlines, wideCount }: PlaceRules,
  fixed: ReadonlyMap<number, PlacedSlot>,
): PlacedSlot[] | null {
  const count = deadlines.length + wideCount;
  const order = Array.from({ length: count }, (_, place) => fixed.get(place) ?? null);
  const widePlaces: number[] = Array(wideCount).fill(-1);
  const freeNarrow = new Set(deadlines.keys());
  for (const [place, { index, section }] of fixed) {
    if (section === "wide") widePlaces[index] = place;
    else freeNarrow.delete(index);
  }
  let limit = count;
  for (let index = wideCount - 1; index >= 0; index--) {
    if (widePlaces[index] === -1) {
      let place = limit - 1;
      while (place >= 0 && order[place] !== null) place -= 1;
      if (place < 0) return null;
      order[place] = { section: "wide", index };
      widePlaces[index] = place;
    }
    if (widePlaces[index]! >= limit) return null;
    limit = widePlaces[index]!;
  }
  const free = [...freeNarrow].sort((x, y) => deadlines[x]! - deadlines[y]!);
  let next = 0;
  for (const place of order.keys()) order[place] ??= { section: "narrow", index: free[next++]! };
  const isKept = order.every(
    (slot, place) =>
      slot!.section === "wide" || place < (widePlaces[deadlines[slot!.index]!] ?? Number.POSITIVE_INFINITY),
  );
  return isKept ? (order as PlacedSlot[]) : null;
}
