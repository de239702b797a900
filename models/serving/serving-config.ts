/** The settings of the server of adapters: one table of environment variables, read once. */

import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import {
  defaulting,
  describeProblems,
  type Environment,
  readSettings,
  type Settings,
  type SettingValues,
  SHARED_SETTINGS,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { KERNEL_CHOICES } from "../kernels/create-kernels.ts";
import { MAX_THREAD_COUNT } from "../kernels/kernels.ts";
import { servingError } from "../model-errors.ts";

/** Every setting, in the environment as SERVING_…; docs/reference/settings.md has their table. */
export const SERVING_SETTINGS = {
  basePath: { schema: someText, description: "folder of the base model" },
  adaptersPath: { schema: someText, description: "folder of adapters, each a folder as PEFT writes it" },
  /** `adapters/` below it can be removed at any time; without `answers/` no receipt can be opened. */
  dataPath: defaulting(SHARED_SETTINGS.dataPath, ".openledger/serving"),
  host: SHARED_SETTINGS.host,
  port: defaulting(SHARED_SETTINGS.port, "8798"),
  ...SERVER_SETTINGS,
  rateLimitPerMinute: defaulting(SHARED_SETTINGS.rateLimitPerMinute, "1200"),
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
  registeredPath: {
    schema: someText.optional(),
    description:
      "folder of published models, each named by its model's leaf: they alone are served, for receipts; without it nobody pays",
  },
  spansPath: {
    schema: someText.optional(),
    description:
      "with registered models: folder of indexes of versions' texts (datanet index), for the verbatim spans of answers",
  },
  attributionMegabytes: {
    schema: wholeNumber(1, 1_048_576),
    default: "128",
    description:
      "with registered models: memory for adapters, maps and features of the models that were asked last",
  },
  logLevel: SHARED_SETTINGS.logLevel,
} as const satisfies Settings;

/** What no operator has had a reason to set. */
const FIXED = {
  /** Name of the base among the models. */
  baseName: "base",
  /** Requests that may wait in all. */
  maxQueued: 1_024,
  /** With registered models: how long an answer may stay unpaid before its account may ask again. */
  answerTtlSeconds: 600,
} as const;

export type ServingConfig = SettingValues<typeof SERVING_SETTINGS> & {
  readonly [Name in keyof typeof FIXED]: (typeof FIXED)[Name] extends number ? number : string;
};

/** @throws RollupError SRV_CONFIG_INVALID */
export function readServingConfig(environment: Environment): ServingConfig {
  const { problems, values } = readSettings("SERVING", SERVING_SETTINGS, environment);
  if (problems.length > 0)
    throw servingError("SRV_CONFIG_INVALID", describeProblems(problems), { data: { problems } });
  return Object.freeze({ ...values, ...FIXED });
}
