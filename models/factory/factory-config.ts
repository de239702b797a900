/** The factory's settings: one table of environment variables, read once. */

import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import {
  describeProblems,
  type Environment,
  httpUrl,
  readSettings,
  type Settings,
  type SettingValues,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { KERNEL_CHOICES } from "../kernels/create-kernels.ts";
import { MAX_THREAD_COUNT } from "../kernels/kernels.ts";
import { factoryError } from "./factory-errors.ts";

const list = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);
const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
const MEGABYTE = 2 ** 20;

/** Every setting, in the environment as FACTORY_…; docs/generated/settings.md has their table. */
export const FACTORY_SETTINGS = {
  deploymentPath: {
    schema: someText,
    default: ".openledger/deployment.json",
    description: "the deployment record of the rollup",
  },
  sequencerUrl: {
    schema: httpUrl,
    default: "http://127.0.0.1:8547",
    description: "the sequencer or follower that is asked for keys, versions and models",
  },
  rpcUrl: {
    schema: httpUrl,
    default: "http://127.0.0.1:8545",
    description: "the Ethereum node that is asked for the rollup's circuits",
  },
  dataPath: {
    schema: someText,
    default: ".openledger/factory",
    description: "folder of rows, jobs and models",
  },
  host: { schema: someText, default: "127.0.0.1", description: "address to listen on" },
  port: {
    schema: wholeNumber(0, 65_535),
    default: "8570",
    description: "port to listen on; 0 = any free one",
  },
  ...SERVER_SETTINGS,
  publicUrl: {
    ...SERVER_SETTINGS.publicUrl,
    description: "address that clients use and sign requests for; empty = the one that it listens on",
  },
  accounts: {
    schema: list.refine(
      (parts) => (parts.length === 1 && parts[0] === "any") || parts.every((part) => /^\d{1,8}$/.test(part)),
      "is neither any nor a list of leaves",
    ),
    default: "",
    description:
      "leaves of the ledger that may train, or any; empty = any where it listens on this machine alone, else it has to be given",
  },
  datanetHosts: {
    schema: list.pipe(z.array(httpUrl)),
    default: "http://127.0.0.1:8560",
    description: "Datanet hosts that rows are fetched from",
  },
  bases: { schema: list, default: "", description: "folders and addresses of base models that are listed" },
  basePlaces: {
    schema: list,
    default: "",
    description:
      "what folders and addresses may begin with that people name as bases; empty = they may name none",
  },
  kernels: {
    schema: z.enum(["fastest", ...KERNEL_CHOICES]),
    default: "fastest",
    description: "fastest = native where they were built, else wasm; all give the same bytes",
  },
  threadCount: {
    schema: wholeNumber(0, MAX_THREAD_COUNT),
    default: "0",
    description: "threads of a job; 0 = as many as there are cores",
  },
  maxRunning: { schema: wholeNumber(1, 64), default: "1", description: "jobs that run at a time" },
  maxJobsPerAccount: { schema: wholeNumber(1, 10_000), default: "32", description: "jobs of one account" },
  maxDatasetsPerAccount: {
    schema: wholeNumber(1, 10_000),
    default: "32",
    description: "data sets of one account",
  },
  maxRows: { schema: wholeNumber(4, 1_000_000), default: "20000", description: "rows of a data set" },
  maxDatasetBytes: {
    schema: wholeNumber(1_024, 64 * MEGABYTE),
    default: String(32 * MEGABYTE),
    description: "bytes of a data set's rows",
  },
  maxSteps: { schema: wholeNumber(1, 1_000_000), default: "20000", description: "steps of a job" },
  maxMemoryBytes: {
    schema: wholeNumber(MEGABYTE, 1e13),
    default: String(4 * 1_024 * MEGABYTE),
    description: "memory that one job may ask for",
  },
  maxStoreBytes: {
    schema: wholeNumber(1_024, 1e15),
    default: "20000000000",
    description: "rows, jobs and models together; above it none is taken",
  },
  prover: {
    schema: z.enum(["auto", "native", "wasm", "snarkjs"]),
    default: "auto",
    description: "back end that proves the genesis of models; auto takes the faster of native and wasm",
  },
  rateLimitPerMinute: {
    schema: wholeNumber(1, 10_000_000),
    default: "1200",
    description: "requests of one address a minute",
  },
  requestTimeoutMs: {
    schema: wholeNumber(100, 3_600_000),
    default: "30000",
    description:
      "a request that has not come whole by then is cut off, unless 64 KiB of it come a second; the same for hosts that are asked",
  },
  logLevel: {
    schema: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    default: "info",
    description: "pino level",
  },
} as const satisfies Settings;

export type FactoryConfig = Omit<SettingValues<typeof FACTORY_SETTINGS>, "accounts"> & {
  readonly accounts: "any" | readonly number[];
};

/** @throws MOD_FACTORY_SETTINGS_INVALID listing every variable that is missing, wrong or unknown */
export function readFactoryConfig(environment: Environment): FactoryConfig {
  const read = readSettings("FACTORY", FACTORY_SETTINGS, environment);
  const problems = [...read.problems];
  const { accounts = [], host } = read.values;
  if (problems.length === 0 && accounts.length === 0 && !LOOPBACK.has(host))
    problems.push({
      env: "FACTORY_ACCOUNTS",
      problem: `is missing: the factory listens on ${host}, so say who may train: leaves, or any`,
    });
  if (problems.length > 0)
    throw factoryError("MOD_FACTORY_SETTINGS_INVALID", describeProblems(problems), { data: { problems } });
  const isAny = accounts.length === 0 || accounts[0] === "any";
  return { ...read.values, accounts: isAny ? "any" : accounts.map(Number) };
}
