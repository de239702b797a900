/** What one claim that fails does to the others, to bonds and to what is told: the contract is real, who sends and traces is not. */

import { queryBytes } from "@openledger/circuits/internal/ledger/model-query";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { hex32 } from "@openledger/foundation/hex";
import { runTurns } from "@openledger/models/settler/turn-report";
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
import { BOND_WEI, startTraceGame, type TraceFixture } from "../games/testing/trace-fixture.ts";
import { AutoClaimer, type AutoClaimModules } from "./auto-claim.ts";
import { ClaimingReport } from "./claiming-report.ts";

const MODEL_ID = 13;
const RECEIPTS = [101n, 102n, 103n];
const QUERY = new Int16Array([1, -3, 5]);
const HOUR_MS = 3_600_000;

let f: TraceFixture;
let ledger: LedgerFixture;
beforeAll(async () => {
  f = await startTraceGame();
  ledger = await createLedgerFixture({ hasFeed: false });
  const zero = hex32(0n);
  const statics = { featuresCommitment: zero, ownersCommitment: zero, payeeRoot: zero, binding: zero };
  ledger.sequencer.answers.set(`GET /v1/models/${MODEL_ID}`, {
    ...{ id: MODEL_ID, kind: "model", nonce: 0, nextNonce: 0, l1Owner: f.owner, keyX: zero, chain: zero },
    ...{ balanceWei: "0", openAmountWei: "0", payees: [] },
    counters: { isReady: true, isApproved: true, cap: 8, paymentCount: 0, epoch: 2, priceWei: "1" },
    // Each draw has a part of the payments of its own: eight of them meet all three.
    model: {
      ...statics,
      datanetId: 4,
      version: 1,
      drawCount: 8,
      featureCount: 3,
      ownerParts: 0,
      validatorParts: 0,
      epochStart: 1,
    },
    closedEpoch: {
      ...{ epoch: 1, closingBatch: 1, amountWei: "3", chain: zero, closed: zero, seed: zero },
      ...{ closedAtBlock: 1, closedAtSeconds: 1, randomnessBlock: 2, prevRandao: hex32(7n) },
      ...{ isRandomnessMissed: false, anyoneSettlesFromSeconds: null, defaultSplitFromSeconds: null },
    },
  });
  ledger.sequencer.answers.set(`GET /v1/models/${MODEL_ID}/payments?from=0&limit=500&epoch=1`, {
    ...{ epoch: 1, isClosed: true, closingBatch: 1, chain: zero, amountWei: "3", paymentCount: 3 },
    payments: RECEIPTS.map((receipt, i) => ({
      ...{ hash: "0x", receipt: hex32(receipt), payerId: 9, amountWei: "1" },
      ...{ cumulativeWei: `${i + 1}`, batchNumber: 1 },
    })),
  });
}, 60_000);
afterAll(async () => {
  await ledger?.close();
  await f?.stop();
});

let nowMs: number;
let collected: number;
let traced: bigint[];
let sent: Hex[];
beforeEach(async () => {
  [nowMs, collected, traced, sent] = [0, 0, [], []];
  await f.client.setBalance({ address: f.owner, value: parseEther("100") });
});

/** @param send throws where it is to; the data says of which receipt it is */
function claimerWith(
  send: (receipt: bigint) => void,
  changed: Partial<AutoClaimModules> = {},
  publicClient: PublicClient = f.publicClient,
) {
  const log = { info() {}, error() {} };
  return new AutoClaimer(MODEL_ID, {
    ...{ client: ledger.client, log, report: new ClaimingReport(f.owner), nowMs: () => nowMs },
    async judge() {
      return {
        ...{ game: f.game, address: f.owner, publicClient },
        async send({ data }) {
          send(BigInt(data));
          sent.push(data);
          return { hash: data, gasUsed: 1n };
        },
      };
    },
    tracer: {
      claim: async ({ salt }) => {
        traced.push(salt);
        return { data: hex32(salt), query: QUERY };
      },
      play: async () => ({ moves: [], failures: [] }),
    },
    answerOf: async (receipt) => ({
      ...{ payerId: 9, salt: hex32(receipt), answer: "{}", prompt: "The union?" },
      queryBytes: Buffer.from(queryBytes(QUERY)).toString("base64"),
    }),
    showLeaves: async () => ({ answered: [], failures: [] }),
    collect: async () => {
      collected += 1;
      return null;
    },
    ...changed,
  });
}

const noEther = () =>
  challengerError("CMD_NO_ETHER", "no ether", { data: { account: f.owner, valueWei: BOND_WEI } });

test("challenged leaves are looked for at once and every ten minutes, and none that fails keeps a turn from the rest", async () => {
  let looks = 0;
  const failure = new Error("the leaf is nowhere");
  const claimer = claimerWith(() => {}, {
    showLeaves: async () => {
      looks += 1;
      return { answered: [], failures: [failure] };
    },
  });
  await expect(claimer.turn()).rejects.toThrow(failure.message);
  expect([looks, collected]).toEqual([1, 1]);
  nowMs += 599_999;
  await claimer.turn();
  expect(looks).toBe(1);
  nowMs += 1;
  await expect(claimer.turn()).rejects.toThrow(failure.message);
  expect(looks).toBe(2);
});

