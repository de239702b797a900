/**
 * Measures what settling an epoch costs, for `npm run bench -- settlement`: constraints of a row, a feature, a payee,
 * a payment and a draw (a payment that randomness samples), seconds of proofs, and gas on L1.
 */

import { circuitError } from "@openledger/circuits/circuit-errors";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { circuitSpec, settlementCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { EpochToSettle } from "@openledger/circuits/settlement/divide-epoch";
import { proofStatement } from "@openledger/circuits/settlement/settlement-data";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import {
  parseSettlementName,
  type SettlementSize,
  settlementCircuitName,
} from "@openledger/circuits/settlement/settlement-size";
import { directEpochOf } from "@openledger/circuits/testing/settlement/direct-world";
import { CIRCUIT_ID, epochOf } from "@openledger/circuits/testing/settlement/settlement-world";
import { type BackendName, createProver } from "@openledger/prover/backends";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { Prover } from "@openledger/prover/proving/prover";
import { benchLabels, type LabelFigures } from "./settlement-labels.ts";

export interface BenchSettlementOptions {
  /** rows-features-payees-payments-draws, or direct-rows-buckets-payees-payments-draws; commas between sizes. */
  readonly sizes: string;
  /** One of BACKEND_NAMES. */
  readonly prover: string;
  /** False: gas is not measured. */
  readonly gas: boolean;
  /** Counted epochs of two and of fifteen labels; 0: none. */
  readonly rounds: number;
  /** True: nothing else is measured. */
  readonly labels?: boolean;
}

const log = (line: string) => console.log(line);

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/**
 * Nanoseconds a multiplication of a model's matrix takes to prove elsewhere, from their authors' figures: EZKL and
 * Jolt Atlas as their papers and benchmarks state, Groth16 with one constraint for each product. On other machines: for
 * scale only.
 */
const ELSEWHERE_NS_PER_MAC = { ezkl: 31_700, groth16OneProductEach: 2_184, joltAtlas: 7 };

export async function benchSettlement(options: BenchSettlementOptions) {
  await initPoseidon();
  const labels = options.rounds > 0 ? await measureLabels(options) : null;
  if (options.labels === true) return { ...labels };
  const constraintsPer = await measureConstraints();
  for (const [what, count] of Object.entries(constraintsPer))
    log(`a ${what}: ${count.toFixed(2)} constraints`);
  const prover = await createProver(options.prover as BackendName);
  const sizes = [];
  try {
    for (const name of options.sizes.split(",")) sizes.push(await proveSize(parseSize(name), prover));
  } finally {
    await prover.close();
  }
  const gas = options.gas ? await measureSettlementGas() : null;
  return {
    constraintsPer,
    sizes,
    nsPerMacElsewhere: ELSEWHERE_NS_PER_MAC,
    backend: options.prover,
    gas,
    perRowDraw: constraintsPer.rowDraw,
    ...labels,
  };
}

async function measureLabels({ prover: backend, rounds }: BenchSettlementOptions): Promise<LabelFigures> {
  const prover = await createProver(backend as BackendName);
  try {
    return await benchLabels(prover, rounds, log);
  } finally {
    await prover.close();
  }
}

function parseSize(sizes: string): SettlementSize {
  const name = sizes.startsWith("direct-") ? sizes : `settlement-${sizes}`;
  const size = parseSettlementName(name);
  if (size === null)
    throw circuitError("CIR_CIRCUIT_UNKNOWN", `there is no circuit ${name}`, { data: { name } });
  return size;
}

const BASE: SettlementSize = { rows: 64, features: 60, payees: 30, payments: 8, draws: 1 };

/** Constraints of a hash over 15 elements. */
const BLOCK_CONSTRAINTS = 609;

/**
 * Constraints of hashes beyond 609 / 15 an element, because a last block is not full. They are subtracted, so that a
 * difference of two sizes does not depend on where blocks end. 252 row steps, six remainders, two amounts, 31 query
 * bytes are an element.
 */
function blockRemainder({ rows, features, payees, payments, draws }: SettlementSize): number {
  const hitsEach = Math.floor(252 / (Math.log2(draws) + 1));
  const parts = [payees / 2, payees / 6, rows / 252, payments / hitsEach, 3 * draws];
  const exact = 5 + parts.reduce((sum, part) => sum + part, 0);
  const rounded = 5 + parts.reduce((sum, part) => sum + Math.ceil(part), 0);
  const hashes = [
    { exact, rounded },
    { exact: payees, rounded: payees },
    { exact: features, rounded: features },
    { exact: features / 64, rounded: Math.ceil(features / 64) },
    ...Array.from({ length: draws }, () => ({ exact: features / 31, rounded: Math.ceil(features / 31) })),
  ];
  return hashes.reduce(
    (sum, hash) => sum + BLOCK_CONSTRAINTS * (Math.ceil(hash.rounded / 15) - hash.exact / 15),
    0,
  );
}

/** Differences of compiled sizes, linear constraints included. */
async function measureConstraints() {
  const counts = new Map<string, number>();
  const count = async (change: Partial<SettlementSize>): Promise<number> => {
    const size = { ...BASE, ...change };
    const spec = settlementCircuitSpec(size);
    const known = counts.get(spec.name);
    if (known !== undefined) return known;
    log(`compiling ${spec.name}`);
    const { constraintCounts } = await compileCircuit(spec);
    const total = constraintCounts.nonLinear + constraintCounts.linear - blockRemainder(size);
    counts.set(spec.name, total);
    return total;
  };
  /** Constraints that one more of `what` adds once, and for each draw. */
  const per = async (what: "rows" | "features" | "payees" | "payments", step: number) => {
    const more = { [what]: BASE[what] + step };
    const atOne = (await count(more)) - (await count({}));
    const atTwo = (await count({ ...more, draws: 2 })) - (await count({ draws: 2 }));
    return { once: (2 * atOne - atTwo) / step, draw: (atTwo - atOne) / step };
  };
  const row = await per("rows", 64);
  // Within one number of score digits (docs/reference/settlement.md): eight, as for up to 259 features.
  const feature = await per("features", 180);
  const payee = await per("payees", 120);
  const payment = await per("payments", 56);
  return {
    rowDraw: row.draw,
    row: row.once,
    featureDraw: feature.draw,
    feature: feature.once,
    payeeDraw: payee.draw,
    payee: payee.once,
    payment: payment.once,
    // What a draw costs besides its rows and features.
    draw:
      (await count({ draws: 2 })) - (await count({})) - BASE.rows * row.draw - BASE.features * feature.draw,
  };
}

async function proveSize(size: SettlementSize, prover: Prover) {
  const name = settlementCircuitName(size);
  log(`${name}: compiling`);
  const compiled: CompiledCircuit = await compileCircuit(circuitSpec(name));
  log(`${name}: making or loading the development key`);
  const circuit = await developmentSetup(compiled);
  log(`${name}: an epoch with every row, payee and payment in use`);
  const epoch = fullEpoch(size);
  const startedAtMs = performance.now();
  const prepared = settleEpoch(epoch);
  const modelMs = Math.round(performance.now() - startedAtMs);
  const [entry] = prepared.proofs;
  const { z } = proofStatement(entry!, CIRCUIT_ID);
  const result = await prover.prove({ circuit, inputs: { ...entry!.inputs, z } });
  const proveMs = Math.round(result.timings.proveMs);
  const { nonLinear, linear } = compiled.constraintCounts;
  const macs = size.rows * size.features * size.draws;
  const row = {
    ...size,
    nonLinear,
    linear,
    modelMs,
    witnessMs: Math.round(result.timings.witnessMs),
    proveMs,
    nsPerMac: Math.round((proveMs * 1e6) / macs),
  };
  log(
    `${name}: ${nonLinear} constraints and ${linear} linear; model ${seconds(modelMs)}, ` +
      `witness ${seconds(row.witnessMs)}, proof ${seconds(proveMs)}, ${row.nsPerMac} ns a product of G q`,
  );
  return row;
}

/** Rows spread evenly over all payees; payments of 1 to 2 OPEN. */
function fullEpoch(size: SettlementSize): EpochToSettle {
  const each = Math.floor(size.rows / size.payees);
  const rowCounts = Array.from({ length: size.payees }, (_, m) =>
    m === 0 ? size.rows - each * (size.payees - 1) : each,
  );
  const amountsWei = Array.from(
    { length: size.payments },
    (_, i) => 10n ** 18n + (BigInt(i) * 10n ** 18n) / BigInt(size.payments),
  );
  const options = { size, rowCounts, amountsWei };
  return size.isDirect === true ? directEpochOf(options) : epochOf(options);
}

async function measureSettlementGas() {
  log(
    "gas: settlements in the same transaction as their batch (proofs forged with the trapdoor of a test key)",
  );
  const { measureGas } = await import("@openledger/contracts/testing/measure-gas");
  const { alone, joined, totals } = (await measureGas()).settlement;
  const figures = {
    alone: Number(alone),
    joined: Number(joined),
    totals: Object.fromEntries(Object.entries(totals).map(([payees, gas]) => [payees, Number(gas)])),
  };
  log(
    `a batch alone ${figures.alone} gas, with a settlement ${figures.joined}; posted totals ${JSON.stringify(figures.totals)}`,
  );
  return figures;
}
