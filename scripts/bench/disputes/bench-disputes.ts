/** What disputes cost: each part in a file of its own. */
import { directChallenges } from "./direct-challenges.ts";
import { directSettlement } from "./direct-settlement.ts";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";
import { keepPart, readKeptPart } from "./kept-parts.ts";
import { languageGames } from "./language-games.ts";
import { publishedSize } from "./published-size.ts";
import { textPostings } from "./text-postings.ts";
import { wordTrees } from "./word-trees.ts";

const DISPUTES_PARTS: readonly DisputesPart[] = [
  directChallenges,
  directSettlement,
  languageGames,
  textPostings,
  wordTrees,
  publishedSize,
];

/**
 * The fields of all parts, those that are not measured now as an earlier run on this machine has kept them.
 * @param names of the parts that are measured; none for all
 */
export async function benchDisputes(options: DisputesBenchOptions, names: readonly string[] = []) {
  const disputes: Record<string, unknown> = {};
  const besides: Record<string, unknown> = {};
  for (const part of DISPUTES_PARTS) {
    if (names.length > 0 && !names.includes(part.name)) {
      const kept = readKeptPart(part.name);
      console.log(
        `${part.name}: ${kept === null ? "not measured" : `as measured at ${kept.measuredAt} with ${JSON.stringify(kept.options)}`}`,
      );
      Object.assign(disputes, kept?.fields);
      continue;
    }
    console.log(`${part.name}:`);
    const measured = await part.measure(options);
    keepPart(part.name, measured, options);
    Object.assign(disputes, measured.fields);
    Object.assign(besides, measured.besides);
  }
  return { disputes, ...besides };
}
