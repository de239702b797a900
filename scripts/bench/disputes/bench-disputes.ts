/** What disputes cost: each part in a file of its own. */
import { directChallenges } from "./direct-challenges.ts";
import { directSettlement } from "./direct-settlement.ts";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";
import { languageGames } from "./language-games.ts";
import { rowChallenges } from "./row-challenges.ts";

const DISPUTES_PARTS: readonly DisputesPart[] = [
  rowChallenges,
  directChallenges,
  directSettlement,
  languageGames,
];

/** @param names of the parts that are measured; none for all */
export async function benchDisputes(options: DisputesBenchOptions, names: readonly string[] = []) {
  const disputes: Record<string, unknown> = {};
  const besides: Record<string, unknown> = {};
  for (const part of DISPUTES_PARTS) {
    if (names.length > 0 && !names.includes(part.name)) continue;
    console.log(`${part.name}:`);
    const measured = await part.measure(options);
    Object.assign(disputes, measured.fields);
    Object.assign(besides, measured.besides);
  }
  return { disputes, ...besides };
}
