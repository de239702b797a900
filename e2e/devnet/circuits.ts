import type { CircuitSpec } from "@openledger/circuits/compiler/compile";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { type BatchShape, shapeName } from "@openledger/circuits/protocol";
import {
  circuitSpec,
  leafExitCircuitSpec,
  payeeExitCircuitSpec,
  payeeTableCircuitSpec,
  settlementCircuitSpec,
} from "@openledger/circuits/registry/circuit-registry";
import { batchSizes, type CircuitSizes, exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { postedShape, tableIn } from "@openledger/circuits/table/table-shape";
import {
  type DevelopmentSetupOptions,
  developmentSetup,
  developmentVerificationKey,
} from "@openledger/prover/keys/development-setup";
import type { KeyedCircuit } from "../world/deploy-ledger.ts";
import { SMALL_TABLE } from "./config.ts";
import type { Console } from "./console.ts";
import type { DevnetPlan } from "./plan.ts";

/** Its proving key is made only once somebody proves. */
export interface DevnetCircuit extends KeyedCircuit {
  readonly compiled: CompiledCircuit;
}

/**
 * Circuits of the devnet's rollup in the order in which L1 numbers them: batch, settlement, payee table, exits of leaves
 * and of payees, without which nobody could freeze it, the small batch that strangers prove, and the settlement of a direct
 * model; then that of batches in blobs, where there are such.
 */
export function circuitsOf(plan: DevnetPlan): PlannedCircuit[] {
  const { direct, hasBlobs, settlement, table, tablePayees } = plan;
  const batch = (shape: BatchShape, isProven: boolean) => ({
    ...{ sizes: batchSizes(shape), spec: circuitSpec(shapeName(shape)), isProven },
  });
  const settling = (size: SettlementSize) => ({
    isProven: true,
    sizes: { sort: CIRCUIT_SORT.settlement, size0: size.payments, size1: size.payees },
    spec: settlementCircuitSpec(size),
  });
  return [
    batch(postedShape(table), !hasBlobs),
    settling(settlement),
    {
      sizes: { sort: CIRCUIT_SORT.payeeTable, size0: 0, size1: tablePayees },
      spec: payeeTableCircuitSpec(tablePayees),
      isProven: true,
    },
    { sizes: exitSizes(), spec: leafExitCircuitSpec(), isProven: false },
    {
      sizes: exitSizes(settlement.payees),
      spec: payeeExitCircuitSpec(settlement.payees),
      isProven: false,
    },
    batch(postedShape(SMALL_TABLE), false),
    settling(direct),
    ...(hasBlobs ? [batch(postedShape(tableIn(table, "blob")), true)] : []),
  ];
}

interface PlannedCircuit {
  readonly sizes: CircuitSizes;
  readonly spec: CircuitSpec;
  /** Whether the job proves with it. */
  readonly isProven: boolean;
}

/** Compiles them, and makes the development keys of those that are proven with; of the others the verification keys alone. */
export async function buildCircuits(plan: DevnetPlan, console: Console): Promise<DevnetCircuit[]> {
  const wanted = circuitsOf(plan);
  // The compiler has one thread, the keys take all cores: the first side by side, the second one after another.
  const startedAtMs = Date.now();
  const waiting = new Set(wanted.map(({ spec }) => spec.name));
  const ticker = setInterval(() => {
    const seconds = Math.round((Date.now() - startedAtMs) / 1000);
    console.progress(`compiling ${[...waiting].join(", ")} (once, then cached): ${seconds} s`);
  }, 1000);
  const compiling = wanted.map(async ({ spec }) => {
    const compiled = await compileCircuit(spec);
    waiting.delete(spec.name);
    const { nonLinear, linear } = compiled.constraintCounts;
    console.done(
      `circuit ${spec.name}: ${(nonLinear + linear).toLocaleString("en")} constraints`,
      Date.now() - startedAtMs,
    );
    return compiled;
  });
  let compiled: CompiledCircuit[];
  try {
    compiled = await Promise.all(compiling);
  } finally {
    clearInterval(ticker);
  }
  const keysFromMs = Date.now();
  const circuits: DevnetCircuit[] = [];
  for (const [i, circuit] of compiled.entries()) {
    if (wanted[i]!.isProven) await developmentSetup(circuit, keyProgress(circuit.name, console));
    const { contentHash, name, wasmPath } = circuit;
    const proving = { contentHash, name, wasmPath, ...(await developmentVerificationKey(circuit)) };
    circuits.push({ sizes: wanted[i]!.sizes, compiled: circuit, proving });
  }
  console.done(
    "development keys: their secret is public, so proofs made with them show nothing",
    Date.now() - keysFromMs,
  );
  return circuits;
}

/** Tells how far a key is. */
export function keyProgress(name: string, console: Console): Pick<DevelopmentSetupOptions, "onProgress"> {
  return {
    onProgress: ({ stage, done, total }) => {
      const percent = Math.floor((100 * done) / Math.max(1, total));
      console.progress(`development keys of ${name} (once, then cached): ${stage} ${percent} %`);
    },
  };
}
