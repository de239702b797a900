/**
 * Gas of what users and the sequencer do, as receipts on a local node state it: calldata and EIP-7623's floor included.
 * Run it: npx tsx contracts/testing/measure-gas.ts
 */
import { fileURLToPath } from "node:url";
import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { encodeFunctionData, type Hex } from "viem";
import { startAnvil } from "../l1/anvil.ts";
import { EXIT_SIZES, exitActions } from "./exit-fixture.ts";
import {
  ANY_FEE,
  type ClosedBatch,
  connect,
  deployFixture,
  depositNewSlot,
  type Fixture,
  forcedEntry,
  OPEN,
  type ProvenSettlementFixture,
  randomElement,
  slot,
} from "./rollup-fixture.ts";
import { closeEpochSlot, settlementActions, settleSlot } from "./settlement-fixture.ts";

/** Shape with the maximum narrow slots of older wire forms, so that figures stay comparable. */
const LARGE = shapeOf(510, 8);
const SMALL = shapeOf(6, 8);
/** Circuits for shards with the maximum number of payees. */
const SHARD_CIRCUITS = [
  { sort: CIRCUIT_SORT.shardedSettlement, size0: 256, size1: 8 },
  { sort: CIRCUIT_SORT.shard, size0: 0, size1: 512 },
];
const SETTLEMENT_CIRCUIT = [{ sort: CIRCUIT_SORT.settlement, size0: 1024, size1: 512 }];

interface GasFigures {
  deployRollup: bigint;
  /** A transaction with one batch without operations. */
  emptyBatch: bigint;
  /** The second one in the same transaction, also pays the two multiplications that a lone proof is spared. */
  secondBatch: bigint;
  /** A third one: its data, its proof and its event. The other circuit is the one with 510 slots. */
  furtherBatchSameCircuit: bigint;
  furtherBatchOtherCircuit: bigint;
  /** Gas of the proof alone: `verifyProofs` with one more proof, calldata included. */
  furtherProofSameCircuit: bigint;
  furtherProofOtherCircuit: bigint;
  /** Gas of a transaction with 510 transfers, and its part for each operation. */
  fullBatch: bigint;
  fullBatchPerTransfer: bigint;
  /** The same for four such batches in one transaction: 2,040 transfers, 98 KB. */
  fourFullBatchesPerTransfer: bigint;
  /** Gas of each transfer or payment beyond the fixed costs of its batch. */
  transfer: bigint;
  payment: bigint;
  withdrawToNewRecipient: bigint;
  createAccount: bigint;
  consumeDeposit: bigint;
  consumeRefusedDeposit: bigint;
  consumeForcedWithdrawal: bigint;
  deposit: bigint;
  finalizeWithdrawal: bigint;
  burnAccrued: bigint;
  /** A Close that is the first one of its batch, with the batch's record of its block. */
  closeEpoch: bigint;
  recordRandomness: bigint;
  forced: ForcedGas;
  settlement: SettlementGas;
  exits: ExitGas;
}

/**
 * The call that queues each forced operation, alone in its transaction and while less than an eighth of the queue is
 * full. The caller pays it besides the fee that is burned; what the batch pays that takes the entry is not in it.
 */
interface ForcedGas {
  /** The leaf has no other one open; its mark is a new word. */
  withdrawal: bigint;
  newKey: bigint;
  newOwner: bigint;
  transfer: bigint;
  claim: bigint;
  closeEpoch: bigint;
  payment: bigint;
  approval: bigint;
  revocation: bigint;
  commit: bigint;
  publication: bigint;
}

/** Gas of exits from a frozen ledger. Each recipient has a credit already. */
interface ExitGas {
  freeze: bigint;
  /** A transaction with one exit: the first one of its 256 keys. */
  leafExit: bigint;
  payeeExit: bigint;
  /**
   * Gas of one more in the same transaction: of the same circuit, and of the other. Keys that lie in one
   * word.
   */
  furtherSameCircuit: bigint;
  furtherOtherCircuit: bigint;
  /** A transaction that refunds one deposit. */
  refundDeposit: bigint;
}

