/** The sequencer's settings: one table of environment variables, read once. */
import { z } from "zod";
import {
  bearerToken,
  describeProblems,
  type Environment,
  ethereumKey,
  readSettings,
  type Settings,
  type SettingValues,
  someText,
  wholeNumber,
} from "../circuits/settings.ts";
import { DOOR_MODES } from "./intake/door.ts";
import { sequencerError } from "./sequencer-errors.ts";
import { STORE_CHECKS } from "./store/store-check.ts";

/** Above 64 bits L1 takes none. */
const feeWei = z
  .string()
  .regex(/^[0-9]{1,20}$/, "is not a whole number of wei")
  .transform(BigInt)
  .refine((value) => value < 2n ** 64n, "is above 64 bits");

const httpUrls = z
  .string()
  .transform((text) => text.split(" ").filter((part) => part !== ""))
  .pipe(z.array(z.url({ protocol: /^https?$/ })));

/** Every setting of the sequencer, in the environment as SEQUENCER_…; docs/generated/settings.md has their table. */
export const SEQUENCER_SETTINGS = {
  deploymentPath: {
    schema: someText,
    description: "deployment record (JSON)",
  },
  dataPath: {
    schema: someText,
    default: ".openledger/sequencer",
    description: "folder of the ledger's log",
  },
  storeCheck: {
    schema: z.enum(STORE_CHECKS),
    default: "first",
    description: "when all checksums of the log are compared: before anything is served, or beside it",
  },
  host: {
    schema: someText,
    default: "127.0.0.1",
    description: "address to listen on",
  },
  port: {
    schema: wholeNumber(0, 65_535),
    default: "8547",
    description: "port to listen on; 0 = any free one",
  },
  operatorToken: {
    schema: bearerToken,
    isSecret: true,
    description: "bearer token of prover and bridge",
  },
  preconfirmationPrivateKey: {
    schema: ethereumKey,
    isSecret: true,
    description: "the operator's L1 key; it signs preconfirmations",
  },
  feePerUnitWei: {
    schema: feeWei,
    default: "1000000000000",
    description: "fee of one unit of weight",
  },
  feeAccountId: {
    schema: wholeNumber(0, 2 ** 24 - 1),
    default: "1",
    description: "leaf that is credited with the fees",
  },
  closeIntervalMs: {
    schema: wholeNumber(50, 3_600_000),
    default: "10000",
    description: "longest time between a batch's first operation and its closing",
  },
  expectedProveMs: {
    schema: wholeNumber(1, 86_400_000),
    default: "60000",
    description: "what a batch's proof is said to take until this ledger has had one",
  },
  maxUnpostedBatches: {
    schema: wholeNumber(1, 100_000),
    default: "256",
    description: "closed batches that L1 does not have; beyond, signed operations are refused",
  },
  staleMarginSeconds: {
    schema: wholeNumber(60, 3_000),
    default: "900",
    description: "A batch this close to the end of L1's one-hour window is closed anew",
  },
  l1Confirmations: {
    schema: wholeNumber(0, 10_000),
    default: "12",
    description: "L1 blocks until a batch is final (told to clients; the bridge decides)",
  },
  preconfirmationDeadlineSeconds: {
    schema: wholeNumber(3_600, 2_592_000),
    default: "86400",
    description: "L1 time within which a preconfirmation promises the posting",
  },
  signatureThreads: {
    schema: wholeNumber(0, 64),
    default: "1",
    description: "threads that check signatures and sign preconfirmations; 0 = the main one",
  },
  pendingPerLeaf: {
    schema: wholeNumber(1, 10_000),
    default: "64",
    description: "operations of one leaf behind a nonce gap",
  },
  pendingTotal: {
    schema: wholeNumber(1, 1_000_000),
    default: "10000",
    description: "operations behind nonce gaps",
  },
  pendingTtlMs: {
    schema: wholeNumber(1_000, 86_400_000),
    default: "600000",
    description: "how long an operation waits behind a nonce gap",
  },
  proveLeaseMs: {
    schema: wholeNumber(1_000, 86_400_000),
    default: "600000",
    description: "how long a prove job belongs to the prover that took it",
  },
  rateLimitPerMinute: {
    schema: wholeNumber(1, 10_000_000),
    default: "6000",
    description: "requests of one address a minute",
  },
  feedMaxClients: {
    schema: wholeNumber(0, 100_000),
    default: "1000",
    description: "connections to the feed",
  },
  feedBufferBytes: {
    schema: wholeNumber(1_024, 2 ** 30),
    default: "1048576",
    description: "unread bytes after which a feed client is cut off",
  },
  pagesPath: {
    schema: z.string(),
    default: "",
    description: "folder of the built pages; empty = none are served",
  },
  pagesL1Url: {
    schema: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
    default: "",
    description: "ethereum node that the pages ask besides the reader's wallet; empty = none",
  },
  pagesModelServers: {
    schema: httpUrls,
    default: "",
    description: "model servers that the pages ask which rows an answer paid, separated by spaces",
  },
  mode: {
    schema: z.enum(DOOR_MODES),
    default: "open",
    description: "open, or sunset: only what leads out of the ledger is taken",
  },
  logLevel: {
    schema: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    default: "info",
    description: "pino level",
  },
} as const satisfies Settings;

export type Config = SettingValues<typeof SEQUENCER_SETTINGS>;

/** @throws SEQ_CONFIG_INVALID listing every variable that is missing, wrong or unknown; secrets are not quoted */
export function loadConfig(environment: Environment): Config {
  const { problems, values } = readSettings("SEQUENCER", SEQUENCER_SETTINGS, environment);
  if (problems.length > 0)
    throw sequencerError("SEQ_CONFIG_INVALID", describeProblems(problems), { data: { problems } });
  return values;
}
