/**
 * Settlements of many rows, end to end: a made-up G, an activation, payments, a closed epoch, proofs by one and by two workers of
 * the queue, of whom one is killed, and L1, which verifies them under the circuits' own keys. Batches have proofs of known trapdoors.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startModelHistory } from "@openledger/bridge/testing/model-history";
import { settlementOperationOf } from "@openledger/circuits/batch/settlement-operation";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { modelQueryCommitment, receiptHash } from "@openledger/circuits/ledger/model-query";
import { cutPayees, type Payee, payeeShards } from "@openledger/circuits/ledger/payee-shards";
import { KIND } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import { shardedFeatures } from "@openledger/circuits/settlement/feature-commitment";
import { CIRCUIT_SORT, encodeEntries, proofStatement } from "@openledger/circuits/settlement/settlement-data";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { columnShape, drawBits } from "@openledger/circuits/settlement/settlement-size";
import { drawSeed } from "@openledger/circuits/settlement/settlement-split";
import { commitShards } from "@openledger/circuits/settlement/shards/shard-link";
import { SeededNumbers } from "@openledger/circuits/testing/settlement/settlement-world";
import { toContractProof } from "@openledger/circuits/wire/groth16-proof";
import { SHAPES } from "@openledger/contracts/testing/rollup-fixture";
import { createLogger } from "@openledger/foundation/logger";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import { createQueueProver } from "@openledger/prover/jobs/queue-prover";
import { developmentSecrets } from "@openledger/prover/keys/development-secrets";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { redisProgram, startRedis } from "@openledger/prover/testing/redis.fixtures";
import { bytesToHex } from "viem";

/** Rows and payees of one shard at most. */
const SHARD = { rows: 8_192, payees: 512 };
const ANSWERING_HASH = 7n;
const PAYER_ID = 2;

interface ScaleSize {
  readonly rows: number;
  readonly features: number;
  readonly payees: number;
  readonly payments: number;
  readonly draws: number;
}

/** @param sizes "rows-features-payees-payments-draws" */
export async function measureScale(sizes: readonly string[], log: (line: string) => void) {
  const figures = [];
  for (const text of sizes) {
    const [rows, features, payees, payments, draws] = text.split("-").map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    figures.push(await measureSize({ rows, features, payees, payments, draws }, log));
  }
  return figures;
}

/** Names of the circuits that settle so much: of all, or of the draws and of each shard. */
function circuitNames({ draws, features, payees, payments, rows }: ScaleSize): string[] {
  const shards = Math.ceil(rows / SHARD.rows);
  if (shards === 1) return [`settlement-${rows}-${features}-${payees}-${payments}-${draws}`];
  const ofShard = Math.ceil(payees / shards);
  return [
    `sharded-${payments}-${shards}-${features}-${draws}`,
    `shard-${SHARD.rows}-${features}-${ofShard}-${draws}`,
  ];
}