/** Gas of a batch with one record of one word, and of a settlement in it. */
interface SettlementGas {
  /** Gas of the batch if the record is signed by a leaf (SetKey) and takes no settlement. */
  alone: bigint;
  /** The batch where the record is a Settle, with a settlement that burns nothing, but no totals. */
  joined: bigint;
  /** Gas of the posted totals, by the model's number of slots. */
  totals: Readonly<Record<64 | 512, bigint>>;
  /**
   * Gas that a settlement by draws adds to its batch in so many shards of 512 payees each, and the whole
   * transaction's gas.
   */
  shards: Readonly<Record<2 | 4 | 8, { added: bigint; transaction: bigint }>>;
}

/** Starts a node of its own, and ends it. */
export async function measureGas(): Promise<GasFigures> {
  const anvil = await startAnvil();
  try {
    const client = await connect(anvil);
    // Each on a rollup of its own: a further circuit is a few words more to read in every call.
    const settlement = await measureSettlement(await deployFixture(client, {}, [SMALL], SETTLEMENT_CIRCUIT));
    const shards = await measureShards(await deployFixture(client, {}, [SMALL], SHARD_CIRCUITS));
    const exits = await measureExits(await deployFixture(client, {}, [SMALL], EXIT_SIZES));
    const settled = { ...settlement, settlement: { ...settlement.settlement, shards } };
    return { ...(await measure(await deployFixture(client, {}, [LARGE, SMALL]))), ...settled, exits };
  } finally {
    await anvil.stop();
  }
}

