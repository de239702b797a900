/** Tests of the Prometheus alerts of this repository: metrics, labels and codes that they name exist. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BridgeErrorCode, bridgeErrors } from "@openledger/bridge/bridge-errors";
import { createBridgeMetrics } from "@openledger/bridge/metrics";
import { createHostMetrics } from "@openledger/datanets/host/host-metrics";
import { processErrors } from "@openledger/foundation/error-table";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import { createFactoryMetrics } from "@openledger/models/factory/factory-metrics";
import { createServerMetrics, createServingMetrics } from "@openledger/models/serving/serving-metrics";
import { SettlingReport } from "@openledger/models/settling/daemon/turn-report";
import { createWorkerMetrics } from "@openledger/prover/queue/worker-metrics";
import { FollowAlarms } from "@openledger/sequencer/full-node/follow-alarms";
import { createMetrics } from "@openledger/sequencer/metrics";
import { sequencerErrors } from "@openledger/sequencer/sequencer-errors";
import { parser } from "@prometheus-io/lezer-promql";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createWatchMetrics } from "./commands/watch/watch-metrics.ts";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const runbook = read("../docs/how-to/runbook.md");
const alertsOf = (path: string) =>
  (parse(read(path)) as { groups: { rules: Alert[] }[] }).groups.flatMap((group) => group.rules);

function bridgeRegistry(): Registry {
  const registry = new Registry();
  createBridgeMetrics(registry);
  return registry;
}
async function fullNodeRegistry(): Promise<Registry> {
  const { registry } = createMetrics();
  const log = { keyed: async () => [] };
  await FollowAlarms.load({ log, registry } as unknown as Parameters<typeof FollowAlarms.load>[0]);
  return registry;
}
async function watcherRegistry(): Promise<Registry> {
  const registry = await fullNodeRegistry();
  createWatchMetrics(registry);
  return registry;
}
const database = { isReachable: async () => true };
function modelServerRegistry(): Registry {
  const registry = new Registry();
  createServerMetrics(registry, database);
  createServingMetrics(registry);
  return Registry.merge([registry, new SettlingReport(1).registry]);
}
const { registry: factoryRegistry } = createFactoryMetrics({
  database,
  jobs: async () => new Map(),
  places: async () => 0,
  computations: () => ({ running: 0, waiting: 0 }),
});
const FILES = [
  { path: "../sequencer/alerts.yml", job: "rollup-sequencer", registry: createMetrics().registry },
  {
    path: "../sequencer/full-node/alerts.yml",
    job: "rollup-full-node",
    registry: await fullNodeRegistry(),
  },
  { path: "commands/watch/alerts.yml", job: "rollup-watcher", registry: await watcherRegistry() },
  { path: "../bridge/alerts.yml", job: "rollup-bridge", registry: bridgeRegistry() },
  {
    path: "../datanets/alerts.yml",
    job: "rollup-datanet-host",
    registry: createHostMetrics(database).registry,
  },
  { path: "../models/serving/alerts.yml", job: "rollup-model-server", registry: modelServerRegistry() },
  { path: "../models/factory/alerts.yml", job: "rollup-factory", registry: factoryRegistry },
  { path: "../prover/alerts.yml", job: "rollup-prover", registry: createWorkerMetrics().registry },
];
const ALERTS = FILES.flatMap((file) => alertsOf(file.path).map((alert) => ({ ...file, ...alert })));

/** The texts of an expression's nodes of one sort, or null where it does not parse. */
function nodes(expression: string, sort: string): string[] | null {
  const found: string[] = [];
  let isBroken = false;
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) isBroken = true;
      if (type.name === sort) found.push(expression.slice(from, to));
    },
  });
  return isBroken ? null : found;
}

describe("nodes", () => {
  it("finds what does not parse", () => {
    expect(nodes("sum(rate(a_total[5m])) > 1", "Identifier")).toEqual(["a_total"]);
    expect(nodes("sum(rate(a_total[5m]) > ", "Identifier")).toBeNull();
  });
});

describe.each(ALERTS)("$alert", ({ alert, expr, job, registry, labels, annotations, for: pending }) => {
  it("asks for metrics and labels that its process has", async () => {
    const metrics = new Map((await registry.getMetricsAsJSON()).map((metric) => [metric.name, metric]));
    const names = nodes(expr, "Identifier");
    expect(names, expr).not.toBeNull();
    expect(names!.length).toBeGreaterThan(0);
    for (const name of names!) {
      if (name === "up") continue;
      expect([...metrics.keys()], expr).toContain(name.replace(/_(bucket|sum|count)$/, ""));
    }
    // Two processes have metrics of the same names.
    const selectors = nodes(expr, "VectorSelector")!;
    for (const selector of selectors) expect(selector).toContain(`job="${job}"`);
  });

  it("names kinds of alarms that there are", async () => {
    const alarms = (await registry.getMetricsAsJSON()).find(({ name }) => name === "rollup_full_node_alarm");
    const known = alarms?.values.map(({ labels }) => labels.kind);
    for (const [, kinds] of expr.matchAll(/kind!?=~?"([^"]+)"/g))
      for (const kind of kinds!.split("|")) expect(known).toContain(kind);
  });

  it("names codes that are raised", () => {
    const known = [processErrors, sequencerErrors, bridgeErrors].flatMap(({ rows }) => Object.keys(rows));
    for (const [, codes] of expr.matchAll(/code=~?"([^"]+)"/g)) {
      for (const code of codes!.split("|")) expect(known).toContain(code);
    }
  });

  it("has a severity, a summary and a section of the runbook", () => {
    expect(["page", "ticket"]).toContain(labels.severity);
    expect(annotations.summary.length).toBeGreaterThan(10);
    expect(annotations.runbook).toBe(`docs/how-to/runbook.md#${alert.toLowerCase()}`);
    expect(runbook).toContain(`\n## ${alert}\n`);
    if (pending !== undefined) expect(pending).toMatch(/^\d+[smh]$/);
  });
});

it("takes every file of alerts", () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const found = listedFiles()
    .filter((path) => basename(path) === "alerts.yml")
    .map((path) => join(root, path));
  const tested = FILES.map(({ path }) => fileURLToPath(new URL(path, import.meta.url)));
  expect(found.sort()).toEqual(tested.sort());
});

it("are in the list of docs/how-to/operate.md", () => {
  const listed = [
    ...read("../docs/how-to/operate.md").matchAll(/^\| [^|]+ \| `(\S+alerts\.yml)` \| `([\w-]+)` \|$/gm),
  ];
  const files = FILES.map(({ job, path }) => [
    path.startsWith("../") ? path.slice(3) : `scripts/${path}`,
    job,
  ]);
  expect(listed.map(([, path, job]) => [path, job]).sort()).toEqual(files.sort());
});

describe("docs/how-to/runbook.md", () => {
  it("has no section without an alert", () => {
    const sections = [...runbook.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual(ALERTS.map(({ alert }) => alert).sort());
  });

  it("says what to do about every code that stops the bridge", () => {
    const listed = [...runbook.matchAll(/^- `(BRG_\w+)`: /gm)].map(([, code]) => code);
    const codes = Object.keys(bridgeErrors.rows);
    const stopping = codes.filter(
      (code) =>
        bridgeErrors.statusOf(code) === 500 && !bridgeErrors.raise(code as BridgeErrorCode, "").isRetryable,
    );
    for (const code of stopping) expect(listed, "an entry of BridgeAlarm").toContain(code);
    for (const code of listed) expect(codes).toContain(code);
  });
});
