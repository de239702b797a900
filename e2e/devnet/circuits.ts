/**
 * Circuits of the devnet's rollup: compiles them and opens their development keys when somebody proves. deploy-devnet.ts
 * registers them.
 */
import type { CircuitSpec, CompiledCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { type CircuitSizes, settlingNames, sizesOfName } from "@openledger/circuits/registry/circuit-sizes";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { type TableShape, tableIn, tableName } from "@openledger/circuits/table/table-shape";
import { OWN_WORK_HEAP_MB, TaskPool } from "@openledger/foundation/threads/task-pool";
import { prepareCircuit } from "@openledger/prover/keys/circuit-tasks";
import { type DevelopmentSetupOptions, developmentSetup } from "@openledger/prover/keys/development-setup";
import type { KeyedCircuit } from "../world/deploy-ledger.ts";
import { SMALL_TABLE } from "./config.ts";
import type { Console } from "./console.ts";
import { devnetError } from "./devnet-errors.ts";
import { type DevnetPlan, JOINT } from "./plan.ts";

/** Uses for which the job needs proving keys, in the order in which it needs them. */
const KEY_USES = ["batches", "blobs", "settling"] as const;
type KeyUse = (typeof KEY_USES)[number];

/** Keys that are being made: a use's promise resolves once all of its keys are there. */
export type DevnetKeys = Readonly<Record<KeyUse, Promise<void>>>;

/** Circuit of the devnet. Its proving key may not have been made yet. */
export interface DevnetCircuit extends KeyedCircuit {
  readonly compiled: CompiledCircuit;
  /** null: whoever proves with it makes its key. */
  readonly keyUse: KeyUse | null;
}

/**
 * Circuits of the devnet's rollup in the order in which L1 numbers them: batch, settlement, payee table, exits of leaves
 * and of payees, without which nobody could freeze it, the small batch that strangers prove, the settlement of a direct model,
 * and the batch with its data in a blob; where the plan has them, those of one of several Datanets by draws and by shard.
 */
export function circuitsOf(plan: DevnetPlan): PlannedCircuit[] {
  const { direct, joint, settlement, table, tablePayees } = plan;
  const planned = (name: string, keyUse: KeyUse | null) => ({
    sizes: sizesOfName(name),
    spec: circuitSpec(name),
    keyUse,
  });
  const batch = (shape: TableShape, keyUse: KeyUse | null) => planned(tableName(shape), keyUse);
  const settling = (size: SettlementSize, keyUse: KeyUse | null) =>
    settlingNames(size).map((name) => planned(name, keyUse));
  return [
    batch(table, "batches"),
    ...settling(settlement, "settling"),
    planned(`payee-table-${tablePayees}`, "settling"),
    planned("leaf-exit", null),
    planned(`payee-exit-${settlement.payees}`, null),
    batch(SMALL_TABLE, null),
    ...settling(direct, "settling"),
    batch(tableIn(table, "blob"), "blobs"),
    ...(joint === null ? [] : settling(joint, null)),
  ];
}

/** Returns true if direct models of several Datanets can be settled with these circuits. */
export const hasJoint = (circuits: readonly { readonly name: string }[]): boolean =>
  settlingNames(JOINT).every((joint) => circuits.some(({ name }) => name === joint));

type CircuitThread = TaskPool<typeof import("@openledger/prover/keys/circuit-tasks")>;

interface PlannedCircuit {
  readonly sizes: CircuitSizes;
  readonly spec: CircuitSpec;
  readonly keyUse: KeyUse | null;
}

/**
 * Compiles them and makes their verification keys, which L1 needs. The proving keys are made meanwhile, and while the job
 * runs: those of batches first, by all cores.
 */
export async function buildCircuits(
  plan: DevnetPlan,
  console: Console,
): Promise<{ circuits: DevnetCircuit[]; keys: DevnetKeys }> {
  const expected = circuitsOf(plan);
  const startedAtMs = Date.now();
  const waiting = new Set(expected.map(({ spec }) => spec.name));
  const ticker = setInterval(() => {
    const seconds = Math.round((Date.now() - startedAtMs) / 1000);
    console.progress(`compiling ${[...waiting].join(", ")} (once, then cached): ${seconds} s`);
  }, 1000);
  const thread: CircuitThread = new TaskPool({
    tasks: new URL("../../prover/keys/circuit-tasks.ts", import.meta.url),
    threadCount: 1,
    // The compiler has as much here as on the main thread, which compiles the tables.
    maxHeapMb: OWN_WORK_HEAP_MB,
    ended: (cause) =>
      devnetError("DEV_FAILED", `the thread that compiles circuits ended: ${cause.message}`, {
        data: { reason: "circuits-thread" },
        cause,
      }),
  });
  // Tables share parts, which one thread reads once; the other circuits share nothing with them.
  const isTable = (name: string) => name.startsWith("table-");
  const prepare = (name: string) =>
    isTable(name) ? prepareCircuit(name) : thread.run("prepareCircuit", name);
  const compile = async ({ keyUse, sizes, spec }: PlannedCircuit): Promise<DevnetCircuit> => {
    const { compiled, key } = await prepare(spec.name);
    waiting.delete(spec.name);
    const { nonLinear, linear } = compiled.constraintCounts;
    console.done(
      `circuit ${spec.name}: ${(nonLinear + linear).toLocaleString("en")} constraints`,
      Date.now() - startedAtMs,
    );
    const { contentHash, name, wasmPath } = compiled;
    return { sizes, compiled, proving: { contentHash, name, wasmPath, ...key }, keyUse };
  };
  try {
    // The first batch waits for its key, which is made while the other circuits are compiled.
    const isFirst = ({ keyUse }: PlannedCircuit) => keyUse === "batches";
    const first = Promise.all(expected.filter(isFirst).map(compile));
    const batchKeys = first.then((circuits) => makeProvingKeys(circuits, console, {}));
    batchKeys.catch(() => {});
    const compileNext = async (one: PlannedCircuit) => {
      if (isTable(one.spec.name)) await first;
      return compile(one);
    };
    const rest = expected.filter((one) => !isFirst(one)).map(compileNext);
    const known = (await Promise.all([first, ...rest])).flat();
    const circuits = expected.map(({ spec }) => known.find(({ compiled }) => compiled.name === spec.name)!);
    return { circuits, keys: makeLateKeys(circuits, batchKeys, console) };
  } finally {
    await thread.close();
    clearInterval(ticker);
  }
}

/** Half of the weight of what the job waits for. */
const LATE_NICENESS = 3;

/** A failure shows where a key is awaited. What they lack, provers make by themselves. */
function makeLateKeys(
  circuits: readonly DevnetCircuit[],
  batches: Promise<void>,
  console: Console,
): DevnetKeys {
  const make = (use: KeyUse) =>
    // One thread, behind the job's: proofs come first.
    makeProvingKeys(
      circuits.filter(({ keyUse }) => keyUse === use),
      console,
      { workerCount: 1, niceness: LATE_NICENESS },
    );
  const blobs = batches.then(() => make("blobs"));
  const settling = blobs.then(() => make("settling"));
  for (const key of [blobs, settling]) key.catch(() => {});
  return { batches, blobs, settling };
}

async function makeProvingKeys(
  circuits: readonly DevnetCircuit[],
  console: Console,
  options: Pick<DevelopmentSetupOptions, "workerCount" | "niceness">,
): Promise<void> {
  for (const { compiled } of circuits) {
    const startedAtMs = Date.now();
    await developmentSetup(compiled, options);
    console.done(
      `development key of ${compiled.name}: its secret is public, so proofs made with it show nothing`,
      Date.now() - startedAtMs,
    );
  }
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
