/**
 * Who may have one of a factory's places for served models. A few accounts that fill them all keep nobody out: of the account that has the
 * most, a model gives way to one of an account that has fewer. An account's only model never does.
 */

/** A job whose model is served. */
export interface ServedPlace {
  readonly id: string;
  readonly leafId: number;
}

export interface PlaceLimits {
  readonly max: number;
  readonly maxPerAccount: number;
}

/**
 * free: there is room; given: the model of any of these jobs may give way, in their order; full: the account has its share, or all places
 * are shared out as evenly.
 */
export type PlaceFor =
  | { readonly is: "free" }
  | { readonly is: "given"; readonly by: readonly string[] }
  | { readonly is: "full"; readonly ownCount: number };

/** Tells whether a job of an account may have a place. @param served all jobs whose models are served, the earliest first */
export function placeFor(
  { id, leafId }: ServedPlace,
  served: readonly ServedPlace[],
  { max, maxPerAccount }: PlaceLimits,
): PlaceFor {
  const others = served.filter((other) => other.id !== id);
  const countOf = new Map<number, number>();
  for (const other of others) countOf.set(other.leafId, (countOf.get(other.leafId) ?? 0) + 1);
  const ownCount = countOf.get(leafId) ?? 0;
  if (ownCount >= maxPerAccount) return { is: "full", ownCount };
  if (others.length < max) return { is: "free" };
  const most = Math.max(...countOf.values());
  // With as many as the other has left afterwards, they would take the place from each other in turn.
  if (most < ownCount + 2) return { is: "full", ownCount };
  return {
    is: "given",
    by: others.flatMap((other) => (countOf.get(other.leafId) === most ? [other.id] : [])),
  };
}
