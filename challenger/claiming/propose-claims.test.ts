/** What one claim that fails does to the others, to bonds and to what is told: the contract is real, who sends and traces is not. */

import { queryBytes } from "@openledger/circuits/ledger/model-query";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { hex32 } from "@openledger/foundation/hex";
import { started } from "@openledger/foundation/testing/test-fixtures";
import {
  encodeAbiParameters,
  encodeEventTopics,
  getAbiItem,
  type Hex,
  type PublicClient,
  parseEther,
  zeroHash,
} from "viem";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { challengerError } from "../challenger-errors.ts";
import { receiptKey } from "../games/draw-claims.ts";
import { GameReader } from "../games/read-games.ts";
import { BOND_WEI, startTraceGame } from "../games/testing/trace-fixture.ts";
import type { GameAccount } from "../playing/trace-sender.ts";
import { ClaimingReport } from "./claiming-report.ts";
import { ClaimProposer, type TraceClaim } from "./propose-claims.ts";

const MODEL_ID = 13;
const MODEL_PATH = `GET /v1/models/${MODEL_ID}`;
const PAYMENTS_PATH = `${MODEL_PATH}/payments?from=0&limit=500&epoch=1`;
const RECEIPTS = [101n, 102n, 103n];
const QUERY = new Int16Array([1, -3, 5]);

const f = started(() => startTraceGame());
let ledger: LedgerFixture;
beforeAll(async () => {
  ledger = await createLedgerFixture({ hasFeed: false });
  const zero = hex32(0n);
  const statics = { featuresCommitment: zero, ownersCommitment: zero, payeeRoot: zero, binding: zero };
  ledger.sequencer.answers.set(MODEL_PATH, {
    ...{ id: MODEL_ID, kind: "model", nonce: 0, nextNonce: 0, l1Owner: f.owner, keyX: zero, chain: zero },
    ...{ balanceWei: "0", openAmountWei: "0", payees: [] },
    counters: {
      isReady: true,
      isApproved: true,
      approvals: 0,
      cap: 8,
      paymentCount: 0,
      epoch: 2,
      priceWei: "1",
    },
    // Each draw has a part of the payments of its own: eight of them meet all three.
    model: {
      ...{ ...statics, datanetId: 4, version: 1, furtherDatanets: [], drawCount: 8, featureCount: 3 },
      ...{ ownerParts: 0, validatorParts: 0, epochStart: 1 },
    },
    closedEpoch: {
      ...{ epoch: 1, closingBatch: 1, amountWei: "3", chain: zero, closed: zero, seed: zero },
      ...{ closedAtBlock: 1, closedAtSeconds: 1, randomnessBlock: 2, prevRandao: hex32(7n) },
      ...{ isRandomnessMissed: false, anyoneSettlesFromSeconds: null, defaultSplitFromSeconds: null },
    },
  });
  ledger.sequencer.answers.set(PAYMENTS_PATH, {
    ...{ epoch: 1, isClosed: true, closingBatch: 1, chain: zero, amountWei: "3", paymentCount: 3 },
    payments: RECEIPTS.map((receipt, i) => ({
      ...{ hash: "0x", receipt: hex32(receipt), payerId: 9, amountWei: "1" },
      ...{ cumulativeWei: `${i + 1}`, batchNumber: 1 },
    })),
  });
}, 60_000);
afterAll(async () => {
  await ledger?.close();
});

let traced: bigint[];
let sent: Hex[];
let answers: ReadonlyMap<string, unknown>;
beforeEach(async () => {
  answers ??= new Map(ledger.sequencer.answers);
  for (const [path, answer] of answers) ledger.sequencer.answers.set(path, answer);
  [traced, sent] = [[], []];
  await f.client.setBalance({ address: f.owner, value: parseEther("100") });
});

/** @param send throws where it is to; the data says of which receipt it is @param trace default: the right query */
function proposerWith(
  send: (receipt: bigint) => void,
  trace: TraceClaim = async (_, { salt }) => ({ data: hex32(salt), query: QUERY }),
  publicClient: PublicClient = f.publicClient,
) {
  const report = new ClaimingReport(f.owner);
  const judge: GameAccount = {
    ...{ game: f.game, address: f.owner, publicClient },
    async send({ data }) {
      send(BigInt(data));
      sent.push(data);
      return { hash: data, gasUsed: 1n };
    },
  };
  const counted: TraceClaim = async (modelId, receipt) => {
    traced.push(receipt.salt);
    return trace(modelId, receipt);
  };
  const reader = new GameReader(publicClient, f.game, { rollup: ledger.client.rollupAddress });
  const proposer = new ClaimProposer(MODEL_ID, judge, reader, counted, {
    ...{ client: ledger.client, log: { info() {}, error() {} }, report: () => report },
    answerOf: async (_, receipt) => ({
      ...{ payerId: 9, salt: hex32(receipt), answer: "{}", prompt: "The union?" },
      queryBytes: Buffer.from(queryBytes(QUERY)).toString("base64"),
    }),
  });
  return Object.assign(proposer, { report });
}

const noEther = () =>
  challengerError("CMD_NO_ETHER", "no ether", { data: { account: f.owner, valueWei: BOND_WEI } });

