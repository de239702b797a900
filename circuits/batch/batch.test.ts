import { isWhole } from "@openledger/foundation/testing/test-random";
import { describe, expect, it } from "vitest";
import { dataCommitment } from "../field/element-vector.ts";
import { KIND, KIND_RULES, TAG } from "../protocol.ts";
import {
  type ClosedTableBatch,
  closedInputs,
  closedStatement,
  TableBuilder,
} from "../table/table-builder.ts";
import { absorbedElements } from "../table/table-data.ts";
import { postedShape } from "../table/table-shape.ts";
import { outcomesOf, RandomLedger, signFor } from "../testing/random-ledger.ts";
import { BATCH_TABLE, batchTester, BATCH_DEPTH as DEPTH } from "../testing/table-world.ts";
import { replayBatch, type SourcedTrace } from "./batch.ts";
import { batchElements, decodeWire, encodeWire } from "./batch-data.ts";

const SHAPE = postedShape(BATCH_TABLE);
const CIRCUIT_ID = 77n;

const tester = await batchTester();

function closeRandomBatch(world: RandomLedger) {
  const builder = new TableBuilder(world.ledger, world.opening(SHAPE));
  const filled = world.fill(builder, SHAPE);
  const closed = builder.close();
  return { closed, data: closed.batch.data, statement: closedStatement(closed, CIRCUIT_ID), ...filled };
}

const inputsOf = (closed: ClosedTableBatch) =>
  closedInputs(closed, closedStatement(closed, CIRCUIT_ID).z, DEPTH);

