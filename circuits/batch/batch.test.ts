import { isWhole } from "@openledger/foundation/testing/test-random";
import { beforeAll, describe, expect, it } from "vitest";
import { batchStatement } from "../blob/batch-statement.ts";
import { dataCommitment } from "../field/element-vector.ts";
import { initPoseidon } from "../field/poseidon.ts";
import { KIND, KIND_RULES, TAG } from "../protocol.ts";
import { batchCircuitSpec } from "../registry/circuit-registry.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { RandomLedger } from "../testing/random-ledger.ts";
import { BatchBuilder, type ClosedBatch, type PlacedTrace, replayBatch } from "./batch.ts";
import { batchElements, committedElements, decodeWire, encodeWire } from "./batch-data.ts";
import { batchInputs } from "./batch-inputs.ts";

/** 64 leaves: the same templates as depth 8, a third of the hashing. */
const DEPTH = 2;
const SHAPE = { narrow: 2, wide: 2 };
const CIRCUIT_ID = 77n;

let tester: CircuitTester;
beforeAll(async () => {
  await initPoseidon();
  const spec = batchCircuitSpec(SHAPE, DEPTH);
  tester = await CircuitTester.compile(spec.name, spec.mainSource);
});

function closeRandomBatch(world: RandomLedger) {
  const builder = new BatchBuilder(world.ledger, world.opening(SHAPE));
  const filled = world.fill(builder, SHAPE);
  const closed = builder.close();
  return { closed, statement: batchStatement(closed.data, CIRCUIT_ID), ...filled };
}

const inputsOf = (closed: ClosedBatch) =>
  batchInputs(closed, batchStatement(closed.data, CIRCUIT_ID).z, DEPTH);

