import type { Knobs, Lines } from "../knobs.ts";
import type { Kinds } from "./kinds.ts";
import type { HouseMeasures } from "./measures.ts";
import { MAX_MEDIAN_WORDS, MAX_WORDS, type PageProse } from "./prose.ts";
import type { Walks } from "./walks.ts";

/** About as many files as one can look through in a list. */
const MAX_FILES_IN_FOLDER = 25;
const MAX_STOREYS = 8;

/** What `npm test` refuses to let grow. @returns a sentence for each limit that does not hold */
export function brokenLimits(measures: HouseMeasures): string[] {
  const broken: string[] = [];
  if (measures.filesInLargestFolder > MAX_FILES_IN_FOLDER) {
    broken.push(
      `${measures.largestFolder} has ${measures.filesInLargestFolder} files, the limit is ${MAX_FILES_IN_FOLDER}`,
    );
  }
  for (const [folder, height] of Object.entries(measures.storeys)) {
    if (height > MAX_STOREYS) broken.push(`${folder} has ${height} storeys, the limit is ${MAX_STOREYS}`);
  }
  for (const circle of measures.circles) broken.push(`these rooms import each other: ${circle.join(", ")}`);
  for (const path of measures.testSupportOutsideTesting) {
    broken.push(`${path} is used by tests alone: it belongs into a testing/ room`);
  }
  for (const line of measures.privateKeywords) broken.push(`a private member is written #name: ${line}`);
  for (const name of measures.exportsWithoutCaller)
    broken.push(`no other file names what is exported in ${name}`);
  return broken;
}

/** Most there may be of each. They fall: anyone who adds one takes one away, and lowers these where more went; what raises them, its commit names. */
const MOST: Readonly<Record<keyof (Knobs & Lines), number>> = {
  codes: 280,
  options: 239,
  settings: 107,
  commands: 85,
  productFiles: 1_810,
  productLines: 208_117,
  testLines: 99_018,
  benchAndDrillLines: 6_525,
  docsLines: 5_479,
};

/** Likewise, of each kind, and changes of workspace along each walk. */
const MOST_KINDS: Readonly<Record<keyof (Kinds & Walks), number>> = {
  families: 2,
  batchShapes: 1,
  disputeContracts: 1,
  games: 2,
  worlds: 42,
  drills: 6,
  falseRow: 8,
  rowToPaid: 35,
  queryToClaim: 37,
};

const above = <Name extends string>(counts: Record<Name, number>, most: Record<Name, number>): string[] =>
  (Object.keys(most) as Name[])
    .filter((name) => counts[name] > most[name])
    .map((name) => `${name}: ${counts[name]}, the limit is ${most[name]}`);

/** The same for what there is to learn, and for lines. @returns a sentence for each limit that does not hold */
export const brokenCounts = (counts: Knobs & Lines): string[] => above(counts, MOST);

/** The same for kinds and walks. @returns a sentence for each limit that does not hold */
export const brokenKinds = (counts: Kinds & Walks): string[] => above(counts, MOST_KINDS);

/** The same for the pages. @returns a sentence for each limit that does not hold */
export function brokenProseLimits(pages: readonly PageProse[]): string[] {
  return pages.flatMap(({ page, medianWords, longSentences }) => [
    ...longSentences.map((sentence) => `${page} has a sentence above ${MAX_WORDS} words: ${sentence}`),
    ...(medianWords > MAX_MEDIAN_WORDS
      ? [`${page} has a median of ${medianWords} words a sentence, the limit is ${MAX_MEDIAN_WORDS}`]
      : []),
  ]);
}