async function measure(
  f: Fixture,
): Promise<Omit<GasFigures, "closeEpoch" | "recordRandomness" | "settlement" | "exits">> {
  const { roles, rollup } = f;
  /**
   * Measures an action. Each measurement starts from the same state, in which every word was written before.
   */
  const on = async (action: () => Promise<bigint>): Promise<bigint> => {
    const id = await f.client.snapshot();
    const gas = await action();
    await f.client.revert({ id });
    return gas;
  };
  const gasOf = async (hash: Hex) => (await f.client.waitForTransactionReceipt({ hash })).gasUsed;
  const gasOfBatch = (content: Partial<BatchData>) =>
    on(async () => (await f.submit([f.close(await f.draft({ shape: LARGE, ...content }))])).gasUsed);
  const gasOfWide = async (wide: SlotRecord, content: Partial<BatchData> = {}) => {
    const empty = await gasOfBatch({ shape: SMALL });
    return (await gasOfBatch({ shape: SMALL, wide: [wide], ...content })) - empty;
  };

  await f.fund("alice", 1_000n * OPEN);
  await f.post({
    signedCount: 2,
    wide: [slot(KIND.createAccount, [1n, 2n], { b: 3 }), slot(KIND.withdraw, [BigInt(roles.alice), OPEN])],
    shape: LARGE,
  });

  const chain = (contents: readonly Partial<BatchData>[]) =>
    on(async () => {
      const closed: ClosedBatch[] = [];
      for (const content of contents) {
        const after = closed.at(-1)?.content;
        closed.push(f.close(await f.draft(after === undefined ? content : { ...content, after })));
      }
      return (await f.submit(closed)).gasUsed;
    });
  const batches = (shapes: readonly BatchData["shape"][]) => chain(shapes.map((shape) => ({ shape })));
  const proofs = (circuits: readonly number[]) => {
    const inputs = circuits.map((circuit) => ({
      circuit,
      commitment: randomElement(),
      evaluation: randomElement(),
      challenge: randomElement(),
      blobLow: 0n,
      blobHigh: 0n,
    }));
    const forged = inputs.map((s) => f.circuits[s.circuit]!.forge([s.commitment, s.evaluation, s.challenge]));
    const data = encodeFunctionData({
      abi: rollup.abi,
      functionName: "verifyProofs",
      args: [inputs, forged],
    });
    return f.client.estimateGas({ account: roles.stranger, to: rollup.address, data });
  };

  const emptyLarge = await batches([LARGE]);
  const transfers = (count: number) =>
    Array.from({ length: count }, () =>
      slot(KIND.transfer, [], {
        a: randomId(),
        b: randomId(),
        amountCode: randomElement() & (2n ** 40n - 1n),
      }),
    );
  const payments = (count: number) =>
    transfers(count).map((transfer) => ({ ...transfer, kind: KIND.payInference, words: [randomElement()] }));
  const fullBatch = await gasOfBatch({ narrow: transfers(LARGE.narrow), signedCount: LARGE.narrow });

  const one = await batches([SMALL]);
  const two = await batches([SMALL, SMALL]);

  const fourFull = await chain(
    [0, 1, 2, 3].map(() => ({
      shape: LARGE,
      narrow: transfers(LARGE.narrow),
      signedCount: LARGE.narrow,
    })),
  );

  const deposit = await on(async () => (await f.depositNew("alice", 10n * OPEN)).gasUsed);
  const finalizeWithdrawal = await on(async () =>
    gasOf(await rollup.write.finalizeWithdrawal([roles.alice], { account: roles.stranger })),
  );
  const burnAccrued = await on(async () =>
    gasOf(await rollup.write.burnAccrued({ account: roles.stranger })),
  );

  const consume = async (queue: () => Promise<unknown>, wide: SlotRecord) =>
    on(async () => {
      await queue();
      return gasOfWide(wide);
    });
  const word = (role: keyof typeof roles) => BigInt(roles[role]);

  return {
    deployRollup: f.deployment.gas.rollup,
    emptyBatch: one,
    secondBatch: two - one,
    furtherBatchSameCircuit: (await batches([SMALL, SMALL, SMALL])) - two,
    furtherBatchOtherCircuit: (await batches([SMALL, SMALL, LARGE])) - two,
    furtherProofSameCircuit: (await proofs([0, 0, 0])) - (await proofs([0, 0])),
    furtherProofOtherCircuit: (await proofs([0, 0, 1])) - (await proofs([0, 0])),
    fullBatch,
    fullBatchPerTransfer: fullBatch / BigInt(LARGE.narrow),
    fourFullBatchesPerTransfer: fourFull / BigInt(4 * LARGE.narrow),
    transfer: (fullBatch - emptyLarge) / BigInt(LARGE.narrow),
    payment:
      ((await gasOfBatch({ narrow: payments(LARGE.narrow), signedCount: LARGE.narrow })) - emptyLarge) /
      BigInt(LARGE.narrow),
    withdrawToNewRecipient: await gasOfWide(slot(KIND.withdraw, [randomElement() >> 100n, OPEN], { a: 2 })),
    createAccount: await gasOfWide(slot(KIND.createAccount, [word("bob"), randomElement()], { a: 2, b: 9 })),
    consumeDeposit: await consume(
      () => f.depositNew("bob", 10n * OPEN),
      depositNewSlot(10n * OPEN, roles.bob, 5n, roles.bob, { b: 3 }),
    ),
    consumeRefusedDeposit: await consume(
      () => f.depositNew("bob", 10n * OPEN),
      depositNewSlot(10n * OPEN, roles.bob, 5n, roles.bob, { isValid: false }),
    ),
    consumeForcedWithdrawal: await consume(
      () => rollup.write.forceWithdraw([2, OPEN, roles.bob, ANY_FEE], { account: roles.alice }),
      slot(KIND.forcedWithdraw, [OPEN, word("bob"), 0n, word("alice"), OPEN], { a: 2, isValid: true }),
    ),
    deposit,
    finalizeWithdrawal,
    burnAccrued,
    forced: await measureForced(f, on),
  };
}