test("bonds are asked for at each look while ether is missing, and once an epoch's claims are over", async () => {
  let hasEther = false;
  const proposer = proposerWith(() => {
    if (!hasEther) throw noEther();
  });
  await f.client.setBalance({ address: f.owner, value: BOND_WEI / 2n });
  for (let look = 1; look <= 3; look++) {
    expect((await proposer.propose()).failures).toMatchObject([{ code: "CMD_NO_ETHER" }]);
    expect(proposer.wantsMoney).toBe(true);
    proposer.noteCollected();
  }
  // What the next claim would meet, too: none but the first was tried, and it was traced once.
  expect(traced).toEqual([traced[0]]);
  await f.client.setBalance({ address: f.owner, value: 100n * BOND_WEI });
  hasEther = true;
  expect(await proposer.propose()).toEqual({ failures: [], isWaiting: false });
  expect([sent.length, proposer.wantsMoney]).toEqual([RECEIPTS.length, false]);
  ledger.sequencer.answers.set(MODEL_PATH, { ...(answers.get(MODEL_PATH) as object), closedEpoch: null });
  await proposer.propose();
  expect([proposer.wantsMoney, proposer.report.view().stage]).toEqual([true, "nothing-drawn"]);
  proposer.noteCollected();
  await proposer.propose();
  expect(proposer.wantsMoney).toBe(false);
});

test("enough for a bond, and not for its gas, is short of ether, too", async () => {
  const proposer = proposerWith(() => {
    throw noEther();
  });
  await proposer.propose();
  expect(proposer.wantsMoney).toBe(true);
});

test("four receipts are traced at a look, and the others at the next one, which follows at once", async () => {
  const [few, model] = [PAYMENTS_PATH, MODEL_PATH].map((path) => answers.get(path)) as [
    { payments: object[] },
    { model: object; closedEpoch: object },
  ];
  const many = Array.from({ length: 8 }, (_, i) => ({
    ...few.payments[0],
    ...{ receipt: hex32(BigInt(201 + i)), cumulativeWei: `${i + 1}` },
  }));
  ledger.sequencer.answers.set(PAYMENTS_PATH, { ...few, payments: many, paymentCount: 8, amountWei: "8" });
  ledger.sequencer.answers.set(MODEL_PATH, {
    ...model,
    closedEpoch: { ...model.closedEpoch, amountWei: "8" },
  });
  const first = await proposerWith(() => {}).propose();
  expect([traced.length, first.isWaiting]).toEqual([4, true]);
});

test("a claim that L1 refuses, and one that cannot be made, stop none behind them, and are traced once", async () => {
  const [unmade, refused] = [RECEIPTS[0]!, RECEIPTS[1]!];
  const proposer = proposerWith(
    (receipt) => {
      if (receipt === refused) throw challengerError("CMD_USAGE", "L1 refuses it");
    },
    async (_, { salt }) => ({
      data: hex32(salt),
      query: salt === unmade ? new Int16Array([1, -3, 7]) : QUERY,
    }),
  );
  for (let look = 0; look < 2; look++) {
    sent.length = 0;
    const { failures } = await proposer.propose();
    expect(failures.map((error) => (error as { code: string }).code).sort()).toEqual([
      "CMD_CLAIM_IMPOSSIBLE",
      "CMD_USAGE",
    ]);
    expect(sent).toEqual([hex32(RECEIPTS[2]!)]);
  }
  expect(traced.filter((receipt) => receipt === unmade)).toHaveLength(1);
  expect(traced.filter((receipt) => receipt === refused)).toHaveLength(1);
});

/** A node's own words for a claim of this receipt. */
function claimedLog(model: { readonly rollup: Hex; readonly modelId: bigint }, key: Hex) {
  const { inputs } = getAbiItem({ abi: traceGameAbi, name: "Claimed" });
  const statement = {
    ...{ ...model, inputs: [], programs: zeroHash, programCount: 1n, opCount: 1n, program: zeroHash },
    ...{ tokens: "0x", promptCount: 1n, query: zeroHash },
  };
  const said: Record<string, unknown> = { claimId: 1n, kind: 0, key, statement, bondWei: 1n, endsAt: 1n };
  const data = inputs.filter((one) => !("indexed" in one && one.indexed));
  return {
    topics: encodeEventTopics({
      abi: traceGameAbi,
      eventName: "Claimed",
      args: { ...model, owner: f.owner },
    }),
    data: encodeAbiParameters(data as never, data.map(({ name }) => said[name]) as never),
    ...{ blockNumber: "0x1", blockHash: zeroHash },
  };
}

test("a claim that is mined while its receipt is traced is not sent again", async () => {
  const model = { rollup: ledger.client.rollupAddress, modelId: BigInt(MODEL_ID) };
  let late: Hex | null = null;
  // What another process has sent before it was killed.
  const publicClient = Object.assign(Object.create(f.publicClient), {
    request: async ({ method }: { readonly method: string }) =>
      method !== "eth_getLogs" || late === null ? [] : [claimedLog(model, late)],
  });
  const trace: TraceClaim = async (_, { salt }) => {
    late ??= receiptKey(model, { payerId: 9, receipt: salt });
    return { data: hex32(salt), query: QUERY };
  };
  await proposerWith(() => {}, trace, publicClient).propose();
  expect([...traced].sort()).toEqual(RECEIPTS);
  expect(sent).toEqual(traced.slice(1).map(hex32));
});

test("a cap that holds a claim up is told, and no other claim is tried behind it", async () => {
  const atCap = challengerError("CMD_L1_PENDING", "a dearer one would pay more than 40 (--max-fee-gwei)");
  const proposer = proposerWith(() => {
    throw atCap;
  });
  expect(await proposer.propose()).toEqual({ failures: [atCap], isWaiting: false });
  expect(traced).toHaveLength(1);
});
