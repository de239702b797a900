/** Random batches for the invariants' walks: queue entries, withdrawals, closes and settlements, and what they do. */

import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import type { SettlementData } from "@openledger/circuits/settlement/settlement-data";
import { drawSeed } from "@openledger/circuits/settlement/settlement-split";
import fc from "fast-check";
import { expect } from "vitest";
import { credit, type InvariantModel, type PreparedStep } from "./invariant-oracle.ts";
import {
  type ClosedBatch,
  type Fixture,
  OPEN,
  type Role,
  randomElement,
  SHAPES,
  slot,
} from "./rollup-fixture.ts";
import {
  closeEpochSlot,
  MODEL,
  PAYEE_TABLE,
  SAMPLED,
  type SettlementPart,
  settlementActions,
} from "./settlement-fixture.ts";

const DAY = 86_400n;

export interface BatchesStep {
  type: "batches";
  from: Role;
  /** Number of queue entries in each batch. */
  sizes: number[];
  spice: number;
  isValid: boolean;
  withdrawPercent: bigint;
  shape: number;
  isClosing: boolean;
  settles: "nothing" | "draws" | "default" | "activation";
  /** Index of the close to settle; beyond them all for a missing one. */
  pick: number;
  burnPercent: bigint;
}

export const batchesStep: fc.Arbitrary<BatchesStep> = fc.record({
  type: fc.constant("batches" as const),
  from: fc.constantFrom<Role>("sequencer", "sequencer", "sequencer", "stranger"),
  // Often all that wait: else what is overdue blocks most batches.
  sizes: fc.array(fc.oneof(fc.constant(9), fc.integer({ min: 0, max: 9 })), { minLength: 1, maxLength: 3 }),
  spice: fc.integer({ min: 0, max: 24 }),
  isValid: fc.boolean(),
  withdrawPercent: fc.bigInt({ min: 0n, max: 104n }),
  shape: fc.integer({ min: 0, max: 2 }),
  isClosing: fc.boolean(),
  settles: fc.constantFrom("nothing", "draws", "default", "activation"),
  pick: fc.integer({ min: 0, max: 40 }),
  burnPercent: fc.bigInt({ min: 0n, max: 110n }),
});

/** Number of accepted records of each sort. */
export type RecordCounts = Record<
  "closeEpoch" | "draws" | "default" | "activation" | "preVerified" | "strangers",
  number
>;

export interface PreVerifyStep extends Pick<BatchesStep, "from" | "spice" | "pick" | "burnPercent"> {
  type: "preVerify";
  settles: "draws" | "default";
}

export const preVerifyStep: fc.Arbitrary<PreVerifyStep> = fc.record({
  type: fc.constant("preVerify" as const),
  from: fc.constantFrom<Role>("sequencer", "alice", "stranger"),
  spice: fc.integer({ min: 0, max: 24 }),
  settles: fc.constantFrom("draws", "default"),
  pick: fc.integer({ min: 0, max: 40 }),
  burnPercent: fc.bigInt({ min: 0n, max: 20n }),
});

/** A settlement that is pre-verified; now and then one with voids, with a bad proof, or one that is pre-verified already. */
export function preparePreVerification(f: Fixture, model: InvariantModel, s: PreVerifyStep): PreparedStep {
  const burnedWei = model.ledgerWei > 0n ? (model.ledgerWei * s.burnPercent) / 100n : 0n;
  const { circuit, data } = settlementOf(f, model, s, burnedWei);
  const part = { circuit, data: { ...data, voidCount: s.spice === 0 ? 1 : 0 } };
  const known = s.spice === 2 ? model.preVerified[0] : undefined;
  const closed = f.proveSettlementFixture(circuit, part.data);
  const proof = s.spice === 1 ? { ...closed.proof, c: closed.proof.a } : closed.proof;
  const word = known?.data.settlementHash ?? part.data.settlementHash;
  const args = [known?.data.modelId ?? MODEL, word, [closed.settlement], [proof]] as const;
  const account = f.roles[s.from];
  return {
    call: () => f.rollup.simulate.preVerifySettlement(args, { account }),
    send: () => f.rollup.write.preVerifySettlement(args, { account }),
    apply: async () => {
      expect(s.spice, "I14: what is never pre-verified").toBeGreaterThan(known === undefined ? 1 : 2);
      const { timestamp } = await f.client.getBlock();
      checkTimes(model, part, false, timestamp);
      model.preVerified.push({ ...part, timestamp });
    },
  };
}

/**
 * Prepares the batches of a step, and their changes of the model. A sequencer's hold all sorts of records, a
 * stranger's queue entries or settlements.
 */
