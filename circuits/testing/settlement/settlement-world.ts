/** Test support: a model with random features, and closed epochs of it, any part of which a test can choose. */

import { TestRandom } from "@openledger/foundation/testing/test-random";
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { hashStatics, type ModelStatics, packBinding } from "../../ledger/leaf.ts";
import { type ModelQuery, modelQueryCommitment, receiptHash } from "../../ledger/model-query.ts";
import { payeeShards } from "../../ledger/payee-shards.ts";
import {
  ownersCommitment,
  type Payee,
  packSplit,
  payeeRoot,
  type RewardSplit,
} from "../../ledger/rewards.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import {
  type AnswerOpening,
  type EpochPayment,
  type EpochToSettle,
  type FeatureEpoch,
  type ModelFeatures,
  paymentChain,
} from "../../settlement/divide-epoch.ts";
import type { RegisteredMatrix } from "../../settlement/scores/direct-matrix.ts";
import type { PreparedProof, PreparedSettlement, SettledModel } from "../../settlement/settled-model.ts";
import { proofStatement, type SettlementData, settlementElements } from "../../settlement/settlement-data.ts";
import { columnShape, drawBits, type SettlementSize } from "../../settlement/settlement-size.ts";
import { commitShards, shardedFeatures } from "../../settlement/shards/shard-link.ts";
import type { CircuitTester } from "../circuit-tester.ts";

export const CIRCUIT_ID = 0x5e771en;
export const SMALL_SIZE: SettlementSize = { rows: 8, features: 4, payees: 4, payments: 4, draws: 2 };

/** Numbers of the kinds that settlements hold, the same in every run. */
export class SeededNumbers extends TestRandom {
  bits(count: number): bigint {
    let value = 0n;
    for (let i = 0; i < count; i++) value = (value << 1n) | BigInt(this.below(2));
    return value;
  }
  query(features: number): Int16Array {
    return Int16Array.from({ length: features }, () => 2 * this.below(256) - 255);
  }
  /** `total` in `parts` integers of at least 1. */
  parts(total: number, parts: number): number[] {
    const sizes = Array<number>(parts).fill(1);
    for (let i = parts; i < total; i++) sizes[this.below(parts)]!++;
    return sizes;
  }
}

export interface WorldOptions {
  readonly size?: SettlementSize;
  readonly seed?: number;
  /** Rows of each payee. */
  readonly rowCounts?: readonly number[];
  /** Entry of row k, column j. */
  readonly entry?: (row: number, column: number) => number;
  /** Wei of each payment. */
  readonly amountsWei?: readonly bigint[];
  /** The query of payment i; null: its receipt is no opening's. */
  readonly query?: (payment: number) => Int16Array | null;
  readonly split?: RewardSplit;
  readonly randomness?: bigint;
  /** Further datanets, for a model of several datanets. */
  readonly furtherDatanets?: readonly number[];
}

/** A closed epoch with everything that settles it, and who the model is. */
export function epochOf(options: WorldOptions = {}): FeatureEpoch {
  const size = options.size ?? SMALL_SIZE;
  return closedEpoch<Int8Array, Int16Array>(
    { ...options, size },
    {
      features: (numbers, rowCounts) => {
        const entry = options.entry ?? (() => numbers.below(255) - 127);
        const matrix = Int8Array.from({ length: sum(rowCounts) * size.features }, (_, at) =>
          entry(Math.floor(at / size.features), at % size.features),
        );
        const columns = commitShards(matrix, payeeShards(rowCounts), size.features);
        return { matrix, columns, answeringHash: 0xa75e3n };
      },
      query: (numbers, payment) =>
        options.query === undefined ? numbers.query(size.features) : options.query(payment),
    },
  );
}

export const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** Parts specific to a kind of model. If `query` returns null, the payment's receipt is no opening's. */
interface WorldParts<M extends RegisteredMatrix, Q extends ModelQuery> {
  /** @param rowCounts of all payees, in their places */
  features(numbers: SeededNumbers, rowCounts: readonly number[]): ModelFeatures<M>;
  query(numbers: SeededNumbers, payment: number, features: ModelFeatures<M>): Q | null;
  /** Answer hash and salt that a payment's receipt hashes too. Default: random numbers. */
  secrets?(payment: number): { readonly answerHash: bigint; readonly salt: bigint };
}

/** Follows `epochOf` for any kind of model. */
export function closedEpoch<M extends RegisteredMatrix, Q extends ModelQuery>(
  options: Omit<WorldOptions, "query" | "entry"> & { readonly size: SettlementSize },
  parts: WorldParts<M, Q>,
): EpochToSettle<M, Q> {
  const { size } = options;
  const numbers = new SeededNumbers(options.seed ?? 1);
  const payeeCount = 1 + numbers.below(Math.min(size.payees, size.rows));
  const rowCounts =
    options.rowCounts ?? numbers.parts(payeeCount + numbers.below(size.rows - payeeCount + 1), payeeCount);
  const features = parts.features(numbers, rowCounts);
  const split = options.split ?? {
    ownerParts: BigInt(numbers.below(62_260)),
    validatorParts: BigInt(numbers.below(65_536)),
  };
  const committed = shardedFeatures(features.columns, features.answeringHash, size);
  const { furtherDatanets = [] } = options;
  const model = modelOf(numbers, rowCounts, { committed, split, size, furtherDatanets });
  const amountsWei =
    options.amountsWei ??
    Array.from({ length: 1 + numbers.below(size.payments) }, () => 1n + numbers.bits(70));
  const statics = hashStatics(model.statics);
  const payments: EpochPayment[] = [];
  const openings: (AnswerOpening<Q> | undefined)[] = [];
  let cumulativeWei = 0n;
  for (const [i, amountWei] of amountsWei.entries()) {
    cumulativeWei += amountWei;
    const payerId = 2 + numbers.below(2 ** 24 - 2);
    const query = parts.query(numbers, i, features);
    const secrets = parts.secrets?.(i) ?? { answerHash: numbers.bits(250), salt: numbers.bits(250) };
    if (query === null) {
      openings.push(undefined);
      payments.push({ payerId, receipt: numbers.bits(250), cumulativeWei });
      continue;
    }
    openings.push({ ...secrets, query });
    const receipt = receiptHash({
      statics,
      payerId,
      ...secrets,
      queryCommitment: modelQueryCommitment(query),
    });
    payments.push({ payerId, receipt, cumulativeWei });
  }
  return {
    size,
    model,
    features,
    payments,
    openingOf: (index) => openings[index],
    closed: {
      chain: paymentChain(payments),
      epoch: numbers.bits(24),
      closingBatch: numbers.bits(40),
      amountWei: cumulativeWei,
    },
    seed: options.randomness ?? numbers.bits(128),
  };
}

