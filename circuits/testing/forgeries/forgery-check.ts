/**
 * Test support: a forgery next to a lawful operation, and what the model and the circuit must say about both.
 */
import { expect, it } from "vitest";
import { creditFees } from "../../batch/batch.ts";
import { executeSlot } from "../../batch/slot.ts";
import type { Leaf } from "../../ledger/leaf.ts";
import { KIND } from "../../protocol.ts";
import { tableCircuitSpec } from "../../registry/circuit-registry.ts";
import { CircuitTester } from "../circuit-tester.ts";
import {
  type Build,
  DEPTH,
  honest,
  nameOf,
  OPENING,
  type Section,
  SHAPE,
  sectionsOf,
  World,
} from "./forgery-world.ts";
import { type LawlessOperation, lawfulForm, lawlessInputs } from "./lawless-slot.ts";
import { sourceWithout } from "./mutant.ts";
import { expectRefusedBy } from "./refusal-check.ts";

export type Inputs = ReturnType<typeof lawlessInputs>;

/** A batch of SHAPE. */
export let tester: CircuitTester;
/** Loads the tester. Every file of forgeries calls it before its tests. */
export async function loadForgeryTester(): Promise<void> {
  tester = await CircuitTester.compileSpec(tableCircuitSpec(SHAPE, DEPTH));
}

export const inputsFor = (
  world: World,
  section: Section,
  operation: LawlessOperation,
  opening = OPENING,
): Inputs => lawlessInputs(world.ledger, SHAPE, opening, { [section]: [operation] });

const NEW_ROOT = "main.frame.data.in[2]";
/** The root that a witness leads to. */
export const newRootIn = (by: CircuitTester, witness: readonly bigint[]): bigint =>
  by.readSignal(witness, NEW_ROOT);

/**
 * Expects that the model and the circuit accept the operation, and that their effects equal each other and
 * that of `lawlessSlot`.
 * @returns the inputs, and the witness up to the next one that the tester computes
 */
export async function expectAccepted(
  section: Section,
  build: Build,
  opening = OPENING,
): Promise<{ readonly inputs: Inputs; readonly readWitness: () => readonly bigint[] }> {
  const ofModel = new World();
  const { feeWei } = executeSlot(ofModel.ledger, lawfulForm(ofModel.ledger, build(ofModel)), opening);
  creditFees(ofModel.ledger, opening.feeAccountId, feeWei);
  const ofCircuit = new World();
  const inputs = inputsFor(ofCircuit, section, build(ofCircuit), opening);
  expect(ofCircuit.ledger.root, "lawlessSlot differs from the model").toBe(ofModel.ledger.root);
  const { signal, witness } = tester.calculate(inputs);
  expect(signal(NEW_ROOT), "the circuit differs from the model").toBe(ofModel.ledger.root);
  return { inputs, readWitness: witness };
}

/** Statements that hold the prover's openings of bodies and counters to the leaves. */
const OPENINGS = [
  "(isApproval + isCloseEpoch + isSettle + isClaimRewards + isActivation + opensForced) * (oldBody.out - bodyB) === 0;",
  "(isPublish + isApprove + opensDatanetA) * (oldBody.out - bodyA) === 0;",
  "(isPay + opensModel) * (countersB - (ready + COUNTER_APPROVED() * approved + COUNTER_CAP() * cap + COUNTER_PAYMENT_COUNT() * paymentCount + COUNTER_EPOCH() * epoch + COUNTER_PRICE() * price + COUNTER_APPROVALS() * given)) === 0;",
];
let credulous: Promise<CircuitTester> | null = null;
/** The circuit that believes every opening of a wide slot. */
function credulousTester(): Promise<CircuitTester> {
  const { name, mainSource } = tableCircuitSpec(SHAPE, DEPTH);
  credulous ??= CircuitTester.compile(`${name}-credulous`, sourceWithout(mainSource, OPENINGS));
  return credulous;
}

/** Expects that there is no witness, and that the refusing statement is the rule's own. */
export const expectNoWitness = (
  inputs: Inputs,
  at: string | readonly string[],
  message: string,
  by = tester,
) => expectRefusedBy(by, inputs, at, message);

function expectModelRefuses(build: Build, code: string, message: string, opening = OPENING): void {
  const world = new World();
  const operation = lawfulForm(world.ledger, build(world));
  const root = world.ledger.root;
  const { nextId } = world.ledger;
  expect(() => executeSlot(world.ledger, operation, opening), message).toThrow(
    expect.objectContaining({ code }),
  );
  expect([world.ledger.root, world.ledger.nextId], `${message}: the model changed the ledger`).toEqual([
    root,
    nextId,
  ]);
}

type Statement = string | Readonly<Record<Section, string | readonly string[]>>;

export interface Forgery {
  readonly rule: string;
  readonly kind: number;
  readonly sections?: readonly Section[];
  /** A lawful operation next to the forged one, where the kind's usual one is not next enough. */
  readonly lawful?: Build;
  /** Forged operation. Default: the kind's usual operation; then `tamper` is the forgery. */
  readonly forged?: Build;
  /** A change of the inputs on top. */
  readonly tamper?: (inputs: Inputs, section: Section) => void;
  /** Part of the statement that refuses; one of several, where the field decides which. */
  readonly at: Statement;
  /**
   * Code of the model's refusal; absent if the model computes what the forger claims, or takes it from L1.
   */
  readonly code?: string;
  readonly opening?: typeof OPENING;
}

/** A forgery in a table of one kind. */
export type ForgeryOfKind = Omit<Forgery, "kind">;

