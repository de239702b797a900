/** Prometheus' configuration with the project's rules, and a board for Grafana, both as code. */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { type Installation, type InstalledProcess, installationPaths } from "./installation.ts";

/** The rules about each kind of process. */
const RULES: Partial<Record<InstalledProcess["kind"], string>> = {
  sequencer: "sequencer/alerts.yml",
  bridge: "bridge/alerts.yml",
  prover: "prover/alerts.yml",
  "full-node": "sequencer/full-node/alerts.yml",
};

const rulesOf = ({ processes }: Installation): string[] => [
  ...new Set(processes.flatMap(({ kind }) => RULES[kind] ?? [])),
];

interface PanelSpec {
  readonly title: string;
  readonly unit: string;
  /** Whether it goes below 0. */
  readonly isSigned?: boolean;
  /** Query by legend. */
  readonly queries: Readonly<Record<string, string>>;
}

const SEQUENCER = 'job="rollup-sequencer"';
const BRIDGE = 'job="rollup-bridge"';

/** What an operator looks at first, in the order in which an operation goes through it. */
export const PANELS: readonly PanelSpec[] = [
  {
    title: "Processes that answer",
    unit: "short",
    queries: { "{{job}}": 'up{job=~"rollup-.*"}' },
  },
  {
    title: "Operations a second",
    unit: "ops",
    queries: { "{{kind}}": `sum by (kind) (rate(rollup_operations_total{${SEQUENCER}}[5m]))` },
  },
  {
    title: "Time to a preconfirmation",
    unit: "s",
    queries: {
      median: `histogram_quantile(0.5, sum by (le) (rate(rollup_acknowledge_seconds_bucket{${SEQUENCER}}[5m])))`,
      "99 %": `histogram_quantile(0.99, sum by (le) (rate(rollup_acknowledge_seconds_bucket{${SEQUENCER}}[5m])))`,
    },
  },
  {
    title: "Batches that wait for a proof",
    unit: "short",
    queries: { waiting: `rollup_prover_queue_length{${SEQUENCER}}` },
  },
  {
    title: "Time of a proof",
    unit: "s",
    queries: {
      "{{stage}}": `histogram_quantile(0.5, sum by (le, stage) (rate(rollup_proof_seconds_bucket{${SEQUENCER}}[30m])))`,
    },
  },
  {
    title: "Workers of the queue of proofs, and jobs",
    unit: "short",
    queries: {
      workers: `rollup_prover_workers{${SEQUENCER}}`,
      "{{state}}": `rollup_prover_jobs{${SEQUENCER}}`,
    },
  },
  {
    title: "Last batch on L1 and last final one",
    unit: "short",
    queries: {
      posted: `rollup_l1_posted_batch{${BRIDGE}}`,
      final: `rollup_l1_finalized_batch{${BRIDGE}}`,
    },
  },
  {
    title: "Gas a minute",
    unit: "short",
    queries: { gas: `60 * rate(rollup_l1_publish_gas_total{${BRIDGE}}[30m])` },
  },
  {
    title: "Age of the oldest queue entry (24 hours: anyone may post it)",
    unit: "s",
    queries: { oldest: `rollup_bridge_queue_oldest_seconds{${BRIDGE}}` },
  },
  {
    title: "Fee of a unit, in OPEN",
    unit: "short",
    queries: { fee: `rollup_unit_fee_open{${SEQUENCER}}` },
  },
  {
    title: "The operator's result over the last 200 batches, in OPEN",
    unit: "short",
    isSigned: true,
    queries: { result: `rollup_operator_result_open{${SEQUENCER}}` },
  },
  {
    title: "Seconds left of the lease, and since the standby was heard",
    unit: "s",
    queries: {
      lease: `rollup_lease_seconds{${SEQUENCER}}`,
      standby: `rollup_replica_silent_seconds{${SEQUENCER}}`,
    },
  },
  {
    title: "Refusals and failures",
    unit: "short",
    queries: {
      "{{job}} {{code}}": 'sum by (job, code) (increase(rollup_errors_total{job=~"rollup-.*"}[5m]))',
    },
  },
  {
    title: "Jobs of the factory",
    unit: "short",
    queries: { "{{state}}": 'factory_jobs{job="rollup-factory"}' },
  },
  {
    title: "Alarms of bridge and full node",
    unit: "short",
    queries: {
      "bridge {{code}}": `rollup_bridge_alarm{${BRIDGE}}`,
      "full node {{kind}}": 'rollup_full_node_alarm{job="rollup-full-node"}',
    },
  },
];

const PANEL_HEIGHT = 8;
const PANEL_WIDTH = 12;
const DATA_SOURCE = { type: "prometheus", uid: "openledger" };

function grafanaBoard(): object {
  return {
    uid: "openledger",
    title: "OpenLedger",
    schemaVersion: 41,
    editable: false,
    refresh: "10s",
    time: { from: "now-3h", to: "now" },
    panels: PANELS.map(({ isSigned = false, queries, title, unit }, i) => ({
      id: i + 1,
      type: "timeseries",
      title,
      datasource: DATA_SOURCE,
      gridPos: {
        h: PANEL_HEIGHT,
        w: PANEL_WIDTH,
        x: (i % 2) * PANEL_WIDTH,
        y: Math.floor(i / 2) * PANEL_HEIGHT,
      },
      fieldConfig: { defaults: isSigned ? { unit } : { unit, min: 0 }, overrides: [] },
      targets: Object.entries(queries).map(([legendFormat, expr], at) => ({
        refId: String.fromCharCode(65 + at),
        datasource: DATA_SOURCE,
        expr,
        legendFormat,
      })),
    })),
  };
}

function prometheusConfig(installation: Installation): object {
  const targets = new Map<string, string[]>();
  for (const { job, port } of installation.processes)
    if (job !== null) targets.set(job, [...(targets.get(job) ?? []), `127.0.0.1:${port}`]);
  return {
    global: { scrape_interval: "15s", evaluation_interval: "15s" },
    rule_files: rulesOf(installation).map((path) => `rules/${ruleName(path)}`),
    // Prometheus refuses two jobs of one name.
    scrape_configs: [...targets].map(([job, addresses]) => ({
      job_name: job,
      static_configs: [{ targets: addresses }],
    })),
  };
}

const ruleName = (path: string) => path.replaceAll("/", "-");

export async function writeMonitoring(folder: string, installation: Installation): Promise<void> {
  const { grafana, prometheus } = installationPaths(folder);
  const write = (path: string, value: object) => writeFileWhole(path, `${JSON.stringify(value, null, 2)}\n`);
  // JSON is YAML.
  await write(join(prometheus, "prometheus.yml"), prometheusConfig(installation));
  await mkdir(join(prometheus, "rules"), { recursive: true });
  for (const path of rulesOf(installation))
    await copyFile(join(repositoryRoot, path), join(prometheus, "rules", ruleName(path)));
  await write(join(grafana, "boards", "openledger.json"), grafanaBoard());
  const provisioning = join(grafana, "provisioning");
  await write(join(provisioning, "datasources", "openledger.yml"), {
    apiVersion: 1,
    datasources: [
      {
        name: "OpenLedger",
        uid: DATA_SOURCE.uid,
        type: "prometheus",
        url: "http://127.0.0.1:9090",
        access: "proxy",
      },
    ],
  });
  await write(join(provisioning, "dashboards", "openledger.yml"), {
    apiVersion: 1,
    providers: [{ name: "OpenLedger", type: "file", options: { path: "/etc/grafana/boards" } }],
  });
}