export async function prepareBatches(
  f: Fixture,
  model: InvariantModel,
  s: BatchesStep,
  counts: RecordCounts,
): Promise<{ closed: ClosedBatch[]; apply: () => Promise<InvariantModel> }> {
  const shape = SHAPES[s.shape]!;
  const next = structuredClone(model);
  const closed: ClosedBatch[] = [];
  const parts: SettlementPart[] = [];
  const taken: InvariantModel["preVerified"] = [];
  const closingNumbers: bigint[] = [];
  const isSequencer = s.from === "sequencer";
  const isSettlingStranger = !isSequencer && s.settles !== "nothing";
  // Above 100 percent: more than there is must be refused.
  const take = (percent: bigint) => {
    const wei = next.ledgerWei > 0n ? (next.ledgerWei * percent) / 100n : 0n;
    next.ledgerWei -= wei;
    return wei;
  };
  const consume = (count: number): SlotRecord[] => {
    const wide: SlotRecord[] = [];
    for (const { record, depositWei, sender } of next.queue.slice(0, count)) {
      const isWithdrawal = record.kind === KIND.forcedWithdraw;
      const executedWei = isWithdrawal && s.isValid ? take(s.withdrawPercent) : 0n;
      const words = isWithdrawal ? record.words.with(4, executedWei) : record.words;
      wide.push({ ...record, isValid: s.isValid, words });
      credit(next, BigInt(f.roles.bob), executedWei);
      if (s.isValid) next.ledgerWei += depositWei;
      else {
        // A refused deposit to a leaf burns the base fee.
        const feeWei = record.kind === KIND.depositTo ? OPEN : 0n;
        next.burnableWei += feeWei;
        credit(next, sender, depositWei - feeWei);
      }
    }
    next.queue.splice(0, wide.length);
    next.head += wide.length;
    return wide;
  };
  const withdrawAndCreate = (): SlotRecord[] => {
    const wei = take(s.withdrawPercent / 2n);
    credit(next, BigInt(f.roles.stranger), wei);
    const withdraw = slot(KIND.withdraw, [BigInt(f.roles.stranger), wei]);
    if (next.ledgerWei < OPEN) return [withdraw];
    next.ledgerWei -= OPEN;
    next.burnableWei += OPEN;
    return [withdraw, slot(KIND.createAccount, [BigInt(f.roles.bob), 1n])];
  };
  const settle = (): SettlementPart => {
    // A stranger takes what is pre-verified or nothing; the sequencer both.
    const at = s.pick % Math.max(1, next.preVerified.length);
    const waiting =
      s.settles !== "activation" && (!isSequencer || s.pick % 3 === 0) ? next.preVerified[at] : undefined;
    if (waiting !== undefined) {
      next.preVerified.splice(at, 1);
      next.ledgerWei -= waiting.data.burnedWei;
      next.burnableWei += waiting.data.burnedWei;
      taken.push(waiting);
      return { ...waiting, isPreVerified: true };
    }
    const part = settlementOf(f, next, s, s.settles === "activation" ? 0n : take(s.burnPercent / 3n));
    next.burnableWei += part.data.burnedWei;
    parts.push(part);
    return part;
  };

  for (const [i, size] of s.sizes.entries()) {
    const number = BigInt(next.batchNumber + 1);
    const wide = isSettlingStranger ? [] : consume(Math.min(size, shape.wide));
    if (isSequencer && wide.length + 2 <= shape.wide) wide.push(...withdrawAndCreate());
    const isForced = wide.some(({ isValid, kind }) => kind === KIND.forcedCloseEpoch && isValid);
    if (isSequencer && s.isClosing && wide.length < shape.wide) wide.push(closeEpochSlot());
    if (isForced || wide.some(({ kind }) => kind === KIND.closeEpoch)) closingNumbers.push(number);
    const own: SettlementPart[] = [];
    if (s.settles !== "nothing" && (isSequencer || isSettlingStranger) && wide.length < shape.wide) {
      const part = settle();
      own.push(part);
      const kind = part.data.isActivation ? KIND.activation : KIND.settle;
      wide.push(slot(kind, [part.data.settlementHash], { b: part.data.modelId }));
    }
    const after = closed.at(-1)?.content;
    const base: Partial<BatchData> & { after?: BatchData } = {
      shape,
      wide,
      signedCount: isSequencer ? i * 3 : 0,
      ...(after === undefined ? {} : { after }),
    };
    const drafted = await f.draft(base);
    const content = { ...drafted, newNextId: drafted.oldNextId + (isSequencer ? 1 : 0) };
    const settlements = own.map(({ circuit, data, isPreVerified = false }) => ({
      ...f.proveSettlementFixture(circuit, data),
      isPreVerified,
    }));
    // Now and then a thing that must be refused, whatever else is right.
    closed.push(spoil({ ...f.close(content), settlements }, s.spice));
    next.batchNumber += 1;
    next.opIndex += content.signedCount;
    next.nextId = content.newNextId;
    next.root = content.newRoot;
    next.timestamp = content.timestamp;
  }

  const apply = async (): Promise<InvariantModel> => {
    expect(s.spice, "I5: a spoiled batch is never accepted").toBeGreaterThan(
      closed.some(hasSettlement) ? 5 : 3,
    );
    const { timestamp, number } = await f.client.getBlock();
    if (!isSequencer) expect(parts, "I12: strangers bring no settlement").toEqual([]);
    for (const { timestamp: preVerifiedAt } of taken) {
      if (!isSequencer) expect(preVerifiedAt + DAY, "I14: overdue").toBeLessThan(timestamp);
      counts.preVerified++;
    }
    for (const part of parts) {
      checkTimes(model, part, isSequencer, timestamp);
      counts[s.settles as "draws"]++;
    }
    if (isSettlingStranger) counts.strangers++;
    else if (!isSequencer) expect(model.queue[0]!.timestamp + DAY, "I8").toBeLessThan(timestamp);
    const oldest = next.queue[0];
    if (oldest !== undefined && oldest.timestamp + DAY < timestamp) {
      const consumed = next.head - model.head;
      expect(consumed, "I7").toBeGreaterThanOrEqual(Math.min(8, shape.wide) * closed.length);
    }
    for (const closingNumber of closingNumbers) {
      next.closes.set(closingNumber, { blockNumber: number, timestamp });
      counts.closeEpoch++;
    }
    return next;
  };
  return { closed, apply };
}

