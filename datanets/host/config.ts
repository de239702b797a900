/** The host's settings: one table of environment variables, read once. */

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
import { datanetError } from "../datanet-errors.ts";

/** Every setting of the host, in the environment as DATANET_…; docs/generated/settings.md has their table. */
export const DATANET_SETTINGS = {
  deploymentPath: {
    schema: someText,
    default: ".openledger/deployment.json",
    description: "the deployment record of the rollup",
  },
  sequencerUrl: {
    schema: httpUrl,
    default: "http://127.0.0.1:8547",
    description: "the sequencer or follower that is asked what is final",
  },
  dataPath: { schema: someText, default: ".openledger/datanets", description: "folder of rows and records" },
  host: { schema: someText, default: "127.0.0.1", description: "address to listen on" },
  port: {
    schema: wholeNumber(0, 65_535),
    default: "8560",
    description: "port to listen on; 0 = any free one",
  },
  ...SERVER_SETTINGS,
  publicUrl: {
    ...SERVER_SETTINGS.publicUrl,
    description: "address that clients use and sign requests for; empty = the one that it listens on",
  },
  maxRowBytes: {
    schema: wholeNumber(1, 16 * 1024 * 1024),
    default: "65536",
    description: "largest row",
  },
  maxChunkBytes: {
    schema: wholeNumber(1_024, 64 * 1024 * 1024),
    default: "4194304",
    description: "largest piece of rows that one request sends or gets",
  },
  maxCommitRows: {
    schema: wholeNumber(1, 10_000_000),
    default: "1000000",
    description: "most rows of one commit or version",
  },
  maxStoreBytes: {
    schema: wholeNumber(1_024, 1e15),
    default: "100000000000",
    description: "all rows together; above it none is taken",
  },
  quotaBytesPerDay: {
    schema: wholeNumber(0, 1e15),
    default: "1073741824",
    description: "bytes that one leaf may store in a day (UTC)",
  },
  quotaRecordsPerDay: {
    schema: wholeNumber(0, 1e9),
    default: "100000",
    description: "labels and other records that one leaf may store in a day (UTC)",
  },
  rateLimitPerMinute: {
    schema: wholeNumber(1, 10_000_000),
    default: "6000",
    description: "requests of one address a minute",
  },
  requestTimeoutMs: {
    schema: wholeNumber(100, 3_600_000),
    default: "30000",
    description: "a request that has not come whole by then is cut off, unless 64 KiB of it come a second",
  },
  checkTimeoutMs: {
    schema: wholeNumber(1, 86_400_000),
    default: "1800000",
    description: "a look at a Datanet's rows that takes longer is ended; others wait for it",
  },
  ledgerCacheMs: {
    schema: wholeNumber(0, 600_000),
    default: "2000",
    description: "how long an answer of the sequencer is taken for the present one",
  },
  logLevel: {
    schema: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    default: "info",
    description: "pino level",
  },
} as const satisfies Settings;

export type HostConfig = SettingValues<typeof DATANET_SETTINGS>;

/** @throws DNT_CONFIG_INVALID listing every variable that is missing, wrong or unknown */
export function loadHostConfig(environment: Environment): HostConfig {
  const { problems, values } = readSettings("DATANET", DATANET_SETTINGS, environment);
  if (problems.length > 0)
    throw datanetError("DNT_CONFIG_INVALID", describeProblems(problems), { data: { problems } });
  return values;
}
