/**
 * Settings of the factory's process: one table of FACTORY_… variables with defaults and units, from which
 * docs/reference/settings.md is made.
 */

import { DATABASE_SETTINGS } from "@openledger/foundation/database/open-database";
import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import {
  baseUrl,
  type ConfigOf,
  defaulting,
  type Environment,
  httpUrl,
  readConfig,
  type Settings,
  SHARED_SETTINGS,
  textList,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { KERNEL_CHOICES } from "../engine/kernels/create-kernels.ts";
import { MAX_THREAD_COUNT } from "../engine/kernels/kernels.ts";
import { ADDED_BASES } from "../tuning/base/base-address.ts";

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
const MEGABYTE = 2 ** 20;
const DAY_MS = 86_400_000;

/** Every setting, in the environment as FACTORY_…; docs/reference/settings.md has their table. */
export const FACTORY_SETTINGS = {
  deploymentPath: SHARED_SETTINGS.deploymentPath,
  sequencerUrl: SHARED_SETTINGS.sequencerUrl,
  serverToken: SHARED_SETTINGS.serverToken,
  rpcUrl: {
    schema: httpUrl,
    default: "http://127.0.0.1:8545",
    description: "URL of the Ethereum node to read the rollup's circuits from",
  },
  dataPath: defaulting(SHARED_SETTINGS.dataPath, ".openledger/factory"),
  ...DATABASE_SETTINGS,
  host: SHARED_SETTINGS.host,
  port: defaulting(SHARED_SETTINGS.port, "8570"),
  ...SERVER_SETTINGS,
  accounts: {
    schema: textList.refine(
      (parts) => (parts.length === 1 && parts[0] === "any") || parts.every((part) => /^\d{1,8}$/.test(part)),
      "is neither any nor a list of leaves",
    ),
    default: "",
    description:
      "leaf ids that may train, or any; empty = any, which is allowed only where it listens on this machine alone",
  },
  datanetHosts: {
    schema: textList.pipe(z.array(baseUrl)),
    default: "http://127.0.0.1:8560",
    description: "Datanet hosts to download rows from",
  },
  bases: {
    schema: textList,
    default: `${ADDED_BASES}/*`,
    description: "folders and URLs of the base models to list; FOLDER/* = each folder in it",
  },
  basePlaces: {
    schema: textList,
    default: "",
    description:
      "allowed prefixes of folders and URLs that users may name as bases, a hub's address for its names; empty = none",
  },
  kernels: {
    schema: z.enum(["fastest", ...KERNEL_CHOICES]),
    default: "fastest",
    description: "compute kernels; fastest = native if built, else wasm; all give the same result",
  },
  threadCount: {
    schema: wholeNumber(0, MAX_THREAD_COUNT),
    default: "0",
    description: "threads of a job; 0 = one for each core",
  },
  healthPort: SHARED_SETTINGS.healthPort,
  maxRunning: {
    schema: wholeNumber(0, 64),
    default: "1",
    description: "jobs that this server or worker runs at a time; 0 = none: workers elsewhere run them",
  },
  leaseMs: {
    schema: wholeNumber(1_000, 600_000),
    default: "20000",
    description: "milliseconds after which a worker that was killed loses its jobs to another one",
  },
  maxRows: { schema: wholeNumber(4, 1_000_000), default: "20000", description: "maximum rows of a data set" },
  maxSteps: { schema: wholeNumber(1, 1_000_000), default: "20000", description: "maximum steps of a job" },
  maxStoreBytes: {
    schema: wholeNumber(1_024, 1e15),
    default: "20000000000",
    description: "maximum bytes of rows, jobs and models together; above it, new ones are refused",
  },
  sideTimeoutMs: {
    schema: wholeNumber(1_000, DAY_MS),
    default: "1200000",
    description:
      "maximum milliseconds of a base's description, a measurement, a comparison or a merge; then its process is killed",
  },
  jobSilenceMs: {
    schema: wholeNumber(60_000, 7 * DAY_MS),
    default: "14400000",
    description:
      "maximum milliseconds in which a job's process or an activation's proof gives no sign; then it is killed and has failed",
  },
  prover: {
    schema: z.enum(["auto", "native", "wasm", "snarkjs"]),
    default: "auto",
    description: "back end that proves the activation of models; auto takes the faster of native and wasm",
  },
  rateLimitPerMinute: defaulting(SHARED_SETTINGS.rateLimitPerMinute, "1200"),
  requestTimeoutMs: SHARED_SETTINGS.requestTimeoutMs,
  logLevel: SHARED_SETTINGS.logLevel,
} as const satisfies Settings;

/** Limits that no operator has had a reason to set. */
const FIXED = {
  /** Jobs of one account. */
  maxJobsPerAccount: 32,
  /** Models that are served, each with its base in memory. */
  maxServed: 16,
  maxServedPerAccount: 4,
  /** Data sets of one account. */
  maxDatasetsPerAccount: 32,
  /** Bytes of a data set's rows. */
  maxDatasetBytes: 32 * MEGABYTE,
  /** Memory that one job may ask for. */
  maxMemoryBytes: 4 * 1_024 * MEGABYTE,
} as const;

export type FactoryConfig = Omit<ConfigOf<typeof FACTORY_SETTINGS, typeof FIXED>, "accounts"> & {
  readonly accounts: "any" | readonly number[];
};

/** @throws SRV_CONFIG_INVALID listing every variable that is missing, wrong or unknown */
export function readFactoryConfig(environment: Environment): FactoryConfig {
  const { accounts = [], ...values } = readConfig(
    "FACTORY",
    { settings: FACTORY_SETTINGS, fixed: FIXED },
    environment,
    ({ accounts: named = [], host }) =>
      named.length > 0 || LOOPBACK.has(host)
        ? []
        : [
            {
              env: "FACTORY_ACCOUNTS",
              problem: `is missing: the factory listens on ${host}, so say who may train: leaves, or any`,
            },
          ],
  );
  const isAny = accounts.length === 0 || accounts[0] === "any";
  return { ...values, accounts: isAny ? "any" : accounts.map(Number) };
}
