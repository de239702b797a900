/** Test support: ledgers with models of every state, any part of which a test can choose, and exits' witnesses. */

import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { exitElements, type PreparedExit } from "../exit/exit-statement.ts";
import {
  accountLeaf,
  EMPTY_DATANET_BODY,
  EMPTY_LEAF,
  hashDatanetBody,
  hashModelBody,
  hashStatics,
  type LeafState,
  type ModelBody,
  packBinding,
  packCounters,
} from "../ledger/leaf.ts";
import { Ledger } from "../ledger/ledger.ts";
import {
  accruedRoot,
  type ClosedEpoch,
  claimedRoot,
  closedHash,
  type ModelRewards,
  ownersCommitment,
  PAYEE_ROLE,
  type Payee,
  packSplit,
  payeeRoot,
  type RewardSplit,
  roleShareWei,
} from "../ledger/rewards.ts";
import { FIELD_ORDER, LEAF_KIND } from "../protocol.ts";
import type { CircuitTester } from "./circuit-tester.ts";
import { SeededNumbers } from "./settlement/settlement-world.ts";

const EXIT_CIRCUIT_ID = 0xe817n;
/** Ids of the world's leaves. The others lie anywhere in the tree. */
export const MODEL_ID = 77;
const DATANET_ID = 9_000_001;

interface ExitWorldOptions {
  readonly rowCounts?: readonly number[];
  readonly split?: RewardSplit;
  readonly openAmount?: bigint;
  /** 0: nothing is closed. */
  readonly closedWei?: bigint;
  readonly accruedWei?: readonly bigint[];
  /** Claimed part of each payee's two shares, in 256ths. */
  readonly claimedParts?: bigint;
  readonly isReady?: boolean;
  /** Further datanets, for a model of several datanets. */
  readonly furtherDatanets?: readonly number[];
}

/** Ledger with accounts, a datanet and a model whose payees belong to all of them, itself included. */
export function exitWorld(seed: number, options: ExitWorldOptions = {}): Ledger {
  const numbers = new SeededNumbers(seed);
  const ledger = new Ledger();
  const ids = [0, 1, 2 + numbers.below(60), 2 ** 24 - 1 - numbers.below(60), DATANET_ID, MODEL_ID];
  const owned = () => ({ l1Owner: 1n + numbers.bits(160), keyX: numbers.bits(250) });
  for (const id of ids.slice(0, 4))
    ledger.put(id, { leaf: accountLeaf({ ...owned(), balance: numbers.bits(90) }) });
  const datanet = { ...EMPTY_DATANET_BODY, version: 1n, rowsRoot: numbers.bits(250) };
  ledger.put(DATANET_ID, {
    leaf: {
      ...accountLeaf({ ...owned(), balance: numbers.bits(90) }),
      kind: LEAF_KIND.datanet,
      chain: numbers.bits(250),
      counters: numbers.bits(40),
      body: hashDatanetBody(datanet),
    },
    datanet,
  });
  ledger.put(MODEL_ID, modelRecord(numbers, ids, options));
  return ledger;
}

