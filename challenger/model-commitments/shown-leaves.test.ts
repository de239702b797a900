/** A stranger's model commitment of a model that is served, of which no leaf is what the model makes, and each is shown to who asks. */

import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { watchFiles } from "../playing/testing/watch-all.ts";
import { type Leaves, TREES } from "../statements/committed-model.ts";
import { shownLeaf, statementTuple } from "../statements/model-commitment-calls.ts";
import { type DirectCase, directCase } from "./testing/direct-case.ts";
import { BOND_WEI, type DisputeFixture, lie, startDisputes } from "./testing/dispute-fixture.ts";

/** `challenger --most-fees` is 0.5 by default; here it is less, for fewer looks. */
const MOST_FEES_WEI = parseEther("0.12");
let f: DisputeFixture;
let made: DirectCase;

beforeAll(async () => {
  [f, made] = await Promise.all([startDisputes({ mostRows: 24 }), directCase(24)]);
});
afterAll(() => f?.stop());

test("leaves that are shown and wrong refute, and no fee is the liar's", async () => {
  const junk = (leaves: readonly Uint8Array[]) => leaves.map((_, i) => new Uint8Array(8).fill(i + 1));
  const { columns, features, map, points } = made.honest.leaves;
  const changed: Partial<Leaves> = {
    ...{ columns: junk(columns), features: junk(features), map: junk(map), points: junk(points) },
  };
  const { posted } = lie(made, changed);
  const id = await f.post(posted.statement);
  const files = { model: made.model, rows: made.rows, leaves: null, mismatch: null };
  const watcher = { ...f.watcherOf(f.watcher), mostAvailabilityChallengesWei: MOST_FEES_WEI };
  const sent: string[] = [];
  let paidWei = 0n;
  for (let look = 0; look < 40; look++) {
    const [seen] = await watchFiles(f, files, watcher);
    if (seen!.sent === null) break;
    sent.push(seen!.sent.what);
    if (seen!.sent.what !== "challengeAvailability") continue;
    const { blockNumber } = await f.client.getTransactionReceipt({ hash: seen!.sent.hash });
    const [event] = await f.client.getContractEvents({
      ...{ address: f.disputes.address, abi: disputesAbi, eventName: "AvailabilityChallenged" },
      ...{ fromBlock: blockNumber, toBlock: blockNumber },
    });
    const { feeWei, index, tree } = event!.args as { feeWei: bigint; index: bigint; tree: number };
    paidWei += feeWei;
    const shown = [shownLeaf(posted, TREES[tree]!, Number(index))];
    const answer = [id, statementTuple(posted.statement), shown] as const;
    await f.disputes.write.answer(answer as never, { account: f.owner });
  }
  // Last leaves of three trees; a point among them is none. Then the fees come back, one a look.
  expect(sent.filter((what) => what === "challenge")).toHaveLength(1);
  expect(sent.at(-1)).toBe("unanswered");
  expect(await f.disputes.read.owedWei([f.watcher])).toBe(BOND_WEI / 2n + paidWei);
  expect(await f.disputes.read.owedWei([f.owner])).toBe(0n);
});
