import { randomBytes } from "node:crypto";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { SERVING_SETTINGS } from "@openledger/models/serving/serving-config";
import { startOf } from "@openledger/operations/installation/start-of";
import type { BackendName } from "@openledger/prover/backends";
import type { DataMode } from "@openledger/sequencer/batches/data-choice";
import type { Address } from "viem";
import { workspacePaths } from "../cli/workspace.ts";
import { devPrivateKey } from "./accounts.ts";
import {
  CLOSE_INTERVAL_MS,
  devnetPaths,
  FEE_PER_UNIT_WEI,
  FINALITY_BLOCKS,
  PRECONFIRMATION_DEADLINE_SECONDS,
  WATCH_MINUTES,
} from "./config.ts";
import type { ModelName, ModelPart } from "./parts.ts";
import type { ServiceSpec } from "./supervisor.ts";

export interface ServiceAddresses {
  readonly rpcUrl: string;
  readonly sequencerUrl: string;
  /** Where the devnet's models will be served. */
  readonly modelServerUrls: Readonly<Record<ModelName, string>>;
  readonly datanetHostUrl: string;
  /** Where models will be tuned, once the job is done. */
  readonly factoryUrl: string;
  readonly operatorToken: string;
  readonly proverBackend: BackendName;
  /** Folder of the built pages; null where none are served. */
  readonly pagesPath: string | null;
  /** Where batches' data stands. */
  readonly dataPlace: DataMode;
  /** What earlier proofs of the batch circuit took on this machine; null where there was none. */
  readonly expectedProveMs: number | null;
}

/** The token that prover and bridge show the sequencer; made once a devnet. */
export async function loadOperatorToken(): Promise<string> {
  const known = readIfPresent(devnetPaths.operatorToken);
  if (known !== null) return known.trim();
  const token = randomBytes(24).toString("hex");
  await writeFileWhole(devnetPaths.operatorToken, `${token}\n`, 0o600);
  return token;
}

export function sequencerSpec({
  dataPlace,
  datanetHostUrl,
  expectedProveMs,
  factoryUrl,
  modelServerUrls,
  operatorToken,
  pagesPath,
  rpcUrl,
  sequencerUrl,
}: ServiceAddresses): ServiceSpec {
  return {
    ...nodeProcess("sequencer", "sequencer/main.ts"),
    env: {
      SEQUENCER_DEPLOYMENT_PATH: workspacePaths.deployment,
      SEQUENCER_DATA_PATH: devnetPaths.sequencerData,
      SEQUENCER_BLOBS_PATH: devnetPaths.blobs,
      SEQUENCER_DATA_PLACE: dataPlace,
      SEQUENCER_PORT: new URL(sequencerUrl).port,
      SEQUENCER_OPERATOR_TOKEN: operatorToken,
      ...(pagesPath === null ? {} : { SEQUENCER_PAGES_PATH: pagesPath }),
      SEQUENCER_PAGES_L1_URL: rpcUrl,
      SEQUENCER_PAGES_MODEL_SERVERS: Object.values(modelServerUrls).join(" "),
      // Whoever starts `openledger models serve` beside the devnet finds its adapters in the pages.
      SEQUENCER_PAGES_ADAPTER_SERVERS: `http://127.0.0.1:${SERVING_SETTINGS.port.default}`,
      SEQUENCER_PAGES_DATANET_HOSTS: datanetHostUrl,
      SEQUENCER_PAGES_FACTORY: factoryUrl,
      SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: devPrivateKey("operator"),
      SEQUENCER_FEE_PER_UNIT_WEI: FEE_PER_UNIT_WEI.toString(),
      SEQUENCER_CLOSE_INTERVAL_MS: String(CLOSE_INTERVAL_MS),
      ...(expectedProveMs === null ? {} : { SEQUENCER_EXPECTED_PROVE_MS: String(expectedProveMs) }),
      SEQUENCER_L1_CONFIRMATIONS: String(FINALITY_BLOCKS),
      SEQUENCER_PRECONFIRMATION_DEADLINE_SECONDS: String(PRECONFIRMATION_DEADLINE_SECONDS),
    },
    isReady: async () => (await fetch(`${sequencerUrl}/health`, { signal: AbortSignal.timeout(1000) })).ok,
  };
}

