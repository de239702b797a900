/**
 * Slices of a version's rows: by accepted label, contributor, length, writing and the card's fields. Each way to slice has every row
 * in exactly one slice. What a slice is follows from card and rows alone; report.ts measures them.
 */
import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import { decodeTableRow, type FieldValue } from "@openledger/attribution/rows/table-rows";
import { decodeTextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { textOfBytes } from "@openledger/foundation/utf8";
import type { Card } from "../card/card.ts";

/** Ways to slice, in the order of a report. */
export const SLICED_BY = ["label", "contributor", "length", "script", "field"] as const;

export interface SlicedRow {
  readonly content: Uint8Array;
  readonly contributorId: number;
  /** Accepted label; null for none. */
  readonly label: string | null;
}

export interface RowSlice {
  readonly by: (typeof SLICED_BY)[number];
  /** Name of the card's field; null unless by "field". */
  readonly field: string | null;
  /** "missing": rows that have no such value; "rest": rows of the values that have no slice of their own, together. */
  readonly kind: "value" | "missing" | "rest";
  /** Value, cut after 60 characters; of a rest the number of its values; empty for "missing". */
  readonly name: string;
  /** Places in the given rows, ascending. */
  readonly rows: readonly number[];
}

/** Slices of values that are listed one by one; the rest is one slice. */
const MAX_CONTRIBUTORS = 50;
const MAX_CATEGORIES = 20;
const MAX_NAME_LENGTH = 60;

/** Upper ends of the slices by length, in bytes, exclusive: powers of four. */
const LENGTH_ENDS = [64, 256, 1_024, 4_096, 16_384, 65_536] as const;

/** All slices of the rows that have any. */
export function sliceRows(card: Card, rows: readonly SlicedRow[]): RowSlice[] {
  return [
    ...(card.labels.length === 0 ? [] : labelSlices(card, rows)),
    ...contributorSlices(rows),
    ...lengthSlices(rows),
    ...scriptSlices(card, rows),
    ...fieldSlices(card, rows),
  ];
}

type Named = Pick<RowSlice, "by" | "field">;

/** Groups rows by key; null is a missing value. */
function grouped<Key>(keys: readonly (Key | null)[]): Map<Key | null, number[]> {
  const groups = new Map<Key | null, number[]>();
  for (const [row, key] of keys.entries()) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

const missingSlice = (named: Named, rows: readonly number[] | undefined): RowSlice[] =>
  rows === undefined ? [] : [{ ...named, kind: "missing", name: "", rows }];

/** Slices in the order of `keys`, without those of no rows, then the missing values. */
function listedSlices<Key>(
  named: Named,
  groups: ReadonlyMap<Key | null, readonly number[]>,
  keys: readonly (readonly [key: Key, name: string])[],
): RowSlice[] {
  const slices = keys.flatMap(([key, name]): RowSlice[] => {
    const rows = groups.get(key);
    return rows === undefined ? [] : [{ ...named, kind: "value", name: cut(name), rows }];
  });
  return [...slices, ...missingSlice(named, groups.get(null))];
}

/** The largest slices, equal ones in the order of `compare`; all others together. */
function largestSlices<Key extends string | number>(
  named: Named,
  groups: ReadonlyMap<Key | null, readonly number[]>,
  max: number,
): RowSlice[] {
  const values = [...groups].filter((group): group is [Key, number[]] => group[0] !== null);
  values.sort(([a, rowsOfA], [b, rowsOfB]) => rowsOfB.length - rowsOfA.length || (a < b ? -1 : 1));
  const rest = values.slice(max);
  const restRows = rest.flatMap(([, rows]) => rows).sort((a, b) => a - b);
  return [
    ...values
      .slice(0, max)
      .map(([key, rows]): RowSlice => ({ ...named, kind: "value", name: cut(String(key)), rows })),
    ...(rest.length === 0
      ? []
      : [{ ...named, kind: "rest" as const, name: String(rest.length), rows: restRows }]),
    ...missingSlice(named, groups.get(null)),
  ];
}

function cut(text: string): string {
  const points = [...text];
  return points.length <= MAX_NAME_LENGTH ? text : `${points.slice(0, MAX_NAME_LENGTH).join("")}…`;
}

function labelSlices({ labels }: Card, rows: readonly SlicedRow[]): RowSlice[] {
  const named = { by: "label", field: null } as const;
  const names = labels.map(({ name }) => [name, name] as const);
  const known = new Set(labels.map(({ name }) => name));
  // A label that an earlier card had is none of this one's.
  const keys = rows.map(({ label }) => (label !== null && known.has(label) ? label : null));
  return listedSlices(named, grouped(keys), names);
}

const contributorSlices = (rows: readonly SlicedRow[]): RowSlice[] =>
  largestSlices(
    { by: "contributor", field: null },
    grouped(rows.map(({ contributorId }) => contributorId)),
    MAX_CONTRIBUTORS,
  );

function lengthSlices(rows: readonly SlicedRow[]): RowSlice[] {
  const bins = rows.map(
    ({ content }) => LENGTH_ENDS.filter((end) => contentOfRow(content).length >= end).length,
  );
  const names = Array.from({ length: LENGTH_ENDS.length + 1 }, (_, bin) => {
    const from = bin === 0 ? 0 : LENGTH_ENDS[bin - 1]!;
    const end = LENGTH_ENDS[bin];
    return [bin, end === undefined ? `${from} or more bytes` : `${from} to ${end - 1} bytes`] as const;
  });
  return listedSlices({ by: "length", field: null }, grouped(bins), names);
}

/**
 * Writings by ranges of code points, after the blocks of Unicode 16: the same on every machine, whatever tables of characters it has.
 * A writing is no language: Latin letters write hundreds of them.
 */
const SCRIPTS: readonly (readonly [name: string, ...ranges: (readonly [first: number, last: number])[]])[] = [
  ["Latin", [0x41, 0x5a], [0x61, 0x7a], [0xc0, 0xd6], [0xd8, 0xf6], [0xf8, 0x24f], [0x1e00, 0x1eff]],
  ["Greek", [0x370, 0x3ff], [0x1f00, 0x1fff]],
  ["Cyrillic", [0x400, 0x52f], [0x1c80, 0x1c8f], [0x2de0, 0x2dff], [0xa640, 0xa69f]],
  ["Armenian", [0x530, 0x58f]],
  ["Hebrew", [0x590, 0x5ff]],
  ["Arabic", [0x600, 0x6ff], [0x750, 0x77f], [0x870, 0x8ff], [0xfb50, 0xfdff], [0xfe70, 0xfeff]],
  ["Devanagari", [0x900, 0x97f], [0xa8e0, 0xa8ff]],
  ["Bengali", [0x980, 0x9ff]],
  ["Tamil", [0xb80, 0xbff]],
  ["Telugu", [0xc00, 0xc7f]],
  ["Thai", [0xe00, 0xe7f]],
  ["Georgian", [0x10a0, 0x10ff], [0x1c90, 0x1cbf], [0x2d00, 0x2d2f]],
  ["Hangul", [0x1100, 0x11ff], [0x3130, 0x318f], [0xa960, 0xa97f], [0xac00, 0xd7ff]],
  ["Ethiopic", [0x1200, 0x139f], [0x2d80, 0x2ddf], [0xab00, 0xab2f]],
  ["Kana", [0x3040, 0x30ff], [0x31f0, 0x31ff], [0xff66, 0xff9f]],
  ["Han", [0x3400, 0x4dbf], [0x4e00, 0x9fff], [0xf900, 0xfaff], [0x20000, 0x3ffff]],
];
/** Characters of a row that say what its writing is. */
const MAX_SCRIPT_CHARACTERS = 4_096;

/** The writing that most letters of a text have; of equally many the first of the list. null for a text without letters. */
function scriptOf(text: string): string | null {
  const counts = SCRIPTS.map(() => 0);
  let left = MAX_SCRIPT_CHARACTERS;
  for (const character of text) {
    if (left-- === 0) break;
    const point = character.codePointAt(0)!;
    const position = SCRIPTS.findIndex(([, ...ranges]) =>
      ranges.some(([first, last]) => point >= first && point <= last),
    );
    if (position >= 0) counts[position]! += 1;
  }
  // Japanese is written in Han with Kana.
  const [han, kana] = ["Han", "Kana"].map((name) => SCRIPTS.findIndex(([own]) => own === name));
  if (counts[kana!]! > 0) {
    counts[kana!]! += counts[han!]!;
    counts[han!] = 0;
  }
  const max = Math.max(...counts);
  return max === 0 ? null : SCRIPTS[counts.indexOf(max)]![0];
}

function scriptSlices(card: Card, rows: readonly SlicedRow[]): RowSlice[] {
  const textOf = textReader(card);
  if (textOf === null) return [];
  const keys = rows.map(({ content }) => scriptOf(orNull(() => textOf(content)) ?? ""));
  return listedSlices(
    { by: "script", field: null },
    grouped(keys),
    SCRIPTS.map(([name]) => [name, name] as const),
  );
}

/** Reads what people have written in a row; null for a card whose rows have no text. */
function textReader({ row: { fields, kind } }: Card): ((content: Uint8Array) => string) | null {
  switch (kind) {
    case "text":
      return (content) => textOfBytes(contentOfRow(content));
    case "passage":
      return (content) => wholeText(decodeTextRow(content));
    case "table":
      return fields.every(({ type }) => type !== "text")
        ? null
        : (content) =>
            decodeTableRow(fields, content)
              .filter((value, i) => fields[i]!.type === "text" && value !== null)
              .join("\n");
    default:
      return null;
  }
}

function fieldSlices({ row: { fields, kind } }: Card, rows: readonly SlicedRow[]): RowSlice[] {
  if (kind !== "table") return [];
  // A row that is none of the card's has no value in any field.
  const values = rows.map(({ content }) => orNull(() => decodeTableRow(fields, content)));
  return fields.flatMap(({ name, type }, i) => {
    const named = { by: "field", field: name } as const;
    const own = values.map((row): FieldValue => row?.[i] ?? null);
    switch (type) {
      case "number":
        return numberSlices(named, own as (number | null)[]);
      case "text":
        return listedSlices(named, grouped(own.map((value) => (value === null ? null : true))), [
          [true, "given"],
        ]);
      case "boolean":
        return listedSlices(named, grouped(own), [
          [true, "true"],
          [false, "false"],
        ]);
      default:
        return largestSlices(named, grouped(own as (string | null)[]), MAX_CATEGORIES);
    }
  });
}

/** Quarters of the values, by the values at a quarter, a half and three quarters of them; equal ones are one end. */
function numberSlices(named: Named, values: readonly (number | null)[]): RowSlice[] {
  const ascending = values.filter((value) => value !== null).sort((a, b) => a - b);
  const ends = [1, 2, 3].map((quarter) => ascending[Math.floor((quarter * ascending.length) / 4)]!);
  const edges = ascending.length === 0 ? [] : [...new Set(ends)].filter((end) => end !== ascending[0]);
  const bins = values.map((value) => (value === null ? null : edges.filter((edge) => value >= edge).length));
  const names = Array.from({ length: edges.length + 1 }, (_, bin) => {
    const [from, end] = [edges[bin - 1] ?? ascending[0], edges[bin]];
    // A number has one shortest text (ECMA-262, Number::toString).
    const name = end === undefined ? `${from} to ${ascending.at(-1)}` : `${from} to below ${end}`;
    return [bin, name] as const;
  });
  return listedSlices(named, grouped(bins), names);
}

function orNull<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch {
    return null;
  }
}
