import { beforeAll, describe, expect, it } from "vitest";
import { BatchBuilder, replayBatch } from "./batch.ts";
import { batchElements, batchStatement, decodeWire, encodeWire } from "./batch-data.ts";
import { batchInputs } from "./batch-inputs.ts";
import { batchCircuitSpec } from "./circuit-registry.ts";
import { CircuitTester } from "./circuit-tester.ts";
import { initPoseidon } from "./poseidon.ts";
import { KIND_RULES } from "./protocol.ts";
import { RandomLedger } from "./random-ledger.ts";

const DEPTH = 2;
const SHAPE = { narrow: 2, wide: 2 };
const CIRCUIT_ID = 77n;

let tester: CircuitTester;
beforeAll(async () => {
  await initPoseidon();
  const spec = batchCircuitSpec(SHAPE, DEPTH);
  tester = await CircuitTester.compile(spec.name, spec.mainSource);
});

function randomBatch(world: RandomLedger) {
  const builder = new BatchBuilder(world.ledger, world.opening(SHAPE));
  const { traces, refusedCodes } = world.fill(builder, SHAPE);
  const sealed = builder.seal();
  const statement = batchStatement(sealed.data, CIRCUIT_ID);
  return { sealed, statement, traces, refusedCodes };
}

describe("LedgerBatch", () => {
  it("agrees with the model on random batches of all kinds", async () => {
    const kinds = new Map<string, number>();
    for (let seed = 1; seed <= 10; seed++) {
      const world = new RandomLedger(seed, DEPTH);
      const follower = new RandomLedger(seed, DEPTH).ledger;
      for (let i = 0; i < 10; i++) {
        if (world.ledger.nextId > 55) break;
        const { sealed, statement, traces } = randomBatch(world);
        for (const { record } of traces) kinds.set(`${record.kind}${record.isValid ? "+" : ""}`, (kinds.get(`${record.kind}${record.isValid ? "+" : ""}`) ?? 0) + 1);
        const witness = await tester.calculateWitness(batchInputs(sealed, statement.z, DEPTH));
        expect(tester.checkConstraints(witness), `seed ${seed} batch ${i}`).toBeNull();
        expect(tester.readOutput(witness, "commitment")).toBe(statement.commitment);
        expect(tester.readOutput(witness, "y")).toBe(statement.y);
        const decoded = decodeWire(encodeWire(sealed.data), SHAPE, sealed.data);
        expect(batchElements(decoded)).toEqual(batchElements(sealed.data));
        replayBatch(follower, decoded);
      }
    }
    console.log(kinds);
  });
});