function modelRecord(numbers: SeededNumbers, ids: readonly number[], options: ExitWorldOptions): LeafState {
  const rowCounts = options.rowCounts ?? numbers.parts(1 + numbers.below(9) + 4, 1 + numbers.below(4));
  const payees: Payee[] = rowCounts.map((rowCount) => ({
    contributorId: rowCount === 0 ? 0 : ids[numbers.below(ids.length)]!,
    validatorId: rowCount === 0 ? 0 : ids[numbers.below(ids.length)]!,
    rowCount,
  }));
  const split = options.split ?? {
    ownerParts: BigInt(numbers.below(62_260)),
    validatorParts: BigInt(numbers.below(65_536)),
  };
  const statics = {
    featuresCommitment: numbers.bits(250),
    ownersCommitment: ownersCommitment(rowCounts),
    payeeRoot: payeeRoot(payees),
    binding: packBinding({
      datanetId: BigInt(DATANET_ID),
      version: 1n,
      rowCount: BigInt(rowCounts.reduce((sum, count) => sum + count, 0)),
      predecessorId: numbers.bits(24),
      drawBits: numbers.bits(3),
      featureCount: numbers.bits(12),
      furtherDatanets: options.furtherDatanets ?? [],
    }),
    split: packSplit(split),
  };
  const accruedWei = payees.map(({ rowCount }, m) =>
    rowCount === 0 ? 0n : (options.accruedWei?.[m] ?? numbers.bits(90)),
  );
  const parts = options.claimedParts;
  const claimedWei = accruedWei.flatMap((wei) =>
    [PAYEE_ROLE.contributor, PAYEE_ROLE.validator].map((role) => {
      const claimed = parts ?? BigInt(numbers.below(257));
      return (roleShareWei(wei, role, split.validatorParts) * claimed) >> 8n;
    }),
  );
  const closedWei = options.closedWei ?? BigInt(numbers.below(2)) * (1n + numbers.bits(80));
  const closed: ClosedEpoch | null =
    closedWei === 0n
      ? null
      : {
          chain: numbers.bits(250),
          epoch: numbers.bits(24),
          closingBatch: numbers.bits(40),
          amountWei: closedWei,
        };
  const rewards: ModelRewards = { payees, accruedWei, claimedWei, closed };
  const model: ModelBody = {
    statics,
    closed: closed === null ? 0n : closedHash(hashStatics(statics), closed),
    accruedRoot: accruedRoot(payees, accruedWei),
    claimedRoot: claimedRoot(claimedWei),
    epochStart: options.isReady === false ? 0n : 1n + numbers.bits(40),
  };
  const leaf = {
    ...EMPTY_LEAF,
    kind: LEAF_KIND.model,
    nonce: numbers.bits(40),
    l1Owner: 1n + numbers.bits(160),
    keyX: numbers.bits(250),
    balance: numbers.bits(90),
    chain: numbers.bits(250),
    openAmount: options.openAmount ?? numbers.bits(85),
    counters: packCounters({
      isReady: options.isReady ?? true,
      isApproved: numbers.below(2) === 1,
      cap: numbers.bits(16),
      paymentCount: numbers.bits(16),
      epoch: numbers.bits(24),
      priceWei: numbers.bits(96),
    }),
    body: hashModelBody(model),
  };
  return { leaf, model, rewards };
}

/** Circuit inputs of an exit, including z. */
export function exitInputs(exit: PreparedExit): CircuitInputs {
  return { ...exit.inputs, z: exit.statement(EXIT_CIRCUIT_ID).z };
}

/** Expects that the circuit accepts the exit with the model's public signals. Returns the witness. */
export async function acceptedExit(tester: CircuitTester, exit: PreparedExit): Promise<bigint[]> {
  const witness = await tester.calculateWitness(exitInputs(exit));
  const { commitment, y, z } = exit.statement(EXIT_CIRCUIT_ID);
  for (const [position, name, expected] of [
    [1, "C", commitment],
    [2, "y", y],
    [3, "z", z],
  ] as const) {
    if (witness[position] !== expected)
      throw new Error(`${name} of the circuit is ${witness[position]}, of the model ${expected}`);
  }
  return witness;
}

/**
 * The places of E at which the circuit's elements are not the exit's: 0 root, 1 key, 2 recipient, 3 amount.
 * `amountSignal`: the amount, by the name under which it has a wire.
 */
export async function differingElements(
  tester: CircuitTester,
  inputs: CircuitInputs,
  exit: PreparedExit,
  amountSignal: string,
): Promise<number[]> {
  const witness = await tester.calculateWitness(inputs);
  const z = witness[3]!;
  const sums = [
    witness[2]!,
    tester.readSignal(witness, "main.statement.low"),
    tester.readSignal(witness, "main.statement.high"),
    tester.readSignal(witness, amountSignal),
  ];
  const elements = exitElements(exit);
  return elements.flatMap((element, i) =>
    (sums[i]! - z * (sums[i + 1] ?? 0n) - element) % FIELD_ORDER === 0n ? [] : [i],
  );
}
