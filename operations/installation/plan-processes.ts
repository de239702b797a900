/** Which processes an installation has, and the settings of each. */

import { BRIDGE_SETTINGS } from "@openledger/bridge/config";
import { DATANET_SETTINGS } from "@openledger/datanets/host/config";
import {
  describeProblems,
  type Environment,
  readSettings,
  type Setting,
  type Settings,
  SHARED_PREFIX,
  settingVariable,
} from "@openledger/foundation/settings";
import { startOf } from "@openledger/foundation/start-of";
import { FACTORY_SETTINGS } from "@openledger/models/factory/factory-config";
import { PROVER_SETTINGS } from "@openledger/prover/process/prover-config";
import { SEQUENCER_SETTINGS } from "@openledger/sequencer/config";
import { operatorError } from "../operator-errors.ts";
import { type InstalledProcess, installationPaths } from "./installation.ts";
import { ownSequencerUrl, withLease } from "./plan-lease.ts";
import type { PlannedProcess, ProcessRequest } from "./planned-process.ts";

/** Prefix and table of the processes that are configured by variables. */
const SETTINGS_OF = {
  sequencer: { prefix: "SEQUENCER", settings: SEQUENCER_SETTINGS },
  bridge: { prefix: "BRIDGE", settings: BRIDGE_SETTINGS },
  prover: { prefix: "PROVER", settings: PROVER_SETTINGS },
  "datanet-host": { prefix: "DATANET", settings: DATANET_SETTINGS },
  factory: { prefix: "FACTORY", settings: FACTORY_SETTINGS },
} as const satisfies Record<string, { prefix: string; settings: Settings }>;

/** @throws CMD_INIT_REFUSED naming every setting that its process would refuse */
export function planProcesses(request: ProcessRequest): PlannedProcess[] {
  const {
    backend,
    folder,
    hasDatanetHost,
    hasFactory,
    hasFullNode,
    hasQueue,
    host,
    model,
    proverCount,
    rpcUrl,
  } = request;
  const paths = installationPaths(folder);
  let port = request.firstPort;
  const next = () => port++;
  const sequencerPort = next();
  const sequencerUrl = ownSequencerUrl(request);
  const bridgePort = next();
  const processes: PlannedProcess[] = [
    {
      name: "sequencer",
      kind: "sequencer",
      args: [...startOf("sequencer/main.ts")],
      port: sequencerPort,
      job: "rollup-sequencer",
      healthPath: "/health",
      dataPath: paths.data("sequencer"),
      env: {
        SEQUENCER_DEPLOYMENT_PATH: paths.deployment,
        SEQUENCER_DATA_PATH: paths.data("sequencer"),
        SEQUENCER_HOST: host,
        SEQUENCER_PORT: String(sequencerPort),
        SEQUENCER_OPERATOR_TOKEN_FILE: paths.operatorToken,
        PROVER_BACKEND: backend,
        ...(hasQueue ? { PROVER_QUEUE_FILE: paths.queueUrl } : {}),
        SEQUENCER_PRECONFIRMATION_PRIVATE_KEY_FILE: paths.operatorKey,
      },
    },
    {
      name: "bridge",
      kind: "bridge",
      args: [...startOf("bridge/main.ts")],
      port: bridgePort,
      job: "rollup-bridge",
      healthPath: "/health",
      dataPath: paths.data("bridge"),
      env: {
        BRIDGE_DEPLOYMENT_PATH: paths.deployment,
        BRIDGE_L1_RPC_URL: rpcUrl,
        BRIDGE_SEQUENCER_URL: sequencerUrl,
        BRIDGE_DATA_PATH: paths.data("bridge"),
        BRIDGE_OPERATOR_TOKEN_FILE: paths.operatorToken,
        BRIDGE_OPERATOR_PRIVATE_KEY_FILE: paths.operatorKey,
        BRIDGE_HEALTH_PORT: String(bridgePort),
      },
    },
  ];
  for (let i = 1; i <= (hasQueue ? proverCount : 0); i++) {
    const proverPort = next();
    processes.push({
      name: `prover-${i}`,
      kind: "prover",
      args: [...startOf("prover/queue/main.ts")],
      port: proverPort,
      job: "rollup-prover",
      healthPath: "/health",
      dataPath: null,
      env: {
        PROVER_DEPLOYMENT_PATH: paths.deployment,
        PROVER_QUEUE_FILE: paths.workerQueueUrl,
        PROVER_NAME: `prover-${i}`,
        PROVER_BACKEND: backend,
        PROVER_HEALTH_PORT: String(proverPort),
      },
    });
  }
  if (hasDatanetHost) {
    const hostPort = next();
    processes.push({
      name: "datanet-host",
      kind: "datanet-host",
      args: [...startOf("datanets/host/main.ts")],
      port: hostPort,
      job: "rollup-datanet-host",
      healthPath: "/health",
      dataPath: paths.data("datanet-host"),
      env: {
        DATANET_DEPLOYMENT_PATH: paths.deployment,
        DATANET_SEQUENCER_URL: sequencerUrl,
        DATANET_DATA_PATH: paths.data("datanet-host"),
        DATANET_HOST: host,
        DATANET_PORT: String(hostPort),
      },
    });
  }
  if (hasFactory) {
    const factoryPort = next();
    const rowHost = processes.find(({ kind }) => kind === "datanet-host");
    processes.push({
      name: "factory",
      kind: "factory",
      args: [...startOf("models/factory/main.ts")],
      port: factoryPort,
      job: "rollup-factory",
      healthPath: "/health",
      dataPath: paths.data("factory"),
      env: {
        FACTORY_DEPLOYMENT_PATH: paths.deployment,
        FACTORY_SEQUENCER_URL: sequencerUrl,
        FACTORY_RPC_URL: rpcUrl,
        FACTORY_DATA_PATH: paths.data("factory"),
        FACTORY_PORT: String(factoryPort),
        ...(rowHost === undefined
          ? {}
          : { FACTORY_DATANET_HOSTS: ownSequencerUrl({ host, firstPort: rowHost.port }) }),
      },
    });
  }
  // Both find record and sequencer in this folder, as every command does.
  const home = { OPENLEDGER_HOME: folder };
  if (hasFullNode) {
    const fullNodePort = next();
    const follow = ["follow", "--feed", sequencerUrl, "--data", paths.data("full-node")];
    // Final for the full node when it is for the bridge.
    const depth = request.settings.BRIDGE_L1_FINALITY_DEPTH_BLOCKS;
    if (depth !== undefined) follow.push("--finality-depth", depth);
    processes.push({
      name: "full-node",
      kind: "full-node",
      args: [...startOf("scripts/openledger.ts"), ...follow, "--port", String(fullNodePort), "--no-pages"],
      port: fullNodePort,
      job: "rollup-full-node",
      healthPath: "/health",
      dataPath: paths.data("full-node"),
      env: home,
    });
  }
  if (model !== null) {
    const modelPort = next();
    const serve = ["models", "serve", model.folder, "--model", String(model.id)];
    const places = ["--port", String(modelPort), "--data", paths.data("model-server")];
    const settle = ["--settle", "--private-key-file", paths.modelKey, "--prover", backend];
    processes.push({
      name: "model-server",
      kind: "model-server",
      args: [...startOf("scripts/openledger.ts"), ...serve, ...places, ...settle],
      port: modelPort,
      job: null,
      healthPath: "/v1/model",
      dataPath: paths.data("model-server"),
      env: home,
    });
  }
  return withSettings(withLease(processes, request), request.settings);
}

