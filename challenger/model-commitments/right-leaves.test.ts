/**
 * A right model commitment whose leaves are within their tolerances and not the computed ones. Nothing of it is refutable, and every
 * leaf has to be shown: its owner keeps the fees (docs/adr/0011-leaves-that-nobody-serves.md), up to what a watcher gives for one.
 */

import { parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answeredLooks } from "../playing/testing/answered-looks.ts";
import { mapPlaces } from "../statements/direct-model-commitment.ts";
import { int64Bytes, readInt64s } from "../statements/leaf-bytes.ts";
import { type DirectCase, directCase } from "./testing/direct-case.ts";
import { BOND_WEI, type DisputeFixture, lie, startDisputes } from "./testing/dispute-fixture.ts";

const MOST_FEES_WEI = parseEther("0.12");
let f: DisputeFixture;
let made: DirectCase;
beforeAll(async () => {
  [f, made] = await Promise.all([startDisputes({ mostRows: 24 }), directCase(24)]);
});
afterAll(() => f?.stop());

test("right leaves of no published model take what a watcher gives for one at most", async () => {
  const width = made.honest.statement.columnCount;
  const { curvature } = mapPlaces(width);
  const map = made.honest.leaves.map.map((leaf, i) => {
    if (i < curvature || i >= curvature + width) return leaf;
    return int64Bytes(readInt64s(leaf, width)!.map((one, k) => (k === 0 ? one + 1n : one)));
  });
  const { posted } = lie(made, { map });
  const id = await f.post(posted.statement);
  const files = { model: made.model, rows: made.rows, leaves: null, mismatch: null };
  const watcher = { ...f.watcherOf(f.watcher), mostAvailabilityChallengesWei: MOST_FEES_WEI };
  const { paidWei } = await answeredLooks(f, { id, posted }, files, watcher);
  await f.passTime(7n * 86_400n);
  await f.disputes.write.returnBond([id], { account: f.owner });
  const owedWei = await f.disputes.read.owedWei([f.owner]);
  expect(owedWei).toBe(BOND_WEI + paidWei);
  expect(paidWei).toBeGreaterThan(0n);
  expect(paidWei).toBeLessThanOrEqual(MOST_FEES_WEI);
});
