/** Random freezes, exits and refunds for the invariants' walks, and what they do to the model. */

import { payeeExitKey } from "@openledger/circuits/exit/exit-statement";
import fc from "fast-check";
import { expect } from "vitest";
import { exitActions, HARD_DEADLINE, toAddress, type WaitingEntry } from "./exit-fixture.ts";
import { credit, type InvariantModel, type PreparedStep } from "./invariant-oracle.ts";
import { type Fixture, type Role, randomElement, SHAPES } from "./rollup-fixture.ts";
import { SETTLEMENT_SIZES } from "./settlement-fixture.ts";

/** Circuits of exits stand behind those of SHAPES and of SETTLEMENT_SIZES. */
const LEAF = SHAPES.length + SETTLEMENT_SIZES.length;

interface ExitStep {
  type: "exit";
  from: Role;
  /** Of each exit: what leaves, for whom, and how much of what the ledger owes. */
  parts: { key: bigint; owner: Role; percent: bigint }[];
  /** What is wrong with one of them; beyond 5 nothing. */
  spice: number;
}

interface RefundStep {
  type: "refund";
  from: Role;
  /** Places in the queue, from its head. */
  places: number[];
  spice: number;
}

export type FrozenStep = { type: "freeze"; from: Role } | ExitStep | RefundStep;

const users = fc.constantFrom<Role>("alice", "bob", "stranger");

const key = fc.oneof(
  fc.bigInt({ min: 0n, max: 40n }),
  fc
    .tuple(fc.integer({ min: 70, max: 71 }), fc.integer({ min: 0, max: 255 }), fc.constantFrom<0 | 1>(0, 1))
    .map(([modelId, payeeIndex, role]) => payeeExitKey(modelId, payeeIndex, role)),
);

export const exitStep: fc.Arbitrary<ExitStep> = fc.record({
  type: fc.constant("exit" as const),
  from: users,
  parts: fc.array(
    fc.record({
      key,
      owner: users,
      // Above 100 percent: more than there is must be refused.
      percent: fc.oneof({ weight: 9, arbitrary: fc.bigInt({ min: 0n, max: 20n }) }, fc.constant(104n)),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  spice: fc.integer({ min: 0, max: 24 }),
});

export const refundStep: fc.Arbitrary<RefundStep> = fc.record({
  type: fc.constant("refund" as const),
  from: users,
  places: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 3 }),
  spice: fc.integer({ min: 0, max: 9 }),
});

export const freezeStep: fc.Arbitrary<FrozenStep> = fc.record({
  type: fc.constant("freeze" as const),
  from: users,
});

export async function prepareFrozen(f: Fixture, model: InvariantModel, s: FrozenStep): Promise<PreparedStep> {
  if (s.type === "exit") return prepareExits(f, model, s);
  if (s.type === "refund") return prepareRefund(f, model, s);
  const account = f.roles[s.from];
  return {
    call: () => f.rollup.simulate.freeze({ account }),
    send: () => f.rollup.write.freeze({ account }),
    apply: async () => {
      const { timestamp } = await f.client.getBlock();
      expect(model.isFrozen, "I13: once").toBe(false);
      expect(model.queue[0]!.timestamp + HARD_DEADLINE, "I13: in time").toBeLessThan(timestamp);
      model.isFrozen = true;
    },
  };
}

function prepareExits(f: Fixture, model: InvariantModel, s: ExitStep): PreparedStep {
  const account = f.roles[s.from];
  let restWei = model.ledgerWei;
  const leaving = s.parts.map(({ key, owner, percent }) => {
    const amountWei = restWei > 0n ? (restWei * percent) / 100n : 0n;
    restWei -= amountWei;
    return { root: model.root, key, recipient: BigInt(f.roles[owner]), amountWei };
  });
  const closed = leaving.map((data) => exitActions(f).proveExit(LEAF + Number(data.key >> 33n), data));
  const exits = closed.map(({ exit }) => exit);
  const proofs = closed.map(({ proof }) => proof);
  // Now and then a thing that must be refused, whatever else is right.
  const at = s.spice % exits.length;
  const good = exits[at]!;
  if (s.spice === 0) exits[at] = { ...good, amountWei: good.amountWei + 1n };
  if (s.spice === 1) exits[at] = { ...good, recipient: toAddress(BigInt(good.recipient) ^ 1n) };
  if (s.spice === 2) exits[at] = { ...good, key: good.key + 1_000n };
  if (s.spice === 3) exits[at] = { ...good, circuit: good.circuit === LEAF ? LEAF + 1 : LEAF };
  if (s.spice === 4) exits[at] = { ...good, commitment: randomElement() };
  if (s.spice === 5) exits.push(good);
  const args = [exits, s.spice === 5 ? [...proofs, proofs[at]!] : proofs] as const;
  return {
    call: () => f.rollup.simulate.exit(args, { account }),
    send: () => f.rollup.write.exit(args, { account }),
    apply: async () => {
      expect(s.spice, "I5: a spoiled exit is never accepted").toBeGreaterThan(5);
      for (const { key, recipient, amountWei } of leaving) {
        expect(model.exited.has(key), "I13: each key once").toBe(false);
        model.exited.add(key);
        expect(amountWei, "I2").toBeLessThanOrEqual(model.ledgerWei);
        model.ledgerWei -= amountWei;
        credit(model, recipient, amountWei);
      }
    },
  };
}

function prepareRefund(f: Fixture, model: InvariantModel, s: RefundStep): PreparedStep {
  const account = f.roles[s.from];
  const entries = s.places.map((place) => entryAt(model, place));
  const [first] = entries;
  if (first !== undefined && s.spice === 0) entries[0] = { ...first, amountWei: first.amountWei ^ 1n };
  if (first !== undefined && s.spice === 1)
    entries[0] = { ...first, sender: toAddress(BigInt(first.sender) ^ 1n) };
  return {
    call: () => f.rollup.simulate.refund([entries], { account }),
    send: () => f.rollup.write.refund([entries], { account }),
    apply: async () => {
      expect(s.spice, "I5: an altered entry is never refunded").toBeGreaterThan(1);
      for (const place of s.places) {
        const waiting = model.queue[place]!;
        expect(waiting.isRefunded, "I13: each entry once").toBe(false);
        waiting.isRefunded = true;
        credit(model, waiting.sender, waiting.depositWei);
        waiting.depositWei = 0n;
      }
    },
  };
}

/** The entry at a place of the queue, or one that is not there. */
function entryAt(model: InvariantModel, place: number): WaitingEntry {
  const index = BigInt(model.head + place);
  const waiting = model.queue[place];
  if (waiting === undefined)
    return { index, kind: 16, a: 0, b: 0, amountWei: 1n, word1: 1n, word2: 0n, sender: toAddress(1n) };
  const { kind, a, b, words } = waiting.record;
  const [amountWei, word1, word2] = words as [bigint, bigint, bigint];
  return { index, kind, a, b, amountWei, word1, word2, sender: toAddress(waiting.sender) };
}
