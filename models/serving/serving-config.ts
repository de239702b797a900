/** The settings of the answer server: one table of environment variables, read once. */

import { join } from "node:path";
import { SCORE_CHOICES } from "@openledger/attribution/scores/score-engine";
import type { Database } from "@openledger/foundation/database/database";
import {
  DATABASE_SETTINGS,
  type DatabaseConfig,
  openDatabase,
} from "@openledger/foundation/database/open-database";
import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import type { Logger } from "@openledger/foundation/logger";
import {
  baseUrl,
  type ConfigOf,
  defaulting,
  type Environment,
  readConfig,
  type Settings,
  SHARED_SETTINGS,
  someText,
  textList,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { WEIGHT_NUMBERS } from "../engine/architecture/model-shape.ts";
import { KERNEL_CHOICES } from "../engine/kernels/create-kernels.ts";
import { MAX_THREAD_COUNT } from "../engine/kernels/kernels.ts";
import { issueKey, KEYS_PART, readKeys, revokeKey, serveEverybody } from "./api-keys.ts";

/** Every setting, in the environment as SERVING_…; docs/reference/settings.md has their table. */
export const SERVING_SETTINGS = {
  basePath: {
    schema: someText.optional(),
    description: "folder of the base model to serve by OpenAI's routes; none = no such routes",
  },
  adaptersPath: {
    schema: someText.optional(),
    description:
      "folder of the base's free adapters, in PEFT's format; none = the base is free if no models are published",
  },
  publishedPath: {
    schema: someText.optional(),
    description:
      "folder of published models to serve for receipts, each named by its leaf id; none = no payments",
  },
  datanetHosts: {
    schema: textList.pipe(z.array(baseUrl)),
    default: "",
    description:
      "Datanet hosts to ask for rows that were withdrawn, and for the terms of a model's rows where its recipe has none; empty = nobody is asked, and the log says so",
  },
  /** Compiled adapters, which can be made again. Keys, answers and proofs of settlements are in the database. */
  dataPath: defaulting(SHARED_SETTINGS.dataPath, ".openledger/serving"),
  ...DATABASE_SETTINGS,
  host: SHARED_SETTINGS.host,
  port: defaulting(SHARED_SETTINGS.port, "8798"),
  ...SERVER_SETTINGS,
  serverToken: SHARED_SETTINGS.serverToken,
  rateLimitPerMinute: defaulting(SHARED_SETTINGS.rateLimitPerMinute, "1200"),
  kernels: {
    schema: z.enum(KERNEL_CHOICES),
    default: "native",
    description: "compute kernels: native, avx512-vnni, avx512, avx2 or wasm; all give the same result",
  },
  weights: {
    schema: z.enum(WEIGHT_NUMBERS).optional(),
    description:
      "numbers of the base's weights: float32 or int8; none = what recipes say, else int8 from 67 million numbers on",
  },
  threadCount: {
    schema: wholeNumber(1, MAX_THREAD_COUNT),
    default: "1",
    description: "number of threads, each with its own batch over the same base",
  },
  batch: {
    schema: wholeNumber(1, 256),
    default: "32",
    description: "maximum concurrent requests of each thread",
  },
  maxPositions: {
    schema: wholeNumber(16, 1_048_576),
    default: "2048",
    description: "maximum tokens of a prompt and its answer; at most the base's context",
  },
  kvMegabytes: {
    schema: wholeNumber(1, 1_048_576),
    default: "256",
    description: "memory for keys and values of all requests, in megabytes",
  },
  adapterMegabytes: {
    schema: wholeNumber(1, 1_048_576),
    default: "256",
    description: "memory for adapters, in megabytes; others are read from disk when used",
  },
  maxQueuedPerTenant: {
    schema: wholeNumber(1, 100_000),
    default: "256",
    description: "maximum waiting requests of one address; IPv6 by /64",
  },
  streamBufferBytes: {
    schema: wholeNumber(4_096, 2 ** 30),
    default: "262144",
    description: "maximum bytes buffered for a slow client before its stream is closed",
  },
  answerTtlSeconds: {
    schema: wholeNumber(1, 31_536_000),
    default: "600",
    description: "seconds until an unpaid answer expires",
  },
  scores: {
    schema: z.enum(SCORE_CHOICES),
    default: "auto",
    description:
      "how scores of estimates are computed: auto, gpu or int32; auto picks the fastest for each model",
  },
  attributionMegabytes: {
    schema: wholeNumber(1, 1_048_576),
    default: "128",
    description: "memory for data of the published models used last, in megabytes",
  },
  logLevel: SHARED_SETTINGS.logLevel,
} as const satisfies Settings;

/** Operations on the keys of those who may ask: rows of the database, not a setting. */
export const servingKeys = { issue: issueKey, read: readKeys, revoke: revokeKey, serveEverybody };

/** Opens the database of keys; the caller closes it. @throws SRV_DATABASE_UNREACHABLE, SRV_DATABASE_SCHEMA */
export const openKeys = (config: DatabaseConfig, logger: Logger): Promise<Database> =>
  openDatabase(config, { part: KEYS_PART, rollup: null, logger, maxConnections: 4 });

/** Values that no operator has had a reason to set. */
const FIXED = {
  /** Name of the base among the models. */
  baseName: "base",
  /** Requests that may wait in all. */
  maxQueued: 1_024,
} as const;

/** Adapters of registered models, as they were published. */
export const registeredAdapters = ({ dataPath }: { readonly dataPath: string }) =>
  join(dataPath, "registered");

export type ServingConfig = ConfigOf<typeof SERVING_SETTINGS, typeof FIXED>;

/** @throws RollupError SRV_CONFIG_INVALID */
export const readServingConfig = (environment: Environment): ServingConfig =>
  readConfig("SERVING", { settings: SERVING_SETTINGS, fixed: FIXED }, environment);
