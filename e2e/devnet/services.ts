/**
 * Processes of the devnet (sequencer, bridge, Datanet host, answer server, factory) with their settings and addresses;
 * devnet.ts starts them by supervisor.ts.
 */
import { randomBytes } from "node:crypto";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { nativeKernelSets } from "@openledger/models/engine/kernels/native-kernels";
import { ADDED_BASES, BASE_FOLDER } from "@openledger/models/tuning/base/base-address";
import { hubOrigin } from "@openledger/models/tuning/recipe/hub";
import type { BackendName } from "@openledger/prover/backends";
import { workspacePaths } from "@openledger/scripts/cli/workspace";
import { healthOf } from "../world/process.ts";
import { commandSpec, portOf, type ServiceSpec, serviceSpec } from "../world/services.ts";
import { devPrivateKey } from "./accounts.ts";
import {
  CLOSE_INTERVAL_MS,
  devnetPaths,
  FEE_PER_UNIT_WEI,
  FINALITY_BLOCKS,
  NEWS_INTERVAL_MS,
  PRECONFIRMATION_DEADLINE_SECONDS,
} from "./config.ts";

export interface ServiceAddresses {
  readonly rpcUrl: string;
  readonly sequencerUrl: string;
  /** Address at which the devnet's models, the base and its adapters will be served. */
  readonly answerServerUrl: string;
  readonly datanetHostUrl: string;
  /** Address at which models will be tuned, once the job is done. */
  readonly factoryUrl: string;
  readonly operatorToken: string;
  /** Token by which the sequencer knows the devnet's own hosts, answer server and factory. */
  readonly serverToken: string;
  readonly proverBackend: BackendName;
  /** Folder of the built pages; null where none are served. */
  readonly pagesPath: string | null;
  /** Time of earlier proofs of the batch circuit on this machine; null if there was none. */
  readonly expectedProveMs: number | null;
}

/** Tokens that the bridge, and the devnet's own servers, show the sequencer; made once a devnet. */
export async function loadTokens(): Promise<Pick<ServiceAddresses, "operatorToken" | "serverToken">> {
  const tokenAt = async (path: string) => {
    const known = readIfPresent(path);
    if (known !== null) return known.trim();
    const token = randomBytes(24).toString("hex");
    await writeFileWhole(path, `${token}\n`, { mode: 0o600 });
    return token;
  };
  return {
    operatorToken: await tokenAt(devnetPaths.operatorToken),
    serverToken: await tokenAt(devnetPaths.serverToken),
  };
}

export function sequencerService(addresses: ServiceAddresses): ServiceSpec {
  const { datanetHostUrl, expectedProveMs, factoryUrl, pagesPath, rpcUrl, sequencerUrl } = addresses;
  return serviceSpec("sequencer", sequencerUrl, {
    SEQUENCER_DEPLOYMENT_PATH: workspacePaths.deployment,
    SEQUENCER_DATA_PATH: devnetPaths.sequencerData,
    SEQUENCER_DATA_PLACE: "auto",
    SEQUENCER_PORT: portOf(sequencerUrl),
    SEQUENCER_OPERATOR_TOKEN: addresses.operatorToken,
    SEQUENCER_SERVER_TOKEN: addresses.serverToken,
    ...(pagesPath === null ? {} : { SEQUENCER_PAGES_PATH: pagesPath }),
    SEQUENCER_PAGES_L1_URL: rpcUrl,
    SEQUENCER_PAGES_ANSWER_SERVERS: addresses.answerServerUrl,
    SEQUENCER_PAGES_DATANET_HOSTS: datanetHostUrl,
    SEQUENCER_PAGES_FACTORY: factoryUrl,
    SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: devPrivateKey("operator"),
    SEQUENCER_FEE_PER_UNIT_WEI: FEE_PER_UNIT_WEI,
    SEQUENCER_CLOSE_INTERVAL_MS: CLOSE_INTERVAL_MS,
    ...(expectedProveMs === null ? {} : { SEQUENCER_EXPECTED_PROVE_MS: expectedProveMs }),
    SEQUENCER_L1_CONFIRMATIONS: FINALITY_BLOCKS,
    SEQUENCER_PRECONFIRMATION_DEADLINE_SECONDS: PRECONFIRMATION_DEADLINE_SECONDS,
    PROVER_BACKEND: addresses.proverBackend,
  });
}

