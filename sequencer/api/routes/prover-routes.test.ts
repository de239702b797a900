import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { fromContractProof } from "@openledger/circuits/wire/groth16-proof";
import { proofJson } from "@openledger/circuits/wire/wire-fields";
import { simulateCircuit } from "@openledger/contracts/testing/test-prover";
import { hex32 } from "@openledger/foundation/hex";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  operatorHeaders,
  startTestRollup,
  TEST_SHAPE,
  type TestRollup,
  temporaryFolder,
  testDeployment,
} from "../../testing/test-rollup.ts";

const PROVER_TOKEN = "a-prover-s-token-of-tests";
const proverHeaders = { authorization: `Bearer ${PROVER_TOKEN}` };
const circuit = simulateCircuit(batchSizes(TEST_SHAPE));
let rollup: TestRollup;
let folder: ReturnType<typeof temporaryFolder>;

beforeAll(async () => {
  folder = temporaryFolder();
  const verificationKeyPath = join(folder.path, "key.json");
  writeFileSync(verificationKeyPath, JSON.stringify(toSnarkjsKey(verifierKey({ ...circuit, index: 0 }))));
  const plain = await testDeployment();
  rollup = await startTestRollup({
    dataPath: join(folder.path, "data"),
    deployment: { ...plain, circuits: [{ ...plain.circuits[0]!, verificationKeyPath }] },
    environment: { SEQUENCER_PROVER_TOKEN: PROVER_TOKEN },
  });
});
afterAll(async () => {
  await rollup.stop();
  folder.remove();
});

it("opens the provers' routes to their token, and no other of the operator's", async () => {
  const listed = await rollup.get("/operator/prove-jobs", proverHeaders);
  expect(listed.body.map((one: { batchNumber: number }) => one.batchNumber)).toEqual([1, 2]);
  const { batchHash } = listed.body[0];
  const job = await rollup.get(`/operator/prove-jobs/${batchHash}`, proverHeaders);
  expect(job.body).toEqual((await rollup.get("/operator/prove-jobs/next", operatorHeaders)).body);
  expect((await rollup.get(`/operator/prove-jobs/${hex32(5n)}`, proverHeaders)).status).toBe(204);
  const refused = await Promise.all([
    rollup.get("/operator/chain", proverHeaders),
    rollup.get("/operator/batches/ready", proverHeaders),
    rollup.post("/operator/close", {}, proverHeaders),
    rollup.post("/operator/batches/1/l1", {}, proverHeaders),
    rollup.post("/operator/l1-head", { blockNumber: 1, timestamp: 1 }, proverHeaders),
    rollup.get("/operator/prove-jobs", { authorization: "Bearer something-else-entirely" }),
  ]);
  for (const { body, status } of refused)
    expect([status, body.error.code]).toEqual([401, "SRV_UNAUTHORIZED"]);
});

it("Attack: takes no proof that does not verify, whoever hands it in", async () => {
  const batch = (await rollup.sequencer.line.batch(1))!;
  const { batchHash, publicSignals } = batch;
  const signals = [publicSignals[0]!, publicSignals[1]!, publicSignals[2]!] as const;
  const send = (proof: object, headers: Record<string, string>) =>
    rollup.post(
      "/operator/batches/1/proof",
      { batchHash, proof, publicSignals: publicSignals.map(hex32), timings: {}, backend: "test" },
      headers,
    );
  const right = proofJson(fromContractProof(circuit.forge(signals)));
  const ofAnother = proofJson(fromContractProof(circuit.forge([signals[0], signals[1], signals[2] + 1n])));
  for (const headers of [proverHeaders, operatorHeaders]) {
    const { body, status } = await send(ofAnother, headers);
    expect([status, body.error.code]).toEqual([422, "SEQ_PROOF_INVALID"]);
  }
  expect((await rollup.sequencer.line.batch(1))!.status).toBe("closed");
  expect((await send(right, proverHeaders)).status).toBe(200);
  expect((await rollup.sequencer.line.batch(1))!.status).toBe("proven");
});
