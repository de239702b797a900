/** Tests of a full node about forced entries, also of a sequencer that lies about them. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import {
  DATANET_ID,
  MODEL_ID,
  type ModelHistory,
  PAYEES,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { BINDING, KIND } from "@openledger/circuits/protocol";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, forcedEntry } from "@openledger/contracts/testing/rollup-fixture";
import { hex32 } from "@openledger/foundation/hex";
import { submitQueue } from "@openledger/verifier/without-operator/submit-queue";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { freshChain, freshFolder, freshFullNode, freshWorld } from "../testing/fresh-rollup.ts";
import {
  modelDeployment,
  passStall,
  plainAnswer,
  startRandomnessWatcher,
  type TestFullNode,
  urlOf,
} from "../testing/full-node-fixture.ts";
import { FINALITY_DEPTH_BLOCKS, forgedProver, type L1World } from "../testing/l1-world.ts";
import { close, operator, send } from "../testing/test-operator.ts";
import { ONE_OPEN_WEI, temporaryFolder } from "../testing/test-rollup.ts";
import { restoreFromL1 } from "./restore/restore-from-l1.ts";

const HOUR_SECONDS = 3_600n;
const DAY_SECONDS = 24n * HOUR_SECONDS;
const ALICE = PAYEES[0]!.contributorId;
const VALIDATOR = PAYEES[1]!.validatorId;
const EVERYTHING = 2n ** 96n - 1n;

const STALL_MS = 60_000;
const shared = temporaryFolder();
const finalPath = join(shared.path, "final");
let f: ModelHistory;
let deployment: Deployment;

/** A model with a settled epoch, which has earned its payees something, and with a payment in the open one. */
beforeAll(async () => {
  f = await startModelHistory();
  await f.makeModel();
  await f.openModel();
  const closingBatch = await f.closeEpoch();
  await f.recordRandomness(closingBatch);
  await f.submit([await f.proveSettlementFixture(await f.sampledData(), SAMPLED_CIRCUIT)]);
  const amountCode = encodeAmount(ONE_OPEN_WEI);
  await f.post(() => () => [
    f.sign(ALICE, { kind: KIND.payInference, b: MODEL_ID, words: [9n], amountCode }),
  ]);
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  deployment = await modelDeployment(f, shared.path);
  const { rpcUrl } = f;
  const rollupAddress = f.rollup.address;
  const finalityDepthBlocks = FINALITY_DEPTH_BLOCKS;
  await restoreFromL1({ rpcUrl, rollupAddress, dataPath: finalPath, finalityDepthBlocks });
});
afterEach(async () => {
  vi.restoreAllMocks();
});
afterAll(async () => {
  await f.stop();
  shared.remove();
});

/** A chain of the test's own; sequencers with a copy each of all that is final. */
async function start() {
  await freshChain(f);
  const folder = freshFolder();
  return {
    folder,
    async sequencer(name: string): Promise<L1World> {
      cpSync(finalPath, join(folder, name, "data"), { recursive: true });
      const w = await freshWorld(f, deployment, join(folder, name));
      return w;
    },
    async fullNode(name: string, feed: L1World | null): Promise<TestFullNode> {
      const feedUrl = feed === null ? null : urlOf(feed);
      const changes = { stallMs: STALL_MS, verifyProof: f.verifyProof };
      const fullNode = await freshFullNode(f, join(folder, name), feedUrl, changes);
      return fullNode;
    },
  };
}

async function post(w: L1World): Promise<void> {
  await close(w.rollup);
  for (let i = 0; i < 4; i++) await w.turn();
}

async function makeFinal(...worlds: L1World[]): Promise<void> {
  await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
  for (const w of worlds) await w.turn();
}

const quiet = (fullNode: TestFullNode) => {
  expect([...fullNode.alarms.all, ...fullNode.alarms.passing]).toEqual([]);
  expect(fullNode.fatal).toEqual([]);
};

