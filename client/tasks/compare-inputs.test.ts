/** Inputs of a recipe against those of its rows, for whoever approves or asks a model without training it. */
import { inputCandidates } from "@openledger/attribution/inputs/choose-inputs";
import type { DirectRecipe } from "@openledger/attribution/model/direct/direct-recipe";
import { wordsOf } from "@openledger/attribution/rows/words";
import { recipeFor, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, expect, it } from "vitest";
import { compareInputs } from "./compare-inputs.ts";
import { inputsWords } from "./inputs-words.ts";

beforeAll(initPoseidon);

const BUCKETS = 256;
const rows = sampleRows("text", 60);
const withInputs = (inputs: DirectRecipe["inputs"]) => recipeFor(rows, BUCKETS, { inputs });
const readRows = async () => rows;

it("knows the inputs of the rows from those that somebody wrote, and says so where nobody may read them", async () => {
  const shape = { kind: "text", labelCount: 2 } as const;
  const contents = rows.map(({ content }) => content);
  const ways = await inputCandidates(shape, contents, { bucketCount: BUCKETS, baseBuckets: 0 });
  expect(ways.length).toBeGreaterThan(1);
  for (const way of ways) expect(await compareInputs({ recipe: withInputs(way), readRows })).toBe("of-rows");
  // The words of one contributor's first rows, which pay that contributor alone.
  const friends = rows.filter(({ contributorId }) => contributorId === 5).slice(0, 5);
  const own = [...new Set(friends.flatMap(({ content }) => wordsOf(content, true)))].slice(0, 100);
  const crafted = withInputs({ kind: "text", words: { own, shared: [] }, bucketCount: BUCKETS });
  expect(await compareInputs({ recipe: crafted, readRows })).toBe("others");
  expect(await compareInputs({ recipe: crafted, readRows: async () => null })).toBe("not-compared");
  expect(inputsWords("others")).toContain("its owner chose what counts of each row, and so who is paid");
});

it("reads no rows where none decide, and refuses rows of a server's making", async () => {
  const unread = () => expect.unreachable("rows were read");
  const hashed = withInputs({ kind: "text", bucketCount: BUCKETS });
  expect(await compareInputs({ recipe: hashed, readRows: unread })).toBe("of-rows");
  expect(await compareInputs({ recipe: { family: "text" }, readRows: unread })).toBeNull();
  const listed = withInputs({ kind: "text", words: { own: [1, 2], shared: [] }, bucketCount: BUCKETS });
  const mismatch = (code: string) => expect.objectContaining({ code });
  await expect(compareInputs({ recipe: listed, readRows: async () => rows.slice(1) })).rejects.toThrow(
    mismatch("ATT_ROWS_MISMATCH"),
  );
  const relabelled = rows.map((row) => ({ ...row, label: rows[0]!.label! }));
  await expect(compareInputs({ recipe: listed, readRows: async () => relabelled })).rejects.toThrow(
    mismatch("ATT_LABELS_MISMATCH"),
  );
});
