/** The settings of the server of adapters: one table of environment variables, read once. */

import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import {
  describeProblems,
  type Environment,
  readSettings,
  type Settings,
  type SettingValues,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { servingError } from "../adapters/serving-errors.ts";
import { KERNEL_CHOICES } from "../kernels/create-kernels.ts";
import { MAX_THREAD_COUNT } from "../kernels/kernels.ts";

/** Every setting, in the environment as SERVING_…; docs/generated/settings.md has their table. */
export const SERVING_SETTINGS = {
  basePath: { schema: someText, description: "folder of the base model" },
  adaptersPath: { schema: someText, description: "folder of adapters, each a folder as PEFT writes it" },
  cachePath: {
    schema: someText,
    default: ".openledger/adapters",
    description: "folder of compiled adapters; it can be removed at any time",
  },
  baseName: {
    schema: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "is no name of a model"),
    default: "base",
    description: "name of the base among the models",
  },
  host: { schema: someText, default: "127.0.0.1", description: "address to listen on" },
  port: {
    schema: wholeNumber(0, 65_535),
    default: "8798",
    description: "port to listen on; 0 = any free one",
  },
  ...SERVER_SETTINGS,
  rateLimitPerMinute: {
    schema: wholeNumber(1, 10_000_000),
    default: "1200",
    description: "requests of one address a minute, IPv6 by /64",
  },
  kernels: {
    schema: z.enum(KERNEL_CHOICES),
    default: "native",
    description: "native, avx512, avx2 or wasm; all give the same bytes",
  },
  threadCount: {
    schema: wholeNumber(1, MAX_THREAD_COUNT),
    default: "1",
    description: "threads, each with a batch of its own over the same base",
  },
  batch: { schema: wholeNumber(1, 256), default: "32", description: "requests at once of each thread" },
  maxPositions: {
    schema: wholeNumber(16, 1_048_576),
    default: "2048",
    description: "most tokens of a prompt and its answer; no more than the base has",
  },
  kvMegabytes: {
    schema: wholeNumber(1, 1_048_576),
    default: "256",
    description: "memory for keys and values of all requests",
  },
  adapterMegabytes: {
    schema: wholeNumber(1, 1_048_576),
    default: "256",
    description: "memory for adapters; the others are read from disk when they are asked for",
  },
  maxQueued: {
    schema: wholeNumber(1, 100_000),
    default: "1024",
    description: "requests that may wait in all",
  },
  maxQueuedPerTenant: {
    schema: wholeNumber(1, 100_000),
    default: "256",
    description: "requests of one address that may wait; of IPv6, of one network of 64 bits",
  },
  streamBufferBytes: {
    schema: wholeNumber(4_096, 2 ** 30),
    default: "262144",
    description: "bytes that may wait for a client that does not read, before its stream is ended",
  },
  charging: {
    schema: z.enum(["free", "ledger"]),
    default: "free",
    description:
      "free = nobody pays, and answers carry no receipts; ledger = registered models alone, for receipts",
  },
  registeredPath: {
    schema: someText.optional(),
    description: "with ledger: folder of published models, each named by its model's leaf",
  },
  answersPath: {
    schema: someText,
    default: ".openledger/answers",
    description: "with ledger: where answers and openings are kept; without them no receipt can be opened",
  },
  spansPath: {
    schema: someText.optional(),
    description:
      "with ledger: folder of indexes of versions' texts (datanet index), for the verbatim spans of answers",
  },
  answerTtlSeconds: {
    schema: wholeNumber(1, 86_400),
    default: "600",
    description: "with ledger: how long an answer may stay unpaid before its account may ask again",
  },
  attributionMegabytes: {
    schema: wholeNumber(1, 1_048_576),
    default: "128",
    description: "with ledger: memory for adapters, maps and features of the models that were asked last",
  },
  logLevel: {
    schema: z.enum(["debug", "info", "warn", "error", "silent"]),
    default: "info",
    description: "least level that is logged",
  },
} as const satisfies Settings;

export type ServingConfig = SettingValues<typeof SERVING_SETTINGS>;

/** @throws RollupError MOD_SERVE_SETTINGS_INVALID */
export function readServingConfig(environment: Environment): ServingConfig {
  const { problems, values } = readSettings("SERVING", SERVING_SETTINGS, environment);
  if (problems.length > 0)
    throw servingError("MOD_SERVE_SETTINGS_INVALID", describeProblems(problems), { data: { problems } });
  return values;
}