function modelOf(
  numbers: SeededNumbers,
  rowCounts: readonly number[],
  {
    committed,
    split,
    size,
    furtherDatanets,
  }: {
    committed: bigint;
    split: RewardSplit;
    size: SettlementSize;
    furtherDatanets: readonly number[];
  },
): SettledModel {
  const payees: Payee[] = rowCounts.map((rowCount) => ({
    contributorId: rowCount === 0 ? 0 : numbers.below(2 ** 24),
    validatorId: rowCount === 0 ? 0 : numbers.below(2 ** 24),
    rowCount,
  }));
  const statics: ModelStatics = {
    featuresCommitment: committed,
    ownersCommitment: ownersCommitment(rowCounts),
    payeeRoot: payeeRoot(payees),
    binding: packBinding({
      datanetId: numbers.bits(24),
      version: numbers.bits(32),
      rowCount: BigInt(rowCounts.reduce((sum, count) => sum + count, 0)),
      predecessorId: numbers.bits(24),
      drawBits: BigInt(drawBits(size.draws)),
      featureCount: columnShape(size),
      furtherDatanets,
    }),
    split: packSplit(split),
  };
  return {
    modelId: numbers.below(2 ** 24),
    statics,
    payees,
    accruedWei: rowCounts.map((rowCount) => (rowCount === 0 ? 0n : numbers.bits(100))),
  };
}

/** Circuit inputs of a settlement, including z, and its expected public signals. */
export function statedInputs(prepared: Pick<PreparedSettlement, "proofs">): {
  inputs: CircuitInputs;
  statement: ReturnType<typeof proofStatement>;
} {
  return statedProof(prepared.proofs[0]!);
}

/** The same of one proof. */
export function statedProof(proof: PreparedProof): ReturnType<typeof statedInputs> {
  const statement = proofStatement(proof, CIRCUIT_ID);
  return { inputs: { ...proof.inputs, z: statement.z }, statement };
}

/** Expects that the circuit accepts a settlement with the model's public signals. Returns the witness. */
export async function acceptedWitness(
  tester: CircuitTester,
  prepared: Parameters<typeof statedInputs>[0],
): Promise<bigint[]> {
  return witnessOf(tester, statedInputs(prepared));
}

/** Expects that the circuit accepts the inputs with the statement's public signals. Returns the witness. */
export async function witnessOf(
  tester: CircuitTester,
  { inputs, statement }: ReturnType<typeof statedInputs>,
): Promise<bigint[]> {
  const witness = await tester.calculateWitness(inputs);
  // Wires 1 to 3 are the public signals, in the order that L1 takes them.
  const commitment = witness[1];
  const y = witness[2];
  const z = witness[3];
  for (const [name, value, expected] of [
    ["C", commitment, statement.commitment],
    ["y", y, statement.y],
    ["z", z, statement.z],
  ] as const) {
    if (value !== expected) throw new Error(`${name} of the circuit is ${value}, of the model ${expected}`);
  }
  return witness;
}

/**
 * The places of E at which the circuit's elements are not L1's. The Horner sums have wires of their own, most elements
 * have not.
 */
export async function differingPositions(
  tester: CircuitTester,
  inputs: CircuitInputs,
  data: SettlementData,
  payees: number,
): Promise<number[]> {
  // A payee table's elements have room for an activation.
  const [perElement, items] =
    inputs.isActivation === undefined ? [6, "main.paid.items"] : [3, "main.vector.items"];
  const last = Math.ceil(payees / perElement) - 1;
  return differingElements(tester, inputs, settlementElements(data), {
    count: 6 + last,
    last: `${items}[${last}]`,
  });
}

/**
 * Follows `differingPositions` for any circuit with a SettlementVector of `count` elements; `last`: the signal
 * of the last one.
 */
export async function differingElements(
  tester: CircuitTester,
  inputs: CircuitInputs,
  posted: readonly bigint[],
  { count, last }: { readonly count: number; readonly last: string },
): Promise<number[]> {
  const witness = await tester.calculateWitness(inputs);
  const sums = Array.from({ length: count }, (_, i) => {
    if (i === 0) return witness[2]!;
    return tester.readSignal(witness, i === count - 1 ? last : `main.vector.horner[${i}]`);
  });
  const z = witness[3]!;
  return sums.flatMap((sum, i) => {
    const rest = sum - z * (sums[i + 1] ?? 0n) - (posted[i] ?? 0n);
    return rest % FIELD_ORDER === 0n ? [] : [i];
  });
}
