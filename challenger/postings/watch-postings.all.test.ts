import { verifyModel } from "@openledger/attribution/model/verify-model";
import { recipeFor } from "@openledger/attribution/testing/sample-rows";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fault, findFaults } from "../statements/find-faults.ts";
import { pairBytes } from "../statements/leaf-bytes.ts";
import { encodeLeaves } from "../statements/leaf-file.ts";
import {
  type Leaves,
  type PostedModel,
  postedModel,
  TREES,
  type TreeName,
} from "../statements/posted-model.ts";
import { openingOf, statementTuple } from "../statements/posting-calls.ts";
import { challengeData } from "./dispute-calls.ts";
import type { PublishedFiles } from "./examine-posting.ts";
import { readPostings } from "./read-postings.ts";
import {
  DEMAND_FEE_WEI,
  type DisputeFixture,
  lie,
  registered,
  startDisputes,
  type TrainedCase,
  trainedCase,
  watchFiles,
} from "./testing/dispute-fixture.ts";
import { revertBetweenTests } from "./testing/revert-between-tests.ts";
import { type Watcher, watchOnce } from "./watch-postings.ts";

let f: DisputeFixture;
let made: TrainedCase;

beforeAll(async () => {
  [f, made] = await Promise.all([startDisputes({ mostRows: 24 }), trainedCase(24)]);
});
afterAll(() => f?.stop());
revertBetweenTests(() => f.client);

const watch = (files: PublishedFiles, watcher?: Watcher) => watchFiles(f, files, watcher);

/** One leaf changed. */
function changed(tree: TreeName, index: number, bytes: Uint8Array): Partial<Leaves> {
  return { [tree]: made.honest.leaves[tree].map((leaf, i) => (i === index ? bytes : leaf)) };
}

describe("what would keep a watcher from a wrong place", () => {
  const unpublished = () => ({ model: made.model, rows: made.rows, leaves: null, mismatch: null });

  test("answers for their fee: the next leaf is demanded, up to a sum, and what was shown is used", async () => {
    const { posted } = lie(made, changed("tokens", 1, pairBytes([[3, 1]])));
    const id = await f.post(posted.statement);
    const tokens = TREES.indexOf("tokens");
    const poor = { ...f.watcherOf(f.watcher), mostDemandsWei: 3n * DEMAND_FEE_WEI };
    const demanded: number[] = [];
    for (let look = 0; look < 3; look++) {
      const [seen] = await watch(unpublished(), poor);
      if (seen!.sent?.what !== "demand") break;
      const { index } = seen!.examined!.wanted.find((place) => !demanded.includes(place.index))!;
      demanded.push(index);
      if (look === 2) break;
      const args = [id, statementTuple(posted.statement), tokens, BigInt(index)] as const;
      await f.disputes.write.answer([...args, openingOf(posted, "tokens", index)], { account: f.owner });
    }
    expect(demanded).toEqual([23, 0, 1]);
    const args = [id, statementTuple(posted.statement), tokens] as const;
    // An open demand, and then the sum, keep him from more.
    expect((await watch(unpublished(), poor))[0]!.sent).toBeNull();
    await f.disputes.write.answer([...args, 1n, openingOf(posted, "tokens", 1)], { account: f.owner });
    const [seen] = await watch(unpublished(), poor);
    expect(seen!.examined!.fault!.fault).toEqual({ kind: "tokens", row: 1 });
    expect(seen!.sent!.what).toBe("challenge");
  });

  test("wrong places that no transaction can show: others are, and long leaves are demanded", async () => {
    const long = new Uint8Array(140_000);
    const decoys = made.honest.leaves.features.map((leaf, row) => (row < 12 ? long : leaf));
    const only = lie(made, { ...changed("map", 3, long) });
    const { files, posted } = lie(made, {
      features: decoys,
      columns: made.honest.leaves.columns,
      ...changed("tokens", 20, pairBytes([[3, 1]])),
    });
    await f.post(posted.statement);
    const [seen] = await watch(files);
    expect(seen!.sent!.what).toBe("challenge");
    expect((await readPostings(f.client as never, f.disputes.address))[0]!.refutation!.fault).toBe("Tokens");
    await f.post(only.posted.statement);
    const [, demanded] = await watch(only.files);
    expect(demanded!.examined!.wanted).toEqual([{ tree: "map", index: 3 }]);
    expect(demanded!.sent!.what).toBe("demand");
  });

  test("a column of the inputs with pairs that count nothing, or twice", async () => {
    for (const pairs of [
      [
        [0, 1],
        [5, 0],
      ],
      [
        [0, 1],
        [0, 1],
      ],
      [
        [5, 1],
        [0, 1],
      ],
    ] as [number, number][][]) {
      const { posted } = lie(made, changed("inputs", 3, pairBytes(pairs)));
      const faults = [...findFaults(posted, made.rows)];
      expect(faults).toContainEqual({ kind: "input", row: 0, bucket: 3 });
      const id = await f.post(posted.statement);
      expect(await judged(id, { kind: "input", row: 0, bucket: 3 }, posted)).toBe("accepted");
    }
  });
});

