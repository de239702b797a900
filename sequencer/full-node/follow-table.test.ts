/** Tests of a full node and of verification with batches of all kinds of slots. */
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { slot } from "@openledger/contracts/testing/rollup-fixture";
import { freePort } from "@openledger/foundation/testing/free-port";
import { checkPreconfirmations } from "@openledger/verifier/evidence/preconfirmation-check";
import type { PreconfirmationEvidence } from "@openledger/verifier/evidence/preconfirmation-evidence";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import { restoreLedger } from "@openledger/verifier/restore/restore-ledger";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freshFolder, freshFullNode, freshWorld } from "../testing/fresh-rollup.ts";
import { urlOf } from "../testing/full-node-fixture.ts";
import { deploymentOn, depositFor, FINALITY_DEPTH_BLOCKS, type L1World } from "../testing/l1-world.ts";
import { startRelay } from "../testing/relay.ts";
import { close, send } from "../testing/test-operator.ts";
import { ONE_OPEN_WEI, signedBy, type TestUser, testUser, transfer } from "../testing/test-rollup.ts";
import { preconfirmationsFrom } from "./follow-preconfirmations.ts";

/** Sections of four transfers and four commits or payments; ids below 4,096 have a place in the table. */
const SHAPE = { narrow: 8, wide: 4, table: { members: 4, rows: 8, units: 2, low: 2, top: 2 } };

const [alice, bob] = [testUser(0), testUser(1)];
const DATANET_ID = 4;
let f: HistoryFixture;
let deployment: Deployment;
let owners: Record<number, bigint>;

beforeAll(async () => {
  f = await startHistoryFixture({ shapes: [SHAPE] });
  deployment = await deploymentOn(f);
  const { roles } = f.l1;
  owners = { [alice.id]: BigInt(roles.alice), [bob.id]: BigInt(roles.bob) };
  await depositFor(f, { alice: alice.keyX, bob: bob.keyX }, 99n * ONE_OPEN_WEI);
});
afterAll(() => f?.stop());

const payment = (from: TestUser, to: TestUser, nonce: bigint) =>
  transfer(from, { ...to, l1Owner: owners[to.id]! }, nonce, {
    domain: deployment.domain,
  } as Partial<SignedOperation>);

const commit = (from: TestUser, nonce: bigint) =>
  signedBy(from, {
    kind: KIND.commitData,
    nonce,
    b: DATANET_ID,
    amountCode: 5n,
    words: [123n + nonce],
    bOwner: alice.l1Owner,
    bKind: LEAF_KIND.datanet,
    domain: deployment.domain,
  });

async function take(w: L1World, operation: SignedOperation) {
  const { body, status } = await send(w.rollup, operation);
  expect(status, JSON.stringify(body)).toBe(202);
  return body;
}

/** Runs turns until L1 has the last closed batch. */
async function post(w: L1World): Promise<void> {
  await close(w.rollup);
  await expect
    .poll(
      async () => {
        await w.turn();
        const { batches } = (await w.rollup.get("/v1/status")).body;
        return batches.closed - batches.posted;
      },
      { timeout: 60_000, interval: 20 },
    )
    .toBe(0);
}

