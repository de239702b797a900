/**
 * A data directory with many leaves and a long history, for measurements of the start: the sequencer itself makes it, in
 * this process and without HTTP. Deposits make the leaves, senders transfer to leaves anywhere in the tree, batches are
 * proven (by any numbers), posted and final as a prover and a bridge would report them.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { KIND } from "@openledger/circuits/protocol";
import { PRODUCTION_SHAPE } from "@openledger/circuits/testing/sample-shape";
import { type Groth16Proof, realFirst } from "@openledger/circuits/wire/groth16-proof";
import { hex32 } from "@openledger/foundation/hex";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import {
  ONE_OPEN_CODE,
  ONE_OPEN_WEI,
  startTestRollup,
  type TestRollup,
  testUser,
  transfer,
} from "./test-rollup.ts";

export interface LargeStoreOptions {
  readonly dataPath: string;
  /** Leaves beside the genesis's two. */
  readonly accountCount: number;
  /** Signed transfers; the last ones stay in the open batch. */
  readonly operationCount: number;
}

/** Accounts with a key that signs; the others have any number for one. */
const SENDER_COUNT = 512;
const DEPOSITS_AT_ONCE = 4_096;
/** Batches that are not final at the end: of them, a third each posted, proven and closed. */
const PENDING_BATCH_COUNT = 24;

const anyProof = (random: TestRandom): Groth16Proof => {
  const pair = () => [random.field(), random.field()] as const;
  return { a: pair(), b: realFirst(pair(), pair()), c: pair() };
};

/** @param log told how far it is */
export async function makeLargeStore(
  { accountCount, dataPath, operationCount }: LargeStoreOptions,
  log: (line: string) => void,
): Promise<void> {
  const random = new TestRandom(1);
  const rollup = await startTestRollup({
    dataPath,
    userCount: 0,
    shape: PRODUCTION_SHAPE,
    environment: { SEQUENCER_MAX_UNPOSTED_BATCHES: "100000", SEQUENCER_SIGNATURE_THREADS: "1" },
  });
  const senderCount = Math.min(SENDER_COUNT, accountCount);
  try {
    for (let from = 0; from < accountCount; from += DEPOSITS_AT_ONCE) {
      const count = Math.min(DEPOSITS_AT_ONCE, accountCount - from);
      const entries = Array.from({ length: count }, (_, i) => deposit(from + i, senderCount, random));
      await rollup.sequencer.line.addQueueEntries(entries);
      await rollup.sequencer.line.closeNow();
      await finalise(rollup, rollup.sequencer.line.book.closedNumber, random);
      log(`${from + count} accounts`);
    }
    const senders = Array.from({ length: senderCount }, (_, i) => testUser(i));
    let made = 0;
    for (let nonce = 0n; made < operationCount; nonce++) {
      const round = senders.slice(0, operationCount - made).map((sender, i) => {
        // Anybody but itself.
        const index = (i + 1 + random.below(accountCount - 1)) % accountCount;
        const to = { ...sender, id: 2 + index, l1Owner: ownerOf(index) };
        return transfer(sender, to, nonce, { amountCode: ONE_OPEN_CODE });
      });
      await Promise.all(round.map((operation) => rollup.sequencer.submit(operation)));
      made += round.length;
      await finalise(rollup, rollup.sequencer.line.book.closedNumber - PENDING_BATCH_COUNT, random);
      if (nonce % 16n === 0n) log(`${made} operations`);
    }
    await postPending(rollup, random);
  } finally {
    await rollup.stop();
  }
  if (rollup.fatal.length > 0) throw rollup.fatal[0];
}

/** As testUser and depositsFor have them. */
const ownerOf = (index: number) => 0xa000n + BigInt(index);

function deposit(index: number, senderCount: number, random: TestRandom) {
  const isSender = index < senderCount;
  return {
    queueIndex: index,
    kind: KIND.depositNew,
    a: 0,
    b: 0,
    amountWei: (isSender ? 1_000_000n : 1n) * ONE_OPEN_WEI,
    word1: ownerOf(index),
    word2: isSender ? testUser(index).keyX : random.field(),
    sender: ownerOf(index),
    l1BlockNumber: 1,
    l1TransactionHash: hex32(1n),
  };
}

/** Reports a proof of each batch up to `upTo`, and that it is final. */
async function finalise(rollup: TestRollup, upTo: number, random: TestRandom): Promise<void> {
  const { line } = rollup.sequencer;
  for (let number = line.book.finalNumber + 1; number <= upTo; number++) {
    // Written together with what comes next: nobody waits here.
    void prove(rollup, number, random);
    void line.reportBatch(number, inclusionOf(rollup, number, "final"), null);
    await nextTurn();
  }
  await rollup.sequencer.log.flushed();
}

async function postPending(rollup: TestRollup, random: TestRandom): Promise<void> {
  const { line } = rollup.sequencer;
  const { finalNumber, closedNumber } = line.book;
  const third = Math.floor((closedNumber - finalNumber) / 3);
  for (let number = finalNumber + 1; number <= finalNumber + 2 * third; number++) {
    await prove(rollup, number, random);
    if (number <= finalNumber + third)
      await line.reportBatch(number, inclusionOf(rollup, number, "posted"), null);
  }
}

async function prove({ sequencer }: TestRollup, number: number, random: TestRandom): Promise<void> {
  const { batchHash, publicSignals } = sequencer.line.book.record(number)!;
  const timings = { witnessMs: 1, proveMs: 1, verifyMs: 1 };
  await sequencer.line.addProof(number, batchHash, publicSignals, {
    proof: anyProof(random),
    backend: "none",
    timings,
  });
}

function inclusionOf({ sequencer }: TestRollup, number: number, status: "posted" | "final") {
  const { batchHash } = sequencer.line.book.record(number)!;
  const inclusion = { transactionHash: hex32(BigInt(number)), blockNumber: 10 + number, gasUsed: 1_000_000 };
  return { batchHash, status, inclusion };
}
