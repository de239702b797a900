/**
 * Settlement of an epoch: every refusal before the proof with its code, that nothing is proven by any, and that the command has
 * words for each. A real sequencer; proofs have known trapdoors. Void draws are in auto-settle.all.test.ts.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { createModelWorld, type ModelWorld } from "@openledger/client/testing/model-world";
import { codesWithoutWords } from "@openledger/client/testing/refusal-words";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SettledPublication, type SettleEpochParameters, settleEpoch } from "./settle-epoch.ts";

let made: ModelWorld;
let bob: LedgerClient;
let modelId: number;
let circuits: readonly RollupCircuit[];

beforeAll(async () => {
  made = await createModelWorld();
  ({ bob, modelId } = made);
  circuits = made.deployment.circuits.map((circuit, index) => ({ ...circuit, index }) as never);
}, 60_000);
afterAll(() => made?.close());

/** Files of another model: their commitment is not the registered one. */
async function published(): Promise<SettledPublication> {
  const leaf = await getModel(bob, modelId);
  const { hash: _, ...statics } = staticsOf(leaf);
  const features = { values: new Int8Array(9 * 16), rowCount: 9, featureCount: 16 };
  const columns = { u: new Array<bigint>(16).fill(0n), v: new Array<bigint>(16).fill(0n) };
  const model = { statics, payees: leaf.payees, features, columns: [columns], answeringHash: 0n };
  return { model: model as never, openings: new Map() };
}

const parameters = (changes: Partial<SettleEpochParameters> = {}): SettleEpochParameters => ({
  ...{ modelId, circuits, signer: null },
  division: { by: "draws", published },
  prove: async () => expect.unreachable("it proves"),
  ...changes,
});

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly data?: object;
  readonly before?: () => Promise<void>;
  readonly changes?: () => Partial<SettleEpochParameters>;
}
const byRows = () => ({ division: { by: "rows" } }) as const;
/** In the order in which they are met: what one row does, the next ones find. */
const REFUSALS: readonly Refusal[] = [
  { name: "an epoch that nobody has closed", code: "OP_NOTHING_CLOSED", before: () => made.until("pay") },
  {
    name: "another epoch than the closed one",
    code: "OP_NOTHING_CLOSED",
    before: () => made.until("closeEpoch"),
    changes: () => ({ epoch: 2 }),
  },
  {
    name: "draws before L1 has their randomness",
    code: "CLI_TOO_EARLY",
    data: { reason: "no-randomness" },
  },
  {
    name: "row counts before the ledger's time",
    code: "CLI_TOO_EARLY",
    data: { reason: "before-default-split" },
    changes: byRows,
  },
  {
    name: "a rollup without a circuit for it",
    code: "CLI_CIRCUIT_MISSING",
    before: () => made.until("randomness"),
    changes: () => ({ circuits: [] }),
  },
  { name: "row counts, though draws are possible", code: "CLI_TOO_EARLY", changes: byRows },
  { name: "the files of another model", code: "CIR_SETTLEMENT_DIFFERS" },
];

test("refuses with a code for each reason, and proves nothing", async () => {
  for (const { before, changes, code, data = {}, name } of REFUSALS) {
    await before?.();
    const refusal = { code, data: expect.objectContaining(data) };
    await expect(settleEpoch(bob, parameters(changes?.())), name).rejects.toMatchObject(refusal);
  }
}, 60_000);

test("has words for each refusal in the command", () => {
  expect(
    codesWithoutWords(
      REFUSALS.map(({ code }) => code),
      { inPage: false },
    ),
  ).toEqual([]);
});
