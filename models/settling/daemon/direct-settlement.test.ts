/** An epoch of a direct model, settled on L1 by a proof under the circuit's own key. */

import {
  MODEL_CIRCUITS,
  MODEL_ID,
  type ModelHistory,
  PAYEES,
  startModelHistory,
} from "@openledger/bridge/testing/model-history";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { countTerms, directQueryCommitment } from "@openledger/circuits/ledger/direct-query";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { receiptHash } from "@openledger/circuits/ledger/model-query";
import { settlementCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { answerOf, commitDirectColumns } from "@openledger/circuits/settlement/scores/direct-matrix";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { columnShape } from "@openledger/circuits/settlement/settlement-size";
import { shardedFeatures } from "@openledger/circuits/settlement/shards/shard-link";
import { answeredQuery } from "@openledger/circuits/testing/settlement/direct-instance";
import { SMALL_DIRECT as SIZE } from "@openledger/circuits/testing/settlement/direct-world";
import { fromContractOrder } from "@openledger/circuits/wire/groth16-proof";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN, SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { createProver } from "@openledger/prover/backends";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import { developmentSecrets } from "@openledger/prover/keys/development-secrets";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { Prover, ProvingCircuit } from "@openledger/prover/proving/prover";
import { type Division, submitSettlement } from "@openledger/verifier/without-operator/submit-settlement";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROWS = PAYEES.reduce((sum, { rowCount }) => sum + rowCount, 0);
const PAYER_ID = 2;
const SALT = 5n;

let f: ModelHistory;
let prover: Prover;
let circuit: ProvingCircuit;
const LABELS = 3;
const matrix = {
  rowCount: ROWS,
  bucketCount: SIZE.features,
  labelCount: LABELS,
  // Two labels' entries differ by at most 510.
  values: Int16Array.from(
    { length: (ROWS + 1) * (LABELS - 1) * (SIZE.features + 1) },
    (_, i) => ((i * 337) % 511) - 255,
  ),
};
const columns = commitDirectColumns(matrix);

beforeAll(async () => {
  await initPoseidon();
  circuit = await developmentSetup(await compileCircuit(settlementCircuitSpec(SIZE)));
  prover = await createProver("wasm");
  const key = toSolidityKey(circuit.verificationKey);
  const sizes = { sort: CIRCUIT_SORT.settlement, size0: SIZE.payments, size1: SIZE.payees };
  f = await startModelHistory({
    featuresCommitment: shardedFeatures([columns], 7n, SIZE),
    settledBy: { drawBits: BigInt(Math.log2(SIZE.draws)), featureCount: columnShape(SIZE) },
    real: { configs: [{ ...sizes, isDevelopment: true, key }], shared: developmentSecrets("") },
  });
}, 600_000);
afterAll(async () => {
  await prover?.close();
  await f?.stop();
});

test("pays rows by the prompts' own columns, and L1 takes the proof", { timeout: 600_000 }, async () => {
  await f.makeModel();
  await f.openModel();
  const prompts = [
    [0, 0, 0],
    [8, 8, 8],
    [3, 3, 9],
  ];
  const openings = prompts.map((terms, i) => {
    const counts = countTerms(terms, SIZE.features);
    const query = answeredQuery(matrix, counts, answerOf(matrix, counts).pair);
    return { answerHash: BigInt(60 + i), salt: SALT, query };
  });
  expect(new Set(openings.map(({ query }) => query.answeredClass)).size).toBe(2);
  expect(new Set(openings.map(({ query }) => query.pair)).size).toBe(3);
  const receiptOf = (i: number) => {
    const { query, ...secrets } = openings[i]!;
    return receiptHash({
      statics: hashStatics(f.statics),
      payerId: PAYER_ID,
      ...secrets,
      queryCommitment: directQueryCommitment(query),
    });
  };
  const closingBatch = await f.closeEpoch(receiptOf);
  await f.l1.passTime(3n * 86_400n);
  await f.recordRandomness(closingBatch);

  const byReceipt = new Map(openings.map((opening, i) => [receiptOf(i), opening]));
  const division: Division = {
    kind: "draws",
    features: { matrix, columns: [columns], answeringHash: 7n },
    openingOf: (receipt) => byReceipt.get(receipt),
  };
  const names = [
    ...SHAPES.map(({ narrow, wide }) => `batch-${narrow}-${wide}`),
    "settlement-16-16-8-16-4",
    "payee-table-8",
  ];
  expect(names).toHaveLength(SHAPES.length + MODEL_CIRCUITS.length);
  const registered = await f.rollup.circuits();
  const circuits = [...names, circuit.name].map((name, i) => ({ name, circuitId: registered[i]!.circuitId }));
  const proved: string[] = [];
  const submit = () =>
    submitSettlement({
      rpcUrl: f.rpcUrl,
      rollupAddress: f.rollup.address,
      account: anvilAccount(6),
      modelId: MODEL_ID,
      division,
      circuits,
      prove: async (name, inputs, publicSignals) => {
        proved.push(name);
        if (name === circuit.name) return prover.prove({ circuit, inputs });
        // Batches have proofs of known trapdoors.
        const index = circuits.findIndex((one) => one.name === name);
        const { a, b, c } = f.l1.circuits[index]!.forge(publicSignals as [bigint, bigint, bigint]);
        return { proof: { a, b: fromContractOrder(b), c }, publicSignals };
      },
    });
  expect(await submit()).toMatchObject({ status: "pre-verified", epoch: 1 });
  await f.l1.passTime(86_401n);
  const settled = await submit();
  expect(settled).toMatchObject({ status: "settled", epoch: 1, batchNumber: closingBatch + 1 });
  expect(proved).toEqual([circuit.name, expect.stringMatching(/^batch-/)]);
  const earned = settled.earnedWei.reduce((sum, wei) => sum + wei, 0n);
  expect(earned).toBeGreaterThan(2n * OPEN);
  expect(earned).toBeLessThan(3n * OPEN);
});
