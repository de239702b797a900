/**
 * Close of an epoch, and claims of what it has earned: every refusal with its code, that nothing is signed by any, that page and
 * command have words for each, and what is signed else. A real sequencer; settlements have proofs of known trapdoors.
 */
import { ONE_OPEN_WEI } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LedgerClient } from "../ledger-client.ts";
import { getRewards } from "../sequencer/model-reads.ts";
import { createModelWorld, type ModelWorld } from "../testing/model-world.ts";
import { codesWithoutWords } from "../testing/refusal-words.ts";
import { claimAllRewards } from "./claim-rewards.ts";
import { type CloseModelEpochParameters, closeModelEpoch } from "./close-epoch.ts";

const CAROL = 5;
let made: ModelWorld;
let world: ModelWorld["world"];
let bob: LedgerClient;
let modelId: number;
let until: ModelWorld["until"];

beforeAll(async () => {
  made = await createModelWorld();
  ({ bob, modelId, until, world } = made);
}, 60_000);
afterAll(() => made?.close());

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly before?: () => Promise<void>;
  readonly changes?: () => Partial<CloseModelEpochParameters>;
}
/** In the order in which they are met: what one row does, the next ones find. */
const REFUSALS: readonly Refusal[] = [
  { name: "a leaf that is none", code: "CLI_LEAF_NOT_FOUND", changes: () => ({ modelId: 999 }) },
  { name: "an account", code: "OP_WRONG_LEAF_KIND", changes: () => ({ modelId: CAROL }) },
  { name: "a model without an activation", code: "OP_MODEL_NOT_READY" },
  {
    name: "an epoch without a payment",
    code: "OP_NOTHING_TO_CLOSE",
    before: () => until("activation"),
  },
  {
    name: "another account's key for the model",
    code: "OP_BAD_SIGNATURE",
    before: async () => {
      for (let i = 0; i < 3; i++) await until("pay");
    },
    changes: () => ({ from: CAROL }),
  },
];

test("refuses to close with a code for each reason, and signs nothing", async () => {
  for (const { before, changes, code, name } of REFUSALS) {
    await before?.();
    const onSigned = () => expect.unreachable(name);
    const closing = closeModelEpoch(bob, { modelId, onSigned, ...changes?.() });
    await expect(closing, name).rejects.toMatchObject({ code });
  }
  const early = closeModelEpoch(await world.user(3), { modelId, from: CAROL });
  await expect(early).rejects.toMatchObject({ code: "CLI_TOO_EARLY", data: { reason: "epoch-not-over" } });
}, 60_000);

test("closes with what the epoch has taken, and claims what it has earned, once", async () => {
  const closed = await closeModelEpoch(bob, { modelId });
  expect(closed).toMatchObject({ epoch: 1, paymentCount: 3, amountWei: 3n * ONE_OPEN_WEI });
  const again = closeModelEpoch(bob, { modelId, onSigned: () => expect.unreachable() });
  await expect(again).rejects.toMatchObject({ code: "OP_EPOCH_UNSETTLED" });
  await world.finalise();
  await until("settle");
  const stranger = await world.user(3);
  await expect(claimAllRewards(stranger, { from: bob.leafId! })).rejects.toMatchObject({
    code: "OP_BAD_SIGNATURE",
  });
  expect(await claimAllRewards(stranger)).toMatchObject({ claimed: [], totalWei: 0n });
  const { claimableWei } = await getRewards(bob, bob.leafId!);
  expect(claimableWei).toBeGreaterThan(0n);
  expect(await claimAllRewards(bob, { modelId: modelId + 1 })).toMatchObject({ claimed: [] });
  const left: number[] = [];
  const { claimed, totalWei } = await claimAllRewards(bob, { onClaimed: (_, rest) => void left.push(rest) });
  expect([totalWei, left]).toEqual([claimableWei, claimed.map((_, i) => claimed.length - 1 - i)]);
  // What a page has shown before is not claimed for nothing.
  expect(await claimAllRewards(bob)).toMatchObject({ claimed: [], totalWei: 0n });
}, 60_000);

test("has words for each refusal in the command and in the page", () => {
  const codes = [...REFUSALS.map(({ code }) => code), "CLI_TOO_EARLY", "OP_EPOCH_UNSETTLED"];
  expect(codesWithoutWords(codes)).toEqual([]);
});
