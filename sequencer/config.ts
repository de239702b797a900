/**
 * Settings of the sequencer, read from SEQUENCER_… variables by main.ts; scripts/settings.ts writes their table
 * into docs/reference/settings.md.
 */
import { DATA_MODES } from "@openledger/circuits/protocol";
import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import {
  baseUrl,
  type ConfigOf,
  defaulting,
  type Environment,
  ethereumKey,
  readConfig,
  type SettingProblem,
  type Settings,
  type SettingValues,
  SHARED_SETTINGS,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { parseOpenPerEther } from "./fees/open-price.ts";
import { FEE_MODES } from "./fees/unit-fee.ts";
import { ADMISSION_MODES } from "./intake/admission-policy.ts";

/** Fee in wei: L1 takes none above 64 bits. */
const feeWei = z
  .string()
  .regex(/^[0-9]{1,20}$/, "is not a whole number of wei")
  .transform(BigInt)
  .refine((value) => value < 2n ** 64n, "is above 64 bits");

const openWei = z
  .string()
  .regex(/^[0-9]{1,27}$/, "is not a whole number of wei")
  .transform(BigInt);

const openPerEther = z
  .string()
  .transform((text) => (text === "" ? null : (parseOpenPerEther(text) ?? text)))
  .refine((value) => typeof value !== "string", "is not a positive number of OPEN")
  .transform((value) => value as bigint | null);

const httpUrls = z
  .string()
  .transform((text) => text.split(" ").filter((part) => part !== ""))
  .pipe(z.array(baseUrl));

const PROVING_MODES = ["on", "off"] as const;

/** Every setting of the sequencer, in the environment as SEQUENCER_…; docs/reference/settings.md has their table. */
export const SEQUENCER_SETTINGS = {
  deploymentPath: SHARED_SETTINGS.deploymentPath,
  dataPath: defaulting(SHARED_SETTINGS.dataPath, ".openledger/sequencer"),
  databaseUrl: {
    schema: SHARED_SETTINGS.databaseUrl.schema,
    isSecret: true,
    description:
      "with `PROVER_PLACE=queue`: PostgreSQL database as the role that puts proofs into the queue; without it `PROVER_DATABASE_URL`",
  },
  dataPlace: {
    schema: z.enum(DATA_MODES),
    default: "auto",
    description:
      "place of batches' data: calldata, blob, or auto: the cheaper one if the first circuit has a twin, else its own",
  },
  retention: {
    schema: z
      .string()
      .regex(/^([0-9]{2,10})?$/, "is not a whole number from 20 to 9999999999")
      .transform((text) => (text === "" ? null : Number(text)))
      .refine((value) => value === null || value >= 20, "is below 20"),
    default: "",
    description:
      "final operations that stay in the store, about 0.4 kB each; older ones are deleted; empty = all stay",
  },
  host: SHARED_SETTINGS.host,
  port: defaulting(SHARED_SETTINGS.port, "8547"),
  operatorToken: SHARED_SETTINGS.operatorToken,
  serverToken: SHARED_SETTINGS.serverToken,
  proving: {
    schema: z.enum(PROVING_MODES),
    default: "on",
    description: "on; or off: no batch is proven, for measurements and inspections of a data directory",
  },
  preconfirmationPrivateKey: {
    schema: ethereumKey,
    isSecret: true,
    description: "the operator's L1 key; it signs preconfirmations",
  },
  feePerUnitWei: {
    schema: feeWei,
    default: "1000000000000",
    description: "fee of one unit of weight, in wei",
  },
  feeMode: {
    schema: z.enum(FEE_MODES),
    default: "constant",
    description: "constant, or follow: by L1's gas price, the load and a margin",
  },
  feeMinPerUnitWei: {
    schema: feeWei,
    default: "1000000000",
    description: "follow: lowest fee of a unit, in wei",
  },
  feeUnitsPerBatch: {
    schema: wholeNumber(1, 1_000_000),
    default: "640",
    description: "follow: units that share a batch's fixed cost, full or not",
  },
  feeProofCostWei: {
    schema: openWei,
    default: "0",
    description: "operator's cost of a batch's proof, in wei of OPEN",
  },
  feeOpenPerEther: {
    schema: openPerEther,
    default: "",
    description: "price of an ether in OPEN, as a decimal number; empty = unknown",
  },
  feeOpenPerEtherPath: {
    schema: z.string(),
    default: "",
    description: "file with that price, read again whenever it changes; empty = none",
  },
  closeIntervalMs: {
    schema: wholeNumber(50, 3_600_000),
    default: "10000",
    description: "longest time between a batch's first operation and its closing",
  },
  expectedProveMs: {
    schema: wholeNumber(1, 86_400_000),
    default: "60000",
    description: "estimated time of a batch's proof until this ledger has had one",
  },
  maxUnpostedBatches: {
    schema: wholeNumber(1, 100_000),
    default: "256",
    description:
      "maximum closed batches that L1 lacks; above it, or above what they and one more hold, signed operations are refused",
  },
  l1Confirmations: {
    schema: wholeNumber(0, 10_000),
    default: "12",
    description: "L1 blocks until a batch is final (told to clients; the bridge decides)",
  },
  preconfirmationDeadlineSeconds: {
    schema: wholeNumber(3_600, 2_592_000),
    default: "86400",
    description: "L1 time within which a preconfirmation promises to post the operation",
  },
  signatureThreads: {
    schema: wholeNumber(0, 64),
    default: "1",
    description: "number of threads that check signatures and sign preconfirmations; 0 = the main thread",
  },
  pendingPerLeaf: {
    schema: wholeNumber(1, 10_000),
    default: "64",
    description: "maximum operations of one leaf behind a nonce gap",
  },
  pendingTotal: {
    schema: wholeNumber(1, 1_000_000),
    default: "10000",
    description: "maximum operations behind nonce gaps",
  },
  ...SERVER_SETTINGS,
  // Clients of the feed hold a connection each.
  maxConnections: { ...SERVER_SETTINGS.maxConnections, default: "2000" },
  rateLimitPerMinute: SHARED_SETTINGS.rateLimitPerMinute,
  feedMaxClients: {
    schema: wholeNumber(0, 100_000),
    default: "1000",
    description: "maximum connections to the feed; a tenth, and at least ten, from one address, IPv6 by /64",
  },
  pagesPath: {
    schema: z.string(),
    default: "",
    description: "folder of the built pages to serve; empty = none",
  },
  pagesL1Url: {
    schema: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
    default: "",
    description: "URL of an Ethereum node for the pages, besides the reader's wallet; empty = none",
  },
  pagesAnswerServers: {
    schema: httpUrls,
    default: "",
    description: "URLs of answer servers for the pages, separated by spaces",
  },
  pagesDatanetHosts: {
    schema: httpUrls,
    default: "",
    description: "URLs of Datanet hosts for the pages, separated by spaces",
  },
  pagesFactory: {
    schema: z.union([z.literal(""), baseUrl]),
    default: "",
    description: "URL of a factory for the pages; empty = none",
  },
  pagesSourceUrl: {
    schema: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
    default: "",
    description: "URL of the source code that you run, which the pages link to; empty = none",
  },
  mode: {
    schema: z.enum(ADMISSION_MODES),
    default: "open",
    description: "open, or sunset: only withdrawals and what prepares them are accepted",
  },
  logLevel: SHARED_SETTINGS.logLevel,
} as const satisfies Settings;

/** Constants that no operator has had a reason to set: measured once, or a bound that is far off. */
const FIXED = {
  /** Follow: highest fee of a unit. */
  feeMaxPerUnitWei: 1_000_000_000_000_000_000n,
  /** Follow: thousandths by which the fee moves from a batch to the next, at most. */
  feeStepPerMille: 125,
  /** Follow: thousandths above the cost; L1's tip has to come out of it. */
  feeMarginPerMille: 200,
  /** Follow: surcharge in thousandths where MAX_UNPOSTED_BATCHES wait. */
  feeLoadPerMille: 1_000,
  /** Follow: L1 gas of a batch, whatever it holds. */
  feeGasPerBatch: 300_000,
  /** Follow: L1 gas of a unit. */
  feeGasPerUnit: 100,
  /** Leaf that is credited with the fees. */
  feeAccountId: 1,
  /** A batch this close to the end of L1's one-hour window is closed again. */
  staleMarginSeconds: 900,
  /** Milliseconds for which an operation waits behind a nonce gap. */
  pendingTtlMs: 600_000,
  /** Unread bytes after which a feed client is cut off. */
  feedBufferBytes: 1_048_576,
} as const;

/** Settings and constants; a test may replace either. */
export type Config = ConfigOf<typeof SEQUENCER_SETTINGS, typeof FIXED>;

/** Problems that single settings do not show. */
function problemsOf(values: SettingValues<typeof SEQUENCER_SETTINGS>): SettingProblem[] {
  const { feeMinPerUnitWei, feeMode, feeOpenPerEther, feeOpenPerEtherPath, operatorToken, serverToken } =
    values;
  const problems: SettingProblem[] = [];
  // Attack: whoever reads a host's settings posts batches.
  if (serverToken !== undefined && serverToken.reveal() === operatorToken.reveal())
    problems.push({ env: "SEQUENCER_SERVER_TOKEN", problem: "is the operator's token: make another one" });
  if (feeMinPerUnitWei > FIXED.feeMaxPerUnitWei)
    problems.push({
      env: "SEQUENCER_FEE_MIN_PER_UNIT_WEI",
      problem: `is above ${FIXED.feeMaxPerUnitWei}, the highest fee of a unit`,
    });
  if (feeMode === "follow" && feeOpenPerEther === null && feeOpenPerEtherPath === "")
    problems.push({
      env: "SEQUENCER_FEE_OPEN_PER_ETHER",
      problem: "or …_PATH is missing: a fee cannot follow L1's cost without OPEN's price",
    });
  return problems;
}

/** @throws SRV_CONFIG_INVALID listing every variable that is missing, wrong or unknown; secrets are not quoted */
export const loadConfig = (environment: Environment): Config =>
  readConfig("SEQUENCER", { settings: SEQUENCER_SETTINGS, fixed: FIXED }, environment, problemsOf);