test("bonds are taken back at each turn while ether is missing, and else once an hour", async () => {
  let hasEther = false;
  const claimer = claimerWith(() => {
    if (!hasEther) throw noEther();
  });
  await f.client.setBalance({ address: f.owner, value: BOND_WEI / 2n });
  for (let turn = 1; turn <= 3; turn++) {
    await expect(claimer.turn()).rejects.toMatchObject({ code: "CMD_NO_ETHER" });
    expect(collected).toBe(turn);
  }
  // What the next claim would meet, too: none but the first was tried, and it was traced once.
  expect(traced).toEqual([traced[0]]);
  await f.client.setBalance({ address: f.owner, value: 100n * BOND_WEI });
  hasEther = true;
  await claimer.turn();
  expect(sent).toHaveLength(RECEIPTS.length);
  expect(collected).toBe(3);
  nowMs += HOUR_MS;
  await claimer.turn();
  expect(collected).toBe(4);
});

test("bonds are taken back once where an epoch is settled between two looks, and after a look that failed", async () => {
  const path = `GET /v1/models/${MODEL_ID}`;
  const drawn = ledger.sequencer.answers.get(path) as object;
  let isDown = true;
  const claimer = claimerWith(() => {}, {
    collect: async () => {
      collected += 1;
      if (collected === 2 && isDown) throw new Error("no node");
      return null;
    },
  });
  try {
    await claimer.turn();
    expect([sent.length, collected]).toEqual([RECEIPTS.length, 1]);
    await claimer.turn();
    expect(collected).toBe(1);
    ledger.sequencer.answers.set(path, { ...drawn, closedEpoch: null });
    await expect(claimer.turn()).rejects.toThrow("no node");
    isDown = false;
    for (let turn = 0; turn < 2; turn++) await claimer.turn();
    expect(collected).toBe(3);
    expect(claimer.report.view().stage).toBe("nothing-drawn");
  } finally {
    ledger.sequencer.answers.set(path, drawn);
  }
});

test("enough for a bond, and not for its gas, is short of ether, too", async () => {
  const claimer = claimerWith(() => {
    throw noEther();
  });
  for (let turn = 1; turn <= 2; turn++) {
    await expect(claimer.turn()).rejects.toMatchObject({ code: "CMD_NO_ETHER" });
    expect(collected).toBe(turn);
  }
});

test("a claim that L1 refuses, and one that cannot be made, stop none behind them, and are traced once", async () => {
  const [unmade, refused] = [RECEIPTS[0]!, RECEIPTS[1]!];
  const claimer = claimerWith(
    (receipt) => {
      if (receipt === refused) throw challengerError("CMD_USAGE", "L1 refuses it");
    },
    {
      tracer: {
        claim: async ({ salt }) => {
          traced.push(salt);
          const query = salt === unmade ? new Int16Array([1, -3, 7]) : QUERY;
          return { data: hex32(salt), query };
        },
        play: async () => ({ moves: [], failures: [] }),
      },
    },
  );
  for (let turn = 0; turn < 2; turn++) {
    sent.length = 0;
    await expect(claimer.turn()).rejects.toMatchObject({
      code: expect.stringMatching(/^CMD_(CLAIM_IMPOSSIBLE|USAGE)$/),
    });
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
  const tracer = {
    claim: async ({ salt }: { readonly salt: bigint }) => {
      traced.push(salt);
      late ??= receiptKey(model, { payerId: 9, receipt: salt });
      return { data: hex32(salt), query: QUERY };
    },
    play: async () => ({ moves: [], failures: [] }),
  };
  await claimerWith(() => {}, { tracer }, publicClient).turn();
  expect([...traced].sort()).toEqual(RECEIPTS);
  expect(sent).toEqual(traced.slice(1).map(hex32));
});

test("a game that cannot be played stops neither claims nor bonds", async () => {
  const publicClient = Object.assign(Object.create(f.publicClient), {
    readContract: (asked: { functionName: string }) =>
      asked.functionName === "openGamesOf"
        ? Promise.reject(new Error("no node"))
        : f.client.readContract(asked as never),
  });
  const claimer = claimerWith(() => {}, {}, publicClient);
  await expect(claimer.turn()).rejects.toMatchObject({ code: "BRG_L1_REFUSED" });
  expect(sent).toHaveLength(RECEIPTS.length);
  expect(collected).toBe(1);
});

test("a cap that holds a claim up is what the server tells, and no other claim is tried behind it", async () => {
  const atCap = challengerError("CMD_L1_PENDING", "a dearer one would pay more than 40 (--max-fee-gwei)");
  const claimer = claimerWith(() => {
    throw atCap;
  });
  const stopping = new AbortController();
  await runTurns(
    "claiming",
    claimer,
    { info() {}, error() {} },
    {
      ...{ intervalMs: 1, signal: stopping.signal },
      sleep: async () => stopping.abort(),
    },
  );
  expect(claimer.report.view().failure).toMatchObject({ code: "CMD_L1_PENDING", message: atCap.message });
  expect(await claimer.report.metrics()).toContain('model_claiming_errors_total{code="CMD_L1_PENDING"} 1');
  expect(traced).toHaveLength(1);
});
