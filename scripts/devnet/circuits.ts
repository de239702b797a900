import { type CompiledCircuit, compileCircuit } from "../../circuits/compiler/compile.ts";
import { type BatchShape, shapeName } from "../../circuits/protocol.ts";
import {
  type CircuitSpec,
  circuitSpec,
  earnerExitCircuitSpec,
  earnerTableCircuitSpec,
  leafExitCircuitSpec,
  settlementCircuitSpec,
} from "../../circuits/registry/circuit-registry.ts";
import { batchSizes, type CircuitSizes, exitSizes } from "../../circuits/registry/circuit-sizes.ts";
import { CIRCUIT_SORT } from "../../circuits/settlement/settlement-data.ts";
import type { SettlementSize } from "../../circuits/settlement/settlement-size.ts";
import { postedShape, tableIn } from "../../circuits/table/table-shape.ts";
import { developmentSetup } from "../../prover/keys/development-setup.ts";
import type { ProvingCircuit } from "../../prover/proving/prover.ts";
import { FALLBACK_SHAPE } from "./config.ts";
import type { Console } from "./console.ts";
import type { DevnetPlan } from "./plan.ts";

export interface DevnetCircuit {
  readonly sizes: CircuitSizes;
  readonly compiled: CompiledCircuit;
  readonly proving: ProvingCircuit;
}

/**
 * Circuits of the devnet's rollup in the order in which L1 numbers them: batch, settlement, earner table, exits of leaves
 * and of earners, without which nobody could freeze it, and the fallback for batches; then that of a direct model, and
 * that of batches in blobs, where there are such.
 */
export function circuitsOf(plan: DevnetPlan): { sizes: CircuitSizes; spec: CircuitSpec }[] {
  const { direct, hasBlobs, settlement, table, tableEarners } = plan;
  const batch = (shape: BatchShape) => ({ sizes: batchSizes(shape), spec: circuitSpec(shapeName(shape)) });
  const settling = (size: SettlementSize) => ({
    sizes: { sort: CIRCUIT_SORT.settlement, size0: size.payments, size1: size.earners },
    spec: settlementCircuitSpec(size),
  });
  return [
    batch(postedShape(table)),
    settling(settlement),
    {
      sizes: { sort: CIRCUIT_SORT.earnerTable, size0: 0, size1: tableEarners },
      spec: earnerTableCircuitSpec(tableEarners),
    },
    { sizes: exitSizes(), spec: leafExitCircuitSpec() },
    { sizes: exitSizes(settlement.earners), spec: earnerExitCircuitSpec(settlement.earners) },
    batch(FALLBACK_SHAPE),
    ...(direct === undefined ? [] : [settling(direct)]),
    ...(hasBlobs ? [batch(postedShape(tableIn(table, "blob")))] : []),
  ];
}

/** Compiles them, and makes their development keys. */
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
    const proving = await developmentSetup(circuit, {
      onProgress: ({ stage, done, total }) => {
        const percent = Math.floor((100 * done) / Math.max(1, total));
        console.progress(`development keys of ${circuit.name} (once, then cached): ${stage} ${percent} %`);
      },
    });
    circuits.push({ sizes: wanted[i]!.sizes, compiled: circuit, proving });
  }
  console.done(
    "development keys: their secret is public, proofs made with them convince nobody",
    Date.now() - keysFromMs,
  );
  return circuits;
}
