/**
 * Settings of the bridge process, read from BRIDGE_… variables by main.ts; scripts/settings.ts writes their
 * table into docs/reference/settings.md.
 */
import { DEFAULT_MAX_PRIORITY_FEE_GWEI } from "@openledger/contracts/l1/capped-transaction";
import { DEFAULT_MAX_BLOB_FEE_GWEI, DEFAULT_MAX_FEE_GWEI } from "@openledger/contracts/l1/fee-policy";
import {
  type ConfigOf,
  defaulting,
  type Environment,
  ethereumKey,
  httpUrl,
  ONE_DAY_MS,
  readConfig,
  type Settings,
  SHARED_SETTINGS,
  wholeNumber,
} from "@openledger/foundation/settings";

/** Every setting of the bridge: schema, default, unit in its name, description. */
export const BRIDGE_SETTINGS = {
  deploymentPath: SHARED_SETTINGS.deploymentPath,
  sequencerUrl: SHARED_SETTINGS.sequencerUrl,
  operatorToken: SHARED_SETTINGS.operatorToken,
  logLevel: SHARED_SETTINGS.logLevel,
  l1RpcUrl: {
    schema: httpUrl.optional(),
    description: "URL of the Ethereum node; none = the deployment record's",
  },
  operatorPrivateKey: {
    schema: ethereumKey,
    isSecret: true,
    description: "L1 key of the contract's sequencer address, for this process alone",
  },
  dataPath: defaulting(SHARED_SETTINGS.dataPath, ".openledger/bridge"),
  l1Confirmations: {
    schema: wholeNumber(1, 10_000).optional(),
    description:
      "L1 blocks, its own included, until a queue entry is executed; none = 3, and 1 on chain 31337",
  },
  l1FinalityDepthBlocks: {
    schema: wholeNumber(1, 100_000),
    default: "64",
    description: "L1 blocks, its own included, until a batch is final; 64 are two epochs",
  },
  pollIntervalMs: SHARED_SETTINGS.pollIntervalMs,
  newsIntervalMs: {
    schema: wholeNumber(10, ONE_DAY_MS).optional(),
    description:
      "time between looks for a new L1 block, one request each, that end the poll interval; none = no such looks",
  },
  maxBackoffMs: defaulting(SHARED_SETTINGS.maxBackoffMs, "60000"),
  l1ResendAfterMs: {
    schema: wholeNumber(100, ONE_DAY_MS),
    default: "60000",
    description: "time after which an unmined transaction is replaced with higher fees",
  },
  l1MaxFeeGwei: {
    schema: wholeNumber(1, 1_000_000),
    default: DEFAULT_MAX_FEE_GWEI.toString(),
    description: "maximum price of a unit of gas, in gwei",
  },
  l1MaxPriorityFeeGwei: {
    schema: wholeNumber(1, 1_000_000),
    default: DEFAULT_MAX_PRIORITY_FEE_GWEI.toString(),
    description: "maximum first tip, in gwei; replacements raise it step by step",
  },
  l1MaxBlobFeeGwei: {
    schema: wholeNumber(1, 1_000_000),
    default: DEFAULT_MAX_BLOB_FEE_GWEI.toString(),
    description: "maximum price of a unit of blob gas, in gwei; a blob has 131,072 units",
  },
  requestTimeoutMs: defaulting(SHARED_SETTINGS.requestTimeoutMs, "20000"),
  healthPort: SHARED_SETTINGS.healthPort,
} as const satisfies Settings;

/** Constants that no operator has had a reason to set. */
const FIXED = {
  /** Blocks per eth_getLogs request. */
  l1LogChunkBlocks: 2_000,
} as const;

export type BridgeConfig = ConfigOf<typeof BRIDGE_SETTINGS, typeof FIXED>;

/**
 * Reads the settings.
 * @throws SRV_CONFIG_INVALID naming every variable that is missing, wrong or unknown, never the value of a secret one
 */
export const readBridgeConfig = (environment: Environment): BridgeConfig =>
  readConfig("BRIDGE", { settings: BRIDGE_SETTINGS, fixed: FIXED }, environment);