/** Arguments of middling length: three bytes of an id, 67 bits of an amount. */
async function measureForced(
  { rollup, roles, client }: Fixture,
  on: (action: () => Promise<bigint>) => Promise<bigint>,
): Promise<ForcedGas> {
  const account = { account: roles.alice };
  const id = 0xabcdef;
  const otherId = 0xfedcba;
  const amountWei = 100n * OPEN + 7n;
  const { forceWithdraw, forceSetKey, forceSetOwner, forceTransfer, forceClaimRewards, forceCloseEpoch } =
    rollup.write;
  const words = {
    word1: randomElement(),
    word2: randomElement(),
    word3: randomElement(),
    word4: randomElement(),
  };
  const named = { word1: BigInt(roles.bob), word2: randomElement() };
  const forced = (kind: number, fields: Parameters<typeof forcedEntry>[1]) => {
    const ids = { a: BigInt(id), b: BigInt(otherId) };
    return rollup.write.force([forcedEntry(kind, { ...ids, ...fields }), OPEN], account);
  };
  const gasOf = (call: () => Promise<Hex>) =>
    on(async () => (await client.waitForTransactionReceipt({ hash: await call() })).gasUsed);
  return {
    withdrawal: await gasOf(() => forceWithdraw([id, amountWei, roles.alice, OPEN], account)),
    newKey: await gasOf(() => forceSetKey([id, randomElement(), OPEN], account)),
    newOwner: await gasOf(() => forceSetOwner([id, roles.bob, OPEN], account)),
    transfer: await gasOf(() => forceTransfer([id, otherId, amountWei, roles.bob, OPEN], account)),
    claim: await gasOf(() => forceClaimRewards([id, otherId, 200, true, OPEN], account)),
    closeEpoch: await gasOf(() => forceCloseEpoch([otherId, OPEN], account)),
    payment: await gasOf(() => forced(KIND.forcedPayInference, { ...named, amountWei })),
    approval: await gasOf(() => forced(KIND.forcedApproveModel, { ...named, amountWei: 2n ** 38n + 7n })),
    revocation: await gasOf(() => forced(KIND.forcedRevokeModel, {})),
    commit: await gasOf(() => forced(KIND.forcedCommitData, { word2: randomElement(), amountWei: 40n })),
    publication: await gasOf(() => forced(KIND.forcedPublishVersion, { b: 0n, amountWei: 40n, ...words })),
  };
}

const gasOfRecords =
  (f: Fixture) =>
  async (wide: SlotRecord[], settlements: readonly ProvenSettlementFixture[] = []): Promise<bigint> => {
    const id = await f.client.snapshot();
    const batch = f.close(await f.draft({ wide }));
    const { gasUsed } = await f.submit([{ ...batch, settlements }]);
    await f.client.revert({ id });
    return gasUsed;
  };
const signedRecord = () => slot(KIND.setKey, [randomElement()], { a: 0xabcdef });
/** Quanta of 40 bits, the high one set. */
const fullItems = (payeeCount: number) =>
  Array.from({ length: payeeCount }, () => (randomElement() & (2n ** 39n - 1n)) | (1n << 39n));

async function measureShards(f: Fixture): Promise<SettlementGas["shards"]> {
  const settling = settlementActions(f);
  await f.fund("alice", 1_000n * OPEN);
  const gasOf = gasOfRecords(f);
  const closingBatch = await settling.closeEpoch();
  await f.post({ wide: [slot(KIND.createAccount, [1n, 2n], { b: 3 })] });
  await settling.recordRandomness(closingBatch);
  const alone = await gasOf([signedRecord()]);
  const settle = async (shardCount: number) => {
    const links = Array.from({ length: shardCount }, randomElement);
    const shards = { shardCount, links, items: fullItems(512 * shardCount) };
    const data = await settling.settlementData(closingBatch, { ...shards, voidCount: 0, burnedWei: 0n });
    const circuits = [1, ...links.map(() => 2)];
    const transaction = await gasOf([settleSlot(data.settlementHash)], f.proveEntries(circuits, data));
    return { added: transaction - alone, transaction };
  };
  return { 2: await settle(2), 4: await settle(4), 8: await settle(8) };
}

async function measureSettlement(
  f: Fixture,
): Promise<
  Pick<GasFigures, "closeEpoch" | "recordRandomness"> & { readonly settlement: Omit<SettlementGas, "shards"> }