/** Gives each process the settings of its prefix, and those of all. @throws CMD_INIT_REFUSED for one that nobody has */
function withSettings(
  processes: readonly PlannedProcess[],
  settings: Readonly<Record<string, string>>,
): PlannedProcess[] {
  const known = Object.values(SETTINGS_OF).flatMap((of) =>
    Object.entries<Setting>(of.settings).flatMap(([name, { isShared }]) => [
      settingVariable(of.prefix, name),
      ...(isShared ? [settingVariable(SHARED_PREFIX, name)] : []),
    ]),
  );
  for (const name of Object.keys(settings)) {
    if (known.includes(name)) continue;
    throw operatorError("CMD_INIT_REFUSED", `${name} is not a setting of any process`, { data: { name } });
  }
  return processes.map((process) => {
    if (process.kind === "full-node" || process.kind === "model-server") return process;
    const { prefix } = SETTINGS_OF[process.kind];
    // The sequencer starts a prover, or puts its proofs into the queue.
    const prefixes = [prefix, SHARED_PREFIX, ...(process.kind === "sequencer" ? ["PROVER"] : [])];
    const own = Object.entries(settings).filter(([name]) =>
      prefixes.some((one) => name.startsWith(`${one}_`)),
    );
    return { ...process, env: { ...process.env, ...Object.fromEntries(own) } };
  });
}

/**
 * What the process itself would say at its start; null where it takes all of it.
 *
 * @param secretFiles that are looked at by themselves: what is wrong with them is not said again for each process
 */
export function settingProblems(
  kind: InstalledProcess["kind"],
  env: Environment,
  secretFiles: readonly string[] = [],
): string | null {
  if (kind === "full-node" || kind === "model-server") return null;
  const { prefix, settings } = SETTINGS_OF[kind];
  const { problems } = readSettings(prefix, settings, env);
  const own = problems.filter(({ env: name }) => !secretFiles.includes(env[name] ?? ""));
  return own.length === 0 ? null : describeProblems(own);
}
