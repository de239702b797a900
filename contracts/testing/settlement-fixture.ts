/**
 * Fixture of the tests of settlements: a rollup with circuits of every sort, closes, randomness and forged
 * proofs.
 */

import type { BatchData } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT, type SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { drawSeed } from "@openledger/circuits/settlement/settlement-split";
import type { Hex } from "viem";
import { encodeHeader, type RpcHeader } from "../l1/block-header.ts";
import {
  type ClosedBatch,
  type Fixture,
  OPEN,
  type ProvenSettlementFixture,
  type Role,
  randomElement,
  revertOf,
  SHAPES,
  slot,
  startFixture,
} from "./rollup-fixture.ts";

export const RANDOMNESS_DELAY = 128;

/** Circuits after those of SHAPES. The second settlement circuit has room for few slots. */
export const SETTLEMENT_SIZES: readonly CircuitSizes[] = [
  { sort: CIRCUIT_SORT.settlement, size0: 16, size1: 8 },
  { sort: CIRCUIT_SORT.payeeTable, size0: 0, size1: 8 },
  { sort: CIRCUIT_SORT.settlement, size0: 300, size1: 4 },
  { sort: CIRCUIT_SORT.shardedSettlement, size0: 20, size1: 3 },
  { sort: CIRCUIT_SORT.shard, size0: 0, size1: 8 },
];
export const SAMPLED = 3;
export const PAYEE_TABLE = 4;
export const SAMPLED_FEW_PAYEES = 5;
export const SHARDED = 6;
export const SHARD = 7;

/** Indices of the circuits of a settlement's entries, given the first one. */
const entryCircuits = (first: number, { links, shardCount }: SettlementData): number[] =>
  links === undefined ? Array(shardCount).fill(first) : [first, ...Array(shardCount).fill(SHARD)];

export const MODEL = 77;

export type SettlementFixture = Awaited<ReturnType<typeof startSettlementFixture>>;

/** A node, a rollup with 1,000 OPEN in its ledger; `stop` ends both. */
export async function startSettlementFixture() {
  const f = await startFixture({}, SETTLEMENT_SIZES);
  await f.fund("alice", 1_000n * OPEN);
  return { ...f, ...settlementActions(f) };
}

export type ClosedFixture = Awaited<ReturnType<typeof startClosedFixture>>;

/** The same with one closed epoch, whose randomness is recorded. */
export async function startClosedFixture() {
  const f = await startSettlementFixture();
  const closingBatch = await f.closeEpoch();
  const [, closingTime] = await f.rollup.read.closedAt([closingBatch]);
  await f.recordRandomness(closingBatch);
  return {
    ...f,
    closingBatch,
    closingTime,

    async sampled(overrides: Partial<SettlementData> = {}): Promise<SettlementPart> {
      return { circuit: SAMPLED, data: await f.settlementData(closingBatch, overrides) };
    },

    async byDefault(overrides: Partial<SettlementData> = {}): Promise<SettlementPart> {
      const data = await f.settlementData(closingBatch, { seed: 0n, voidCount: 0, ...overrides });
      return { circuit: PAYEE_TABLE, data };
    },

    activation(overrides: Partial<SettlementData> = {}): SettlementPart {
      return { circuit: PAYEE_TABLE, data: f.activationData(overrides) };
    },

    /** Answer of the contract to one batch: "accepted", or its error. */
    attempt: (closed: ClosedBatch, from: Role = "sequencer") => revertOf(f.trySubmit([closed], from)),

    /** Mines a block at `timestamp`, in seconds. */
    async passTo(timestamp: bigint): Promise<void> {
      await f.client.setNextBlockTimestamp({ timestamp });
      await f.client.mine({ blocks: 1 });
    },
  };
}

export interface SettlementPart {
  readonly circuit: number;
  readonly data: SettlementData;
  /** True if the batch takes a pre-verified settlement. */
  readonly isPreVerified?: boolean;
}

/** The arguments of preVerifySettlement. */
export const preVerifyArguments = (
  { modelId, settlementHash }: Pick<SettlementData, "modelId" | "settlementHash">,
  ...entries: readonly ProvenSettlementFixture[]
) =>
  [
    modelId,
    settlementHash,
    entries.map(({ settlement }) => settlement),
    entries.map(({ proof }) => proof),
  ] as const;

/** A record of a settlement: the word is J, which these tests choose freely. */
export const settleSlot = (word: bigint, modelId = MODEL) => slot(KIND.settle, [word], { b: modelId });
export const activationSlot = (word: bigint, modelId = MODEL) =>
  slot(KIND.activation, [word], { b: modelId });
