/** What starts each service of a rollup, and what it has to be told at least: for worlds and for the devnet. */
import { startOf } from "../../scripts/cli/start-of.ts";
import { healthOf, type ProcessSpec } from "./process.ts";

/** Environment of a service, beside its place. */
export type Settings = Readonly<Record<string, string | number | bigint>>;
export type ServiceSpec = Omit<ProcessSpec, "logPath">;

interface Place {
  readonly deploymentPath: string;
  readonly settings?: Settings;
}
interface Served extends Place {
  /** Where it listens. */
  readonly url: string;
  readonly dataPath: string;
}
interface Operated {
  readonly operatorToken: string;
  /** Where the sequencer is. */
  readonly sequencerUrl: string;
}

const texts = (settings: Settings = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
const portOf = (url: string) => new URL(url).port;

/** Node's arguments, from the bundle: one process and no wrapper. */
const service = (
  name: string,
  main: string,
  env: Settings,
  isReady?: () => Promise<boolean>,
): ServiceSpec => ({
  name,
  args: startOf(main),
  env: texts(env),
  ...(isReady === undefined ? {} : { isReady }),
});

/** @param place.privateKey signs the preconfirmations */
export const sequencerSpec = ({
  dataPath,
  deploymentPath,
  operatorToken,
  privateKey,
  settings,
  url,
}: Served & Pick<Operated, "operatorToken"> & { readonly privateKey: string }): ServiceSpec =>
  service(
    "sequencer",
    "sequencer/main.ts",
    {
      SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
      SEQUENCER_DATA_PATH: dataPath,
      SEQUENCER_PORT: portOf(url),
      SEQUENCER_OPERATOR_TOKEN: operatorToken,
      SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: privateKey,
      ...settings,
    },
    healthOf(url),
  );

/** @param place.privateKey pays for the batches on L1 */
export const bridgeSpec = ({
  dataPath,
  deploymentPath,
  operatorToken,
  privateKey,
  rpcUrl,
  sequencerUrl,
  settings,
}: Omit<Served, "url"> & Operated & { readonly privateKey: string; readonly rpcUrl: string }): ServiceSpec =>
  service("bridge", "bridge/main.ts", {
    BRIDGE_DEPLOYMENT_PATH: deploymentPath,
    BRIDGE_L1_RPC_URL: rpcUrl,
    BRIDGE_SEQUENCER_URL: sequencerUrl,
    BRIDGE_OPERATOR_TOKEN: operatorToken,
    BRIDGE_OPERATOR_PRIVATE_KEY: privateKey,
    BRIDGE_DATA_PATH: dataPath,
    ...settings,
  });

export const proverSpec = ({
  backend,
  deploymentPath,
  operatorToken,
  sequencerUrl,
  settings,
}: Place & Operated & { readonly backend: string }): ServiceSpec =>
  service("prover", "prover/service/main.ts", {
    PROVER_DEPLOYMENT_PATH: deploymentPath,
    PROVER_SEQUENCER_URL: sequencerUrl,
    PROVER_TOKEN: operatorToken,
    PROVER_BACKEND: backend,
    ...settings,
  });

export const datanetHostSpec = ({
  dataPath,
  deploymentPath,
  sequencerUrl,
  settings,
  url,
}: Served & Pick<Operated, "sequencerUrl">): ServiceSpec =>
  service(
    "datanet-host",
    "datanets/host/main.ts",
    {
      DATANET_DEPLOYMENT_PATH: deploymentPath,
      DATANET_SEQUENCER_URL: sequencerUrl,
      DATANET_DATA_PATH: dataPath,
      DATANET_PORT: portOf(url),
      ...settings,
    },
    healthOf(url),
  );

/** @param place.hostUrl of the Datanet host that it takes rows from */
export const factorySpec = ({
  dataPath,
  deploymentPath,
  hostUrl,
  rpcUrl,
  sequencerUrl,
  settings,
  url,
}: Served &
  Pick<Operated, "sequencerUrl"> & { readonly hostUrl: string; readonly rpcUrl: string }): ServiceSpec =>
  service(
    "factory",
    "models/factory/main.ts",
    {
      FACTORY_DEPLOYMENT_PATH: deploymentPath,
      FACTORY_SEQUENCER_URL: sequencerUrl,
      FACTORY_RPC_URL: rpcUrl,
      FACTORY_DATA_PATH: dataPath,
      FACTORY_PORT: portOf(url),
      FACTORY_DATANET_HOSTS: hostUrl,
      ...settings,
    },
    healthOf(url),
  );

/** A command that goes on until it is stopped. */
export const commandSpec = (
  name: string,
  args: readonly string[],
  env: Settings = {},
  isReady?: () => Promise<boolean>,
): ServiceSpec => {
  const { args: start, ...rest } = service(name, "scripts/openledger.ts", env, isReady);
  return { ...rest, args: [...start, ...args] };
};
