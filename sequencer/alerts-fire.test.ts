/** Every alert fires: the real metrics are driven over its threshold, scraped, and the rule is evaluated as Prometheus does. */
import { readFileSync } from "node:fs";
import { type BridgeMetrics, createBridgeMetrics, raiseAlarm } from "@openledger/bridge/metrics";
import {
  countWorkerProof,
  createDispatchMetrics,
  type DispatchMetrics,
} from "@openledger/prover/jobs/dispatch-metrics";
import { createProverMetrics, type ProverMetrics } from "@openledger/prover/service/prover-metrics";
import { type Gauge, Registry as NewRegistry, type Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { FollowAlarms } from "./full-node/follow-alarms.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { evaluate, ScrapedMetrics, secondsOf } from "./testing/promql.ts";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
}

/** What happens every minute; "down": the process does not answer. Times are minutes since it began. */
type Fault<M> = "down" | ((metrics: M, minute: number) => void);

interface Scene<M> {
  readonly path: string;
  readonly job: string;
  create(): Promise<{ metrics: M; registry: Registry }> | { metrics: M; registry: Registry };
  /** A good minute. */
  well(metrics: M, minute: number): void;
  readonly faults: Readonly<Record<string, Fault<M>>>;
}

const STEP_SECONDS = 60;
/** Longer than any window of a rule's. */
const WELL_MINUTES = 130;
const MAX_FAULT_MINUTES = 480;

const once =
  <M>(act: (metrics: M) => void): Fault<M> =>
  (metrics, minute) => {
    if (minute === 1) act(metrics);
  };
const seqError = (code: string): Fault<Metrics> => once(({ errors }) => errors.inc({ code }));

const sequencer: Scene<Metrics> = {
  path: "alerts.yml",
  job: "rollup-sequencer",
  create() {
    const metrics = createMetrics();
    return { metrics, registry: metrics.registry };
  },
  well({ batches, failover, fees, mempool }, minute) {
    mempool.operations.inc({ kind: "transfer" }, 50);
    for (let i = 0; i < 50; i++) mempool.acknowledgeSeconds.observe(0.01);
    batches.finalizedBatch.set(minute);
    batches.proverQueueLength.set(2);
    fees.operatorResult.set(3);
    failover.leaseSeconds.set(300);
  },
  faults: {
    SequencerDown: "down",
    SequencerStoreFailed: seqError("SRV_STORE_CORRUPT"),
    SequencerInternalError: seqError("SRV_INTERNAL"),
    ConfirmationSlow: ({ mempool }) => {
      for (let i = 0; i < 50; i++) mempool.acknowledgeSeconds.observe(0.9);
    },
    ProofsBehind: ({ batches }) => batches.proverQueueLength.set(17),
    BacklogFull: seqError("SEQ_BACKLOG_FULL"),
    MempoolFilling: ({ mempool }) => mempool.transactions.set(5_001),
    BatchesRebuilt: ({ batches }) => batches.rebuilt.inc(),
    NothingBecomesFinal: ({ mempool }) => mempool.operations.inc({ kind: "transfer" }),
    OperatorLoses: ({ fees }) => fees.operatorResult.set(-1),
    PriceUnreadable: seqError("SEQ_PRICE_INVALID"),
    BatchMalformed: ({ batchMalformed }) => batchMalformed.set(1),
    BehindL1: ({ behind }) => behind.set(1),
    LeaseEnds: ({ failover }) => failover.leaseSeconds.set(0),
    LeaseLost: ({ failover }) => failover.leaseLost.set(1),
    ReplicaSilent: ({ failover }, minute) => failover.replicaSilentSeconds.set(60 * minute),
  },
};

const equivocation = (registry: Registry) =>
  (registry.getSingleMetric("rollup_full_node_alarm") as Gauge<"kind">).inc({ kind: "equivocation" });

const fullNode: Scene<{ alarms: FollowAlarms; registry: Registry }> = {
  path: "full-node/alerts.yml",
  job: "rollup-full-node",
  async create() {
    const { registry } = createMetrics();
    const log = { keyed: async () => [] };
    const modules = { log, registry, logger: { error() {}, warn() {}, info() {} } };
    const alarms = await FollowAlarms.load(modules as unknown as Parameters<typeof FollowAlarms.load>[0]);
    return { metrics: { alarms, registry }, registry };
  },
  well() {},
  faults: {
    FullNodeEquivocation: once(({ registry }) => equivocation(registry)),
    FullNodeBatchMalformed: ({ alarms }) => alarms.set("batch-malformed", "a rule is broken"),
    FullNodeAlarm: ({ alarms }) => alarms.set("l1-stalled", "no new block"),
  },
};

