/** A model's life on a local node, for tests: a true ledger, true totals, proofs from known trapdoors. */

import { settlementOperationOf } from "@openledger/circuits/batch/settlement-operation";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import {
  hashStatics,
  type ModelBinding,
  type ModelStatics,
  packBinding,
  unpackBinding,
} from "@openledger/circuits/ledger/leaf";
import { cutPayees, type Payee, payeeShards } from "@openledger/circuits/ledger/payee-shards";
import {
  accruedRoot,
  closedHash,
  ownersCommitment,
  packSplit,
  payeeRoot,
  settlementHash,
  unpackSplit,
} from "@openledger/circuits/ledger/rewards";
import { KIND, MAX_PAYEE_COUNT } from "@openledger/circuits/protocol";
import type { EpochPayment } from "@openledger/circuits/settlement/divide-epoch";
import { activationOf, defaultSplit } from "@openledger/circuits/settlement/payee-table-rules";
import { CIRCUIT_SORT, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { drawSeed, drawShares, sampledPayout } from "@openledger/circuits/settlement/settlement-split";
import { keyXOf, signFor } from "@openledger/circuits/testing/random-ledger";
import { signedByModel } from "@openledger/circuits/testing/settlement/random-settlement";
import { encodeHeader, type RpcHeader } from "@openledger/contracts/l1/block-header";
import {
  ANY_FEE,
  type ClosedBatch,
  OPEN,
  type ProvenSettlementFixture,
  randomElement,
  SHAPES,
} from "@openledger/contracts/testing/rollup-fixture";
import { preVerifyArguments } from "@openledger/contracts/testing/settlement-fixture";
import type { Hex } from "viem";
import { RANDOMNESS_DELAY_BLOCKS } from "../l1/settlement-times.ts";
import { type HistoryFixture, type RealCircuits, startHistoryFixture } from "./history-fixture.ts";

const DAY_SECONDS = 86_400n;
const ALICE_SECRET = 11n;
const ALICE = 2;
export const DATANET_ID = 3;
export const MODEL_ID = 4;
export const DRAWS = 4;
export const FEATURES = 16;
/** Index of the settlement circuit, behind SHAPES; the payee table follows. */
export const SAMPLED_CIRCUIT = 3;
export const PAYEE_TABLE_CIRCUIT = 4;
const PAYEE_COUNT = 8;
const PAYMENT_COUNT = 16;
export const MODEL_CIRCUITS = [
  { sort: CIRCUIT_SORT.settlement, size0: PAYMENT_COUNT, size1: PAYEE_COUNT },
  { sort: CIRCUIT_SORT.payeeTable, size0: 0, size1: PAYEE_COUNT },
];
/** Index of the circuits of a model of two shards, behind those. */
export const SHARDED_CIRCUIT = 5;
const SHARD_CIRCUIT = 6;
const SHARD_CIRCUITS = [
  { sort: CIRCUIT_SORT.shardedSettlement, size0: PAYMENT_COUNT, size1: 2 },
  { sort: CIRCUIT_SORT.shard, size0: 0, size1: PAYEE_COUNT },
];

export const PAYEES = [
  { contributorId: ALICE, validatorId: ALICE, rowCount: 5 },
  { contributorId: ALICE, validatorId: DATANET_ID, rowCount: 4 },
];

interface ModelHistoryOptions {
  readonly sequencer?: Hex;
  /** Features commitment of the model; any value where no sampled settlement is proven. */
  readonly featuresCommitment?: bigint;
  /** Settlement circuit in its binding; FEATURES and DRAWS where absent. */
  readonly settledBy?: Pick<ModelBinding, "drawBits" | "featureCount">;
  /** Circuits with real keys, behind the others. */
  readonly real?: RealCircuits;
  /**
   * Number of the model's shards; one by default. With two its second payee is in the second, and SHARD_CIRCUITS are
   * deployed.
   */
  readonly shardCount?: 1 | 2;
  /**
   * Payees in the places of their shards; PAYEES where absent, cut by `shardCount`. With them the activation's table is
   * as large.
   */
  readonly payees?: readonly Payee[];
  /** Circuit that the activation names. */
  readonly cap?: { readonly circuit: number; readonly payments: number };
}

export type ModelHistory = Awaited<ReturnType<typeof startModelHistory>>;

export async function startModelHistory(options: ModelHistoryOptions = {}) {
  const largeTable = { sort: CIRCUIT_SORT.payeeTable, size0: 0, size1: MAX_PAYEE_COUNT };
  const usual = options.shardCount === 2 ? [...MODEL_CIRCUITS, ...SHARD_CIRCUITS] : MODEL_CIRCUITS;
  const tableSize = options.payees === undefined ? PAYEE_COUNT : MAX_PAYEE_COUNT;
  const f = await startHistoryFixture({
    settlementSizes: options.payees === undefined ? usual : [largeTable],
    ...(options.sequencer === undefined ? {} : { sequencer: options.sequencer }),
    ...(options.real === undefined ? {} : { real: options.real }),
  });
  const { l1, ledger, rollup } = f;
  const domain = await rollup.domain();
  const cut = { rows: PAYEES[0]!.rowCount, payees: PAYEE_COUNT };
  const payees = options.payees ?? (options.shardCount === 2 ? cutPayees(PAYEES, cut) : PAYEES);
  const tableCircuit = options.payees === undefined ? PAYEE_TABLE_CIRCUIT : SHAPES.length;
  const rowCounts = payees.map(({ rowCount }) => rowCount);
  const statics: ModelStatics = {
    featuresCommitment: options.featuresCommitment ?? 1n,
    ownersCommitment: ownersCommitment(rowCounts),
    payeeRoot: payeeRoot(payees),
    binding: packBinding({
      datanetId: BigInt(DATANET_ID),
      version: 1n,
      rowCount: BigInt(rowCounts.reduce((sum, count) => sum + count, 0)),
      predecessorId: 0n,
      drawBits: BigInt(Math.log2(DRAWS)),
      featureCount: BigInt(FEATURES),
      ...options.settledBy,
    }),
    split: packSplit({ ownerParts: 6_554n, validatorParts: 16_384n }),
  };
  const sign = (a: number, fields: Omit<Parameters<typeof signFor>[2], "a">) =>
    signFor(ledger, ALICE_SECRET, { a, ...fields }, domain);
  const wait = async (hash: Promise<Hex>) => l1.client.waitForTransactionReceipt({ hash: await hash });

  const history = {
    ...f,
    modelId: MODEL_ID,
    statics,
    sign,
    /** Submits batches to L1; tests put a relay here. */
    submit: (closed: readonly ClosedBatch[]): Promise<unknown> => l1.submit(closed),

    /** Posts one batch after the other, since each operation is signed over the ledger that the ones before have made. */
    async post(...steps: (() => Parameters<HistoryFixture["close"]>[0])[]): Promise<ClosedBatch[]> {
      const posted: ClosedBatch[] = [];
      for (const step of steps) {
        const closed = await f.close(step(), undefined, SHAPES[1]);
        await this.submit([closed]);
        posted.push(closed);
      }
      return posted;
    },

    /** Makes an approved model without an activation. */
    async makeModel(): Promise<void> {
      const { alice } = l1.roles;
      const keyX = keyXOf(ALICE_SECRET);
      await wait(l1.rollup.write.depositNew([1_000n * OPEN, alice, keyX, ANY_FEE], { account: alice }));
      const deposits = await f.queueOperations();
      const owner = [BigInt(alice), keyX];
      const { binding, featuresCommitment, payeeRoot: root, split } = statics;
      const words = [
        ...owner,
        featuresCommitment,
        statics.ownersCommitment,
        root,
        binding,
        5n | (split << 96n),
      ];
      const amountCode = encodeAmount(10n * OPEN);
      await this.post(
        () => () => deposits,
        () => () => [sign(ALICE, { kind: KIND.createDatanet, words: owner, amountCode })],
        () => () => [sign(ALICE, { kind: KIND.createModel, words, amountCode })],
        () => () => [
          sign(DATANET_ID, {
            kind: KIND.publishVersion,
            words: [7n, statics.ownersCommitment, root, unpackBinding(statics.binding).rowCount, 0n],
          }),
        ],
      );
      await l1.passTime(86_400n);
      await this.post(() => () => [
        sign(DATANET_ID, { kind: KIND.approveModel, b: MODEL_ID, words: [hashStatics(statics)] }),
      ]);
    },

    /** The entries of a settlement, proven; by draws in shards their circuits follow the first. */
    proveEntriesFixture(data: SettlementData, circuit: number): ProvenSettlementFixture[] {
      const ofShards = Array<number>(data.shardCount).fill(
        data.links === undefined ? circuit : SHARD_CIRCUIT,
      );
      return l1.proveEntries(data.links === undefined ? ofShards : [circuit, ...ofShards], data);
    },

    /** A batch with one settlement, proven. */
    async proveSettlementFixture(
      data: SettlementData,
      circuit: number,
      changes: { data?: SettlementData } = {},
    ): Promise<ClosedBatch> {
      const kind = data.isActivation ? KIND.activation : KIND.settle;
      const record = { kind, b: data.modelId, words: [data.settlementHash] };
      const derived = settlementOperationOf(record, data, ledger.requireLeaf(data.modelId));
      const operation = data.isActivation ? signedByModel(ledger, derived, ALICE_SECRET, domain) : derived;
      const batch = await f.close(() => [operation], undefined, SHAPES[1]);
      return { ...batch, settlements: this.proveEntriesFixture(changes.data ?? data, circuit) };
    },

    /** Pre-verifies a settlement as a stranger; returns the part with which a batch takes it. */
    async preVerify(data: SettlementData, circuit: number): Promise<ProvenSettlementFixture> {
      const entries = this.proveEntriesFixture(data, circuit);
      const { stranger: account } = l1.roles;
      await wait(l1.rollup.write.preVerifySettlement(preVerifyArguments(data, ...entries), { account }));
      return { ...entries[0]!, isPreVerified: true };
    },

    /** Settles as a stranger: pre-verifies the settlement, and takes it in a batch of its own a day later. */
    async settleAsStranger(data: SettlementData, circuit: number): Promise<void> {
      const preVerified = await this.preVerify(data, circuit);
      await l1.passTime(DAY_SECONDS + 1n);
      const batch = await this.proveSettlementFixture(data, circuit);
      await l1.submit([{ ...batch, settlements: [preVerified] }], "stranger");
    },

    activationData(): SettlementData {
      const circuit = options.shardCount === 2 ? SHARDED_CIRCUIT : SAMPLED_CIRCUIT;
      const cap = options.cap ?? { circuit, payments: PAYMENT_COUNT };
      return activationOf({ modelId: MODEL_ID, statics, payees }, cap, tableSize).data;
    },

    async openModel(): Promise<void> {
      await this.submit([await this.proveSettlementFixture(this.activationData(), tableCircuit)]);
    },

    /** Payments of one OPEN each, three by default, and a CloseEpoch. @returns the CloseEpoch's batch */
    async closeEpoch(
      receiptOf: (i: number) => bigint = (i) => 100n + BigInt(i),
      paymentCount = 3,
    ): Promise<number> {
      const amountCode = encodeAmount(OPEN);
      const pay = (i: number) => () => () => [
        sign(ALICE, { kind: KIND.payInference, b: MODEL_ID, words: [receiptOf(i)], amountCode }),
      ];
      const batches = await this.post(...Array.from({ length: paymentCount }, (_, i) => pay(i)), () => () => [
        sign(MODEL_ID, { kind: KIND.closeEpoch, b: MODEL_ID }),
      ]);
      return Number(batches.at(-1)!.content.batchNumber);
    },

    /** The same payments in the form of a settlement. */
    paymentsOf: (receiptOf: (i: number) => bigint, count: number): EpochPayment[] =>
      Array.from({ length: count }, (_, i) => ({
        payerId: ALICE,
        receipt: receiptOf(i),
        cumulativeWei: BigInt(i + 1) * OPEN,
      })),

    async mineRandomness(closingBatch: number): Promise<number> {
      const { blockNumber } = await rollup.closedAt(closingBatch);
      const number = blockNumber + RANDOMNESS_DELAY_BLOCKS;
      await l1.client.mine({ blocks: number - Number(await l1.client.getBlockNumber()) + 1 });
      return number;
    },

    async recordRandomness(closingBatch: number): Promise<void> {
      const number = await this.mineRandomness(closingBatch);
      const params = [`0x${number.toString(16)}`, false];
      const block = await l1.client.request({ method: "eth_getBlockByNumber", params } as never);
      const args = [BigInt(closingBatch), encodeHeader(block as RpcHeader)] as const;
      await wait(l1.rollup.write.recordRandomness(args, { account: l1.roles.stranger }));
    },

    /** Data of a sampled settlement of the closed epoch; all that is earned goes to the first payee of each shard. */
    async sampledData(): Promise<SettlementData> {
      const record = ledger.requireLeaf(MODEL_ID);
      const { accruedWei, closed } = record.rewards!;
      const shares = drawShares(closed!.amountWei, DRAWS, unpackSplit(statics.split));
      const shards = payeeShards(rowCounts);
      const shardCount = shards.length;
      const [allQuanta, ofShard] = [DRAWS, DRAWS / shardCount].map(
        (count) => BigInt(count) * shares.rewardQuanta,
      );
      const quanta = payees.map((_, m) => (shards.some(({ from }) => from === m) ? ofShard! : 0n));
      const earnedWei = quanta.map((count) => count << shares.quantumBits);
      const payout = sampledPayout(closed!.amountWei, shares, DRAWS, 0, allQuanta! << shares.quantumBits);
      const prevRandao = await rollup.randomness(Number(closed!.closingBatch));
      return {
        settlementHash: settlementHash({
          modelId: MODEL_ID,
          voidCount: 0,
          closed: closedHash(hashStatics(statics), closed!),
          ...payout,
          oldAccruedRoot: accruedRoot(payees, accruedWei),
          newAccruedRoot: accruedRoot(
            payees,
            earnedWei.map((wei, m) => (accruedWei[m] ?? 0n) + wei),
          ),
        }),
        modelId: MODEL_ID,
        isActivation: false,
        cap: 0,
        seed: drawSeed({ ...closed!, prevRandao, modelId: MODEL_ID }),
        ...closed!,
        voidCount: 0,
        burnedWei: payout.burnedWei,
        capCircuit: 0,
        shardCount,
        items: quanta,
        ...(shardCount > 1 && { links: shards.map(randomElement) }),
      };
    },

    defaultData(): SettlementData {
      const { accruedWei, closed } = ledger.requireLeaf(MODEL_ID).rewards!;
      return defaultSplit({ modelId: MODEL_ID, statics, payees, accruedWei }, closed!, PAYEE_COUNT).data;
    },

    claimRewards: (payeeIndex: number) =>
      history.post(() => () => [
        sign(ALICE, { kind: KIND.claimRewards, b: MODEL_ID, words: [BigInt(payeeIndex)] }),
      ]),
  };
  return history;
}
