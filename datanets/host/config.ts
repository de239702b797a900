/**
 * Settings of the Datanet host, read from DATANET_… variables; scripts/settings.ts writes their table into
 * docs/reference/settings.md.
 */
import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { DATABASE_SETTINGS } from "@openledger/foundation/database/open-database";
import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import {
  type ConfigOf,
  defaulting,
  type Environment,
  readConfig,
  type Settings,
  SHARED_SETTINGS,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import { refuseEarlierStore } from "@openledger/foundation/store/earlier-store";
import { z } from "zod";

/** Every setting of the host, in the environment as DATANET_…; docs/reference/settings.md has their table. */
export const DATANET_SETTINGS = {
  deploymentPath: SHARED_SETTINGS.deploymentPath,
  sequencerUrl: SHARED_SETTINGS.sequencerUrl,
  serverToken: SHARED_SETTINGS.serverToken,
  ...DATABASE_SETTINGS,
  journalPath: {
    schema: someText,
    default: ".openledger/datanet-journal",
    description:
      "folder of the withdrawals and answers to requests that a restored database takes again: on another disk than it, in no copy of it",
  },
  host: SHARED_SETTINGS.host,
  port: defaulting(SHARED_SETTINGS.port, "8560"),
  ...SERVER_SETTINGS,
  maxRowBytes: {
    schema: wholeNumber(1, 16 * 1024 * 1024),
    default: `${MAX_PICTURE_BYTES}`,
    description: "largest row, in bytes; the default is the largest picture that models read",
  },
  maxChunkBytes: {
    schema: wholeNumber(1_024, 64 * 1024 * 1024),
    default: "4194304",
    description: "maximum bytes of rows in one request",
  },
  maxStoreBytes: {
    schema: wholeNumber(1_024, 1e15),
    default: "100000000000",
    description: "maximum bytes of all rows and lists together; above it, uploads are refused",
  },
  quotaBytesPerDay: {
    schema: wholeNumber(0, 1e15),
    default: "1073741824",
    description: "maximum bytes that one leaf may store in a day (UTC)",
  },
  quotaRecordsPerDay: {
    schema: wholeNumber(0, 1e9),
    default: "100000",
    description: "maximum labels and other records that one leaf may store in a day (UTC)",
  },
  rateLimitPerMinute: SHARED_SETTINGS.rateLimitPerMinute,
  requestTimeoutMs: SHARED_SETTINGS.requestTimeoutMs,
  checkTimeoutMs: {
    schema: wholeNumber(1, 86_400_000),
    default: "1800000",
    description: "longest time for a check of a Datanet's rows; other checks wait for it",
  },
  maxCheckBytes: {
    schema: wholeNumber(2 ** 27, 2 ** 36),
    default: "2147483648",
    description:
      "maximum memory of a check of a Datanet's rows: some 70 bytes for each byte of text, which is 28 MiB of rows at the default",
  },
  noticesEveryMs: {
    schema: wholeNumber(100, 86_400_000),
    default: "30000",
    description: "time between two looks for events of Datanets, which feeds and webhooks tell of",
  },
  pagesUrl: {
    schema: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
    default: "",
    description:
      "URL of the pages, to which entries of feeds link; empty = that of the sequencer, which serves them",
  },
  webhookHosts: {
    schema: z
      .string()
      .max(4_000)
      .transform((text) => text.split(" ").filter((name) => name !== "")),
    default: "",
    description:
      "names that webhooks may call though they are not public, and without TLS, by spaces (localhost); empty = none",
  },
  ledgerCacheMs: {
    schema: wholeNumber(0, 600_000),
    default: "2000",
    description: "time that a reply of the sequencer is cached",
  },
  logLevel: SHARED_SETTINGS.logLevel,
} as const satisfies Settings;

/** Limits that no operator has had a reason to set. */
const FIXED = {
  /** Maximum rows of one commit or version. */
  maxCommitRows: 1_000_000,
} as const;

export type HostConfig = ConfigOf<typeof DATANET_SETTINGS, typeof FIXED>;

/**
 * @throws SRV_CONFIG_INVALID listing every variable that is missing, wrong or unknown; SRV_STORE_FORMAT where the setting of an earlier
 * version names a folder with its rows
 */
export function loadHostConfig(environment: Environment): HostConfig {
  const { DATANET_DATA_PATH: earlierFolder } = environment;
  if (earlierFolder !== undefined) refuseEarlierStore("datanet-host", earlierFolder);
  return readConfig("DATANET", { settings: DATANET_SETTINGS, fixed: FIXED }, environment);
}