describe("forced entries at a full node", () => {
  it("have the outcome that they have at the sequencer and on L1, executed or not", async () => {
    const world = await start();
    const { folder } = world;
    const { alice, bob } = f.l1.roles;
    const w = await world.sequencer("sequencer");
    const randomness = await startRandomnessWatcher(f, w, folder);
    onTestFinished(() => randomness.stop());
    await w.turn();
    const fullNode = await world.fullNode("fed", w);
    const alone = await world.fullNode("alone", null);
    const first = (await f.rollup.state()).queueHead;
    const force = f.l1.rollup.write;

    await f.l1.passTime(DAY_SECONDS - HOUR_SECONDS);
    await force.forceCloseEpoch([MODEL_ID, ANY_FEE], { account: bob }); // too early
    await force.forceClaimRewards([ALICE, MODEL_ID, 0, false, ANY_FEE], { account: alice });
    await force.forceClaimRewards([ALICE, MODEL_ID, 0, true, ANY_FEE], { account: alice });
    await force.forceClaimRewards([ALICE, MODEL_ID, 0, true, ANY_FEE], { account: alice }); // nothing is left: of 0
    await force.forceClaimRewards([ALICE, MODEL_ID, 0, false, ANY_FEE], { account: bob }); // another's leaf
    await force.forceClaimRewards([ALICE, MODEL_ID, 7, false, ANY_FEE], { account: alice }); // no such payee
    await force.forceClaimRewards([ALICE, ALICE, 0, false, ANY_FEE], { account: alice }); // no model
    await force.forceTransfer([ALICE, VALIDATOR, ONE_OPEN_WEI, alice, ANY_FEE], { account: alice });
    await force.forceTransfer([ALICE, VALIDATOR, ONE_OPEN_WEI, bob, ANY_FEE], { account: alice }); // another recipient
    await force.forceTransfer([ALICE, VALIDATOR, ONE_OPEN_WEI, alice, ANY_FEE], { account: bob }); // another's leaf
    await force.forceTransfer([ALICE, VALIDATOR, 2n ** 90n, alice, ANY_FEE], { account: alice }); // too much
    const named = { b: BigInt(MODEL_ID), word1: BigInt(alice) };
    const payment = { ...named, a: BigInt(ALICE), amountWei: ONE_OPEN_WEI, word2: 10n };
    const ofDatanet = { ...named, a: BigInt(DATANET_ID) };
    const approval = {
      ...ofDatanet,
      amountWei: f.statics.binding >> BINDING.predecessor,
      word2: hashStatics(f.statics),
    };
    const queue = (kind: number, fields: object, account = alice) =>
      force.force([forcedEntry(kind, fields), ANY_FEE], { account });
    await queue(KIND.forcedPayInference, payment);
    await queue(KIND.forcedPayInference, payment, bob); // another's leaf
    await queue(KIND.forcedRevokeModel, ofDatanet);
    await queue(KIND.forcedPayInference, payment); // revoked
    await queue(KIND.forcedApproveModel, approval);
    await queue(KIND.forcedApproveModel, { ...approval, word1: BigInt(bob) }); // another's model
    await queue(KIND.forcedPayInference, { ...payment, amountWei: 2n * ONE_OPEN_WEI });
    const commit = { a: BigInt(ALICE), b: BigInt(DATANET_ID), amountWei: 3n, word2: 11n };
    const version = { a: BigInt(DATANET_ID), amountWei: 3n, word1: 12n, word2: 13n, word3: 14n, word4: 15n };
    await queue(KIND.forcedCommitData, commit);
    await queue(KIND.forcedCommitData, { ...commit, b: BigInt(MODEL_ID) }); // no Datanet
    await queue(KIND.forcedCommitData, commit, bob); // another's leaf
    await queue(KIND.forcedPublishVersion, version);
    await queue(KIND.forcedPublishVersion, { ...version, a: BigInt(ALICE) }); // no Datanet
    await queue(KIND.forcedPublishVersion, version, bob); // another's Datanet
    await f.l1.passTime(HOUR_SECONDS);
    await force.forceCloseEpoch([MODEL_ID, ANY_FEE], { account: bob });
    await force.forceCloseEpoch([MODEL_ID, ANY_FEE], { account: bob }); // closed already
    await force.forceSetKey([VALIDATOR, 77n, ANY_FEE], { account: alice });
    await force.forceSetKey([VALIDATOR, 78n, ANY_FEE], { account: bob }); // another's leaf
    await force.forceWithdraw([ALICE, ONE_OPEN_WEI, bob, ANY_FEE], { account: alice });
    await force.forceWithdraw([ALICE, ONE_OPEN_WEI, bob, ANY_FEE], { account: bob }); // another's leaf
    await force.forceSetOwner([VALIDATOR, bob, ANY_FEE], { account: alice });
    await force.forceSetOwner([VALIDATOR, alice, ANY_FEE], { account: alice }); // hers no more
    await force.forceWithdraw([VALIDATOR, EVERYTHING, bob, ANY_FEE], { account: bob });
    const outcomes =
      "invalid executed executed executed invalid invalid invalid executed invalid invalid invalid";
    const rights = "executed invalid executed invalid executed invalid executed";
    const rows = "executed invalid invalid executed invalid invalid";
    const more = "executed invalid executed invalid executed invalid executed invalid executed";
    const expected = `${outcomes} ${rights} ${rows} ${more}`.split(" ");
    const entries = expected.map((_, i) => `/v1/queue/${first + i}`);
    const urls = [
      ...[0, 1, 2, 3, 4].flatMap((id) => [`/v1/leaves/${id}`, `/v1/leaves/${id}/rewards`]),
      `/v1/models/${MODEL_ID}`,
      `/v1/models/${MODEL_ID}/payments?epoch=2`,
      ...entries,
    ];
    /** Executed queue entries of the Datanet; L1 alone does not have signed operations' hashes. */
    const forcedOf = async (host: Pick<TestFullNode, "get">) => {
      const { body } = await host.get(`/v1/operations?leaf=${DATANET_ID}`);
      const forced = (body.operations as { hash: unknown; kind: string; opIndex: number }[]).filter(
        ({ hash }) => hash === null,
      );
      return forced.map(({ kind, opIndex }) => ({ kind, opIndex }));
    };
    const same = async (copy: TestFullNode, isFromL1Alone = false) => {
      for (const url of urls) {
        const theirs = await plainAnswer(w.rollup, url, isFromL1Alone);
        expect(await plainAnswer(copy, url, isFromL1Alone), url).toEqual(theirs);
      }
      expect(await forcedOf(copy)).toEqual(await forcedOf(w.rollup));
      const statuses = await Promise.all(entries.map(async (url) => (await copy.get(url)).body.status));
      expect(statuses).toEqual(expected);
    };

    await w.watch();
    await fullNode.poll();
    await same(fullNode);
    expect((await forcedOf(fullNode)).map(({ kind }) => kind)).toEqual(
      "forcedWithdraw forcedSetOwner forcedSetKey forcedPublishVersion forcedCommitData forcedApproveModel forcedRevokeModel forcedTransfer".split(
        " ",
      ),
    );
    expect((await fullNode.get(`/v1/models/${MODEL_ID}`)).body.closedEpoch).toMatchObject({ epoch: 2 });
    quiet(fullNode);
    await post(w);
    await makeFinal(w);
    await randomness.poll();
    const { root } = await f.rollup.state();
    expect(root).toBe(w.rollup.sequencer.pipeline.head.ledger.root);
    for (const copy of [fullNode, alone]) {
      await copy.poll();
      expect(copy.followed.head.ledger.root).toBe(root);
      expect(copy.followed.registry.finalNumber).toBe(w.rollup.sequencer.pipeline.registry.finalNumber);
      await same(copy, copy === alone);
      quiet(copy);
    }
  });
});

