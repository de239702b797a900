/** A retrieval model of a few texts, for tests. */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { hex32 } from "@openledger/foundation/hex";
import type { RetrievalRecipe } from "../retrieval/retrieval-family.ts";

const COUNT = 32;
const WORDS = 14;
const SYLLABLES = ["ba", "do", "ki", "lu", "me", "na", "po", "ra", "si", "tu"];

/** Texts of made words, a few of which stand in several. */
export const passages: readonly string[] = (() => {
  const random = new SeededRandom("passages");
  const word = () => [0, 0, 0].map(() => SYLLABLES[random.nextBelow(SYLLABLES.length)]).join("");
  return Array.from({ length: COUNT }, () => `${Array.from({ length: WORDS }, word).join(" ")}.`);
})();

/** Contributors 5 and 6, validators 8 and 9. */
export const passageRows = (): OwnedRow[] =>
  passages.map((text, i) => ({
    content: encodeTextRow({ text }),
    contributorId: i < 20 ? 5 : 6,
    validatorId: i < 10 ? 8 : 9,
  }));

/** A small recipe for these rows. Needs `initPoseidon`. */
export function retrievalRecipeFor(
  rows: readonly OwnedRow[],
  changed: Partial<RetrievalRecipe> = {},
): RetrievalRecipe {
  const root = versionRowsRoot(
    rows.map(({ content, contributorId, validatorId }) => ({
      rowHash: hashRow(content),
      contributorId,
      validatorId,
    })),
  );
  return {
    version: 2,
    family: "retrieval",
    datanet: { id: 4, version: 1, rowsRoot: hex32(root) },
    rows: "text",
    seed: "world",
    embedding: { kind: "lexical", bucketBits: 12 },
    threshold: { quantile: 0.9, columns: 8 },
    citationCount: 3,
    rules: { normQuantile: 1, nearDuplicatesShare: false },
    columnCount: 128,
    ...changed,
  };
}
