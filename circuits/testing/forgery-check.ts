/**
 * Test support: a forgery next to a lawful operation, and what the model and the circuit must say about both.
 */
import { expect, it } from "vitest";
import { BatchBuilder } from "../batch/batch.ts";
import { executeSlot } from "../batch/slot.ts";
import type { Leaf } from "../ledger/leaf.ts";
import type { BatchShape } from "../protocol.ts";
import { batchCircuitSpec } from "../registry/circuit-registry.ts";
import { CircuitTester } from "./circuit-tester.ts";
import {
  type Build,
  DEPTH,
  nameOf,
  OPENING,
  type Section,
  SHAPE,
  sectionsOf,
  WIDE_SHAPE,
  World,
} from "./forgery-world.ts";
import { type LawlessOperation, lawfulForm, lawlessInputs } from "./lawless-slot.ts";
import { sourceWithout } from "./mutant.ts";
import { expectRefusedBy } from "./refusal-check.ts";

export type Inputs = ReturnType<typeof lawlessInputs>;

/** Two slots of each sort; and one wide slot alone, which is refused three times as fast. */
export let tester: CircuitTester;
export let wideTester: CircuitTester;
/** Every file of forgeries calls this before its tests. */
export async function loadForgeryTesters(): Promise<void> {
  const load = (shape: BatchShape) => {
    const spec = batchCircuitSpec(shape, DEPTH);
    return CircuitTester.compile(spec.name, spec.mainSource);
  };
  tester = await load(SHAPE);
  wideTester = await load(WIDE_SHAPE);
}
export const testerOf = (section: Section) => (section === "wide" ? wideTester : tester);

export const inputsFor = (
  world: World,
  section: Section,
  operation: LawlessOperation,
  opening = OPENING,
): Inputs =>
  lawlessInputs(
    world.ledger,
    { ...opening, shape: section === "wide" ? WIDE_SHAPE : SHAPE },
    { [section]: [operation] },
  );

/** The model and the circuit take the operation, and agree about its effect with each other and with `lawlessSlot`. */
export async function expectAccepted(section: Section, build: Build, opening = OPENING): Promise<Inputs> {
  const ofModel = new World();
  const operation = lawfulForm(ofModel.ledger, build(ofModel));
  const header = {
    oldRoot: ofModel.ledger.root,
    oldNextId: ofModel.ledger.nextId,
    batchNumber: 1n,
    firstOpIndex: 0n,
  };
  const builder = new BatchBuilder(ofModel.ledger, { ...opening, ...header });
  builder.add(operation);
  const { data } = builder.close();
  const ofCircuit = new World();
  const inputs = inputsFor(ofCircuit, section, build(ofCircuit), opening);
  expect(ofCircuit.ledger.root, "lawlessSlot differs from the model").toBe(data.newRoot);
  const witness = await testerOf(section).calculateWitness(inputs);
  const lastRoot = testerOf(section).readSignal(witness, "main.frame.e[2]");
  expect(lastRoot, "the circuit differs from the model").toBe(data.newRoot);
  return inputs;
}

/** Statements that hold the prover's openings of bodies and counters to the leaves. */
const OPENINGS = [
  "(isApproval + isSeal + isSettle + isCollect + isGenesis + opensForced) * (oldBody.out - bodyB) === 0;",
  "(isPublish + isApprove) * (oldBody.out - bodyA) === 0;",
  "(isPay + opensModel) * (countersB - (ready + COUNTER_APPROVED() * approved + COUNTER_CAP() * cap + COUNTER_PAYMENT_COUNT() * paymentCount + COUNTER_EPOCH() * epoch + COUNTER_PRICE() * price)) === 0;",
];
const credulous = new Map<BatchShape, Promise<CircuitTester>>();
/** The circuit that believes every opening. */
function credulousTester(section: Section): Promise<CircuitTester> {
  const shape = section === "wide" ? WIDE_SHAPE : SHAPE;
  const spec = batchCircuitSpec(shape, DEPTH);
  const load = () =>
    CircuitTester.compile(`${spec.name}-credulous`, sourceWithout(spec.mainSource, OPENINGS));
  const tester = credulous.get(shape) ?? load();
  credulous.set(shape, tester);
  return tester;
}