describe("a full node of a sequencer that lies about forced entries", () => {
  /** Starts two sequencers with one ledger and key: where one leaves out or invents entries, the other has L1's. */
  async function twoFaces() {
    const world = await start();
    const honest = await world.sequencer("honest");
    const lying = await world.sequencer("lying");
    const fullNode = await world.fullNode("fed", lying);
    await lying.watch();
    const { alice } = f.l1.roles;
    const index = (await f.rollup.state()).queueHead;
    const force = () =>
      f.l1.rollup.write.forceTransfer([ALICE, VALIDATOR, ONE_OPEN_WEI, alice, ANY_FEE], { account: alice });
    const nonce = f.ledger.requireLeaf(ALICE).leaf.nonce;
    const amountCode = encodeAmount(ONE_OPEN_WEI);
    const payment = f.sign(ALICE, { kind: KIND.transfer, b: 1, amountCode, nonce });
    const accept = async (w: L1World) => {
      const { body, status } = await send(w.rollup, payment);
      expect(status, JSON.stringify(body)).toBe(202);
    };
    /** A transfer to the operator's own leaf that nobody has queued on L1. */
    const hand = async (queueIndex: number) => {
      const word1 = hex32(BigInt(f.l1.roles.operator));
      const none = { word2: hex32(0n), word3: hex32(0n), word4: hex32(0n) };
      const fields = { kind: KIND.forcedTransfer, a: ALICE, b: 1, word1, ...none, sender: alice };
      const seen = { l1BlockNumber: 1, l1TransactionHash: hex32(1n) };
      const entries = [{ queueIndex, amountWei: ONE_OPEN_WEI.toString(), ...fields, ...seen }];
      const answer = await operator(lying.rollup, "/operator/queue-entries", { entries });
      expect(answer).toEqual({ nextIndex: queueIndex + 1, isPlaceKnown: true });
    };
    const differs = () =>
      fullNode.alarms.passing.some((a) => (a as { kind: string }).kind === "feed-differs");
    return { honest, lying, fullNode, index, force, accept, differs, hand };
  }

  it("says so where the feed leaves out a forced transfer that L1's batch has", async () => {
    const { accept, differs, fullNode, force, honest, index, lying } = await twoFaces();
    await force();
    await accept(lying);
    await close(lying.rollup);
    await fullNode.poll();
    expect((await fullNode.get("/v1/status")).body.batches.closed, "the feed's own batch").toBe(
      lying.rollup.sequencer.pipeline.registry.closedNumber,
    );
    expect((await fullNode.get(`/v1/queue/${index}`)).body.status).toBe("queued");
    await honest.watch();
    await accept(honest);
    await post(honest);
    await fullNode.poll();
    await makeFinal(honest);
    await fullNode.poll();
    passStall(STALL_MS);
    await fullNode.poll();
    expect(differs()).toBe(true);
    expect((await fullNode.get("/health")).status).toBe(503);
    expect(fullNode.alarms.all, "each signed operation is in its place").toEqual([]);
    // The full node serves L1's ledger.
    expect(fullNode.followed.head.ledger.root).toBe((await f.rollup.state()).root);
    expect((await fullNode.get(`/v1/queue/${index}`)).body.status).toBe("executed");
  });

  it("says so where the feed executes another entry than L1's queue has, and shows L1's", async () => {
    const { differs, fullNode, force, hand, index, lying } = await twoFaces();
    await force();
    const before = (await fullNode.get(`/v1/leaves/${VALIDATOR}`)).body.balanceWei;
    await hand(index);
    await fullNode.poll();
    const { body } = await fullNode.get(`/v1/leaves/${VALIDATOR}`);
    expect(BigInt(body.balanceWei) - BigInt(before), "as L1 has the entry").toBe(ONE_OPEN_WEI);
    await close(lying.rollup);
    for (let i = 0; i < 3; i++) await fullNode.poll();
    expect(differs()).toBe(true);
  });

  it("says so where the feed goes on from an entry that L1's queue does not have", async () => {
    const { accept, differs, fullNode, hand, index, lying } = await twoFaces();
    await hand(index);
    await accept(lying);
    await fullNode.poll();
    const { body } = await fullNode.get(`/v1/leaves/${ALICE}`);
    expect(body.nonce, "nothing behind it is shown").toBe(Number(f.ledger.requireLeaf(ALICE).leaf.nonce));
    expect(differs(), "its node may be behind").toBe(false);
    passStall(STALL_MS);
    await fullNode.poll();
    expect(differs()).toBe(true);
  });

  it("says so where neither feed nor L1 have taken an entry for a day", async () => {
    const { fullNode, force, honest, index, lying } = await twoFaces();
    const kinds = () => fullNode.alarms.passing.map((alarm) => (alarm as { kind: string }).kind);
    await force();
    await f.l1.passTime(DAY_SECONDS - HOUR_SECONDS);
    await close(lying.rollup);
    await fullNode.poll();
    expect(kinds()).toEqual([]);
    await f.l1.passTime(2n * HOUR_SECONDS);
    await fullNode.poll();
    expect(kinds()).toEqual(["queue-overdue"]);
    await honest.watch();
    await post(honest);
    expect((await f.rollup.state()).queueHead).toBe(index + 1);
    await fullNode.poll();
    expect(kinds()).toEqual([]);
  });

  it("does not excuse it for longer than a stranger's batch takes to be final", async () => {
    const { differs, fullNode, force, hand, index, lying } = await twoFaces();
    const stranger = async () => {
      await force();
      await f.l1.passTime(DAY_SECONDS + 1n);
      const { rpcUrl } = f;
      const prove = forgedProver(f, deployment);
      const { circuits } = deployment;
      const account = anvilAccount(6);
      await submitQueue({ rpcUrl, rollupAddress: f.rollup.address, account, circuits, prove });
    };
    await hand(index);
    await close(lying.rollup);
    await stranger();
    for (let i = 0; i < 4; i++) await fullNode.poll();
    expect(differs(), "an honest sequencer might be ahead").toBe(false);
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    await stranger();
    await fullNode.poll();
    passStall(STALL_MS);
    await fullNode.poll();
    expect(differs()).toBe(true);
  });
});
