/** Batches of the walk of Exits.money.all.test.ts: those that execute the queue's entries, and lies. */

import { queueOperationOf } from "@openledger/circuits/batch/batch";
import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { expect } from "vitest";
import { type Call, type MoneyCalls, USERS } from "./money-calls.ts";
import { executeEntry } from "./money-ledger.ts";
import { OPEN, type Role, randomElement, slot, submission } from "./rollup-fixture.ts";

export const WALK_SHAPE = shapeOf(2, 24);
/** Faults of false batches. A walk that is long enough tries each. */
export const LIES = [
  "of a frozen ledger",
  "leaves overdue entries",
  "a stranger's too early",
  "a stranger's signed operations",
  "of an entry that was never queued",
  "of an entry twice",
  "that leaves the first out",
  "of an entry that was taken",
  "of one more entry",
  "of another sender",
  "of another amount",
  "of another first word",
  "of another leaf",
  "of another recipient",
  "of another key",
  "of another kind",
] as const;
type Lie = (typeof LIES)[number];
/** Minimum overdue entries in a batch (I7). */
const MIN_TAKEN = 8;

/**
 * Makes one or two batches of the next entries, the second on top of the first, from somebody who may send them. The ledger
 * has executed them when this returns, so they have to be sent.
 */
export async function honestBatches(calls: MoneyCalls, base: BatchData): Promise<Call[]> {
  const { f, ledger, model, random } = calls;
  const overdue = model.overdueCount(base.timestamp);
  const from: Role = overdue > 0 && calls.isOften(2) ? "bob" : "sequencer";
  const batches: Call[] = [];
  let taken = 0;
  let content = base;
  for (const isFirst of [true, false]) {
    const room = Math.min(WALK_SHAPE.wide, model.state.queue.length - taken);
    const due = Math.min(MIN_TAKEN, Math.max(0, overdue - taken));
    if (!isFirst && (room === 0 || (from === "bob" && due === 0))) break;
    const count = due + random.below(room - due + 1);
    const draft = isFirst ? base : await f.draft({ shape: WALK_SHAPE, after: content });
    const waiting = model.state.queue.slice(taken, taken + count);
    const records = waiting.map(
      ({ record }) => executeEntry(ledger, queueOperationOf(record, 0), draft).record,
    );
    content = { ...draft, wide: records, newRoot: ledger.root, newNextId: ledger.nextId };
    const { newRoot } = content;
    const batch = {
      number: Number(content.batchNumber),
      isSequencer: from === "sequencer",
      newRoot,
      waiting,
      records,
    };
    batches.push(
      batchCall(calls, "batch", from, content, (at) => {
        const isTaken = model.takeBatch(batch, at);
        expect(isTaken, "the ledger has executed it").toBe(true);
        return isTaken;
      }),
    );
    taken += count;
  }
  return batches;
}

function batchCall(
  calls: MoneyCalls,
  name: string,
  from: Role,
  content: BatchData,
  take: Call["take"],
): Call {
  return calls.call(name, from, "submitBatches", submission([calls.f.close(content)]), take);
}

/**
 * Makes a batch with one fault, and a proof of all its statements: no circuit sees the queue, so L1 has to
 * refuse it.
 */
export function lie(calls: MoneyCalls, base: BatchData): Call {
  const { model, random } = calls;
  const { queue, isFrozen } = model.state;
  const overdue = model.overdueCount(base.timestamp);
  const send = (name: Lie, wide: SlotRecord[], from: Role = "sequencer", signedCount = 0) => {
    const content = { ...base, wide, signedCount, newRoot: randomElement() };
    return batchCall(calls, `batch: ${name}`, from, content, () => false);
  };
  const first = (count: number) => queue.slice(0, count).map(({ record }) => proven(calls, record));
  const records = first(Math.min(WALK_SHAPE.wide - 1, queue.length));
  if (isFrozen && random.below(3) === 0) return send("of a frozen ledger", records);
  if (overdue > 0 && random.below(4) === 0)
    return send("leaves overdue entries", first(Math.min(MIN_TAKEN, overdue) - 1));
  if (random.below(4) === 0) {
    if (overdue === 0) return send("a stranger's too early", records, "stranger");
    return send("a stranger's signed operations", records, "stranger", 1);
  }
  if (random.below(4) === 0) return send(...lieOfOrder(calls, records));
  if (records.length === 0) return send("of an entry that was never queued", [invented(calls)]);
  const position = random.below(records.length);
  const [name, changes] = lieOfFields(calls, records[position]!);
  return send(name, records.with(position, { ...records[position]!, isValid: true, ...changes }));
}

/** Record as an unsound circuit could prove it. */
function proven({ random }: MoneyCalls, record: SlotRecord): SlotRecord {
  const isValid = random.below(2) === 0;
  if (record.kind !== KIND.forcedWithdraw) return { ...record, isValid };
  return { ...record, isValid, words: [...record.words.slice(0, 4), isValid ? OPEN : 0n] };
}

const invented = (calls: MoneyCalls) =>
  slot(KIND.forcedTransfer, [OPEN, calls.word("bob"), 0n, calls.word("alice")], {
    a: 2,
    b: 3,
    isValid: true,
  });

function lieOfOrder(calls: MoneyCalls, records: SlotRecord[]): [name: Lie, wide: SlotRecord[]] {
  const { consumed } = calls.model;
  const [head, ...others] = records;
  switch (calls.random.below(3)) {
    case 0:
      if (head !== undefined) return ["of an entry twice", [head, ...records]];
      break;
    case 1:
      if (others.length > 0) return ["that leaves the first out", others];
      break;
    default: {
      const last = consumed.at(-1);
      if (last !== undefined) return ["of an entry that was taken", [proven(calls, last.record), ...records]];
    }
  }
  // Behind all that wait.
  return ["of one more entry", [...records, invented(calls)]];
}

function lieOfFields(calls: MoneyCalls, record: SlotRecord): [name: Lie, Partial<SlotRecord>] {
  const { random } = calls;
  const withWord = (i: number, value: bigint) => ({ words: record.words.with(i, value) });
  switch (random.below(6)) {
    case 0: {
      // The lie that would pay best: an operation on another's leaf, as if its owner had sent it.
      const words = USERS.map((role) => calls.word(role)).filter((word) => word !== record.words[3]);
      return ["of another sender", withWord(3, random.pick(words))];
    }
    case 1:
      return ["of another amount", withWord(0, record.words[0]! ^ (1n << BigInt(random.below(80))))];
    case 2:
      return ["of another first word", withWord(1, record.words[1]! ^ 1n)];
    case 3:
      return ["of another leaf", { a: record.a ^ 1 }];
    case 4:
      // A new account's id is the ledger's to give.
      return record.kind === KIND.depositNew
        ? ["of another key", withWord(2, record.words[2]! ^ 1n)]
        : ["of another recipient", { b: record.b ^ 1 }];
    default: {
      const kind = record.kind === KIND.forcedTransfer ? KIND.forcedClaimRewards : KIND.forcedTransfer;
      return ["of another kind", { kind, words: record.words.slice(0, 4) }];
    }
  }
}