/** There is no witness, and the statement that refuses is the one that the rule is written in. */
export const expectNoWitness = (inputs: Inputs, at: string, message: string, by = tester) =>
  expectRefusedBy(by, inputs, at, message);

export function expectModelRefuses(build: Build, code: string, message: string, opening = OPENING): void {
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

export interface Forgery {
  readonly rule: string;
  readonly kind: number;
  readonly sections?: readonly Section[];
  /** A lawful operation next to the forged one, where the kind's usual one is not next enough. */
  readonly lawful?: Build;
  readonly forged: Build;
  /** A change of the inputs on top. */
  readonly tamper?: (inputs: Inputs, section: Section) => void;
  /** Part of the statement that refuses. */
  readonly at: string | Record<Section, string>;
  /** The model's refusal; absent where the model computes what the forger claims, or takes it from L1. */
  readonly code?: string;
  readonly opening?: typeof OPENING;
}

export async function expectForgeryFails(forgery: Forgery): Promise<void> {
  const { rule, kind, lawful, forged, tamper, at, code, opening = OPENING } = forgery;
  for (const section of forgery.sections ?? sectionsOf(kind)) {
    const message = `${nameOf(kind)} ${section}, ${rule}`;
    if (lawful !== undefined) await expectAccepted(section, lawful);
    const world = new World();
    const inputs = inputsFor(world, section, forged(world), opening);
    tamper?.(inputs, section);
    const statement = typeof at === "string" ? at : at[section];
    await expectNoWitness(inputs, statement, message, testerOf(section));
    // A false opening would otherwise pass: all else is made for it. What is not tampered with has no opening at all.
    if (tamper !== undefined && OPENINGS.some((opening) => opening.includes(statement))) {
      const witness = (await credulousTester(section)).calculateWitness(inputs);
      await expect(witness, `${message}: refused by more than its opening`).resolves.toBeDefined();
    }
    if (code !== undefined) expectModelRefuses(forged, code, message, opening);
  }
}

export const AUTHORISATION = "Authorisation:";
// The tree differs from the one that the honest effect leaves, or the leaf from the one that the tree holds.
export const PATH = "PathUpdate8: oldRoot === level[depth - 1].oldNode;";
export const LEAF = "NodeUpdate8: bits[2] * (at1[1] - at1[0]) === oldChild - at1[0];";
export const NO_KIND = "LeafTag: low * (tag - TAG_MODEL())";
export const BALANCE = "balanceRange.in <== newBalanceA;";
export const CREDIT = "creditRange.in <== credited;";

/** Replaces one value of an input array: path [row, column]. */
export function setInput(inputs: Inputs, name: string, path: readonly number[], value: bigint): void {
  const copy = structuredClone(inputs[name]) as unknown[];
  let row: unknown[] = copy;
  for (const index of path.slice(0, -1)) row = row[index] as unknown[];
  row[path.at(-1)!] = value;
  (inputs as Record<string, unknown>)[name] = copy;
}
/** Sets the digits of what the active kind compares. */
export function setScratch(inputs: Inputs, value: bigint): void {
  for (let i = 0; i < 201; i++) setInput(inputs, "wideScratchBits", [0, i], (value >> BigInt(i)) & 1n);
}
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

/** One test for each forgery. */
export const testForgeries = (forgeries: readonly Forgery[]) => {
  it.each(forgeries.map((forgery) => [`${nameOf(forgery.kind)}: ${forgery.rule}`, forgery] as const))(
    "refuses %s",
    (_name, forgery) => expectForgeryFails(forgery),
  );
};
export const withLeaf =
  (id: number, changes: Partial<Leaf>, operation: LawlessOperation): Build =>
  (world) => {
    world.set(id, changes);
    return operation;
  };
