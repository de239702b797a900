import {
  DEFAULT_SPLIT_DELAY_SECONDS,
  OPEN_SETTLEMENT_DELAY_SECONDS,
} from "@openledger/bridge/l1/settlement-times";
import {
  DRAWS,
  FEATURES,
  MODEL_CIRCUITS,
  MODEL_ID,
  type ModelHistory,
  PAYEE_TABLE_CIRCUIT,
  SAMPLED_CIRCUIT,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { queryCommitment, receiptHash } from "@openledger/circuits/ledger/model-query";
import { shapeName } from "@openledger/circuits/protocol";
import {
  columnsCommitment,
  commitColumns,
  featuresCommitment,
} from "@openledger/circuits/settlement/feature-commitment";
import { fromContractOrder } from "@openledger/circuits/wire/groth16-proof";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { afterEach, describe, expect, test } from "vitest";
import { verifyRollup } from "../replay/verify.ts";
import { type Division, submitSettlement } from "./submit-settlement.ts";

let f: ModelHistory;
afterEach(() => f?.stop());

const ROWS = 9;
const SALT = 5n;
const ANSWER = 6n;
const PAYER_ID = 2;
const [{ size0: payments, size1: slots }] = MODEL_CIRCUITS as [(typeof MODEL_CIRCUITS)[0]];
const NAMES = new Map([
  [SAMPLED_CIRCUIT, `settlement-16-${FEATURES}-${slots}-${payments}-${DRAWS}`],
  [PAYEE_TABLE_CIRCUIT, `payee-table-${slots}`],
  ...SHAPES.map((shape, i) => [i, shapeName(shape)] as const),
]);

const known = () => f.l1.circuits.map(({ circuitId }, i) => ({ name: NAMES.get(i)!, circuitId }));
const proved: string[] = [];

const submit = (division: Division, changes: Partial<Parameters<typeof submitSettlement>[0]> = {}) =>
  submitSettlement({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    // A stranger: neither the sequencer nor anybody of the ledger.
    account: anvilAccount(6),
    modelId: MODEL_ID,
    division,
    circuits: known(),
    prove: async (name, _inputs, publicSignals) => {
      proved.push(name);
      const index = known().findIndex((circuit) => circuit.name === name);
      const { a, b, c } = f.l1.circuits[index]!.forge(publicSignals as [bigint, bigint, bigint]);
      return { proof: { a, b: fromContractOrder(b), c }, publicSignals };
    },
    ...changes,
  });

const verify = () =>
  verifyRollup({
    rpcUrl: f.rpcUrl,
    rollupAddress: f.rollup.address,
    circuits: f.derived,
    verifyProof: f.verifyProof,
  });
const code = (expected: string) => ({ code: expected });

async function closedModel() {
  await initPoseidon();
  const matrix = Int8Array.from({ length: ROWS * FEATURES }, (_, i) => ((i * 37) % 255) - 127);
  const columns = commitColumns(matrix, ROWS, FEATURES);
  f = await startModelHistory({ featuresCommitment: featuresCommitment(columnsCommitment(columns), 7n) });
  await f.makeModel();
  await f.openModel();
  const query = Int16Array.from({ length: FEATURES }, (_, j) => 2 * j - 15);
  const opening = { answerHash: ANSWER, salt: SALT, query };
  const receipt = (i: number) =>
    receiptHash({
      statics: hashStatics(f.statics),
      payerId: PAYER_ID,
      answerHash: ANSWER + BigInt(i),
      queryCommitment: queryCommitment(query),
      salt: SALT,
    });
  const closingBatch = await f.closeEpoch(receipt);
  const openings = new Map(
    [0, 1, 2].map((i) => [receipt(i), { ...opening, answerHash: ANSWER + BigInt(i) }]),
  );
  const division: Division = {
    kind: "draws",
    features: { matrix, columns: [columns], answeringHash: 7n },
    openingOf: (target) => openings.get(target),
  };
  return { closingBatch, division };
}

describe("submitSettlement", () => {
  test("lets a stranger settle by draws 3 days after the CloseEpoch, from L1 and published openings alone", async () => {
    const { division, closingBatch } = await closedModel();
    await expect(submit(division)).rejects.toMatchObject(code("BRG_TOO_EARLY"));
    await f.l1.passTime(BigInt(OPEN_SETTLEMENT_DELAY_SECONDS));
    await expect(submit(division)).rejects.toMatchObject(code("BRG_TOO_EARLY"));
    await f.recordRandomness(closingBatch);
    await expect(submit({ ...division, openingOf: () => undefined } as Division)).rejects.toMatchObject(
      code("BRG_OPENING_MISSING"),
    );
    await expect(submit(division, { circuits: known().slice(0, 3) })).rejects.toMatchObject(
      code("BRG_NO_CIRCUIT"),
    );
    await expect(submit(division, { modelId: 2 })).rejects.toMatchObject(code("BRG_NOTHING_TO_DO"));
    const other = async () => ({
      proof: {
        a: [1n, 2n],
        b: [
          [1n, 2n],
          [1n, 2n],
        ],
        c: [1n, 2n],
      },
      publicSignals: [],
    });
    await expect(submit(division, { prove: other as never })).rejects.toMatchObject(
      code("BRG_PROOF_OF_ANOTHER"),
    );
    proved.length = 0;
    const stages: string[] = [];
    const onStage = (stage: string) => stages.push(stage);
    const preVerified = await submit(division, { onStage });
    expect(stages.splice(0)).toEqual(["restore", "settle", "prove-settlement", "pre-verify"]);
    expect(preVerified).toMatchObject({ status: "pre-verified", epoch: 1, batchNumber: null });
    const waiting = await submit(division, { onStage });
    expect(stages.splice(0), "the sequencer has a day").toEqual(["restore", "settle"]);
    const { postableFrom } = preVerified;
    expect(waiting).toMatchObject({ status: "waiting", postableFrom, transactionHash: null, gasUsed: 0 });
    await f.l1.client.setNextBlockTimestamp({ timestamp: BigInt(postableFrom!) });
    await f.l1.client.mine({ blocks: 1 });
    const result = await submit(division, { onStage });
    expect(stages).toEqual(["restore", "settle", "prove-batch", "send"]);
    expect(proved, "the batch circuit with the fewest slots").toEqual([
      NAMES.get(SAMPLED_CIRCUIT),
      shapeName(SHAPES[0]),
    ]);
    expect(result).toMatchObject({ status: "settled", postableFrom: null });
    expect(result).toMatchObject({ epoch: 1, batchNumber: closingBatch + 1 });
    const earned = result.earnedWei.reduce((sum, wei) => sum + wei, 0n);
    expect(earned).toBeGreaterThan(2n * OPEN);
    expect(await verify()).toMatchObject({ batchCount: closingBatch + 1, settlementCount: 2 });
    await expect(submit(division)).rejects.toMatchObject(code("BRG_NOTHING_TO_DO"));
  });

  test("lets a stranger settle by row counts after 14 days, with nothing but L1", async () => {
    const { closingBatch } = await closedModel();
    const division: Division = { kind: "row-counts" };
    await f.l1.passTime(BigInt(OPEN_SETTLEMENT_DELAY_SECONDS));
    await expect(submit(division)).rejects.toMatchObject(code("BRG_TOO_EARLY"));
    await f.l1.passTime(BigInt(DEFAULT_SPLIT_DELAY_SECONDS - OPEN_SETTLEMENT_DELAY_SECONDS));
    expect(await submit(division)).toMatchObject({ status: "pre-verified" });
    await f.l1.passTime(86_401n);
    const result = await submit(division);
    expect(result.status).toBe("settled");
    expect(result.earnedWei[0]! > result.earnedWei[1]!, "by five rows and four").toBe(true);
    expect(await verify()).toMatchObject({ batchCount: closingBatch + 1, settlementCount: 2 });
  });
});
