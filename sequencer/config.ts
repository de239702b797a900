/** The sequencer's settings: one table of environment variables, read once. */

import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import {
  bearerToken,
  defaulting,
  describeProblems,
  type Environment,
  ethereumKey,
  readSettings,
  type SettingProblem,
  type Settings,
  type SettingValues,
  SHARED_SETTINGS,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import { z } from "zod";
import { DATA_MODES } from "./batches/data-choice.ts";
import { parseOpenPerEther } from "./fees/open-price.ts";
import { FEE_MODES } from "./fees/unit-fee.ts";
import { ADMISSION_MODES } from "./intake/admission-policy.ts";
import { LEASE_MODES } from "./intake/lease.ts";
import { REPLICA_MODES } from "./intake/replica.ts";
import { sequencerError } from "./sequencer-errors.ts";
import { STORE_CHECKS } from "./store/store-check.ts";

/** Above 64 bits L1 takes none. */
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
  .pipe(z.array(z.url({ protocol: /^https?$/ })));

/** Every setting of the sequencer, in the environment as SEQUENCER_…; docs/reference/settings.md has their table. */
export const SEQUENCER_SETTINGS = {
  deploymentPath: SHARED_SETTINGS.deploymentPath,
  dataPath: defaulting(SHARED_SETTINGS.dataPath, ".openledger/sequencer"),
  lease: {
    schema: z.enum(LEASE_MODES),
    default: "off",
    description:
      "required: nothing is acknowledged without the lease on L1 that the bridge reports; off: one machine",
  },
  leaseMarginMs: SHARED_SETTINGS.leaseMarginMs,
  replica: {
    schema: z.enum(REPLICA_MODES),
    default: "off",
    description: "required: an operation is acknowledged once the standby has it on its disk, too",
  },
  replicaToken: {
    schema: bearerToken.optional(),
    isSecret: true,
    description:
      "bearer token of the standby: it opens the log's route for it alone; none = there is no standby",
  },
  replicaTimeoutMs: {
    schema: wholeNumber(100, 600_000),
    default: "5000",
    description:
      "longest wait for the standby's acknowledgement before an operation is answered with SEQ_REPLICA_SILENT",
  },
  blobsPath: {
    schema: someText,
    default: ".openledger/blobs",
    description: "folder of the blobs that batches stand in, which is served; made where a circuit has blobs",
  },
  blobsMax: {
    schema: wholeNumber(0, 100_000_000),
    default: "0",
    description: "blobs that are kept there, 131,072 bytes each; 0 = all, for ever",
  },
  dataPlace: {
    schema: z.enum(DATA_MODES),
    default: "auto",
    description:
      "where batches' data stands: calldata, blob, or auto: by L1's prices where the first circuit has a twin, else as it has it",
  },
  storeCheck: {
    schema: z.enum(STORE_CHECKS),
    default: "first",
    description: "when all checksums of the log are compared: before anything is served, or beside it",
  },
  host: SHARED_SETTINGS.host,
  port: defaulting(SHARED_SETTINGS.port, "8547"),
  operatorToken: SHARED_SETTINGS.operatorToken,
  proverToken: {
    schema: bearerToken.optional(),
    isSecret: true,
    description: "bearer token of provers: it opens their routes alone; none = they need the operator's",
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
  feeMode: {
    schema: z.enum(FEE_MODES),
    default: "constant",
    description: "constant, or follow: the fee follows L1's gas, the load and a margin",
  },
  feeMinPerUnitWei: {
    schema: feeWei,
    default: "1000000000",
    description: "follow: lowest fee of a unit",
  },
  feeUnitsPerBatch: {
    schema: wholeNumber(1, 1_000_000),
    default: "640",
    description: "follow: units over which a batch's own cost is divided, full or not",
  },
  feeProofCostWei: {
    schema: openWei,
    default: "0",
    description: "wei of OPEN that a batch's proof costs the operator",
  },
  feeOpenPerEther: {
    schema: openPerEther,
    default: "",
    description: "OPEN for an ether, as a decimal number; empty = unknown",
  },
  feeOpenPerEtherPath: {
    schema: z.string(),
    default: "",
    description: "file with that number, read again whenever it changes; empty = none",
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
  proveLeaseMs: {
    schema: wholeNumber(1_000, 86_400_000),
    default: "600000",
    description: "how long a prove job belongs to the prover that took it",
  },
  ...SERVER_SETTINGS,
  // Clients of the feed hold theirs.
  maxConnections: { ...SERVER_SETTINGS.maxConnections, default: "2000" },
  rateLimitPerMinute: SHARED_SETTINGS.rateLimitPerMinute,
  feedMaxClients: {
    schema: wholeNumber(0, 100_000),
    default: "1000",
    description: "connections to the feed; a tenth of them, and ten at least, from one address, IPv6 by /64",
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
  pagesAdapterServers: {
    schema: httpUrls,
    default: "",
    description:
      "servers of many adapters (docs/explanation/openlora.md) that the pages ask, separated by spaces",
  },
  pagesDatanetHosts: {
    schema: httpUrls,
    default: "",
    description: "hosts of Datanets that the pages work with, separated by spaces",
  },
  pagesFactory: {
    schema: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
    default: "",
    description: "factory where the pages tune models; empty = none",
  },
  mode: {
    schema: z.enum(ADMISSION_MODES),
    default: "open",
    description: "open, or sunset: only what leads out of the ledger is taken",
  },
  logLevel: SHARED_SETTINGS.logLevel,
} as const satisfies Settings;

/** What no operator has had a reason to set: measured once, or a bound that is far off. */
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
  /** A batch this close to the end of L1's one-hour window is closed anew. */
  staleMarginSeconds: 900,
  /** How long an operation waits behind a nonce gap. */
  pendingTtlMs: 600_000,
  /** Unread bytes after which a feed client is cut off. */
  feedBufferBytes: 1_048_576,
} as const;

type Given = SettingValues<typeof SEQUENCER_SETTINGS>;
/** Settings and constants; a test may replace either. */
export type Config = Given & { readonly [Name in keyof typeof FIXED]: Wide<(typeof FIXED)[Name]> };
type Wide<Value> = Value extends bigint ? bigint : number;

/** What single settings do not show. */
function feeProblems(values: Given): SettingProblem[] {
  const { feeMinPerUnitWei, feeMode, feeOpenPerEther, feeOpenPerEtherPath } = values;
  const problems: SettingProblem[] = [];
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
export function loadConfig(environment: Environment): Config {
  const { problems: found, values } = readSettings("SEQUENCER", SEQUENCER_SETTINGS, environment);
  const problems = [...found, ...feeProblems(values)];
  if (values.replica === "required" && values.replicaToken === undefined)
    problems.push({
      env: "SEQUENCER_REPLICA_TOKEN",
      problem: "is missing: a standby that is required needs one",
    });
  if (problems.length > 0)
    throw sequencerError("SRV_CONFIG_INVALID", describeProblems(problems), { data: { problems } });
  return Object.freeze({ ...values, ...FIXED });
}