export const closeEpochSlot = (modelId = MODEL) => slot(KIND.closeEpoch, [], { a: modelId, b: modelId });

export function settlementActions(f: Fixture) {
  return {
    /** Posts a batch with a CloseEpoch; its number. */
    async closeEpoch(): Promise<bigint> {
      const { content } = await f.post({ wide: [closeEpochSlot()], signedCount: 1 });
      return content.batchNumber;
    },

    /** RLP of a block's header. */
    async headerOf(blockNumber: bigint): Promise<Hex> {
      const params = [`0x${blockNumber.toString(16)}`, false];
      const block = await f.client.request({ method: "eth_getBlockByNumber", params } as never);
      return encodeHeader(block as RpcHeader);
    },

    /**
     * Mines up to the block that gives a CloseEpoch's randomness, and `blocksAfter` blocks beyond it.
     * Returns the randomness block's number.
     */
    async mineRandomness(closingBatch: bigint, blocksAfter = 1): Promise<bigint> {
      const [closingBlock] = await f.rollup.read.closedAt([closingBatch]);
      const number = closingBlock + BigInt(RANDOMNESS_DELAY);
      const blocks = Number(number - (await f.client.getBlockNumber())) + blocksAfter;
      await f.client.mine({ blocks });
      return number;
    },

    /** Mines and records a CloseEpoch's randomness; prevRandao. */
    async recordRandomness(closingBatch: bigint, from: Role = "stranger"): Promise<bigint> {
      const header = await this.headerOf(await this.mineRandomness(closingBatch));
      await f.rollup.write.recordRandomness([closingBatch, header], { account: f.roles[from] });
      return f.rollup.read.randomness([closingBatch]);
    },

    /** A sampled settlement of an epoch closed in that batch, with the seed that L1 will find. */
    async settlementData(
      closingBatch: bigint,
      overrides: Partial<SettlementData> = {},
    ): Promise<SettlementData> {
      const prevRandao = await f.rollup.read.randomness([closingBatch]);
      const data: Omit<SettlementData, "seed"> = {
        settlementHash: randomElement(),
        modelId: MODEL,
        isActivation: false,
        cap: 0,
        epoch: 5n,
        closingBatch,
        voidCount: 2,
        burnedWei: 3n * OPEN,
        capCircuit: 0,
        shardCount: 1,
        chain: randomElement(),
        items: [11n, 22n, 33n, 44n],
        ...overrides,
      };
      return { seed: drawSeed({ ...data, prevRandao }), ...data, ...overrides };
    },

    /** An activation whose model will be settled by the circuit SAMPLED. */
    activationData(overrides: Partial<SettlementData> = {}): SettlementData {
      return {
        settlementHash: randomElement(),
        modelId: MODEL,
        isActivation: true,
        cap: 16,
        seed: 0n,
        epoch: 0n,
        closingBatch: 0n,
        voidCount: 0,
        burnedWei: 0n,
        capCircuit: SAMPLED,
        shardCount: 1,
        chain: 0n,
        items: [1n | (2n << 24n) | (3n << 48n), 4n | (5n << 24n) | (6n << 48n)],
        ...overrides,
      };
    },

    /** Pre-verifies a settlement. Returns the entry by which a batch takes it. */
    async preVerify(
      { circuit, data }: SettlementPart,
      from: Role = "stranger",
    ): Promise<ProvenSettlementFixture> {
      const closed = f.proveEntries(entryCircuits(circuit, data), data);
      const hash = await f.rollup.write.preVerifySettlement(preVerifyArguments(data, ...closed), {
        account: f.roles[from],
      });
      await f.client.waitForTransactionReceipt({ hash });
      return { ...closed[0]!, isPreVerified: true };
    },

    /** A batch with a record for each of the settlements, which it carries. */
    async joined(
      parts: readonly SettlementPart[],
      content: Partial<BatchData> & { after?: BatchData } = {},
    ): Promise<ClosedBatch> {
      const wide = parts.map(({ data }) =>
        (data.isActivation ? activationSlot : settleSlot)(data.settlementHash, data.modelId),
      );
      const batch = f.close(await f.draft({ shape: SHAPES[1], wide, ...content }));
      const settlements = parts.flatMap(({ circuit, data, isPreVerified = false }) => {
        const entries = f.proveEntries(entryCircuits(circuit, data), data);
        return isPreVerified ? [{ ...entries[0]!, isPreVerified }] : entries;
      });
      return { ...batch, settlements };
    },
  };
}
