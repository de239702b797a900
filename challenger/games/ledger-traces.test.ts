/** Verdicts over queries of a language model, and what a rollup on L1 then takes (docs/explanation/fault-proofs.md). */

import { tracedAnsweringHash } from "@openledger/attribution/model/answering-hash";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { answerHash } from "@openledger/circuits/ledger/model-query";
import { activationHash, unpackSplit } from "@openledger/circuits/ledger/rewards";
import { treePath, treeRoot } from "@openledger/circuits/ledger/version-rows";
import { COUNTERS, FIELD_ORDER, TAG, TREE_DEPTH } from "@openledger/circuits/protocol";
import { type FeatureEpoch, paymentChain } from "@openledger/circuits/settlement/divide-epoch";
import { columnsCommitment, commitColumns } from "@openledger/circuits/settlement/feature-commitment";
import { defaultSplit } from "@openledger/circuits/settlement/payee-table-rules";
import { proofStatement } from "@openledger/circuits/settlement/settlement-data";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { drawSeed } from "@openledger/circuits/settlement/settlement-split";
import { closedEpoch, SeededNumbers } from "@openledger/circuits/testing/settlement/settlement-world";
import { readModelOnL1 } from "@openledger/client/actions/answers/model-on-l1";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { deployRegistry } from "@openledger/contracts/build/deploy-disputes";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { clientWithout, onClient, revertEachTest } from "@openledger/contracts/testing/chain";
import { connect, deployFixture, OPEN, revertOf, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import {
  MODEL,
  PAYEE_TABLE,
  preVerifyArguments,
  SAMPLED,
  SETTLEMENT_SIZES,
  settlementActions,
} from "@openledger/contracts/testing/settlement-fixture";
import { isWhole, partOf } from "@openledger/foundation/testing/test-random";
import type { Kernels } from "@openledger/models/kernels/kernels";
import { decodeFunctionData, encodeFunctionData, type Hex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REREAD_BLOCKS } from "../events/event-log.ts";
import {
  approveCall,
  type ClaimedReceipt,
  claimReceiptCall,
  registerCall,
  tracedTuple,
  tracingDigest,
} from "./claims/ledger-claims.ts";
import { type DescribedModel, type TracedQuery, traceQuery } from "./claims/traced-model.ts";
import { claimsOfDraws } from "./draw-claims.ts";
import { GameReader } from "./read-games.ts";
import { unbegunModel } from "./testing/ledger-fixture.ts";
import { falseTrace, placeOf, playOut } from "./testing/played-games.ts";
import { BOND_WEI, callsOf, HOUR_SECONDS, STAKE_WEI, tinyTraced } from "./testing/trace-fixture.ts";

const DAY_SECONDS = 24n * HOUR_SECONDS;
const WINDOW_SECONDS = 7n * DAY_SECONDS;
const SIZE = { rows: 8, features: 20, payees: 8, payments: 16, draws: 2 };
const FILES_HASH = 4_242n;
const CAP = 16;
const SPLIT = { ownerParts: 13_107n, validatorParts: 8_192n };
const PROMPT = "How?";
const PROMPT_TOKENS = [3, 14];
const END_TOKEN = 5;

let anvil: Anvil;
let client: Awaited<ReturnType<typeof connect>>;
let f: Awaited<ReturnType<typeof deploy>>;
let model: DescribedModel;
let traced: ReturnType<typeof tracedTuple>;
let kernels: Kernels;
let columns: ReturnType<typeof commitColumns>;
let matrix: Int8Array;
let honest: readonly [TracedQuery, TracedQuery];
let calls: ReturnType<typeof callsOf>;

async function deploy() {
  const [deployer, owner, watcher, stranger] = (await client.getAddresses()).slice(6) as [Hex, Hex, Hex, Hex];
  const clients = onClient(client).clientsOf(deployer);
  const money = { windowSeconds: WINDOW_SECONDS, leastBondWei: BOND_WEI };
  const games = { ...money, sideSeconds: 36n * HOUR_SECONDS, stakeWei: STAKE_WEI };
  const terms = { ...money, availabilityChallengeFeeWei: 1n };
  const registry = await deployRegistry(clients, terms, { mostRows: 0, games });
  const [activationGate, { game }] = [registry.address, registry.games!];
  const rollup = await deployFixture(client, { activationGate }, SHAPES, SETTLEMENT_SIZES);
  await rollup.fund("alice", 100n * OPEN);
  return { ...rollup, ...settlementActions(rollup), client, game, owner, watcher, stranger, ...clients };
}

beforeAll(async () => {
  await initPoseidon();
  anvil = await startAnvil();
  client = await connect(anvil);
  f = await deploy();
  calls = callsOf(client, f.game, traceGameAbi);
  ({ kernels, model } = await tinyTraced({ rollup: f.deployment.rollup, modelId: BigInt(MODEL) }));
  traced = tracedTuple(model, {
    ...{ claimant: f.owner, rest: 1, mostTokens: 4, endToken: END_TOKEN },
    ...{ vocabulary: null, rules: 0n, isLikeliest: true },
  });
  const numbers = new SeededNumbers(7);
  matrix = Int8Array.from({ length: SIZE.rows * SIZE.features }, () => numbers.below(255) - 127);
  columns = commitColumns(matrix, SIZE.rows, SIZE.features);
  // One answer that has as many tokens as there may be, one that ended before.
  honest = [
    traceQuery(model, { tokens: [...PROMPT_TOKENS, 15, 9, 26, 8], promptCount: 2 }, kernels),
    traceQuery(model, { tokens: [...PROMPT_TOKENS, 15, END_TOKEN], promptCount: 2 }, kernels),
  ];
});
afterAll(() => anvil?.stop());
revertEachTest(() => f);

const answerOf = ({ text }: TracedQuery) => {
  const given = text.tokens.slice(text.promptCount);
  const tokens = given.at(-1) === END_TOKEN ? given.slice(0, -1) : given;
  return JSON.stringify({ text: "So.", tokens });
};
const paddedQuery = ({ query }: TracedQuery) =>
  Int16Array.from({ length: SIZE.features }, (_, j) => query[j] ?? 1);

interface WorldTerms {
  readonly closingBatch?: bigint;
  readonly prevRandao?: bigint;
  /** A payment that is not for its query: nobody opens its receipt. */
  readonly changed?: { readonly at: number; readonly receipt: bigint; readonly payerId?: number } | undefined;
}

/** A closed epoch of two payments, each as large as the other: each is drawn once. */
function worldOf(
  queries: readonly TracedQuery[],
  { changed, prevRandao = 0n, closingBatch = 0n }: WorldTerms = {},
): FeatureEpoch {
  const epoch = closedEpoch<Int8Array, Int16Array>(
    { size: SIZE, rowCounts: [5, 1, 2], split: SPLIT, amountsWei: queries.map(() => 2n * OPEN + 1n) },
    {
      features: () => ({
        matrix,
        columns: [columns],
        answeringHash: tracedAnsweringHash(FILES_HASH, BigInt(tracingDigest(traced))),
      }),
      query: (_, payment) => paddedQuery(queries[payment]!),
      secrets: (payment) => ({
        answerHash: answerHash(PROMPT, answerOf(queries[payment]!)),
        salt: 100n + BigInt(payment),
      }),
    },
  );
  const own = { ...epoch.model, modelId: MODEL, accruedWei: [0n, 0n, 0n] };
  const { at = null, ...other } = changed ?? {};
  const payments = epoch.payments.map((payment, i) => (i === at ? { ...payment, ...other } : payment));
  const openingOf = (i: number) => (i === at ? undefined : epoch.openingOf(i));
  const closed = { ...epoch.closed, epoch: 1n, closingBatch, chain: paymentChain(payments) };
  const seed = drawSeed({ prevRandao, modelId: MODEL, epoch: 1n, chain: closed.chain });
  return { ...epoch, model: own, closed, seed, payments, openingOf };
}

/** The model's leaf in the rollup's state, and the call that registers it. */
async function registration({ model: { statics } }: FeatureEpoch, counters = 0n) {
  const { hash, shown } = unbegunModel(statics, { counters });
  const leaves = [...Array.from({ length: MODEL }, (_, i) => BigInt(i + 1)), hash];
  await f.post({ newRoot: treeRoot(TAG.node, leaves, TREE_DEPTH) });
  const path = treePath(TAG.node, leaves, TREE_DEPTH, MODEL);
  const proof = { ...shown, path, filesHash: FILES_HASH, columnsCommitment: columnsCommitment(columns) };
  return (given = counters) =>
    registerCall(model, traced, { ...proof, fields: proof.fields.with(-1, given) });
}

const receiptOf = (world: FeatureEpoch, query: TracedQuery, payment: number): ClaimedReceipt => ({
  ...{ payerId: world.payments[payment]!.payerId, salt: 100n + BigInt(payment) },
  ...{ prompt: PROMPT, answer: answerOf(query), lengths: [] },
});

/** Registers, begins, closes and draws: what settles the epoch. */
async function closedWorld(queries: readonly TracedQuery[], changed?: WorldTerms["changed"]) {
  const first = worldOf(queries);
  await calls.send(f.stranger, (await registration(first))());
  const statics = hashStatics(first.model.statics);
  const { payeeRoot } = first.model.statics;
  const word = activationHash({ modelId: MODEL, statics, cap: CAP, payeeRoot });
  const activation = { circuit: PAYEE_TABLE, data: f.activationData({ settlementHash: word }) };
  await f.submit([await f.joined([activation])]);
  const closingBatch = await f.closeEpoch();
  const prevRandao = await f.recordRandomness(closingBatch);
  const world = worldOf(queries, { closingBatch, prevRandao, changed });
  return { world, ...settledBy(world) };
}

/** What L1 is given of a settlement by draws. */
function settledBy(world: FeatureEpoch) {
  const settled = settleEpoch(world);
  const { data, proofs } = settled;
  const { circuitId } = f.circuits[SAMPLED]!;
  const { commitment } = proofStatement(proofs[0]!, circuitId);
  const attempt = async () => {
    const batch = await f.joined([{ circuit: SAMPLED, data }]);
    const settlements = [f.proveSettlementFixture(SAMPLED, data, { commitment })];
    return { ...batch, settlements };
  };
  return {
    settled,
    commitment,
    approval: (claimIds: readonly bigint[]) => approveCall(model, settled, commitment, claimIds),
    /** What the contract would say of a batch with it. */
    attempt: async () => revertOf(f.trySubmit([await attempt()])),
    submit: async () => f.submit([await attempt()]),
    preVerify: () =>
      revertOf(
        f.rollup.simulate.preVerifySettlement(
          preVerifyArguments(data, f.proveSettlementFixture(SAMPLED, data, { commitment })) as never,
          { account: f.roles.stranger },
        ),
      ),
  };
}

async function claim(world: FeatureEpoch, query: TracedQuery, payment: number): Promise<bigint> {
  const data = claimReceiptCall(model, traced, query, receiptOf(world, query, payment));
  await calls.send(f.owner, data, BOND_WEI);
  return calls.read("claimCount");
}

const playerOf = (who: Hex, own: (claimId: bigint) => TracedQuery, challenges = false) =>
  calls.playerOf(who, null, { challenges, traceOf: ({ claimId }) => own(claimId) });

test("a model whose activation was taken is registered no more: its batches may be in proof", async () => {
  const ready = 1n << COUNTERS.ready;
  const call = await registration(worldOf(honest), ready);
  expect(await calls.refusal(f.stranger, call())).toBe("LedgerTracesBegun");
  // The same number to the hash, and the other one's opposite in its lowest bit.
  expect(await calls.refusal(f.stranger, call(ready + FIELD_ORDER))).toBe("LedgerTracesBegun");
  expect(await calls.read("settlesFor", [f.deployment.rollup, BigInt(MODEL), 5n])).toBe(true);
});

test("a customer reads from L1 that settlements wait for claims, once the model is registered", async () => {
  const world = worldOf(honest);
  const { statics } = world.model;
  const { ownerParts, validatorParts } = unpackSplit(statics.split);
  const leaf = {
    id: MODEL,
    counters: { cap: CAP },
    model: { ...statics, ownerParts: Number(ownerParts), validatorParts: Number(validatorParts) },
  } as unknown as LedgerModelLeaf;
  const reader = { l1: f.publicClient as never, rollupAddress: f.deployment.rollup };
  const register = await registration(world);
  expect(await readModelOnL1(reader, leaf)).toEqual({ isCommitted: false, isClaimed: false });
  await calls.send(f.stranger, register());
  // Its rows are not committed: the terms promise none.
  expect(await readModelOnL1(reader, leaf)).toEqual({ isCommitted: false, isClaimed: true });
  const other = { ...leaf, model: { ...leaf.model, payeeRoot: leaf.model.payeeRoot + 1n } };
  expect(await readModelOnL1(reader, other)).toEqual({ isCommitted: false, isClaimed: false });
});

test.each(["Claimed", "TracedModel"] as const)("a node that leaves out %s is noticed", async (eventName) => {
  const { world } = await closedWorld(honest);
  const claimId = await claim(world, honest[0], 0);
  let isLiar = true;
  const clientOf = () => clientWithout(client, traceGameAbi, eventName, () => isLiar);
  const readerOf = (rollup: Hex) => new GameReader(clientOf(), f.game, { rollup });
  const reader = readerOf(f.deployment.rollup);
  await client.mine({ blocks: Number(REREAD_BLOCKS) + 1 });
  const of = eventName === "Claimed" ? `claim ${claimId}` : `the registration of model ${MODEL}`;
  expect(await reader.untold([MODEL])).toEqual([of]);
  isLiar = false;
  // What was left out is asked for again, though its blocks are old.
  expect(await reader.untold([])).toEqual([]);
  expect((await reader.claims()).claims).toMatchObject([{ claimId }]);
  isLiar = true;
  await client.increaseTime({ seconds: Number(WINDOW_SECONDS) });
  await client.mine({ blocks: 1 });
  // Over, its receipt is not claimed again; others' claims are nobody's here.
  expect(await readerOf(f.deployment.rollup).untold([])).toEqual([of]);
  const keys = readerOf(f.deployment.rollup).claimsOfKeys([]);
  if (eventName === "Claimed") await expect(keys).rejects.toMatchObject({ code: "BRG_HISTORY_INCOMPLETE" });
  else expect(await keys).toEqual([]);
  expect(await readerOf(f.game).untold([MODEL])).toEqual([]);
});

test("an answer that goes on behind its end token is none", async () => {
  await calls.send(f.stranger, (await registration(worldOf(honest)))());
  const refusalOf = (given: readonly number[]) => {
    const query = traceQuery(model, { tokens: [...PROMPT_TOKENS, ...given], promptCount: 2 }, kernels);
    const answer = JSON.stringify({ text: "So.", tokens: given });
    const receipt = { ...receiptOf(worldOf(honest), honest[0], 0), answer };
    return calls.refusal(f.owner, claimReceiptCall(model, traced, query, receipt), BOND_WEI);
  };
  expect(await refusalOf([15, END_TOKEN, 7, 8])).toBe("LedgerTracesClaimInvalid");
  expect(await refusalOf([15, 6, 7, 8])).toBeNull();
});

describe("an epoch of a traced model", () => {
  test("is settled by draws once each draw's claim stands, and not before", async () => {
    const { approval, attempt, preVerify, submit, world } = await closedWorld(honest);
    const refused = { name: "SettlementNotAdmitted" };
    expect(await attempt()).toMatchObject(refused);
    const drawn = world.payments.map((payment) => ({ ...payment, isValid: true }));
    const missing = async () =>
      (await claimsOfDraws(f.publicClient as never, f.game, model, drawn)).map((draw) => draw.missing);
    const ids = [await claim(world, honest[0], 0)];
    expect(await missing()).toEqual([
      "claim 1 has its window, or a game, open",
      `receipt ${drawn[1]!.receipt} of payer ${drawn[1]!.payerId} is not claimed`,
    ]);
    ids.push(await claim(world, honest[1], 1));
    expect(await calls.refusal(f.stranger, approval(ids))).toBe("LedgerTracesDrawUnclaimed");
    await f.passTime(WINDOW_SECONDS);
    expect(await missing()).toEqual([null, null]);
    expect(await attempt()).toMatchObject(refused);
    expect(await preVerify()).toMatchObject(refused);
    // Each claim for its own draw.
    expect(await calls.refusal(f.stranger, approval(ids.toReversed()))).toBe("LedgerTracesDrawUnclaimed");
    await calls.send(f.stranger, approval(ids));
    expect(await preVerify()).toMatchObject({ name: "accepted" });
    await submit();
  });

  test("with a false query goes by row counts, to the wei, and the liar's bond to who refuted it", async () => {
    const lie = falseTrace(model, honest[1], kernels, placeOf(honest[1], "chain"));
    const { approval, attempt, preVerify, world } = await closedWorld([honest[0], lie]);
    const ids = [await claim(world, honest[0], 0), await claim(world, lie, 1)];
    const knows = (claimId: bigint) => honest[Number(claimId) - 1]!;
    const watcher = playerOf(f.watcher, knows, true);
    const owner = playerOf(f.owner, (claimId) => (claimId === 2n ? lie : honest[0]));
    const moves = await playOut([watcher, owner]);
    expect(moves[0]!.what).toBe("challenge");
    expect(moves.at(-1)!.what).toBe("show");
    expect(await calls.read("owedWei", [f.watcher])).toBe(BOND_WEI / 2n + STAKE_WEI);
    await f.passTime(WINDOW_SECONDS);
    expect(await calls.refusal(f.stranger, approval(ids))).toBe("LedgerTracesDrawUnclaimed");
    // Nor with the false draw void, though that is a settlement of its own.
    const voided = settledBy({ ...world, openingOf: (i) => (i === 1 ? undefined : world.openingOf(i)) });
    expect(await calls.refusal(f.stranger, voided.approval(ids))).toBe("LedgerTracesDrawUnclaimed");
    for (const one of [await attempt(), await preVerify(), await voided.attempt()])
      expect(one).toMatchObject({ name: "SettlementNotAdmitted" });
    // By row counts nobody is asked, from 14 days after the CloseEpoch on.
    const counted = defaultSplit(world.model, world.closed, SIZE.payees);
    const byCounts = { circuit: PAYEE_TABLE, data: counted.data };
    expect(await revertOf(f.trySubmit([await f.joined([byCounts])]))).toMatchObject({
      name: "SettlementDefaultTooEarly",
    });
    await f.passTime(14n * DAY_SECONDS);
    const burnable = await f.rollup.read.burnableWei();
    await f.submit([await f.joined([byCounts])]);
    const { treasuryWei, ownerWei } = counted.terms;
    const { burnedWei } = counted.data;
    expect((await f.rollup.read.burnableWei()) - burnable).toBe(burnedWei);
    const earned = counted.earnedWei.reduce((sum, wei) => sum + wei, 0n);
    expect(earned + treasuryWei + ownerWei + burnedWei).toBe(world.closed.amountWei);
    expect(ownerWei).toBe(0n);
    // Five rows, one and two: each row the same.
    expect(counted.earnedWei[0]! / counted.earnedWei[1]!).toBe(5n);
    expect(counted.earnedWei[2]! / counted.earnedWei[1]!).toBe(2n);
  });

  const changes = [
    { receipt: 0n, at: 0 },
    { receipt: 0n, at: 1 },
    { receipt: 1n, at: 1 },
    { receipt: 2n ** 129n - 1n, at: 0 },
  ];
  test.each(partOf(changes, changes.length))(
    "is settled though somebody paid draw $at with $receipt for a receipt",
    async (changed) => {
      const { approval, attempt, world } = await closedWorld(honest, changed);
      const paid = 1 - changed.at;
      const claimId = await claim(world, honest[paid]!, paid);
      await f.passTime(WINDOW_SECONDS);
      const draws = [0n, 0n].with(paid, claimId);
      const right = decodeFunctionData({ abi: traceGameAbi, data: approval(draws) });
      const args = [...right.args!];
      for (const shift of [-3n, -2n, -1n, 1n, 2n, 3n]) {
        const shifted = { ...right, args: args.with(5, (args[5] as bigint) + shift) };
        const data = encodeFunctionData({ abi: traceGameAbi, ...shifted } as never);
        expect(await calls.refusal(f.stranger, data), `${shift}`).not.toBeNull();
      }
      await calls.send(f.stranger, approval(draws));
      expect(await attempt()).toMatchObject({ name: "accepted" });
    },
  );

  // A game more, of the same players: for the whole suite.
  if (isWhole)
    test("is settled though a stranger paid with a receipt that its own payer has lost", async () => {
      const lie = falseTrace(model, honest[1], kernels, placeOf(honest[1], "chain"));
      const lying = worldOf([honest[0], lie]);
      const { payerId, receipt } = lying.payments[1]!;
      const { approval, world } = await closedWorld(honest, { at: 1, receipt, payerId: payerId + 1 });
      const claimId = await claim(world, honest[0], 0);
      const shown = receiptOf(lying, lie, 1);
      // A number beyond the ledger's is the key of no payment.
      const beyond = claimReceiptCall(model, traced, lie, { ...shown, payerId: payerId + 2 ** 24 });
      expect(await calls.refusal(f.owner, beyond, BOND_WEI)).toBe("LedgerTracesClaimInvalid");
      await claim(lying, lie, 1);
      const watcher = playerOf(f.watcher, (id) => (id === claimId ? honest[0] : honest[1]), true);
      await playOut([watcher, playerOf(f.owner, (id) => (id === claimId ? honest[0] : lie))]);
      await f.passTime(WINDOW_SECONDS);
      expect(await calls.refusal(f.stranger, approval([claimId, 0n]))).toBeNull();
    });
});
