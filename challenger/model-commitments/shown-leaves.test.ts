/** A stranger's model commitment of a model that is served, of which no leaf is what the model makes, and each is shown to who asks. */

import { parseEther } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answeredLooks } from "../playing/testing/answered-looks.ts";
import type { Leaves } from "../statements/committed-model.ts";
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
  const { paidWei, sent } = await answeredLooks(f, { id, posted }, files, watcher);
  // Last leaves of three trees; a point among them is none. Then the fees come back, one a look.
  expect(sent.filter((what) => what === "challenge")).toHaveLength(1);
  expect(sent.at(-1)).toBe("unanswered");
  expect(await f.disputes.read.owedWei([f.watcher])).toBe(BOND_WEI / 2n + paidWei);
  expect(await f.disputes.read.owedWei([f.owner])).toBe(0n);
});
