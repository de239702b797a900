/**
 * Circuits of the devnet's rollup: compiles them and opens their development keys when somebody proves. deploy-devnet.ts
 * registers them.
 */
import type { CircuitSpec } from "@openledger/circuits/compiler/compile";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { type CircuitSizes, settlingNames, sizesOfName } from "@openledger/circuits/registry/circuit-sizes";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { type TableShape, tableIn, tableName } from "@openledger/circuits/table/table-shape";
import {
  type DevelopmentSetupOptions,
  developmentSetup,
  developmentVerificationKey,
} from "@openledger/prover/keys/development-setup";
import type { KeyedCircuit } from "../world/deploy-ledger.ts";
import { SMALL_TABLE } from "./config.ts";
import type { Console } from "./console.ts";
import { type DevnetPlan, JOINT } from "./plan.ts";

/**
 * When a circuit's proving key is made. start: before the job. beside: on one thread while the job runs, which proves with it late.
 * never: by who proves with it.
 */
type KeyTime = "start" | "beside" | "never";

/** Circuit of the devnet. Its proving key may not have been made yet. */
export interface DevnetCircuit extends KeyedCircuit {
  readonly compiled: CompiledCircuit;
  readonly keyTime: KeyTime;
}

/**
 * Circuits of the devnet's rollup in the order in which L1 numbers them: batch, settlement, payee table, exits of leaves
 * and of payees, without which nobody could freeze it, the small batch that strangers prove, the settlement of a direct model,
 * and the batch with its data in a blob; where the plan has them, those of one of several Datanets by draws and by shard.
 */
export function circuitsOf(plan: DevnetPlan): PlannedCircuit[] {
  const { direct, joint, settlement, table, tablePayees } = plan;
  const planned = (name: string, keyTime: KeyTime) => ({
    sizes: sizesOfName(name),
    spec: circuitSpec(name),
    keyTime,
  });
  const batch = (shape: TableShape, keyTime: KeyTime) => planned(tableName(shape), keyTime);
  const settling = (size: SettlementSize, keyTime: KeyTime) =>
    settlingNames(size).map((name) => planned(name, keyTime));
  return [
    batch(table, "start"),
    ...settling(settlement, "start"),
    planned(`payee-table-${tablePayees}`, "start"),
    planned("leaf-exit", "never"),
    planned(`payee-exit-${settlement.payees}`, "never"),
    batch(SMALL_TABLE, "never"),
    ...settling(direct, "start"),
    batch(tableIn(table, "blob"), "beside"),
    ...(joint === null ? [] : settling(joint, "never")),
  ];
}

/** Returns true if direct models of several Datanets can be settled with these circuits. */
export const hasJoint = (circuits: readonly { readonly name: string }[]): boolean =>
  settlingNames(JOINT).every((joint) => circuits.some(({ name }) => name === joint));

interface PlannedCircuit {
  readonly sizes: CircuitSizes;
  readonly spec: CircuitSpec;
  readonly keyTime: KeyTime;
}

/** Compiles them, and makes the development keys that the job needs first; of the others the verification keys alone. */
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
    const { keyTime, sizes } = wanted[i]!;
    if (keyTime === "start") await developmentSetup(circuit, keyProgress(circuit.name, console));
    const { contentHash, name, wasmPath } = circuit;
    const proving = { contentHash, name, wasmPath, ...(await developmentVerificationKey(circuit)) };
    circuits.push({ sizes, compiled: circuit, proving, keyTime });
  }
  console.done(
    "development keys: their secret is public, so proofs made with them show nothing",
    Date.now() - keysFromMs,
  );
  return circuits;
}

/** Makes the development keys that the job needs late. What they lack, provers make by themselves. */
export async function makeLateKeys(circuits: readonly DevnetCircuit[]): Promise<void> {
  for (const { compiled, keyTime } of circuits)
    if (keyTime === "beside") await developmentSetup(compiled, { workerCount: 1 });
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