export function bridgeSpec({ rpcUrl, sequencerUrl, operatorToken }: ServiceAddresses): ServiceSpec {
  return {
    ...nodeProcess("bridge", "bridge/main.ts"),
    env: {
      BRIDGE_DEPLOYMENT_PATH: workspacePaths.deployment,
      BRIDGE_L1_RPC_URL: rpcUrl,
      BRIDGE_SEQUENCER_URL: sequencerUrl,
      BRIDGE_OPERATOR_TOKEN: operatorToken,
      BRIDGE_OPERATOR_PRIVATE_KEY: devPrivateKey("operator"),
      BRIDGE_DATA_PATH: devnetPaths.bridgeData,
      BRIDGE_POLL_INTERVAL_MS: "700",
      BRIDGE_MAX_BACKOFF_MS: "2000",
      BRIDGE_L1_CONFIRMATIONS: "1",
      BRIDGE_L1_FINALITY_DEPTH_BLOCKS: String(FINALITY_BLOCKS),
      BRIDGE_L1_RESEND_AFTER_MS: "15000",
    },
    // The first thing that it does is to report L1's head.
    isReady: async () => {
      const response = await fetch(`${sequencerUrl}/health`, { signal: AbortSignal.timeout(1000) });
      return ((await response.json()) as { isL1HeadKnown?: boolean }).isL1HeadKnown === true;
    },
  };
}

export function proverSpec({ sequencerUrl, operatorToken, proverBackend }: ServiceAddresses): ServiceSpec {
  return {
    ...nodeProcess("prover", "prover/service/main.ts"),
    env: {
      PROVER_DEPLOYMENT_PATH: workspacePaths.deployment,
      PROVER_SEQUENCER_URL: sequencerUrl,
      PROVER_TOKEN: operatorToken,
      PROVER_BACKEND: proverBackend,
    },
    isReady: async () => true,
  };
}

export function datanetHostSpec({ datanetHostUrl, sequencerUrl }: ServiceAddresses): ServiceSpec {
  return {
    ...nodeProcess("datanet-host", "datanets/host/main.ts"),
    env: {
      DATANET_DEPLOYMENT_PATH: workspacePaths.deployment,
      DATANET_SEQUENCER_URL: sequencerUrl,
      DATANET_DATA_PATH: devnetPaths.datanetData,
      DATANET_PORT: new URL(datanetHostUrl).port,
    },
    isReady: async () => (await fetch(`${datanetHostUrl}/health`, { signal: AbortSignal.timeout(1000) })).ok,
  };
}

export function factorySpec({
  datanetHostUrl,
  factoryUrl,
  proverBackend,
  rpcUrl,
  sequencerUrl,
}: ServiceAddresses): ServiceSpec {
  return {
    ...nodeProcess("factory", "models/factory/main.ts"),
    env: {
      FACTORY_DEPLOYMENT_PATH: workspacePaths.deployment,
      FACTORY_SEQUENCER_URL: sequencerUrl,
      FACTORY_RPC_URL: rpcUrl,
      FACTORY_DATA_PATH: devnetPaths.factoryData,
      FACTORY_PORT: new URL(factoryUrl).port,
      FACTORY_DATANET_HOSTS: datanetHostUrl,
      // A graphics card proves batches; a factory has no use for one.
      FACTORY_PROVER: proverBackend === "webgpu" ? "auto" : proverBackend,
    },
    // Tuning takes all cores for minutes, and proofs come first.
    niceness: 10,
    isReady: async () => (await fetch(`${factoryUrl}/health`, { signal: AbortSignal.timeout(1000) })).ok,
  };
}

/** The command that anyone serves a model with. It settles the model's epochs by itself, with mia's key. */
export function modelServerSpec(
  { name, paths, serverName }: ModelPart,
  modelId: number,
  {
    modelServerUrls,
    proverBackend,
    sequencerUrl,
  }: Pick<ServiceAddresses, "modelServerUrls" | "proverBackend" | "sequencerUrl">,
): ServiceSpec {
  const modelServerUrl = modelServerUrls[name];
  const { args, ...process } = nodeProcess(serverName, "scripts/openledger.ts");
  const serve = ["model", "serve", paths.folder, "--model", String(modelId)];
  const places = ["--port", new URL(modelServerUrl).port, "--data", paths.answers];
  const settle = ["--settle", "--account", "mia", "--prover", proverBackend];
  return {
    ...process,
    args: [...args, ...serve, ...places, ...settle, "--sequencer", sequencerUrl],
    isReady: async () =>
      (await fetch(`${modelServerUrl}/v1/model`, { signal: AbortSignal.timeout(2000) })).ok,
  };
}

/** Of the watcher's process and of its log. */
export const WATCH_NAME = "watch";

/** walt recomputes what is posted, and would refute it. Finds the models where this machine knows them to be served. */
export function watchSpec(gate: Address): ServiceSpec {
  const { args, ...process } = nodeProcess(WATCH_NAME, "scripts/openledger.ts");
  return {
    ...process,
    args: [...args, "watch", gate, "--account", "walt", "--every", WATCH_MINUTES],
    isReady: async () => true,
  };
}

/** One process and no wrapper: it runs from the bundle that is made at installation. */
function nodeProcess(name: string, path: string): Pick<ServiceSpec, "name" | "command" | "args"> {
  return { name, command: process.execPath, args: [...startOf(path)] };
}
