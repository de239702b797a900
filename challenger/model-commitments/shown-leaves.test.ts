/** Leaves that somebody has asked for: shown, shown too late, or such as nobody can show. */

import { datanetOf, sampleRows } from "@openledger/attribution/testing/sample-rows";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { parseEther } from "viem";
import { describe, expect, test } from "vitest";
import { watchFiles } from "../playing/testing/watch-all.ts";
import { TREES } from "../statements/committed-model.ts";
import { directModelCommitment, mapPlaces } from "../statements/direct-model-commitment.ts";
import { int64Bytes, readInt64s } from "../statements/leaf-bytes.ts";
import { encodeLeaves } from "../statements/leaf-file.ts";
import { shownLeaf, statementTuple } from "../statements/model-commitment-calls.ts";
import { directCase, registeredDirect } from "./testing/direct-case.ts";
import {
  AVAILABILITY_CHALLENGE_FEE_WEI,
  lie,
  startDisputes,
  withoutLeaves,
} from "./testing/dispute-fixture.ts";

const DAY = 86_400n;
const FEATURES = 3;
/** `challenger --most-fees` is 0.5 by default; here it is less, for fewer looks. */
const MOST_FEES_WEI = parseEther("0.12");
const f = started(() => startDisputes({ mostRows: 24 }));
const made = started(() => directCase(24));
revertEachTest(() => f);

describe("a leaf that is shown after it was due", () => {
  /** Asked for in a block; and what shows it. */
  const asked = async (index: number) => {
    const { statement } = made.honest;
    const id = await f.post(made.honest);
    const fee = { account: f.watcher, value: AVAILABILITY_CHALLENGE_FEE_WEI };
    const hash = await f.disputes.write.challengeAvailability([id, FEATURES, BigInt(index)], fee);
    const answer = [id, statementTuple(statement), [shownLeaf(made.honest, "features", index)]] as const;
    return { id, hash, answer };
  };

  test("refutes, however late somebody says so", async () => {
    const { answer, id } = await asked(3);
    await f.passTime(8n * DAY);
    expect(await f.refused(f.owner, "answer", answer)).toBe("DisputesNoAvailabilityChallenge");
    expect(await f.disputes.read.counts([id])).toBe(false);
    await f.disputes.write.challengeUnanswered([id, FEATURES, 3n], { account: f.stranger });
    expect((await f.disputes.read.modelCommitments([id]))[2]).toBe(true);
  });

  test("is in time to the second", async () => {
    const { answer, hash, id } = await asked(4);
    const { blockNumber } = await f.client.getTransactionReceipt({ hash });
    const { timestamp } = await f.client.getBlock({ blockNumber });
    await f.client.setNextBlockTimestamp({ timestamp: timestamp + DAY });
    await f.disputes.write.answer(answer as never, { account: f.owner });
    await f.passTime(7n * DAY);
    expect(await f.disputes.read.counts([id])).toBe(true);
  });
});

test("a row of the version that has no room in a transaction is asked for, which nobody can answer, and that refutes", async () => {
  const [ROW, ROW_BYTES] = [5, 140_000];
  const sampled = sampleRows("email", 24);
  /** Its words are the same, however often they are repeated. */
  const withRow = (times: number) => {
    const content = new TextEncoder().encode(`{"label":"ham","text":"${"a ".repeat(times)}a"}`);
    return sampled.with(ROW, { ...sampled[ROW]!, content });
  };
  const short = await directCase(withRow(2));
  const rows = withRow(ROW_BYTES / 2);
  const recipe = { ...short.model.recipe, datanet: datanetOf(rows) };
  const model = registeredDirect({ ...short.model, rows, recipe, accuracy: null });
  const posted = directModelCommitment(
    model,
    rows.map((row) => row.content),
    11,
  );
  await f.post(posted);
  const files = { model, rows, leaves: encodeLeaves(posted.leaves), mismatch: null };
  const [seen] = await watchFiles(f, files);
  expect(seen!.examined!.wanted).toEqual([{ tree: "rows", index: ROW }]);
  expect(seen!.sent?.what).toBe("challengeAvailability");
  await f.passTime(DAY + 1n);
  expect((await watchFiles(f, files))[0]!.sent?.what).toBe("unanswered");
});

/** What is registered is right, whatever is hidden: nothing that the ledger takes depends on these leaves. */
test("hidden leaves beside a right model take nobody's fee: right ones, junk, and such as are not there", async () => {
  const width = made.honest.statement.columnCount;
  const { curvature } = mapPlaces(width);
  const map = made.honest.leaves.map.map((leaf, i) => {
    if (i < curvature || i >= curvature + width) return leaf;
    return int64Bytes(readInt64s(leaf, width)!.map((one, k) => (k === 0 ? one + 1n : one)));
  });
  const junk = (leaves: readonly Uint8Array[]): Uint8Array[] =>
    leaves.map((_, i) => new Uint8Array(8).fill(i + 1));
  const { columns, features, points } = made.honest.leaves;
  const others = junk(map).with(0, map[0]!).with(-1, map.at(-1)!);
  const all = { columns: junk(columns), features: junk(features), map: others, points: junk(points) };
  for (const leaves of [{ map }, all]) await f.post(lie(made, leaves).posted);
  const { facts, map: ofMap, weights } = made.honest.statement.roots;
  const roots = Object.fromEntries(TREES.map((tree, k) => [tree, new Uint8Array(32).fill(k)]));
  await f.post({
    ...made.honest,
    statement: { ...made.honest.statement, roots: { ...roots, facts, map: ofMap, weights } as never },
  });
  const watcher = { ...f.watcherOf(f.watcher), mostAvailabilityChallengesWei: MOST_FEES_WEI };
  const look = () => watchFiles(f, withoutLeaves(made), watcher);
  for (const what of ["requestLeaves", undefined])
    for (const { examined, isRecomputed, sent } of await look()) {
      expect([examined!.fault, examined!.wanted, isRecomputed, sent?.what]).toEqual([null, [], false, what]);
      expect(examined!.warnings).toContainEqual(expect.stringMatching(/^leaves of "\w+" are not published$/));
    }
  // One whose last leaves nobody shows is refuted when they were due.
  await f.passTime(6n * DAY + 1n);
  expect((await look()).map(({ sent }) => sent?.what)).toEqual(["unanswered", "unanswered", "unanswered"]);
});
