import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { postedShape } from "@openledger/circuits/table/table-shape";
import { OPEN, RandomLedger, TEST_DOMAIN } from "@openledger/circuits/testing/random-ledger";
import { realFirst } from "@openledger/circuits/wire/groth16-proof";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { beforeAll, expect, it } from "vitest";
import type { ProofReport } from "../store/stored-batch.ts";
import { BatchRegistry } from "./batch-registry.ts";
import { closeBatch } from "./close-batch.ts";
import { HeadState } from "./head-state.ts";

beforeAll(initPoseidon);

const SHAPE = postedShape({ transfers: 2, members: 2, wide: 2, rows: 4, units: 2, low: 1, top: 1 });
const POINT = [0n, 0n] as const;
const PROOF: ProofReport = {
  proof: { a: POINT, b: realFirst(POINT, POINT), c: POINT },
  backend: "none",
  timings: {},
  provenAtMs: 0,
};
const INCLUSION = { transactionHash: "0x", blockNumber: 1, gasUsed: 1 };

it("counts the batches without a proof, whatever becomes of them", () => {
  const random = new TestRandom(11);
  const { ledger } = new RandomLedger(1, 2);
  const start = {
    batchNumber: 0,
    root: ledger.root,
    nextId: ledger.nextId,
    opIndex: 0,
    queueHead: 0,
    timestamp: 0n,
  };
  const head = new HeadState(ledger, { domain: TEST_DOMAIN, idFeeWei: OPEN, shape: SHAPE }, start);
  const registry = new BatchRegistry({ ...start, sequence: 0 }, ledger);
  const data = { choose: () => ({ place: "calldata", circuitId: 5n }) as const };
  const close = () => {
    head.openNext({ timestamp: 1n, feeAccountId: 1, feePerUnitWei: 1n });
    const times = { openedAtMs: 0, closedAtMs: 0, firstSequence: 0, sequence: 0, rebuildCount: 0 };
    closeBatch({ head, registry, data }, times);
  };
  /** A batch that is not final. */
  const any = () => {
    if (registry.closedNumber === registry.finalNumber) close();
    return registry.record(
      registry.finalNumber + 1 + random.below(random.pick([1, registry.closedNumber - registry.finalNumber])),
    )!;
  };
  const replaceAfter = (base: number) => {
    const removed = registry.record(base + 1);
    const isForeign = removed !== undefined && random.below(2) === 0;
    const status = random.pick(["posted", "final"] as const);
    const foreign = isForeign && base === registry.finalNumber ? [{ ...removed, isForeign, status }] : [];
    registry.replaceAfter(
      base,
      foreign.map((record) => [record, []]),
    );
    head.rollBack(new Map(), registry.positionAfter(registry.closedNumber));
  };
  const counts = new Set<number>();
  for (let step = 0; step < 400; step++) {
    const { batchHash, number, publicSignals } = any();
    const status = random.pick(["submitted", "posted", "final", "dropped"] as const);
    const act = random.pick([
      close,
      close,
      close,
      () => registry.addProof(number, batchHash, publicSignals, PROOF),
      () => registry.report(number, { batchHash, status, inclusion: INCLUSION }, 0),
      () => random.below(8) > 0 || replaceAfter(number - 1),
    ]);
    try {
      act();
    } catch (error) {
      if (!isRollupError(error, "SEQ_BATCH_CONFLICT")) throw error;
    }
    expect(registry.unprovenCount).toBe(registry.unproven().length);
    counts.add(registry.unprovenCount);
  }
  expect(counts.size).toBeGreaterThan(5);
  expect(registry.finalNumber).toBeGreaterThan(5);
});