async function measureSize(size: ScaleSize, log: (line: string) => void) {
  const { draws, features, payees: payeeCount, payments, rows } = size;
  const names = circuitNames(size);
  const built: { compiled: CompiledCircuit; name: string; proving: ProvingCircuit }[] = [];
  for (const name of names) {
    log(`${name}: compiling, and making or loading the development key`);
    const compiled = await compileCircuit(circuitSpec(name));
    built.push({ compiled, name, proving: await developmentSetup(compiled) });
  }
  const [settling] = settlingCircuits(built);
  const numbers = new SeededNumbers(1);
  const matrix = Int8Array.from({ length: rows * features }, () => numbers.below(255) - 127);
  const whole = Array.from(
    { length: payeeCount },
    (_, m): Payee => ({
      ...{ contributorId: 10 + m, validatorId: 3 },
      rowCount: Math.floor(rows / payeeCount) + Number(m < rows % payeeCount),
    }),
  );
  const payees = settling!.shard === null ? whole : cutPayees(whole, settling!.size);
  const shards = payeeShards(payees.map(({ rowCount }) => rowCount));
  log(`${rows} rows in ${shards.length} shards: committing to ${features} columns of each`);
  const columns = commitShards(matrix, shards, features);
  const sortsOf = ({ name }: { name: string }) => {
    if (name.startsWith("sharded"))
      return { sort: CIRCUIT_SORT.shardedSettlement, size0: payments, size1: shards.length };
    return name.startsWith("shard")
      ? { sort: CIRCUIT_SORT.shard, size0: 0, size1: settling!.size.payees }
      : { sort: CIRCUIT_SORT.settlement, size0: payments, size1: payeeCount };
  };
  const f = await startModelHistory({
    featuresCommitment: shardedFeatures(columns, ANSWERING_HASH),
    settledBy: { drawBits: BigInt(drawBits(draws)), featureCount: columnShape({ features }) },
    payees,
    cap: { circuit: SHAPES.length + 1, payments },
    real: {
      configs: built.map((circuit) => ({
        ...sortsOf(circuit),
        isDevelopment: true,
        key: toSolidityKey(circuit.proving.verificationKey),
      })),
      shared: developmentSecrets(""),
    },
  });
  try {
    await f.makeModel();
    await f.openModel();
    const openings = Array.from({ length: payments }, (_, i) => ({
      ...{ answerHash: BigInt(60 + i), salt: BigInt(5 + i) },
      query: numbers.query(features),
    }));
    const receiptOf = (i: number) => {
      const { query, ...secrets } = openings[i]!;
      const statics = hashStatics(f.statics);
      return receiptHash({
        statics,
        payerId: PAYER_ID,
        ...secrets,
        queryCommitment: modelQueryCommitment(query),
      });
    };
    log(`${payments} payments, each in a batch of its own`);
    const closingBatch = await f.closeEpoch(receiptOf, payments);
    await f.recordRandomness(closingBatch);
    const { model, rewards } = f.ledger.requireLeaf(f.modelId);
    const closed = rewards!.closed!;
    const prevRandao = await f.rollup.randomness(closingBatch);
    const paid = f.paymentsOf(receiptOf, payments);
    const prepared = settleEpoch({
      ...{ size: settling!.size, closed, payments: paid },
      model: { modelId: f.modelId, statics: model!.statics, ...rewards! },
      openingOf: (i) => openings[i],
      features: { matrix, columns, answeringHash: ANSWERING_HASH },
      seed: drawSeed({ ...closed, prevRandao, modelId: f.modelId }),
    });
    const circuits = await f.rollup.circuits();
    const idOf = (i: number) => circuits[SHAPES.length + 1 + Math.min(i, built.length - 1)]!;
    const jobs = prepared.proofs.map((entry, i) => {
      const statement = proofStatement(entry, idOf(i).circuitId);
      const { proving } = built[Math.min(i, built.length - 1)]!;
      return { statement, circuit: proving, inputs: { ...entry.inputs, z: statement.z } };
    });
    const two = await proveByWorkers(jobs, 2, log);
    const wires = encodeEntries(prepared.data);
    const settlements = two.proofs.map(({ proof }, i) => ({
      settlement: {
        circuit: idOf(i).index,
        commitment: jobs[i]!.statement.commitment,
        data: bytesToHex(wires[i]!),
      },
      proof: toContractProof(proof),
    }));
    const record = { kind: KIND.settle, b: f.modelId, words: [prepared.data.settlementHash] };
    const operation = settlementOperationOf(record, prepared.data, f.ledger.requireLeaf(f.modelId));
    const batch = await f.close(() => [operation], undefined, SHAPES[1]);
    const receipt = await f.l1.submit([{ ...batch, settlements }]);
    log(
      `${rows} rows are settled on L1 with ${receipt.gasUsed} gas, proven in ${two.seconds} s by two workers`,
    );
    const one = await proveByWorkers(jobs, 1, log);
    const counts = built.map(
      ({ compiled }) => compiled.constraintCounts.nonLinear + compiled.constraintCounts.linear,
    );
    const figures = {
      ...size,
      shards: shards.length,
      constraintsPerShard: counts.at(-1)!,
      drawConstraints: counts.length === 1 ? 0 : counts[0]!,
      proveSeconds: { one: one.seconds, two: two.seconds },
      gas: Number(receipt.gasUsed),
      postedBytes: wires.reduce((sum, wire) => sum + wire.length, 0),
    };
    log(JSON.stringify(figures));
    return figures;
  } finally {
    await f.stop();
  }
}

type Job = Parameters<Awaited<ReturnType<typeof createQueueProver>>["prove"]>[0];

/** All proofs by so many processes; of several one is killed once a proof is there, and starts again. */
async function proveByWorkers(jobs: readonly Job[], workerCount: number, log: (line: string) => void) {
  const program = redisProgram();
  if (program === null) throw new Error("the bench of settlements at scale needs redis-server");
  const folder = mkdtempSync(join(tmpdir(), "settlement-scale-"));
  const circuitsPath = join(folder, "circuits.json");
  const circuits: ProvingCircuit[] = [...new Set(jobs.map(({ circuit }) => circuit))];
  writeFileSync(
    circuitsPath,
    JSON.stringify(circuits, (_, value) => (typeof value === "bigint" ? `${value}n` : value)),
  );
  const redis = await startRedis(program);
  const start = (name: string): ChildProcess =>
    spawn(
      process.execPath,
      ["--import", "tsx", "scripts/bench/settlement-worker.ts", redis.url, name, circuitsPath],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
  const workers = Array.from({ length: workerCount }, (_, i) => start(`worker-${i}`));
  const prover = await createQueueProver(
    { queueUrl: redis.url, handInSecret: null },
    { logger: createLogger("bench", "warn") },
  );
  const startedAtMs = performance.now();
  let doneCount = 0;
  try {
    const proofs = await Promise.all(
      jobs.map(async (job, i) => {
        const made = await prover.prove(job);
        doneCount++;
        const seconds = Math.round((performance.now() - startedAtMs) / 1_000);
        log(`${workerCount} workers: proof ${i} of ${jobs.length} (${job.circuit.name}) after ${seconds} s`);
        if (doneCount === 1 && workerCount > 1) {
          log("a worker is killed, and another starts");
          workers[0]!.kill("SIGKILL");
          workers[0] = start("worker-2");
        }
        return made;
      }),
    );
    return { proofs, seconds: Math.round((performance.now() - startedAtMs) / 100) / 10 };
  } finally {
    for (const worker of workers) worker.kill("SIGKILL");
    await prover.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
