/**
 * Small labelled sets, as people bring them: a shop's messages, its customers' table, messages in German, pictures of shapes, and short
 * texts. small-quality.ts measures models of them beside plain baselines.
 */
import { readFileSync } from "node:fs";
import type { LabelledInput } from "@openledger/attribution/rows/row-content";
import { inputOf } from "@openledger/attribution/rows/row-content";
import { encodeTableRow, type TableField } from "@openledger/attribution/rows/table-rows";
import { madePictures, PICTURE_CLASSES } from "@openledger/attribution/testing/made-pictures";
import { type Corpus, openCorpus } from "./corpora.ts";
import { GLOSS_KINDS, glosses } from "./glosses.ts";

export const SMALL_NAMES = [
  "messages",
  "pictures",
  "table",
  "glosses",
  "brown",
  "emails",
  "digits",
  "german",
] as const;
export type SmallName = (typeof SMALL_NAMES)[number];

/** Rows of the larger corpora, of which these are samples. */
const SAMPLES = { brown: 800, emails: 600, digits: 600 } as const;

const PICTURES = 240;

/** A set's rows in the order of their file. */
export function openSmallSet(name: SmallName): Corpus {
  switch (name) {
    case "messages":
      return { name, ...labelledTexts("messages.json") };
    case "german":
      return { name, ...labelledTexts("german-messages.json") };
    case "pictures":
      return { name, shape: { kind: "image" }, classes: PICTURE_CLASSES, rows: madePictures(PICTURES, name) };
    case "table":
      return { name, ...customers() };
    case "glosses":
      return { name, shape: { kind: "text" }, classes: GLOSS_KINDS, rows: glosses() };
    default:
      return openCorpus(name, SAMPLES[name]);
  }
}

const readJson = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(`data/${file}`, import.meta.url), "utf8"));

function labelledTexts(file: string): Omit<Corpus, "name"> {
  const pairs = readJson(file) as [text: string, label: string][];
  const classes = [...new Set(pairs.map(([, label]) => label))].sort();
  const rows = pairs.map(([input, label]): LabelledInput => ({ input, label: classes.indexOf(label) }));
  return { shape: { kind: "text" }, classes, rows };
}

const CUSTOMER_FIELDS: readonly TableField[] = [
  { name: "eintritt", type: "number" },
  { name: "umsatz", type: "number" },
  { name: "besuche", type: "number" },
  { name: "alter", type: "number" },
  { name: "region", type: "category" },
  { name: "newsletter", type: "boolean" },
  { name: "notiz", type: "text" },
];
const DAY_MS = 86_400_000;

interface Customer {
  readonly eintritt: string | null;
  readonly umsatz: number | null;
  readonly besuche: number | null;
  readonly alter: number | null;
  readonly region: string | null;
  readonly newsletter: boolean | null;
  readonly notiz: string | null;
  readonly segment: string;
}

/** Customers as the import reads them: without their number, dates as days since 1970. */
function customers(): Omit<Corpus, "name"> {
  const all = readJson("customers.json") as Customer[];
  const classes = [...new Set(all.map(({ segment }) => segment))].sort();
  const rows = all.map(({ alter, besuche, eintritt, newsletter, notiz, region, segment, umsatz }) => {
    const joinedDay = eintritt === null ? null : Math.floor(Date.parse(eintritt) / DAY_MS);
    const values = [joinedDay, umsatz, besuche, alter, region, newsletter, notiz];
    const content = encodeTableRow(CUSTOMER_FIELDS, values);
    return { input: inputOf("table", content), label: classes.indexOf(segment) };
  });
  return { shape: { kind: "table", fields: CUSTOMER_FIELDS }, classes, rows };
}
