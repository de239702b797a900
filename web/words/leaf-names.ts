import { signal } from "@preact/signals";

/** A leaf as people call it. */
export interface LeafName {
  readonly name: string;
  /** "Datanet", "Model", "Account". */
  readonly kind: string;
  readonly href: string;
}

/** By the leaf's number. What has no name here is called by its number. */
export const leafNames = signal<ReadonlyMap<number, LeafName>>(
  new Map([
    // Leaves that everybody meets.
    [0, { name: "treasury", kind: "Account", href: "#/leaf/0" }],
    [1, { name: "operator's fees", kind: "Account", href: "#/leaf/1" }],
  ]),
);

/** Adds names; a known leaf gets the newer one. */
export function nameLeaves(named: Iterable<readonly [number, LeafName]>): void {
  const found = [...named];
  const isNew = ([id, { name }]: readonly [number, LeafName]) => leafNames.value.get(id)?.name !== name;
  if (found.some(isNew)) leafNames.value = new Map([...leafNames.value, ...found]);
}
