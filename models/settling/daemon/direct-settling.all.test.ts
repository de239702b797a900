import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckable } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { datanetOfRow } from "@openledger/attribution/model/payee-table";
import { explainEarnings } from "@openledger/attribution/scores/earnings";
import { labelledRow, sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { MAX_PAYEE_COUNT } from "@openledger/circuits/protocol";
import { modelShape, type SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { SMALL_DIRECT as SIZE } from "@openledger/circuits/testing/settlement/direct-world";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { encodeSettlementBody, sendSettlement } from "@openledger/client/actions/l1/send-settlement";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { approveModel, revokeModel } from "@openledger/client/actions/ledger/model-operations";
import { closeEpoch } from "@openledger/client/actions/ledger/reward-operations";
import { collectVersion } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { downloadCommits } from "@openledger/client/datanets/download-rows";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { withdrawRow } from "@openledger/client/datanets/withdrawals";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { payForAnswer } from "@openledger/client/tasks/pay-for-answer";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { createLogger } from "@openledger/foundation/logger";
import { unexpectedLines } from "@openledger/foundation/testing/unexpected-lines";
import {
  openProvingCircuits,
  readRollupCircuits,
  settlementCircuitFor,
} from "@openledger/verifier/circuits/rollup-circuits";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelUrl, type ServedModels } from "../../serving/serve-models.ts";
import { serveWorld } from "../../testing/serving-world.ts";
import {
  type LabelledContent,
  PRICE_WEI,
  type SettlingWorld,
  startSettlingWorld,
} from "../../testing/settling-fixture.ts";
import { fetchOpenings } from "../model-openings.ts";
import { prepareSampled, readClosedEpoch, settledModelOf } from "../prepare-settlement.ts";
import { proveSettlement } from "../prove-settlement.ts";
import { judgeDraws, verifySettlement } from "../verify-settlement.ts";

// A direct model from its rows to a settlement on L1: real node, sequencer, bridge, answer server and proof.

/** Bob's questions; the second one is private. */
const unexpected = unexpectedLines();
const PRIVATE = 1;
const prompts = sampleInputs("text", 3, "direct questions").map(({ input }) => input);

const TWO = { ...SIZE, rows: 5, shards: 2 };
const TWO_NAMES = ["direct-sharded-4-2-16-2", "direct-shard-5-16-4-2", "direct-shard-5-16-4-2"];
const OF_BOB = sampleInputs("text", 4, "bob's").map((row) => labelledRow("text", row));

const SIZES: [what: string, size: SettlementSize, names: string[], bobs: LabelledContent[]][] = [
  ["one shard", SIZE, ["direct-9-16-4-4-2"], []],
  ["two shards, a payee in both", TWO, TWO_NAMES, []],
  ["two Datanets, a shard of each", TWO, TWO_NAMES, OF_BOB],
];

/** Alice withdraws a row of the model at a host, and publishes a version without it. */
async function withdrawAndPublish({ alice, folder, host, settle }: SettlingWorld, datanetId: number) {
  const { url: hostUrl } = await host({});
  const owner = { ...alice, leafId: datanetId };
  const location = { hostUrl, datanetId };
  const card = sampleCard();
  await publishCard(owner, { datanetId, card });
  await bringCard(owner, { ...location, card });
  const store = await openRowStore(join(folder, "rows"));
  const [commit] = await listCommits(alice, datanetId);
  const source = await contributionSource(store, commit!.rowsRoot);
  await uploadRows(alice, { ...location, source });
  const row = source.digests[0]!;
  await withdrawRow(alice, { ...location, row, note: "it names a person" });
  await downloadCommits(alice, { ...location, store });
  const version = await collectVersion(owner, { datanetId, store, validatorId: 3 });
  expect(version.withdrawn).toEqual([row]);
  await publishVersion(owner, { datanetId, version });
  await settle();
  expect((await getLeaf(alice, datanetId)).datanet).toMatchObject({
    version: 3,
    rowCount: source.digests.length - 1,
  });
}

describe.each(SIZES)("of %s", (_, size, names, bobs) => {
  const isJoint = bobs.length > 0;
  let world: SettlingWorld;
  let folder: string;
  let model: PublishedModel;
  let modelId: number;
  let datanetIds: number[];
  let served: ServedModels;
  let serverUrl: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "direct-settling-"));
    world = await startSettlingWorld(folder, undefined, size);
    const made = await world.makeModel(undefined, { bobs });
    ({ datanetIds, model, modelId } = made);
    served = await serveWorld(
      folder,
      { SERVING_BASE_PATH: undefined, SERVING_ADAPTERS_PATH: undefined },
      {
        logger: createLogger("test", "error", unexpected),
        published: {
          locations: [{ modelId, folder: made.modelFolder }],
          domain: world.bob.domain,
          rollup: storeRollupOf(world.bob),
          sequencerUrl: world.sequencerUrl,
        },
      },
    );
    serverUrl = modelUrl(served.url, modelId);
  }, 900_000);
  afterAll(async () => {
    await served?.close();
    await world?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("settles an epoch to the wei, and shows the prompts of drawn payments that are not private", {
    timeout: 900_000,
  }, async () => {
    const { alice, bob, deployment, f } = world;
    const checkable = await openCheckable(model);
    const pay = async (prompt: string) => {
      const answer = await askModel(bob, { serverUrl, modelId, prompt });
      await payForAnswer(bob, { modelId, model: checkable, prompt, answer });
    };
    const [aliceNet, bobNet] = datanetIds as [number, number];
    if (isJoint) {
      const { counters, model: listed } = await getModel(bob, modelId);
      expect([counters.isApproved, counters.approvals, listed.furtherDatanets]).toEqual([false, 1, [bobNet]]);
      await expect(pay(prompts[0]!)).rejects.toThrow(
        expect.objectContaining({ code: expect.stringMatching(/NOT_PAYABLE|NOT_SERVED|NOT_APPROVED/) }),
      );
      await approveModel(bob, { datanetId: bobNet, modelId, statics: model.statics });
      await world.settle();
      expect((await getModel(bob, modelId)).counters).toMatchObject({ isApproved: true, approvals: 0 });
    }
    for (const [k, prompt] of prompts.entries()) {
      const question = { serverUrl, modelId, prompt, isPrivate: k === PRIVATE };
      const answer = await askModel(bob, question);
      expect(answer).toMatchObject({ label: checkable.answer(prompt).label });
      await payForAnswer(bob, { modelId, model: checkable, prompt, answer });
    }
    await world.settle();
    // What was earned stays earned: the open epoch settles as it would have, though a row is gone and a newer version stands.
    if (!isJoint) await withdrawAndPublish(world, aliceNet);
    // Nothing is shown before the draws.
    await expect
      .poll(async () => (await fetchOpenings(serverUrl, 1, true)).size, { timeout: 60_000 })
      .toBe(prompts.length);
    expect([...(await fetchOpenings(serverUrl, 1, true)).values()].map(({ prompt }) => prompt)).toEqual([
      null,
      null,
      null,
    ]);
    await world.passTime(90_000);
    await closeEpoch(alice, { modelId });
    await world.settle();
    await world.mineRandomness();
    await world.settle();

    const circuits = await readRollupCircuits({
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      deployment,
    });
    const facts = await readClosedEpoch(bob, modelId);
    const openings = await fetchOpenings(serverUrl, 1, true);
    const settling = settlementCircuitFor(circuits, modelShape(model.statics, model.payees));
    const { circuits: proving, prepared } = prepareSampled(facts, { model, openings, settling });
    expect(proving.map(({ name }) => name)).toEqual(names);
    const drawn = new Set(prepared.draws.map(({ paymentIndex }) => paymentIndex));
    for (const { index, prompt } of openings.values())
      expect(prompt).toBe(drawn.has(index) && index !== PRIVATE ? prompts[index] : null);
    const judged = await judgeDraws(bob, { modelId, epoch: 1 }, { model, openings });
    expect(judged.map(({ paymentIndex, verdict }) => ({ paymentIndex, verdict }))).toEqual(
      prepared.draws.map(({ paymentIndex }) => ({
        paymentIndex,
        verdict: paymentIndex === PRIVATE ? "withheld" : "same",
      })),
    );

    const opened = await openProvingCircuits(proving, deployment, () => () => {});
    const { settlement } = await proveSettlement(prepared, opened, { backend: "wasm" });
    await sendSettlement(alice, encodeSettlementBody(settlement));
    await world.settle();
    const leaf = await getModel(bob, modelId);
    expect(leaf.closedEpoch).toBeNull();
    expect(leaf.payees.map(({ accruedWei }) => accruedWei)).toEqual(prepared.earnedWei);
    const earned = prepared.earnedWei.reduce((sum, wei) => sum + wei, 0n);
    const { ownerWei, treasuryWei } = prepared.terms;
    expect(prepared.data.voidCount).toBe(0);
    expect(earned + ownerWei + treasuryWei).toBe(BigInt(prompts.length) * PRICE_WEI);
    const keyOf = async ({ circuitId }: { readonly circuitId: bigint }) =>
      opened.find((one) => one.circuitId === circuitId)!.proving.verificationKey;
    const verified = await verifySettlement(bob, { modelId, epoch: 1 }, { model, openings, circuits, keyOf });
    expect(verified.settlement.circuit).toBe(names[0]);
    expect(verified.sampled.earnedWei).toEqual(prepared.earnedWei);

    // What each row earned, as `rewards why` says it.
    const paid = { model: settledModelOf(verified.leaf), payments: verified.payments };
    const { rows: earnings } = explainEarnings(verified.sampled, paid, verified.settlement.earnedWei);
    const byPayee = prepared.earnedWei.map(() => 0n);
    for (const { draws, earnedParts, payeeIndex, row } of earnings) {
      byPayee[payeeIndex]! += earnedParts;
      const isBobs = isJoint && row >= model.rows!.length - bobs.length;
      const own = { versionRow: isBobs ? row - 5 : row, datanetId: isBobs ? bobNet : aliceNet };
      expect(datanetOfRow(model, row)).toMatchObject(own);
      for (const { draw, score } of draws) expect(prepared.draws[draw]!.scores[row]).toBe(score);
    }
    expect(earnings.length).toBeLessThan(model.rows!.length);
    expect(byPayee.map((parts) => (parts >> 40n) << prepared.quantumBits)).toEqual(prepared.earnedWei);
    if (!isJoint) return;
    expect(byPayee[0]).toBeGreaterThan(0n);
    expect(byPayee[MAX_PAYEE_COUNT]).toBeGreaterThan(0n);
    await revokeModel(bob, { datanetId: bobNet, modelId });
    await world.settle();
    await expect(pay(prompts[0]!)).rejects.toThrow();
    expect((await getModel(bob, modelId)).counters).toMatchObject({ isApproved: false, approvals: 0 });
  });
});