test("a row that is no e-mail is read by its places: lies about it are refuted, and others are looked at", async () => {
  // One byte of the row's frame, which no place is read from: its label and words are the same.
  const content = made.rows[5]!.content.slice();
  content[0] = "[".charCodeAt(0);
  const rows = made.rows.with(5, { ...made.rows[5]!, content });
  const recipe = { ...made.model.recipe, datanet: recipeFor(rows).datanet };
  const model = registered({ ...made.model, rows, recipe, accuracy: null });
  const contents = rows.map((row) => row.content);
  const verified = verifyModel({
    model,
    facts: { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) },
    depth: "train",
  });
  const mismatch = await verified.catch((error: Error) => error.message);
  expect(mismatch).toContain("not a row of kind email");
  const byPlaces = postedModel(model, contents, 20);
  const { features } = byPlaces.leaves;
  const ofLie = { contents, rows, model, honest: postedModel(model, contents, 21) };
  const lying = lie(ofLie, { features: features.with(5, features[6]!) as Uint8Array[] });
  const files = new Map<number, PublishedFiles>([
    [20, { model, rows, leaves: encodeLeaves(byPlaces.leaves), mismatch: mismatch as string }],
    [21, { ...lying.files, mismatch: mismatch as string }],
    [11, { model: made.model, rows: made.rows, leaves: null, mismatch: null }],
  ]);
  for (const { statement } of [byPlaces, lying.posted, made.honest]) await f.post(statement);
  const watched = await watchOnce({
    ...{ publicClient: f.client as never, watcher: f.watcherOf(f.watcher), disputes: f.disputes.address },
    filesOf: async ({ modelId }) => files.get(modelId)!,
  });
  expect(watched.map(({ failure, sent }) => [sent?.what ?? null, failure])).toEqual([
    [null, null],
    ["challenge", null],
    ["attest", null],
  ]);
  expect(watched[0]!.examined).toEqual({ fault: null, wanted: [], warnings: [mismatch] });
});

test("somebody plays games after each posting that was recomputed, before the next", async () => {
  const honestId = await f.post(made.honest.statement);
  const { files, posted } = lie(made, changed("tokens", 20, pairBytes([[3, 1]])));
  const lieId = await f.post(posted.statement);
  const done: (bigint | "games")[] = [];
  const look = () =>
    watchOnce({
      ...{ publicClient: f.client as never, watcher: f.watcherOf(f.watcher), disputes: f.disputes.address },
      async filesOf({ id }) {
        done.push(id);
        return id === lieId ? files : { ...files, leaves: null };
      },
      async between() {
        done.push("games");
      },
    });
  await look();
  expect(done).toEqual([honestId, "games", lieId, "games"]);
  // One is attested, and one refuted: nothing is recomputed.
  await look();
  expect(done).toHaveLength(4);
});

/** The name of the error that a challenge reverts with. */
async function judged(id: bigint, fault: Fault, posted: PostedModel): Promise<string> {
  const data = challengeData(id, posted, made.rows, fault);
  return (await f.refusal({ account: f.watcher, to: f.disputes.address, data })) ?? "accepted";
}