export async function expectForgeryFails(forgery: Forgery): Promise<void> {
  const { rule, kind, lawful, tamper, at, code, opening = OPENING } = forgery;
  const { forged = () => honest(kind) } = forgery;
  for (const section of forgery.sections ?? sectionsOf(kind)) {
    const message = `${nameOf(kind)} ${section}, ${rule}`;
    if (lawful !== undefined) await expectAccepted(section, lawful);
    const world = new World();
    const inputs = inputsFor(world, section, forged(world), opening);
    tamper?.(inputs, section);
    const statement = typeof at === "string" ? at : at[section];
    await expectNoWitness(inputs, statement, message);
    // A false opening would otherwise pass: all else is made for it. What is not tampered with has no opening at all.
    const isOpening = OPENINGS.some((opening) => [statement].flat().some((part) => opening.includes(part)));
    if (tamper !== undefined && isOpening) {
      const credulous = await credulousTester();
      expect(() => credulous.calculate(inputs), `${message}: refused by more than its opening`).not.toThrow();
    }
    if (code !== undefined) expectModelRefuses(forged, code, message, opening);
  }
}

export const AUTHORISATION = {
  table: "SlotHead: check.parts[2] <== w;",
  wide: "Authorisation:",
} as const;
/** The terms of the table do not cancel. */
export const EQUATION = "TableFrame: all === 0;";
/** Statement that refuses a tree other than the honest effect's, and a leaf that the tree does not hold. */
export const PATH = "PathUpdate8: oldRoot === level[depth - 1].oldNode;";
/**
 * Statements that refuse another effect than the operation's. A row has no position for some, and no term of a
 * slot makes up for the others.
 */
export const EFFECT = {
  table: [
    EQUATION,
    "(1 - isFirst[j]) * (oldSub[j] - newSub[j - 1]) === 0;",
    "(1 - isMember) * (newRest - leaf[5]) === 0;",
  ],
  wide: PATH,
} as const;
export const LEAF = "NodeUpdate8: (at1[1] - at1[0]) * bits[2] === oldChild - at1[0];";
export const NO_KIND = "LeafTag: low * (tag - TAG_MODEL())";
export const BALANCE = {
  table: "balanceRange.in <== newBalance;",
  wide: "balanceRange.in <== newBalanceA;",
} as const;
export const CREDIT = {
  table: "balanceRange.in <== newBalance;",
  wide: "creditRange.in <== credited;",
} as const;

/** Replaces one value of an input array: path [row, column]. */
export function setInput(inputs: Inputs, name: string, path: readonly number[], value: bigint): void {
  const copy = structuredClone(inputs[name]) as unknown[];
  let row: unknown[] = copy;
  for (const index of path.slice(0, -1)) row = row[index] as unknown[];
  row[path.at(-1)!] = value;
  (inputs as Record<string, unknown>)[name] = copy;
}
/** Sets the digits of the value that the active kind compares. */
export function setScratch(inputs: Inputs, value: bigint): void {
  const rows = inputs.wideScratchBits as bigint[][];
  const digits = rows[0]!.map((_, i) => (value >> BigInt(i)) & 1n);
  (inputs as Record<string, unknown>).wideScratchBits = rows.with(0, digits);
}
/** A binding's digits, as approvals and revocations show them. */
export const bindingDigits = (binding: bigint): bigint =>
  (BigInt.asUintN(103, binding >> 24n) << 12n) |
  (BigInt.asUintN(24, binding) << 115n) |
  (BigInt.asUintN(120, binding >> 127n) << 139n);
/** Statement that ties a binding to these digits. */
export const BINDING_DIGITS =
  "(isApproval + isRevocable) * (binding - low24 - BINDING_VERSION() * digits103 - BINDING_FURTHER() * further120 - beyond) === 0;";
/** Statement that refuses amounts and prices from 2^96 on. */
export const WEI = "(withdrawnWei + queueWei + newPrice - digits96) === 0;";
/** A is one of the model's datanets. */
export const NAMED = "isApproval * (1 - namedOnce.out) === 0;";
export const LEAF_FIELD = {
  tag: 0,
  nonce: 1,
  l1Owner: 2,
  keyX: 3,
  balance: 4,
  chain: 5,
  openAmount: 6,
  counters: 7,
  body: 8,
};

/** Shows other fields of a leaf that the only used slot opens: in its own columns, or in the row of its id. */
export function showLeaf(
  inputs: Inputs,
  section: Section,
  { side, id }: { readonly side: "A" | "B"; readonly id: number },
  fields: Partial<Record<keyof typeof LEAF_FIELD, bigint>>,
): void {
  const rowIds = (inputs.rowIdBits as bigint[][]).map((bits) =>
    bits.reduceRight((sum, bit) => 2n * sum + bit, 0n),
  );
  const position = section === "wide" ? 0 : rowIds.indexOf(BigInt(id));
  for (const [field, value] of Object.entries(fields))
    setInput(
      inputs,
      section === "wide" ? `wide${side}` : "rowLeaf",
      [position, LEAF_FIELD[field as keyof typeof LEAF_FIELD]],
      value,
    );
}
/** The table's section that a narrow kind has its slot in, as its inputs are named. */
export const tableSectionOf = (kind: number) => (kind === KIND.transfer ? "transfer" : "member");

/** Defines one test for each forgery of the kind. */
export const testForgeries = (kind: number, forgeries: readonly ForgeryOfKind[]) => {
  it.each(forgeries.map((forgery) => [`${nameOf(kind)}: ${forgery.rule}`, forgery] as const))(
    "refuses %s",
    (_name, forgery) => expectForgeryFails({ ...forgery, kind }),
  );
};
export const withLeaf =
  (id: number, changes: Partial<Leaf>, operation: LawlessOperation): Build =>
  (world) => {
    world.set(id, changes);
    return operation;
  };
