/** The same processes for systemd and for compose. Both read the same env files. */

import { dirname } from "node:path";
import type { Installation, InstalledProcess } from "./installation.ts";
import { installationPaths } from "./installation.ts";

const NODE_IMAGE = "node:20.20-bookworm-slim";
const PROMETHEUS_IMAGE = "prom/prometheus:v3.7.3";
const GRAFANA_IMAGE = "grafana/grafana:12.2.1";

/** A unit of one process: started again whenever it ends, with no rights but to its own folders. */
export function systemdUnit(
  folder: string,
  { repository, user }: Installation,
  one: InstalledProcess,
): string {
  // systemd starts nothing whose writable folders are not there, and a process makes its own at its first start.
  const written = [`${repository}/.cache`, ...(one.dataPath === null ? [] : [dirname(one.dataPath)])];
  return [
    "[Unit]",
    `Description=OpenLedger ${one.name}`,
    "After=network-online.target",
    "Wants=network-online.target",
    "PartOf=openledger.target",
    "",
    "[Service]",
    `User=${user}`,
    `WorkingDirectory=${repository}`,
    `EnvironmentFile=${installationPaths(folder).env(one.name)}`,
    `ExecStart=${process.execPath} ${one.args.join(" ")}`,
    // What ends with 1 is meant to be started again; each start goes on where the last one was.
    "Restart=always",
    "RestartSec=2",
    "TimeoutStopSec=30",
    "LimitNOFILE=65536",
    "UMask=0077",
    "NoNewPrivileges=yes",
    "PrivateTmp=yes",
    "ProtectSystem=strict",
    `ReadWritePaths=${written.join(" ")}`,
    "",
    "[Install]",
    "WantedBy=openledger.target",
    "",
  ].join("\n");
}

export function systemdTarget({ processes }: Installation): string {
  return [
    "[Unit]",
    "Description=OpenLedger",
    `Wants=${processes.map(({ name }) => `openledger-${name}.service`).join(" ")}`,
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/**
 * Containers on the host's network, so that the addresses of the env files hold for them, too. Each sees the repository and
 * the installation under the paths that they have on the host; JSON is YAML. Compose has no umask: each process sets its own.
 *
 * @param keyFolders outside the repository, read-only
 */
export function composeFile(
  folder: string,
  { processes, repository }: Installation,
  keyFolders: readonly string[],
  ids: { readonly uid: number; readonly gid: number },
): string {
  const paths = installationPaths(folder);
  const common = { network_mode: "host", restart: "always", user: `${ids.uid}:${ids.gid}` };
  const services = Object.fromEntries(
    processes.map((one) => [
      one.name,
      {
        ...common,
        image: NODE_IMAGE,
        working_dir: repository,
        env_file: [paths.env(one.name)],
        command: ["node", ...one.args],
        stop_grace_period: "30s",
        volumes: [
          `${repository}:${repository}:ro`,
          `${repository}/.cache:${repository}/.cache`,
          `${folder}:${folder}`,
          ...keyFolders.map((path) => `${path}:${path}:ro`),
        ],
        healthcheck: {
          test: [
            "CMD",
            "node",
            "-e",
            `fetch("http://127.0.0.1:${one.port}${one.healthPath}").then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`,
          ],
          interval: "15s",
          timeout: "10s",
          start_period: "120s",
        },
      },
    ]),
  );
  const monitoring = {
    prometheus: {
      ...common,
      image: PROMETHEUS_IMAGE,
      command: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
      volumes: [`${paths.prometheus}:/etc/prometheus:ro`, `${paths.data("prometheus")}:/prometheus`],
    },
    grafana: {
      ...common,
      image: GRAFANA_IMAGE,
      environment: { GF_AUTH_ANONYMOUS_ENABLED: "false", GF_SERVER_HTTP_ADDR: "127.0.0.1" },
      volumes: [
        `${paths.grafana}/provisioning:/etc/grafana/provisioning:ro`,
        `${paths.grafana}/boards:/etc/grafana/boards:ro`,
        `${paths.data("grafana")}:/var/lib/grafana`,
      ],
    },
  };
  return `# Made by openledger operator init. JSON is YAML.\n${JSON.stringify({ services: { ...services, ...monitoring } }, null, 2)}\n`;
}
