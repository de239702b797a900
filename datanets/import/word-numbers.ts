/**
 * Automatic numbers of a Word document's paragraphs, as Word shows them: "1.", "1.1", "(a)". Source: ECMA-376 part 1, section 17.9. They are
 * in no paragraph's text, and "See clause 1.1" means nothing without them.
 */
import { attributeOf, childOf, childrenOf, type WordElement } from "./word-xml.ts";

interface Level {
  readonly start: number;
  readonly format: string;
  /** Text with `%1` to `%9` for the numbers of the levels. */
  readonly text: string;
  /** Level, from 1 on, after which the count begins anew; null: after any above it; 0: never. */
  readonly restart: number | null;
  readonly isLegal: boolean;
  readonly hasSpace: boolean;
  /** Paragraph style of the level. */
  readonly style: string | null;
}

interface List {
  readonly abstractId: string;
  readonly starts: ReadonlyMap<number, number>;
  readonly levels: ReadonlyMap<number, Level>;
}

interface Style {
  readonly basedOn: string | null;
  readonly numId: string | null;
  readonly level: number | null;
}

/** Styles and lists of a document, by their ids. */
export interface WordLists {
  readonly lists: ReadonlyMap<string, List>;
  readonly styles: ReadonlyMap<string, Style>;
  readonly defaultStyle: string | null;
}

const LEVEL_COUNT = 9;

const numberOf = (element: WordElement | null): number | null => {
  const value = element === null ? null : attributeOf(element, "val");
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) : null;
};
const textOf = (element: WordElement | null) => (element === null ? null : attributeOf(element, "val"));
const isOn = (element: WordElement | null) =>
  element !== null && !["0", "false", "off"].includes(attributeOf(element, "val") ?? "");

/** Reads the lists of `word/numbering.xml` and the styles of `word/styles.xml`; null where the document has no such part. */
export function readLists(numbering: WordElement | null, styles: WordElement | null): WordLists {
  const styleElements = styles === null ? [] : childrenOf(styles, "style");
  const byStyle = new Map(
    styleElements.map((element) => {
      const properties = childOf(childOf(element, "pPr"), "numPr");
      const style: Style = {
        basedOn: textOf(childOf(element, "basedOn")),
        numId: textOf(childOf(properties, "numId")),
        level: numberOf(childOf(properties, "ilvl")),
      };
      return [attributeOf(element, "styleId") ?? "", style] as const;
    }),
  );
  const isDefault = (element: WordElement) =>
    attributeOf(element, "type") === "paragraph" &&
    ["1", "true", "on"].includes(attributeOf(element, "default") ?? "");
  const found = styleElements.find(isDefault);
  return {
    lists: numbering === null ? new Map() : listsOf(numbering, byStyle),
    styles: byStyle,
    defaultStyle: found === undefined ? null : attributeOf(found, "styleId"),
  };
}

function listsOf(numbering: WordElement, styles: ReadonlyMap<string, Style>): Map<string, List> {
  const abstracts = new Map(
    childrenOf(numbering, "abstractNum").map((element) => [attributeOf(element, "abstractNumId"), element]),
  );
  const nums = new Map(
    childrenOf(numbering, "num").map((element) => [attributeOf(element, "numId"), element]),
  );
  const abstractOf = (num: WordElement, depth = 0): [string, WordElement] | null => {
    const id = textOf(childOf(num, "abstractNumId")) ?? "";
    const element = abstracts.get(id);
    if (element === undefined) return null;
    // A list may have its levels in another one, which a style names.
    const link = textOf(childOf(element, "numStyleLink"));
    const linked = link === null ? undefined : nums.get(styles.get(link)?.numId ?? null);
    return linked === undefined || depth > LEVEL_COUNT ? [id, element] : abstractOf(linked, depth + 1);
  };
  const lists = new Map<string, List>();
  for (const [numId, num] of nums) {
    const abstract = abstractOf(num);
    if (numId === null || abstract === null) continue;
    const levels = new Map(childrenOf(abstract[1], "lvl").map(levelOf));
    const starts = new Map<number, number>();
    for (const override of childrenOf(num, "lvlOverride")) {
      const at = Number(attributeOf(override, "ilvl") ?? 0);
      const level = childOf(override, "lvl");
      if (level !== null) levels.set(at, levelOf(level)[1]);
      const start = numberOf(childOf(override, "startOverride"));
      if (start !== null) starts.set(at, start);
    }
    lists.set(numId, { abstractId: abstract[0], levels, starts });
  }
  return lists;
}

function levelOf(element: WordElement): readonly [number, Level] {
  return [
    Number(attributeOf(element, "ilvl") ?? 0),
    {
      start: numberOf(childOf(element, "start")) ?? 0,
      format: textOf(childOf(element, "numFmt")) ?? "decimal",
      text: textOf(childOf(element, "lvlText")) ?? "",
      restart: numberOf(childOf(element, "lvlRestart")),
      isLegal: isOn(childOf(element, "isLgl")),
      hasSpace: textOf(childOf(element, "suff")) !== "nothing",
      style: textOf(childOf(element, "pStyle")),
    },
  ];
}

