/**
 * Names of leaves for all pages: chosen names, Datanets' names, and the account of the wallet. Links read them; hosts are asked
 * for the names of leaves that pages show.
 */
import { signal } from "@preact/signals";

/** A leaf as people call it. */
export interface LeafName {
  readonly name: string;
  /** "Datanet", "Model", "Account". */
  readonly kind: string;
  readonly href: string;
  /** True for a name that the leaf's own key has signed: it goes before a name that only describes the leaf. */
  readonly isChosen?: true;
}

/** Names by the leaf's number. A leaf without a name here is called by its number. */
export const leafNames = signal<ReadonlyMap<number, LeafName>>(
  new Map([
    // Leaves that everybody meets.
    [0, { name: "treasury", kind: "Account", href: "#/leaf/0" }],
    [1, { name: "operator's fees", kind: "Account", href: "#/leaf/1" }],
  ]),
);

/** The connected wallet's account. */
export const ownLeafId = signal<number | null>(null);

/** Leaves that pages have shown, the last ones, whose names are requested. */
export const shownLeaves = signal<readonly number[]>([]);
/** Leaves whose names are asked for. */
const MAX_SHOWN = 200;
/** Time to gather the leaves of one page into one request: its links are rendered one after the other. */
const GATHER_MS = 50;
const gathered = new Set<number>();

/** A page shows this leaf. */
export function noteShownLeaf(id: number): void {
  if (gathered.has(id) || shownLeaves.value.includes(id)) return;
  if (gathered.size === 0)
    setTimeout(() => {
      shownLeaves.value = [...shownLeaves.value, ...gathered].slice(-MAX_SHOWN);
      gathered.clear();
    }, GATHER_MS);
  gathered.add(id);
}

/** Adds names; a known leaf gets the newer one, but no description in place of a name that it has chosen. */
export function nameLeaves(named: Iterable<readonly [number, LeafName]>): void {
  const fits = ([id, { isChosen, name }]: readonly [number, LeafName]) => {
    const known = leafNames.value.get(id);
    return known?.name !== name && (known?.isChosen !== true || isChosen === true);
  };
  const found = [...named].filter(fits);
  if (found.length > 0) leafNames.value = new Map([...leafNames.value, ...found]);
}

/** A Datanet whose page can be opened: a host of the site lists it. Reads a signal: call it while rendering. */
export function hostedDatanet(id: number): LeafName | null {
  const known = leafNames.value.get(id);
  return known?.kind === "Datanet" ? known : null;
}

/** A leaf in a sentence without a link: "Weather model (12)", else "model 12". Reads a signal: call it while rendering. */
export function leafLabel(id: number, kind: "account" | "model"): string {
  const name = leafNames.value.get(id)?.name;
  return name === undefined ? `${kind} ${id}` : `${name} (${id})`;
}