describe("LedgerBatch", () => {
  // circom's witness program asserts every constraint as it goes; the independent R1CS check runs on a sample.
  const wantedCount = isWhole ? 500 : 24;
  it(`agrees with the model on ${wantedCount} random batches of all kinds, valid and invalid`, {
    timeout: 1_800_000,
  }, async () => {
    const seen = new Map<string, number>();
    const refused = new Set<string>();
    let batchCount = 0;
    for (let seed = 1; batchCount < wantedCount; seed++) {
      const world = new RandomLedger(seed, DEPTH);
      const follower = new RandomLedger(seed, DEPTH).ledger;
      // Creates use the tree up; 60 of its 64 leaves are left to the last batches of a world.
      for (let i = 0; i < 30 && batchCount < wantedCount; i++, batchCount++) {
        const { closed, statement, traces, refusedCodes, settlements } = closeRandomBatch(world);
        for (const { record } of traces) {
          const name = `${record.kind}${record.isValid ? " executed" : ""}`;
          seen.set(name, (seen.get(name) ?? 0) + 1);
        }
        for (const code of refusedCodes) refused.add(code);
        const witness = await tester.calculateWitness(batchInputs(closed, statement.z, DEPTH));
        const at = `seed ${seed}, batch ${i}`;
        if (batchCount % 25 === 0) expect(tester.checkConstraints(witness), at).toBeNull();
        expect(tester.readOutput(witness, "commitment"), at).toBe(statement.commitment);
        expect(tester.readOutput(witness, "y"), at).toBe(statement.y);
        const decoded = decodeWire(encodeWire(closed.data), SHAPE, closed.data);
        expect(batchElements(decoded), at).toEqual(batchElements(closed.data));
        replayBatch(follower, decoded, settlements);
        expect(follower.totalWei(), at).toBe(world.ledger.totalWei());
      }
    }
    expect(refused.size).toBeGreaterThan(2);
    // Fewer batches do not meet every kind, executed and refused.
    if (!isWhole) return;
    const queueKinds = KIND_RULES.filter((rule) => rule.isQueue).map((rule) => rule.kind);
    const signedKinds = KIND_RULES.filter((rule) => rule.isSigned).map((rule) => rule.kind);
    const expected = [
      ...signedKinds.map(String),
      `${KIND.settle}`,
      `${KIND.genesis}`,
      ...queueKinds.flatMap((kind) => [`${kind}`, `${kind} executed`]),
    ];
    // A deposit to a new account fails on a full tree only, which these worlds may reach or not.
    expect([...seen.keys()]).toEqual(expect.arrayContaining(expected.filter((name) => name !== "16")));
  });

  it("conserves OPEN: deposits in, withdrawals and burned id fees out", () => {
    const world = new RandomLedger(4711, DEPTH);
    for (let i = 0; i < 20; i++) {
      const before = world.ledger.totalWei();
      const { closed, burnedWei } = closeRandomBatch(world);
      let expected = before - burnedWei;
      for (const { kind, words, isValid } of [...closed.data.narrow, ...closed.data.wide]) {
        if ((kind === 16 || kind === 17) && isValid) expected += words[0]!;
        if (kind === 18) expected -= words[4]!;
        if (kind === 7) expected -= words[1]!;
        if (kind >= 4 && kind <= 6) expected -= closed.data.idFeeWei;
      }
      expect(world.ledger.totalWei()).toBe(expected);
    }
  });

  it("notices every altered wire that is not an input", { timeout: 300_000 }, async () => {
    // Two worlds, so that the flags that are 0 in one batch are 1 in another.
    for (const seed of [3, 12]) {
      const { closed } = closeRandomBatch(new RandomLedger(seed, DEPTH));
      const witness = await tester.calculateWitness(inputsOf(closed));
      const inputWires =
        tester.header.privateInputCount + tester.header.publicInputCount + tester.header.publicOutputCount;
      const findings = tester.tamper(witness).filter(({ wire }) => wire > inputWires);
      // IsEqual's inverse is free where its inputs are equal, and nothing else reads it (range-check.circom).
      expect(findings.filter(({ signal }) => !signal.endsWith(".inverse"))).toEqual([]);
    }
  });

  it("binds every input of a used slot to the commitment, the root or the signature", async () => {
    const world = new RandomLedger(21, DEPTH);
    const { closed, statement } = closeRandomBatch(world);
    const honest = inputsOf(closed);
    await tester.calculateWitness(honest);
    const bound = [
      ...[
        "oldRoot",
        "feeLeaf",
        "feeChildren",
        "feeIdBits",
        "narrowFlags",
        "narrowABits",
        "narrowBBits",
        "narrowAmountBits",
      ],
      ...[
        "narrowPayload",
        "narrowA",
        "narrowB",
        "narrowChildrenA",
        "narrowChildrenB",
        "wideFlags",
        "wideABits",
        "wideBBits",
      ],
      ...["wideAmountBits", "wideWords", "wideIsMissing", "wideA", "wideB", "wideChildrenA", "wideChildrenB"],
    ];
    for (const name of bound) {
      const altered = structuredClone(honest) as Record<string, unknown>;
      const bump = (value: unknown): unknown =>
        Array.isArray(value) ? [bump(value[0]), ...value.slice(1)] : (value as bigint) + 1n;
      altered[name] = bump(altered[name]);
      const outcome = await tester.calculateWitness(altered as typeof honest).then(
        (witness) => ({
          commitment: tester.readOutput(witness, "commitment"),
          y: tester.readOutput(witness, "y"),
        }),
        () => null,
      );
      // Either there is no witness, or the proof speaks of other data than L1 has.
      if (outcome !== null) expect(outcome.commitment, name).not.toBe(statement.commitment);
    }
  });

  it("puts the payload of an absent place to nothing and refuses a forged presence", async () => {
    const world = new RandomLedger(8, DEPTH);
    const builder = new BatchBuilder(world.ledger, world.opening(SHAPE));
    const closed = builder.close();
    const inputs = inputsOf(closed) as Record<string, bigint[]>;
    await expect(tester.calculateWitness({ ...inputs, narrowPayload: [5n, 0n] })).rejects.toThrow();
    const witness = await tester.calculateWitness(inputs);
    for (const signal of ["main.frame.narrowHasPayload[0]", "main.frame.wideHasWord[1][3]"]) {
      expect(tester.checkConstraints(tester.forge(witness, { [signal]: 1n })), signal).not.toBeNull();
    }
  });

  it("refuses a used slot behind a null one", async () => {
    const world = new RandomLedger(9, DEPTH);
    const builder = new BatchBuilder(world.ledger, world.opening(SHAPE));
    builder.add(world.operation(false));
    const inputs = inputsOf(builder.close()) as Record<string, unknown[]>;
    await tester.calculateWitness(inputs as never);
    const swapped = Object.fromEntries(
      Object.entries(inputs).map(([name, rows]) => [
        name,
        name.startsWith("narrow") ? [...rows].reverse() : rows,
      ]),
    );
    await expect(tester.calculateWitness(swapped as never)).rejects.toThrow();
  });
});

describe("BatchBuilder.add", () => {
  it("says in which slot the operation is: where the closed batch has its trace", () => {
    for (const shape of [SHAPE, { narrow: 0, wide: 3 }, { narrow: 4, wide: 1 }]) {
      const world = new RandomLedger(10 + shape.wide, DEPTH);
      const builder = new BatchBuilder(world.ledger, world.opening(shape));
      const placed: PlacedTrace[] = [];
      // The second wide one closes the narrow section.
      for (const isWide of [false, true, false, false]) {
        const operation = isWide ? world.operation(true) : world.transfer();
        if (builder.hasRoomFor(operation.kind)) placed.push(builder.add(operation));
      }
      expect(builder.operationCount).toBe(placed.length);
      const { narrow, wide } = builder.close();
      const all = [...narrow, ...wide];
      expect(placed.length).toBeGreaterThan(1);
      for (const { slot, trace } of placed) expect(all[slot]).toBe(trace);
    }
  });
});

describe("dataCommitment", () => {
  it("changes with every element and with the length", () => {
    const { closed } = closeRandomBatch(new RandomLedger(2, DEPTH));
    const elements = committedElements(closed.data);
    const commitments = new Set([dataCommitment(elements), dataCommitment([...elements, 0n])]);
    for (const [i, element] of elements.entries()) {
      commitments.add(dataCommitment(elements.with(i, element + 1n)));
    }
    expect(commitments.size).toBe(elements.length + 2);
    expect(TAG.data).toBe(5n);
  });
});