/** Counts the paragraphs of one part of a document. */
export class WordNumbers {
  readonly #lists: WordLists;
  readonly #counts = new Map<string, (number | undefined)[]>();
  readonly #begun = new Set<string>();
  /** Forms of numbers that are written as digits instead. */
  readonly unknownFormats = new Set<string>();

  constructor(lists: WordLists) {
    this.#lists = lists;
  }

  /** Returns the paragraph's number with the blank behind it; empty for none. Counts it. */
  next(properties: WordElement | null): string {
    const found = this.#placeOf(properties);
    const list = found === null ? undefined : this.#lists.lists.get(found.numId);
    const level = found === null ? undefined : list?.levels.get(found.level);
    if (found === null || list === undefined || level === undefined) return "";
    const counts = this.#count(found, list, level);
    if (level.format === "bullet") return "";
    const text = level.text.replace(/%([1-9])/g, (_, digit: string) => {
      const at = Number(digit) - 1;
      const format = level.isLegal ? "decimal" : (list.levels.get(at)?.format ?? "decimal");
      return this.#written(counts[at] ?? list.levels.get(at)?.start ?? 0, format);
    });
    return text.trim() === "" || !level.hasSpace ? text.trim() : `${text.trim()} `;
  }

  #count({ level: at, numId }: { readonly level: number; readonly numId: string }, list: List, level: Level) {
    const counts = this.#counts.get(list.abstractId) ?? [];
    this.#counts.set(list.abstractId, counts);
    const begun = `${numId} ${at}`;
    const start = list.starts.get(at);
    if (start !== undefined && !this.#begun.has(begun)) counts[at] = start - 1;
    this.#begun.add(begun);
    counts[at] = (counts[at] ?? level.start - 1) + 1;
    for (let above = 0; above < at; above++) counts[above] ??= list.levels.get(above)?.start ?? 0;
    for (let below = at + 1; below < LEVEL_COUNT; below++) {
      const restart = list.levels.get(below)?.restart ?? null;
      if (restart === null || at < restart) counts[below] = undefined;
    }
    return counts;
  }

  /** List and level of a paragraph: its own, or those of its style. */
  #placeOf(properties: WordElement | null): { readonly numId: string; readonly level: number } | null {
    const own = childOf(properties, "numPr");
    const numId = textOf(childOf(own, "numId"));
    const level = numberOf(childOf(own, "ilvl"));
    if (numId !== null) return numId === "0" ? null : { numId, level: level ?? 0 };
    const { defaultStyle, lists, styles } = this.#lists;
    let name = textOf(childOf(properties, "pStyle")) ?? defaultStyle;
    for (let depth = 0; name !== null && depth <= LEVEL_COUNT; depth++) {
      const style = styles.get(name);
      if (style === undefined) return null;
      if (style.numId === "0") return null;
      if (style.numId !== null) {
        const named = [...(lists.get(style.numId)?.levels ?? [])].find(([, one]) => one.style === name);
        return { numId: style.numId, level: level ?? named?.[0] ?? style.level ?? 0 };
      }
      name = style.basedOn;
    }
    return null;
  }

  #written(value: number, format: string): string {
    switch (format) {
      case "decimal":
        return String(value);
      case "decimalZero":
        return String(value).padStart(2, "0");
      case "none":
        return "";
      case "upperRoman":
        return roman(value);
      case "lowerRoman":
        return roman(value).toLowerCase();
      case "upperLetter":
        return letters(value);
      case "lowerLetter":
        return letters(value).toLowerCase();
      default:
        this.unknownFormats.add(format);
        return String(value);
    }
  }
}

/** Numbers above are written as digits: nobody has lists so long. */
const MAX_LETTERS = 26 * 30;

/** A to Z, AA to ZZ, AAA: the letter is repeated. */
const letters = (value: number) =>
  value < 1 || value > MAX_LETTERS
    ? String(value)
    : String.fromCharCode(65 + ((value - 1) % 26)).repeat(Math.ceil(value / 26));

const ROMAN = [
  [1000, "M"],
  [900, "CM"],
  [500, "D"],
  [400, "CD"],
  [100, "C"],
  [90, "XC"],
  [50, "L"],
  [40, "XL"],
  [10, "X"],
  [9, "IX"],
  [5, "V"],
  [4, "IV"],
  [1, "I"],
] as const;

function roman(value: number): string {
  if (value < 1 || value > 3_999) return String(value);
  let [rest, text] = [value, ""];
  for (const [unit, sign] of ROMAN)
    while (rest >= unit) {
      text += sign;
      rest -= unit;
    }
  return text;
}
