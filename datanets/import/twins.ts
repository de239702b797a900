/** Names that a person hardly tells apart: with blanks around them, in two Unicode forms, in capitals or joined from others. */

/** Name without blanks around it, with each character in its one composed form (Unicode NFC). */
export const tidyName = (name: string): string => name.trim().normalize("NFC");

/** Text that near twins share: in one case, with one blank for several, and without what joins words. */
const nearForm = (name: string) =>
  tidyName(name)
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\s_-]+/gu, " ");

/** Maximum different names that are compared: a column of more has no classes. */
const MAX_NAMES = 5_000;

/** Near twins among names: names by the one that stands for them, the most frequent. */
export interface Twins {
  readonly sameAs: ReadonlyMap<string, string>;
  /** Cells that have a name that another would stand for. */
  readonly cells: number;
  /** First two that are near twins: ["Yes", "yes"]. */
  readonly seen: readonly [string, string];
}

/**
 * Finds near twins among tidy names.
 * @param counts names with their cells
 * @param preferred the only names that stand for others, as a card's labels do; none: any
 */
export function findTwins(
  counts: ReadonlyMap<string, number>,
  preferred: ReadonlySet<string> = new Set(),
): Twins | null {
  if (counts.size > MAX_NAMES) return null;
  const groups = new Map<string, string[]>();
  for (const name of new Set([...preferred, ...counts.keys()])) {
    const form = nearForm(name);
    const known = groups.get(form);
    if (known === undefined) groups.set(form, [name]);
    else known.push(name);
  }
  const sameAs = new Map<string, string>();
  let cells = 0;
  let seen: readonly [string, string] | null = null;
  for (const group of groups.values()) {
    const own = group.filter((name) => preferred.has(name));
    // Two labels of a card that differ in capitals are what its owner wants.
    if (group.length < 2 || own.length === group.length || (preferred.size > 0 && own.length === 0)) continue;
    const ranked = (own.length > 0 ? own : [...group]).sort(
      (a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0),
    );
    const [main] = ranked as [string, ...string[]];
    for (const name of group) {
      if (name === main || own.includes(name)) continue;
      sameAs.set(name, main);
      cells += counts.get(name) ?? 0;
      seen ??= [name, main];
    }
  }
  return seen === null ? null : { sameAs, cells, seen };
}

/** Marks by which tools join several labels of one row. */
const JOINTS = ["#", ",", ";", "|"] as const;

/** Names that are others joined: "spam#urgent" beside "urgent#spam", or beside "spam" and "urgent". */
export function joinedNames(names: ReadonlySet<string>): ReadonlySet<string> {
  const joined = new Set<string>();
  if (names.size > MAX_NAMES) return joined;
  for (const joint of JOINTS) {
    const sorted = new Map<string, string>();
    for (const name of names) {
      const parts = name.split(joint).map((part) => part.trim());
      if (parts.length < 2 || parts.some((part) => part === "")) continue;
      const form = JSON.stringify([...parts].sort());
      const other = sorted.get(form);
      if (other !== undefined && other !== name) joined.add(other).add(name);
      else sorted.set(form, name);
      if (parts.every((part) => names.has(part))) joined.add(name);
    }
  }
  return joined;
}