describe("a rollup with a leaf table", () => {
  it("posts transfers, commits and wide slots in one batch, and is followed, verified and kept to its word", async () => {
    const folder = freshFolder();
    const w = await freshWorld(f, deployment, join(folder, "sequencer"));
    const fullNode = await freshFullNode(f, join(folder, "full-node"), urlOf(w));
    const alone = await freshFullNode(f, join(folder, "alone"), null);
    // The full node starts before its leader answers, so it knows the circuits by other names.
    const port = await freePort();
    const early = await freshFullNode(f, join(folder, "early"), `http://127.0.0.1:${port}`);
    const relay = await startRelay(port, urlOf(w));
    onTestFinished(() => relay.stop());
    await w.watch();
    const words = [alice.l1Owner, alice.keyX];
    const create = { kind: KIND.createDatanet, nonce: 0n, words, domain: deployment.domain };
    await take(w, signedBy(alice, create));
    await post(w);

    // Ten OPEN that no slot of the table holds would cost the rest of the batch its table.
    const tooWide = await send(w.rollup, { ...payment(alice, bob, 1n), amountCode: (19n << 35n) | 1n });
    expect(tooWide).toMatchObject({ status: 422, body: { error: { code: "SEQ_OPERATION_REFUSED" } } });

    // The commits are taken between transfers of the same account; on L1 they stand behind all of them.
    const taken = [
      payment(alice, bob, 1n),
      commit(alice, 2n),
      payment(bob, alice, 0n),
      payment(alice, bob, 3n),
      commit(bob, 1n),
      signedBy(bob, {
        kind: KIND.withdraw,
        nonce: 2n,
        words: [99n, ONE_OPEN_WEI],
        domain: deployment.domain,
      }),
      payment(alice, bob, 4n),
    ];
    for (const operation of taken) await take(w, operation);
    let promises: PreconfirmationEvidence[] = [];
    // The operations behind the Create.
    const operationCount = async () => {
      await fullNode.poll();
      promises = await preconfirmationsFrom(fullNode.followed.log, 1, 100);
      return promises.length;
    };
    await expect.poll(operationCount, { timeout: 60_000, interval: 20 }).toBe(taken.length);
    await post(w);
    const number = (await w.rollup.get("/v1/status")).body.batches.closed;
    const { body } = await w.rollup.get(`/v1/batches/${number}`);
    expect(body.records.map(({ kind, slot }: { kind: string; slot: number }) => [kind, slot])).toEqual([
      ["transfer", 0],
      ["transfer", 1],
      ["transfer", 2],
      ["commitData", 4],
      ["commitData", 5],
      ["withdraw", 8],
      ["transfer", 9],
    ]);

    const closedOf = async () => {
      await early.poll();
      return (await early.get("/v1/status")).body.batches.closed;
    };
    await expect.poll(closedOf, { timeout: 60_000, interval: 20 }).toBe(number);
    expect(early.alarms.all).toEqual([]);

    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    await w.turn();
    const { root } = await f.rollup.state();
    for (const one of [fullNode, alone]) {
      await expect
        .poll(
          async () => {
            await one.poll();
            return (await one.get(`/v1/batches/${number}`)).body.status;
          },
          { timeout: 60_000, interval: 20 },
        )
        .toBe("final");
      expect(one.followed.head.ledger.root).toBe(root);
      expect(one.alarms.all).toEqual([]);
    }
    expect((await fullNode.get(`/v1/batches/${number}`)).body.batchHash).toBe(body.batchHash);
    const verified = await verifyRollup({
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      circuits: f.derived,
      verifyProof: f.verifyProof,
    });
    expect(verified).toMatchObject({ root, batchCount: number });
    const { checked } = await checkPreconfirmations(f.rollup, promises);
    expect(checked.map(({ verdict }) => verdict.verdict)).toEqual(promises.map(() => "consistent"));
  });

  it("follows a batch of the operator's that no order allows, as the proof does", async () => {
    const folder = freshFolder();
    const alone = await freshFullNode(f, join(folder, "alone"), null, { finalityDepthBlocks: 1 });
    const hundred = encodeAmount(100n * ONE_OPEN_WEI);
    const { ledger } = await restoreLedger(f.rollup);
    // A circle: each pays the other more than they have.
    const narrow = [
      slot(KIND.transfer, [], { a: 2, b: 3, amountCode: hundred }),
      slot(KIND.transfer, [], { a: 3, b: 2, amountCode: hundred }),
    ];
    expect(ledger.requireLeaf(2).leaf.balance).toBeLessThan(100n * ONE_OPEN_WEI);
    const content = { shape: SHAPE, narrow, signedCount: 2, feePerUnitWei: 0n };
    for (const id of [2, 3]) {
      const state = ledger.requireLeaf(id);
      ledger.put(id, { ...state, leaf: { ...state.leaf, nonce: state.leaf.nonce + 1n } });
    }
    await f.l1.post({ ...content, newRoot: ledger.root });
    await f.l1.client.mine({ blocks: 2 });
    const followedRoot = async () => {
      await alone.poll();
      return alone.followed.head.ledger.root;
    };
    await expect.poll(followedRoot, { timeout: 60_000, interval: 20 }).toBe(ledger.root);
    expect(alone.alarms.all).toEqual([]);
    expect((await restoreLedger(f.rollup)).ledger.root).toBe(ledger.root);

    // Half of it leaves an account without its payment, and then no root is right.
    const half = await f.l1.draft({ ...content, narrow: narrow.slice(0, 1), signedCount: 1 });
    await f.l1.submit([f.l1.close(half)]);
    await expect(restoreLedger(f.rollup)).rejects.toMatchObject({
      code: "BRG_BATCH_MALFORMED",
      cause: { code: "OP_BALANCE_TOO_LOW" },
    });
  });
});
