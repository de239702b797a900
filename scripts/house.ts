/**
 * `npm run house`: measures how easy it is to find one's way in the source tree, and compares with the limits that
 * `scripts/house/limits.ts` states. The last line is JSON.
 */
import { fileURLToPath } from "node:url";
import { doorsOf } from "./house/doors.ts";
import { countKinds } from "./house/kinds.ts";
import { brokenCounts, brokenKinds, brokenLimits, brokenProseLimits } from "./house/limits.ts";
import { measureHouse } from "./house/measures.ts";
import { missingTargets } from "./house/page-targets.ts";
import { measureProse } from "./house/prose.ts";
import { readTree } from "./house/tree.ts";
import { walkChanges } from "./house/walks.ts";
import { readWorkspaces } from "./house/workspaces.ts";
import { countKnobs, countLines } from "./knobs.ts";

const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
const tree = readTree(root);
const measures = measureHouse(tree);
const counts = { ...(await countKnobs()), ...countLines(tree, root) };
const [kinds, walks] = [countKinds(tree), walkChanges()];
const list = (title: string, items: readonly string[]) => {
  console.log(`${title}: ${items.length}`);
  for (const item of items.slice(0, 100)) console.log(`  ${item}`);
};

console.log(`largest folder: ${measures.largestFolder} with ${measures.filesInLargestFolder} files`);
const highest = Object.entries(measures.storeys).sort(([, a], [, b]) => b - a);
list(
  "storeys of the highest folders",
  highest.slice(0, 10).map(([folder, height]) => `${height} ${folder}`),
);
list(
  "circles of rooms",
  measures.circles.map((circle) => circle.join(" - ")),
);
list("files outside testing/ that only tests use", measures.testSupportOutsideTesting);
list("members that the keyword private marks", measures.privateKeywords);
list("exported values that no other file names", measures.exportsWithoutCaller);
const pages = measureProse(root);
list(
  "median words a sentence of the hardest pages",
  [...pages]
    .sort((a, b) => b.medianWords - a.medianWords)
    .slice(0, 5)
    .map(({ page, medianWords, sentenceCount }) => `${medianWords} ${page} (${sentenceCount} sentences)`),
);
const missing = missingTargets(root);
list("paths, files and anchors that pages name and that are not there", missing);
const doors = doorsOf(readWorkspaces(root));
list(
  "names through the doors",
  Object.entries(doors).map(([name, count]) => `${count} ${name}`),
);
const broken = [
  ...brokenLimits(measures),
  ...brokenProseLimits(pages),
  ...brokenCounts(counts),
  ...brokenKinds({ ...kinds, ...walks }),
];
list("limits that do not hold", broken);
console.log(
  `house ${JSON.stringify({
    filesInLargestFolder: measures.filesInLargestFolder,
    storeys: measures.storeys,
    circles: measures.circles.length,
    testSupportOutsideTesting: measures.testSupportOutsideTesting.length,
    exportsWithoutCaller: measures.exportsWithoutCaller.length,
    privateKeywords: measures.privateKeywords.length,
    longSentences: pages.reduce((sum, { longSentences }) => sum + longSentences.length, 0),
    highestMedianWords: Math.max(...pages.map(({ medianWords }) => medianWords)),
    missingTargets: missing.length,
    doors,
    kinds,
    walks,
    ...counts,
  })}`,
);
process.exitCode = broken.length + missing.length === 0 ? 0 : 1;