export const bridgeService = ({ operatorToken, rpcUrl, sequencerUrl }: ServiceAddresses): ServiceSpec => ({
  ...serviceSpec("bridge", null, {
    BRIDGE_DEPLOYMENT_PATH: workspacePaths.deployment,
    BRIDGE_L1_RPC_URL: rpcUrl,
    BRIDGE_SEQUENCER_URL: sequencerUrl,
    BRIDGE_OPERATOR_TOKEN: operatorToken,
    BRIDGE_OPERATOR_PRIVATE_KEY: devPrivateKey("operator"),
    BRIDGE_DATA_PATH: devnetPaths.bridgeData,
    BRIDGE_POLL_INTERVAL_MS: 2_000,
    BRIDGE_NEWS_INTERVAL_MS: NEWS_INTERVAL_MS,
    BRIDGE_MAX_BACKOFF_MS: 2_000,
    BRIDGE_L1_FINALITY_DEPTH_BLOCKS: FINALITY_BLOCKS,
    BRIDGE_L1_RESEND_AFTER_MS: 15_000,
  }),
  // The first thing that it does is to report L1's head.
  isReady: async () => {
    const response = await fetch(`${sequencerUrl}/health`, { signal: AbortSignal.timeout(1000) });
    return ((await response.json()) as { isL1HeadKnown?: boolean }).isL1HeadKnown === true;
  },
});

export const datanetHostService = ({
  datanetHostUrl,
  sequencerUrl,
  serverToken,
}: ServiceAddresses): ServiceSpec =>
  serviceSpec("datanet-host", datanetHostUrl, {
    DATANET_DEPLOYMENT_PATH: workspacePaths.deployment,
    DATANET_SEQUENCER_URL: sequencerUrl,
    DATANET_SERVER_TOKEN: serverToken,
    DATANET_DATABASE_PATH: devnetPaths.database,
    DATANET_JOURNAL_PATH: devnetPaths.datanetJournal,
    DATANET_PORT: portOf(datanetHostUrl),
    DATANET_NOTICES_EVERY_MS: "5000",
    DATANET_WEBHOOK_HOSTS: "localhost",
  });

export function devnetFactory(addresses: ServiceAddresses, basePath: string | null): ServiceSpec {
  const { factoryUrl, proverBackend } = addresses;
  return {
    ...serviceSpec("factory", factoryUrl, {
      FACTORY_DEPLOYMENT_PATH: workspacePaths.deployment,
      FACTORY_SEQUENCER_URL: addresses.sequencerUrl,
      FACTORY_SERVER_TOKEN: addresses.serverToken,
      FACTORY_RPC_URL: addresses.rpcUrl,
      FACTORY_DATA_PATH: devnetPaths.factoryData,
      FACTORY_DATABASE_PATH: devnetPaths.database,
      FACTORY_PORT: portOf(factoryUrl),
      FACTORY_DATANET_HOSTS: addresses.datanetHostUrl,
      FACTORY_BASES: [...(basePath === null ? [] : [basePath]), `${ADDED_BASES}/*`].join(","),
      // Accounts of a devnet are its user's own.
      FACTORY_BASE_PLACES: process.env.FACTORY_BASE_PLACES ?? hubOrigin(),
      // A graphics card proves batches; a factory has no use for one.
      FACTORY_PROVER: proverBackend === "webgpu" ? "auto" : proverBackend,
    }),
    // Tuning takes all cores for minutes, and proofs come first.
    niceness: 10,
  };
}

/**
 * The command that anyone serves models with. It settles their epochs by itself, with mia's key; the base and a folder of
 * adapters are free.
 */
export function answerServer({
  answerServerUrl,
  proverBackend,
  sequencerUrl,
  serverToken,
}: ServiceAddresses): ServiceSpec {
  const args = [
    ...["models", "serve", devnetPaths.published, "--base", BASE_FOLDER, "--adapters", devnetPaths.adapters],
    ...["--port", portOf(answerServerUrl), "--data", devnetPaths.serving, "--batch", "4"],
    ...["--kernels", nativeKernelSets().length > 0 ? "native" : "wasm"],
    ...["--settle", "--account", "mia", "--prover", proverBackend, "--sequencer", sequencerUrl],
  ];
  const settings = { SERVING_DATABASE_PATH: devnetPaths.database, SERVING_SERVER_TOKEN: serverToken };
  return commandSpec("answer-server", args, settings, healthOf(answerServerUrl));
}