const prover: Scene<ProverMetrics> = {
  path: "../prover/alerts.yml",
  job: "rollup-prover",
  create() {
    const metrics = createProverMetrics();
    return { metrics, registry: metrics.registry };
  },
  well() {},
  faults: {
    ProverDown: "down",
    // One that has never made a proof, too.
    ProverFails: ({ errors }) => errors.inc({ code: "PRV_KEY_INVALID" }),
    ProverContradicted: once(({ crossChecks }) => crossChecks.inc({ result: "failed" })),
  },
};

const dispatcher: Scene<DispatchMetrics> = {
  path: "../prover/jobs/alerts.yml",
  job: "rollup-dispatcher",
  create() {
    const metrics = createDispatchMetrics();
    return { metrics, registry: metrics.registry };
  },
  well({ workers, workersWanted }) {
    workers.set(2);
    workersWanted.set(1);
  },
  faults: {
    DispatcherDown: "down",
    ProofJobAside: ({ jobs }) => jobs.set({ state: "aside" }, 1),
    ProofFalse: (metrics, minute) =>
      countWorkerProof(metrics, "prover-7", minute === 5 ? "invalid" : "taken"),
    ProversMissing: ({ workersWanted }) => workersWanted.set(5),
  },
};

const bridgeError =
  (code: string, perMinute: number): Fault<BridgeMetrics> =>
  ({ errorTotal }) =>
    errorTotal.inc({ code }, perMinute);

const bridge: Scene<BridgeMetrics> = {
  path: "../bridge/alerts.yml",
  job: "rollup-bridge",
  create() {
    const registry = new NewRegistry();
    return { metrics: createBridgeMetrics(registry), registry };
  },
  well({ l1BlockNumber, publishTotal, queueOldestSeconds }, minute) {
    l1BlockNumber.set(5 * minute);
    publishTotal.inc({ result: "posted" });
    queueOldestSeconds.set(30);
  },
  faults: {
    BridgeDown: "down",
    BridgeAlarm: (metrics) => raiseAlarm(metrics, "BRG_LEASE_LOST"),
    L1Stalled: () => {},
    L1Unreachable: bridgeError("BRG_L1_UNREACHABLE", 6),
    SequencerUnreachable: bridgeError("SRV_SEQUENCER_UNREACHABLE", 6),
    QueueEntryWaits: ({ queueOldestSeconds }) => queueOldestSeconds.set(43_201),
    PublishReverted: once(({ publishTotal }) => publishTotal.inc({ result: "reverted" })),
    PublishStuck: ({ feeBumpTotal }) => feeBumpTotal.inc(),
    Reorganised: once(({ reorganisationTotal }) => reorganisationTotal.inc()),
  },
};

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const alertsOf = (path: string) =>
  (parse(read(path)) as { groups: { rules: Alert[] }[] }).groups.flatMap((group) => group.rules);

/** @returns minutes from the fault to the alert; null where it stays silent */
async function minutesUntilFiring<M>(scene: Scene<M>, rule: Alert): Promise<number | null> {
  const { metrics, registry } = await scene.create();
  const scraped = new ScrapedMetrics();
  const labels = { job: scene.job, instance: "127.0.0.1:1" };
  const pendingSeconds = rule.for === undefined ? 0 : secondsOf(rule.for);
  const fault = scene.faults[rule.alert]!;
  let trueSince: number | null = null;
  for (let minute = 1; minute <= WELL_MINUTES + MAX_FAULT_MINUTES; minute++) {
    const isWell = minute <= WELL_MINUTES;
    scraped.seconds = minute * STEP_SECONDS;
    if (isWell) scene.well(metrics, minute);
    else if (fault !== "down") fault(metrics, minute - WELL_MINUTES);
    await scraped.scrape(!isWell && fault === "down" ? null : registry, labels);
    const found = evaluate(rule.expr, scraped);
    trueSince = (found as readonly unknown[]).length === 0 ? null : (trueSince ?? scraped.seconds);
    const isFiring = trueSince !== null && scraped.seconds - trueSince >= pendingSeconds;
    if (isFiring && isWell && minute > 60) throw new Error(`${rule.alert} fires while all is well`);
    if (isFiring && !isWell) return minute - WELL_MINUTES;
  }
  return null;
}

describe.each([sequencer, fullNode, prover, dispatcher, bridge] as Scene<unknown>[])("$path", (scene) => {
  const rules = alertsOf(scene.path);

  it("has a fault here for each of its alerts", () => {
    expect(Object.keys(scene.faults).sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  it.each(rules)("$alert fires", async (rule) => {
    expect(await minutesUntilFiring(scene, rule), rule.expr).not.toBeNull();
  });
});