> {
  const settling = settlementActions(f);
  await f.fund("alice", 1_000n * OPEN);
  const gasOf = gasOfRecords(f);
  const closingBatch = await settling.closeEpoch();
  // Elsewhere every word was written before, too.
  await f.post({ wide: [slot(KIND.createAccount, [1n, 2n], { b: 3 })] });
  const closeEpoch = (await gasOf([closeEpochSlot()])) - (await gasOf([]));
  const header = await settling.headerOf(await settling.mineRandomness(closingBatch));
  const hash = await f.rollup.write.recordRandomness([closingBatch, header], { account: f.roles.stranger });
  const recorded = await f.client.waitForTransactionReceipt({ hash });

  const settle = async (payeeCount: number) => {
    const items = fullItems(payeeCount);
    const data = await settling.settlementData(closingBatch, { items, voidCount: 0, burnedWei: 0n });
    return gasOf([settleSlot(data.settlementHash)], [f.proveSettlementFixture(1, data)]);
  };
  const alone = await gasOf([signedRecord()]);
  const joined = await settle(0);
  return {
    closeEpoch,
    recordRandomness: recorded.gasUsed,
    settlement: {
      alone,
      joined,
      totals: { 64: (await settle(64)) - joined, 512: (await settle(512)) - joined },
    },
  };
}

async function measureExits(f: Fixture): Promise<ExitGas> {
  const { proveExit, exit, queued } = exitActions(f);
  await f.fund("alice", 1_000n * OPEN);
  await f.post({ signedCount: 1, wide: [slot(KIND.withdraw, [BigInt(f.roles.alice), OPEN])] });
  await f.depositNew("alice", 7n * OPEN);
  await f.client.increaseTime({ seconds: 15 * 86_400 });
  await f.client.mine({ blocks: 1 });
  const gasOf = async (hash: Hex) => (await f.client.waitForTransactionReceipt({ hash })).gasUsed;
  const freeze = await gasOf(await f.rollup.write.freeze({ account: f.roles.stranger }));
  const { root } = await f.rollup.read.state();
  const on = async (action: () => Promise<bigint>) => {
    const id = await f.client.snapshot();
    const gas = await action();
    await f.client.revert({ id });
    return gas;
  };
  /** Circuit 1 is that of leaves, 2 that of slots. */
  const gasOfExits = (circuits: readonly number[]) =>
    on(async () => {
      const recipient = BigInt(f.roles.alice);
      const closed = circuits.map((circuit, i) =>
        proveExit(circuit, { root, key: 0x1abcdef00n + BigInt(i), recipient, amountWei: 3n * OPEN + 7n }),
      );
      return (await exit(closed)).gasUsed;
    });
  const leafExit = await gasOfExits([1]);
  const two = await gasOfExits([1, 1]);
  const deposit = (await queued()).at(-1)!;
  return {
    freeze,
    leafExit,
    payeeExit: await gasOfExits([2]),
    furtherSameCircuit: (await gasOfExits([1, 1, 1])) - two,
    furtherOtherCircuit: (await gasOfExits([1, 1, 2])) - two,
    refundDeposit: await on(async () =>
      gasOf(await f.rollup.write.refund([[deposit]], { account: f.roles.stranger })),
    ),
  };
}

function randomId(): number {
  return Number(randomElement() & 0xffffffn);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const print = (name: string, gas: bigint) =>
    console.log(`${name.padEnd(28)} ${gas.toLocaleString("en-US").padStart(12)}`);
  const { settlement, exits, forced, ...figures } = await measureGas();
  for (const [name, gas] of Object.entries(figures)) print(name, gas);
  print("settlement: batch alone", settlement.alone);
  print("settlement: joined", settlement.joined);
  print("settlement: what it adds", settlement.joined - settlement.alone);
  for (const [slots, gas] of Object.entries(settlement.totals)) print(`totals of ${slots} slots`, gas);
  for (const [shards, { added, transaction }] of Object.entries(settlement.shards)) {
    print(`${shards} shards of 512 add`, added);
    print(`${shards} shards: transaction`, transaction);
  }
  for (const [name, gas] of Object.entries(forced)) print(`forced: ${name}`, gas);
  for (const [name, gas] of Object.entries(exits)) print(`exits: ${name}`, gas);
}
