/** Tests of the circuit's side of L1's queue entries: each kind, executable or not. */
import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import type { QueueOperation } from "../ledger/operation.ts";
import { PAYEE_ROLE } from "../ledger/rewards.ts";
import { FIELD_ORDER, KIND, MAX_AMOUNT_WEI, WITHDRAW_ALL_WEI } from "../protocol.ts";
import { tableCircuitSpec } from "../registry/circuit-registry.ts";
import { closedInputs, closedStatement, TableBuilder } from "../table/table-builder.ts";
import { postedShape, type TableShape } from "../table/table-shape.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { OPEN, RandomLedger } from "../testing/random-ledger.ts";
import { replayBatch } from "./batch.ts";
import { decodeWire, encodeWire } from "./batch-data.ts";
import { packClaim } from "./epoch-operations.ts";

/** Batches of queue entries alone, at the real depth: ids have all 24 bits. The table stays empty. */
const TABLE: TableShape = { transfers: 1, members: 1, wide: 3, rows: 2, units: 1, low: 1, top: 1 };
const SHAPE = postedShape(TABLE);
const DEPTH = 8;

await initPoseidon();
const tester = await CircuitTester.compileSpec(tableCircuitSpec(TABLE, DEPTH));

const address = fc.oneof(fc.constantFrom(1n, 0xa002n, 2n ** 160n - 1n), fc.bigInt(1n, 2n ** 160n - 1n));
const field = fc.oneof(fc.constantFrom(0n, 1n, FIELD_ORDER - 1n), fc.bigInt(0n, FIELD_ORDER - 1n));
const id = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.constantFrom(2 ** 24 - 1),
  fc.integer({ min: 0, max: 2 ** 24 - 1 }),
);
// All OPEN there is: a deposit cannot be larger, as its tokens were transferred.
const deposit = fc.oneof(fc.constantFrom(OPEN, 10n ** 27n), fc.bigInt(OPEN, 10n ** 27n));
const expected = fc.oneof(
  fc.constantFrom(1n, WITHDRAW_ALL_WEI, MAX_AMOUNT_WEI - 1n, 1000n * OPEN),
  fc.bigInt(1n, MAX_AMOUNT_WEI),
);
const empty = { queueIndex: 0, a: 0, b: 0, amountWei: 0n, word1: 0n, word2: 0n, word3: 0n, word4: 0n };

/** Entries exactly as RollupQueue.sol accepts them: ranges, zero checks, unused fields 0. */
const entry: fc.Arbitrary<QueueOperation> = fc.oneof(
  fc
    .record({ amountWei: deposit, word1: address, word2: field, sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.depositNew })),
  fc
    .record({ b: id, amountWei: deposit, word1: address, sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.depositTo })),
  fc
    .record({ a: id, amountWei: expected, word1: address, sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedWithdraw })),
  fc
    .record({ a: id, word1: field, sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedSetKey })),
  fc
    .record({ a: id, word1: address, sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedSetOwner })),
  fc
    .record({ a: id, b: id, amountWei: expected, word1: address, sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedTransfer })),
  fc
    .record({
      a: id,
      b: id,
      payeeIndex: fc.integer({ min: 0, max: 255 }),
      isValidator: fc.boolean(),
      sender: address,
    })
    .map(({ payeeIndex, isValidator, ...e }) => ({
      ...empty,
      ...e,
      word1: packClaim(payeeIndex, isValidator ? PAYEE_ROLE.validator : PAYEE_ROLE.contributor),
      kind: KIND.forcedClaimRewards,
    })),
  fc
    .record({ b: id, word1: fc.bigInt(1_700_000_000n, 2n ** 40n - 1n), sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedCloseEpoch })),
  fc
    .record({ a: id, b: id, amountWei: expected, word1: address, word2: field, sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedPayInference })),
  fc
    .record({ a: id, b: id, word1: field, word2: field, sender: address })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedRevokeModel })),
  fc
    .record({
      a: id,
      b: id,
      amountWei: fc.bigInt(0n, 2n ** 79n - 1n),
      word1: address,
      word2: field,
      sender: address,
    })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedApproveModel })),
  fc
    .record({
      a: id,
      b: id,
      amountWei: fc.bigInt(0n, 2n ** 32n - 1n),
      word1: field,
      word2: field,
      sender: address,
    })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedCommitData })),
  fc
    .record({
      a: id,
      amountWei: fc.bigInt(0n, 2n ** 32n - 1n),
      word1: field,
      word2: field,
      word3: field,
      word4: field,
      sender: address,
    })
    .map((e) => ({ ...empty, ...e, kind: KIND.forcedPublishVersion })),
);

describe("a batch of queue entries", () => {
  it("has a witness for every entry that L1 accepts, executable or not", { timeout: 300_000 }, async () => {
    let seed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(entry, fc.boolean()), { minLength: 1, maxLength: 3 }),
        async (drawn) => {
          seed += 1;
          const world = new RandomLedger(seed, DEPTH);
          const fullNode = new RandomLedger(seed, DEPTH).ledger;
          const builder = new TableBuilder(world.ledger, world.opening(SHAPE));
          for (const [operation, isOwner] of drawn) {
            // Half of the entries come from the leaf's owner, where there is a leaf.
            const target = world.ledger.opened(
              operation.kind === KIND.depositTo ? operation.b : operation.a,
            ).leaf;
            const owner = isOwner && target.l1Owner !== 0n ? target.l1Owner : null;
            const word1 = operation.kind === KIND.depositTo ? (owner ?? operation.word1) : operation.word1;
            builder.add({ ...operation, word1, sender: owner ?? operation.sender });
          }
          const closed = builder.close();
          const { data } = closed.batch;
          const statement = closedStatement(closed, 5n);
          const witness = await tester.calculateWitness(closedInputs(closed, statement.z, DEPTH));
          expect(tester.readOutput(witness, "commitment")).toBe(statement.commitment);
          expect(tester.readOutput(witness, "y")).toBe(statement.y);
          replayBatch(fullNode, decodeWire(encodeWire(data), SHAPE, data));
          expect(fullNode.root).toBe(world.ledger.root);
        },
      ),
      { numRuns: runs(60) },
    );
  });
});
