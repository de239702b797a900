/** Start of each service of a rollup, from its environment alone: for worlds and for the devnet. */
import { startOf } from "@openledger/foundation/testing/start-of";
import { healthOf, type ProcessSpec } from "./process.ts";

/** Environment of a service. */
export type Settings = Readonly<Record<string, string | number | bigint>>;
export type ServiceSpec = Omit<ProcessSpec, "logPath">;

const MAINS = {
  sequencer: "sequencer/main.ts",
  bridge: "bridge/main.ts",
  prover: "prover/queue/main.ts",
  "datanet-host": "datanets/host/main.ts",
  factory: "models/factory/main.ts",
} as const;

/** @param url where it says that it lives; null: it is ready at once */
export const serviceSpec = (name: keyof typeof MAINS, url: string | null, env: Settings): ServiceSpec => ({
  name,
  ...processOf(MAINS[name], env),
  ...(url === null ? {} : { isReady: healthOf(url) }),
});

/** Service command that runs until it is stopped. */
export const commandSpec = (
  name: string,
  args: readonly string[],
  env: Settings = {},
  isReady: () => Promise<boolean> = async () => true,
): ServiceSpec => {
  const process = processOf("scripts/openledger.ts", env);
  return { ...process, name, isReady, args: [...process.args, ...args] };
};

/** One process and no wrapper: it runs from the bundle that is made at installation. */
const processOf = (main: string, env: Settings) => ({
  args: startOf(main),
  env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])),
});

export const portOf = (url: string): string => new URL(url).port;