describe("TableBatch", () => {
  // circom's witness program asserts every constraint as it goes; the independent R1CS check runs on a sample.
  const expectedCount = isWhole ? 200 : 12;
  it(`agrees with the model on ${expectedCount} random batches of all kinds, valid and invalid`, {
    timeout: 1_800_000,
  }, async () => {
    const seen = new Map<string, number>();
    const refused = new Set<string>();
    let batchCount = 0;
    for (let seed = 1; batchCount < expectedCount; seed++) {
      const world = new RandomLedger(seed, DEPTH, seen);
      const fullNode = new RandomLedger(seed, DEPTH).ledger;
      // Creates use the tree up; 60 of its 64 leaves are left to the last batches of a world.
      for (let i = 0; i < 30 && batchCount < expectedCount; i++, batchCount++) {
        const { closed, data, statement, refusedCodes, settlements } = closeRandomBatch(world);
        for (const code of refusedCodes) refused.add(code);
        const witness = await tester.calculateWitness(closedInputs(closed, statement.z, DEPTH));
        const at = `seed ${seed}, batch ${i}`;
        if (batchCount % 25 === 0) expect(tester.checkConstraints(witness), at).toBeNull();
        expect(tester.readOutput(witness, "commitment"), at).toBe(statement.commitment);
        expect(tester.readOutput(witness, "y"), at).toBe(statement.y);
        const decoded = decodeWire(encodeWire(data), SHAPE, data);
        expect(batchElements(decoded), at).toEqual(batchElements(data));
        replayBatch(fullNode, decoded, settlements);
        expect(fullNode.totalWei(), at).toBe(world.ledger.totalWei());
      }
    }
    expect(refused.size).toBeGreaterThan(isWhole ? 2 : 1);
    // Fewer batches do not meet every kind, executed and refused.
    if (!isWhole) return;
    const outcomes = KIND_RULES.filter(({ kind }) => kind !== KIND.null).flatMap(outcomesOf);
    expect(outcomes.length).toBe(40);
    expect([...seen.keys()]).toEqual(expect.arrayContaining(outcomes));
  });

  it("conserves OPEN: deposits in, withdrawals and burned id fees out", () => {
    const world = new RandomLedger(4711, DEPTH);
    for (let i = 0; i < 20; i++) {
      const before = world.ledger.totalWei();
      const { data, burnedWei } = closeRandomBatch(world);
      let expected = before - burnedWei;
      for (const { kind, words, isValid } of [...data.narrow, ...data.wide]) {
        if ((kind === 16 || kind === 17) && isValid) expected += words[0]!;
        if (kind === 18) expected -= words[4]!;
        if (kind === 7) expected -= words[1]!;
        if (kind >= 4 && kind <= 6) expected -= data.idFeeWei;
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
    const builder = new TableBuilder(world.ledger, world.opening(SHAPE));
    const [payer] = world.accounts;
    builder.add(world.transfer());
    builder.add(
      signFor(world.ledger, payer!.secret, {
        kind: KIND.commitData,
        a: payer!.id,
        b: world.datanets[0]!.id,
        amountCode: 4n,
        words: [5n],
      }),
    );
    builder.add(signFor(world.ledger, payer!.secret, { kind: KIND.withdraw, a: payer!.id, words: [9n, 1n] }));
    const closed = builder.close();
    const { commitment } = closedStatement(closed, CIRCUIT_ID);
    const honest = inputsOf(closed);
    await tester.calculateWitness(honest);
    const slot = ["Used", "ABits", "BBits", "AmountBits", "NextBits", "SlackBits", "BRef", "Signature"];
    const bound = [
      "oldRoot",
      "feeLeaf",
      "feeChildren",
      "feeIdBits",
      "old",
      "now",
      "touched",
      ...slot.flatMap((name) => [`transfer${name}`, `member${name}`]),
      "memberPayload",
      "memberIsPay",
      "memberChain",
      "memberOpen",
      "memberSurplusBits",
      "memberGapBits",
      "rowIdBits",
      "rowFirst",
      "rowIsMember",
      "rowAskedBits",
      "rowLeaf",
      "rowNewNonce",
      "rowNewBalance",
      "rowNewRest",
      "rowChildren",
      "unitIdBits",
      "unitIsUsed",
      "unitIsModel",
      "unitAskedBits",
      "unitLastBits",
      "unitRef",
      "unitState",
      "wideFlags",
      "wideABits",
      "wideBBits",
      "wideAmountBits",
      "wideWords",
      "wideIsMissing",
      "wideA",
      "wideB",
      "wideChildrenA",
      "wideChildrenB",
    ];
    for (const name of bound) {
      const altered = structuredClone(honest) as Record<string, unknown>;
      const bump = (value: unknown): unknown =>
        Array.isArray(value) ? [bump(value[0]), ...value.slice(1)] : (value as bigint) + 1n;
      altered[name] = bump(altered[name]);
      const outcome = await tester.calculateWitness(altered as typeof honest).then(
        (witness) => tester.readOutput(witness, "commitment"),
        () => null,
      );
      // Either there is no witness, or the proof speaks of other data than L1 has.
      if (outcome !== null) expect(outcome, name).not.toBe(commitment);
    }
  });

  it("puts the payload of an absent place to nothing and refuses a forged presence", async () => {
    const world = new RandomLedger(8, DEPTH);
    const inputs = inputsOf(new TableBuilder(world.ledger, world.opening(SHAPE)).close()) as Record<
      string,
      bigint[]
    >;
    await expect(tester.calculateWitness({ ...inputs, memberPayload: [5n, 0n] })).rejects.toThrow();
    const witness = await tester.calculateWitness(inputs);
    for (const signal of ["main.memberUsed[0]", "main.frame.wideHasWord[1][3]"]) {
      expect(tester.checkConstraints(tester.forge(witness, { [signal]: 1n })), signal).not.toBeNull();
    }
  });

  it("refuses a used slot behind a null one", async () => {
    const world = new RandomLedger(9, DEPTH);
    const builder = new TableBuilder(world.ledger, world.opening(SHAPE));
    builder.add(world.transfer());
    builder.add(world.queueEntry(KIND.depositTo));
    const inputs = inputsOf(builder.close()) as Record<string, unknown[]>;
    await tester.calculateWitness(inputs as never);
    for (const section of ["transfer", "wide"]) {
      const swapped = Object.entries(inputs).map(([name, rows]) => [
        name,
        name.startsWith(section) ? [...rows].reverse() : rows,
      ]);
      await expect(tester.calculateWitness(Object.fromEntries(swapped)), section).rejects.toThrow();
    }
  });
});

describe("TableBuilder.add", () => {
  it("says in which slot the operation is: where the closed batch has it", () => {
    for (const seed of [11, 12, 13]) {
      const world = new RandomLedger(seed, DEPTH);
      const builder = new TableBuilder(world.ledger, world.opening(SHAPE));
      const placed: SourcedTrace[] = [];
      // The later transfers have a position in the table where they name other leaves than the wide slot.
      for (const isWide of [false, true, false, false]) {
        const operation = isWide ? world.queueEntry(KIND.depositTo) : world.transfer();
        if (builder.hasRoomFor(operation)) placed.push(builder.add(operation));
      }
      expect(builder.operationCount).toBe(placed.length);
      const { batch } = builder.close();
      expect(placed.length).toBeGreaterThan(1);
      for (const { slot, trace } of placed) {
        const { narrow } = batch.data.shape;
        expect(slot < narrow ? batch.data.narrow[slot] : batch.wide[slot - narrow]!.record).toBe(
          trace.record,
        );
      }
    }
  });
});

describe("absorbedElements", () => {
  it("are committed to each, and so is their number", () => {
    const { data, closed } = closeRandomBatch(new RandomLedger(2, DEPTH));
    const elements = absorbedElements(data, closed.layout);
    const commitments = new Set([dataCommitment(elements), dataCommitment([...elements, 0n])]);
    for (const [i, element] of elements.entries()) {
      commitments.add(dataCommitment(elements.with(i, element + 1n)));
    }
    expect(commitments.size).toBe(elements.length + 2);
    expect(TAG.data).toBe(5n);
  });
});
