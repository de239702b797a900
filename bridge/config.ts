import { z } from "zod";
import { Secret } from "../circuits/secret.ts";
import { DEFAULT_MAX_PRIORITY_FEE_GWEI } from "../contracts/l1/capped-transaction.ts";
import { DEFAULT_MAX_FEE_GWEI } from "../contracts/l1/fee-policy.ts";
import { bridgeError } from "./bridge-errors.ts";

interface Variable<S extends z.ZodType> {
  readonly env: string;
  readonly schema: S;
  /** As it would be written; undefined = has to be given. */
  readonly default?: string;
  readonly isSecret?: true;
  readonly description: string;
}

const variable = <S extends z.ZodType>(v: Variable<S>): Variable<S> => v;

/** A plain decimal: nothing is rounded, cut off or taken from an empty string. */
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().min(min).max(max));
const text = z.string().min(1, "is empty");
const url = z.url({ protocol: /^https?$/, error: "is not an http(s) URL" });
const ONE_DAY_MS = 86_400_000;

/** Every setting of the bridge; docs take their table from here. */
export const BRIDGE_VARIABLES = {
  deploymentPath: variable({
    env: "DEPLOYMENT_PATH",
    schema: text,
    default: ".openledger/deployment.json",
    description: "the deployment record",
  }),
  l1RpcUrl: variable({
    env: "L1_RPC_URL",
    schema: url.optional(),
    description: "L1 node; the deployment record's where absent",
  }),
  sequencerUrl: variable({
    env: "SEQUENCER_URL",
    schema: url,
    default: "http://127.0.0.1:8547",
    description: "the sequencer's API",
  }),
  operatorToken: variable({
    env: "OPERATOR_TOKEN",
    schema: text.transform((value) => new Secret(value)),
    isSecret: true,
    description: "bearer token of the sequencer's /operator routes",
  }),
  operatorPrivateKey: variable({
    env: "OPERATOR_L1_KEY",
    schema: z
      .string()
      .regex(/^0x[0-9a-fA-F]{64}$/, "is not 0x and 64 hex digits")
      .transform((value) => new Secret(value as `0x${string}`)),
    isSecret: true,
    description: "L1 key of the address that the contract calls sequencer; nothing else may use its nonces",
  }),
  dataDir: variable({
    env: "BRIDGE_DATA_DIR",
    schema: text,
    default: ".openledger/bridge",
    description: "the bridge's database",
  }),
  confirmations: variable({
    env: "L1_CONFIRMATIONS",
    schema: whole(1, 10_000),
    default: "3",
    description: "blocks, its own included, before a queue entry is executed",
  }),
  finalityDepthBlocks: variable({
    env: "L1_FINALITY_DEPTH_BLOCKS",
    schema: whole(1, 100_000),
    default: "64",
    description: "blocks, its own included, before a batch counts as final; 64 are two epochs",
  }),
  pollIntervalMs: variable({
    env: "BRIDGE_POLL_INTERVAL_MS",
    schema: whole(10, ONE_DAY_MS),
    default: "1000",
    description: "time between two looks at L1 and the sequencer",
  }),
  maxBackoffMs: variable({
    env: "BRIDGE_MAX_BACKOFF_MS",
    schema: whole(10, ONE_DAY_MS),
    default: "60000",
    description: "longest wait between two tries of what fails",
  }),
  resendAfterMs: variable({
    env: "L1_RESEND_AFTER_MS",
    schema: whole(100, ONE_DAY_MS),
    default: "60000",
    description: "time without being mined after which a transaction is replaced with higher fees",
  }),
  maxFeeGwei: variable({
    env: "L1_MAX_FEE_GWEI",
    schema: whole(1, 1_000_000),
    default: DEFAULT_MAX_FEE_GWEI.toString(),
    description: "most to pay for a unit of gas",
  }),
  maxPriorityFeeGwei: variable({
    env: "L1_MAX_PRIORITY_FEE_GWEI",
    schema: whole(1, 1_000_000),
    default: DEFAULT_MAX_PRIORITY_FEE_GWEI.toString(),
    description:
      "most to offer as a tip at first, whatever the node suggests; replacements raise it step by step",
  }),
  logChunkBlocks: variable({
    env: "L1_LOG_CHUNK_BLOCKS",
    schema: whole(1, 1_000_000),
    default: "2000",
    description: "blocks asked for in one eth_getLogs",
  }),
  requestTimeoutMs: variable({
    env: "BRIDGE_REQUEST_TIMEOUT_MS",
    schema: whole(100, ONE_DAY_MS),
    default: "20000",
    description: "longest wait for one answer of L1 or the sequencer",
  }),
  healthPort: variable({
    env: "BRIDGE_HEALTH_PORT",
    schema: whole(0, 65_535).optional(),
    description: "port for GET /health and GET /metrics on 127.0.0.1; none where absent",
  }),
  logLevel: variable({
    env: "LOG_LEVEL",
    schema: z.enum(["debug", "info", "warn", "error", "silent"]),
    default: "info",
    description: "least level that is logged",
  }),
} as const;

type Variables = typeof BRIDGE_VARIABLES;
export type BridgeConfig = { readonly [K in keyof Variables]: z.output<Variables[K]["schema"]> };

/** @throws BRG_CONFIG_INVALID naming every variable that is missing or wrong, never the value of a secret one */
export function readConfig(env: Readonly<Record<string, string | undefined>>): BridgeConfig {
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, { default: fallback, description, env: key, schema }] of Object.entries(
    BRIDGE_VARIABLES,
  ) as [string, Variable<z.ZodType>][]) {
    const parsed = schema.safeParse(env[key] ?? fallback);
    if (parsed.success) config[name] = parsed.data;
    else if (env[key] === undefined) problems.push(`${key} is missing: ${description}`);
    else problems.push(`${key} ${parsed.error.issues.map((issue) => issue.message).join(", ")}`);
  }
  if (problems.length > 0) {
    throw bridgeError(
      "BRG_CONFIG_INVALID",
      `the bridge's settings are not usable:\n  ${problems.join("\n  ")}`,
      { data: { problems } },
    );
  }
  return Object.freeze(config) as BridgeConfig;
}