const hasSettlement = (batch: ClosedBatch) => (batch.settlements ?? []).length > 0;

/** Makes a settlement of a random close, as good as the known facts about it allow. */
function settlementOf(
  f: Fixture,
  model: InvariantModel,
  s: Pick<BatchesStep, "settles" | "pick">,
  burnedWei: bigint,
): SettlementPart {
  const { activationData } = settlementActions(f);
  if (s.settles === "activation") return { circuit: PAYEE_TABLE, data: activationData() };
  // Mostly one that may be settled: an old one by default, one with randomness by draws.
  const isLikely = s.pick % 4 !== 0;
  const likely =
    s.settles === "default" ? [...model.closes.keys()].slice(0, 3) : [...model.randomness.keys()];
  const numbers = isLikely ? likely : [...model.closes.keys()];
  const closingBatch = s.pick === 40 ? 1_000_000n : (numbers[s.pick % Math.max(1, numbers.length)] ?? 0n);
  const source = { modelId: MODEL, epoch: BigInt(s.pick), chain: randomElement() };
  const prevRandao = model.randomness.get(closingBatch) ?? 0n;
  const isDefault = s.settles === "default";
  const data: SettlementData = {
    ...source,
    ...activationData({ isActivation: false, cap: 0, capCircuit: 0 }),
    epoch: source.epoch,
    chain: source.chain,
    closingBatch,
    burnedWei,
    voidCount: isDefault ? 0 : 1,
    seed: isDefault ? 0n : drawSeed({ ...source, prevRandao }),
  };
  return { circuit: isDefault ? PAYEE_TABLE : SAMPLED, data };
}

/** I12. */
function checkTimes(
  model: InvariantModel,
  { circuit, data }: SettlementPart,
  isSequencer: boolean,
  timestamp: bigint,
): void {
  if (data.isActivation) {
    expect(isSequencer, "I12: an activation is the sequencer's").toBe(true);
    return;
  }
  const close = model.closes.get(data.closingBatch);
  expect(close, "I12: what is settled was closed").toBeDefined();
  const age = timestamp - close!.timestamp;
  if (circuit === PAYEE_TABLE) expect(age, "I12: default split").toBeGreaterThanOrEqual(14n * DAY);
  else expect(model.randomness.has(data.closingBatch), "I12: randomness").toBe(true);
  if (!isSequencer) expect(age, "I12: strangers").toBeGreaterThanOrEqual(3n * DAY);
}

function spoil(good: ClosedBatch, spice: number): ClosedBatch {
  const { batch, proof } = good;
  if (spice === 0) return { ...good, batch: { ...batch, commitment: batch.commitment ^ 1n } };
  if (spice === 1) return { ...good, batch: { ...batch, data: `${batch.data}00` } };
  if (spice === 2) return { ...good, proof: { ...proof, c: proof.a } };
  if (spice === 3) return { ...good, batch: { ...batch, circuit: (batch.circuit + 1) % SHAPES.length } };
  const [first, ...others] = good.settlements ?? [];
  if (first === undefined) return good;
  if (spice === 4) return { ...good, settlements: [{ ...first, proof, isPreVerified: false }, ...others] };
  if (spice === 5) return { ...good, settlements: others };
  return good;
}
