/** The sequencer's settings: one table of environment variables, parsed once, frozen. */
import { z } from "zod";
import { Secret } from "../circuits/secret.ts";
import { DOOR_MODES } from "./intake/door.ts";
import { sequencerError } from "./sequencer-errors.ts";
import { STORE_CHECKS } from "./store/store-check.ts";

interface Setting<T> {
  readonly env: string;
  readonly schema: z.ZodType<T>;
  /** Text as it would stand in the environment; absent = required. */
  readonly fallback?: string;
  readonly isSecret?: boolean;
  readonly description: string;
}

const setting = <T>(
  env: string,
  schema: z.ZodType<T>,
  description: string,
  more: { fallback?: string; isSecret?: boolean } = {},
): Setting<T> => ({
  env,
  schema,
  description,
  ...more,
});

const text = z.string().min(1, "is empty");
const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/, "is not a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not between ${min} and ${max}`);
const feeWei = z
  .string()
  .regex(/^[0-9]{1,20}$/, "is not a whole number of wei")
  .transform(BigInt)
  .refine((value) => value < 2n ** 64n, "is above 64 bits");
const secretText = (pattern: RegExp, message: string) =>
  z
    .string()
    .regex(pattern, message)
    .transform((value) => new Secret(value));

const configTable = {
  deploymentPath: setting("SEQUENCER_DEPLOYMENT_PATH", text, "Deployment record (JSON)"),
  dataPath: setting("SEQUENCER_DATA_PATH", text, "Folder of the ledger's log", {
    fallback: ".openledger/sequencer",
  }),
  storeCheck: setting(
    "SEQUENCER_STORE_CHECK",
    z.enum(STORE_CHECKS),
    "When all checksums of the log are compared: before anything is served, or beside it",
    { fallback: "first" },
  ),
  host: setting("SEQUENCER_HOST", text, "Address to listen on", { fallback: "127.0.0.1" }),
  port: setting("SEQUENCER_PORT", integer(0, 65_535), "Port to listen on; 0 = any free one", {
    fallback: "8547",
  }),
  operatorToken: setting(
    "SEQUENCER_OPERATOR_TOKEN",
    secretText(/^[\x21-\x7e]{16,}$/, "needs at least 16 visible characters"),
    "Bearer token of prover and bridge",
    { isSecret: true },
  ),
  preconfirmationPrivateKey: setting(
    "SEQUENCER_PRECONFIRMATION_PRIVATE_KEY",
    secretText(/^0x[0-9a-fA-F]{64}$/, "is not 0x-hex of 32 bytes"),
    "The operator's L1 key; it signs preconfirmations",
    { isSecret: true },
  ),
  feePerUnitWei: setting("SEQUENCER_FEE_PER_UNIT_WEI", feeWei, "Fee of one unit of weight", {
    fallback: "1000000000000",
  }),
  feeAccountId: setting(
    "SEQUENCER_FEE_ACCOUNT_ID",
    integer(0, 2 ** 24 - 1),
    "Leaf that is credited with the fees",
    { fallback: "1" },
  ),
  closeIntervalMs: setting(
    "SEQUENCER_CLOSE_INTERVAL_MS",
    integer(50, 3_600_000),
    "Longest time between a batch's first operation and its closing",
    {
      fallback: "10000",
    },
  ),
  expectedProveMs: setting(
    "SEQUENCER_EXPECTED_PROVE_MS",
    integer(1, 86_400_000),
    "What a batch's proof is said to take until this ledger has had one",
    { fallback: "60000" },
  ),
  maxUnpostedBatches: setting(
    "SEQUENCER_MAX_UNPOSTED_BATCHES",
    integer(1, 100_000),
    "Closed batches that L1 does not have; beyond, signed operations are refused",
    {
      fallback: "256",
    },
  ),
  staleMarginSeconds: setting(
    "SEQUENCER_STALE_MARGIN_SECONDS",
    integer(60, 3_000),
    "A batch this close to the end of L1's one-hour window is closed anew",
    {
      fallback: "900",
    },
  ),
  l1Confirmations: setting(
    "SEQUENCER_L1_CONFIRMATIONS",
    integer(0, 10_000),
    "L1 blocks until a batch is final (told to clients; the bridge decides)",
    {
      fallback: "12",
    },
  ),
  preconfirmationDeadlineSeconds: setting(
    "SEQUENCER_PRECONFIRMATION_DEADLINE_SECONDS",
    integer(3_600, 2_592_000),
    "L1 time within which a preconfirmation promises the posting",
    {
      fallback: "86400",
    },
  ),
  signatureThreads: setting(
    "SEQUENCER_SIGNATURE_THREADS",
    integer(0, 64),
    "Threads that check signatures and sign preconfirmations; 0 = the main one",
    { fallback: "1" },
  ),
  pendingPerLeaf: setting(
    "SEQUENCER_PENDING_PER_LEAF",
    integer(1, 10_000),
    "Operations of one leaf behind a nonce gap",
    { fallback: "64" },
  ),
  pendingTotal: setting("SEQUENCER_PENDING_TOTAL", integer(1, 1_000_000), "Operations behind nonce gaps", {
    fallback: "10000",
  }),
  pendingTtlMs: setting(
    "SEQUENCER_PENDING_TTL_MS",
    integer(1_000, 86_400_000),
    "How long an operation waits behind a nonce gap",
    { fallback: "600000" },
  ),
  proveLeaseMs: setting(
    "SEQUENCER_PROVE_LEASE_MS",
    integer(1_000, 86_400_000),
    "How long a prove job belongs to the prover that took it",
    { fallback: "600000" },
  ),
  rateLimitPerMinute: setting(
    "SEQUENCER_RATE_LIMIT_PER_MINUTE",
    integer(1, 10_000_000),
    "Requests of one address a minute",
    { fallback: "6000" },
  ),
  feedMaxClients: setting("SEQUENCER_FEED_MAX_CLIENTS", integer(0, 100_000), "Connections to the feed", {
    fallback: "1000",
  }),
  feedBufferBytes: setting(
    "SEQUENCER_FEED_BUFFER_BYTES",
    integer(1_024, 2 ** 30),
    "Unread bytes after which a feed client is cut off",
    { fallback: "1048576" },
  ),
  pagesPath: setting(
    "SEQUENCER_PAGES_PATH",
    z.string(),
    "Folder of the built pages; empty = none are served",
    {
      fallback: "",
    },
  ),
  pagesL1Url: setting(
    "SEQUENCER_PAGES_L1_URL",
    z.union([z.literal(""), z.url({ protocol: /^https?$/ })]),
    "Ethereum node that the pages ask besides the reader's wallet; empty = none",
    { fallback: "" },
  ),
  mode: setting(
    "SEQUENCER_MODE",
    z.enum(DOOR_MODES),
    "open, or sunset: only what leads out of the ledger is taken",
    { fallback: "open" },
  ),
  logLevel: setting(
    "SEQUENCER_LOG_LEVEL",
    z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    "pino level",
    { fallback: "info" },
  ),
} as const;

type Table = typeof configTable;
export type Config = { readonly [Name in keyof Table]: Table[Name] extends Setting<infer T> ? T : never };

/** @throws SEQ_CONFIG_INVALID listing every variable that is absent or malformed; secrets are not quoted */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const values: Record<string, unknown> = {};
  const problems: { env: string; problem: string }[] = [];
  for (const [name, { env, schema, fallback }] of Object.entries(configTable) as [
    string,
    Setting<unknown>,
  ][]) {
    const raw = environment[env] ?? fallback;
    if (raw === undefined) {
      problems.push({ env, problem: "is not set" });
      continue;
    }
    const result = schema.safeParse(raw);
    if (result.success) values[name] = result.data;
    else problems.push({ env, problem: result.error.issues.map((issue) => issue.message).join(", ") });
  }
  // SEQUENCER_URL is how prover, bridge and client call this process; they may share our environment.
  const known = new Set<string>([...Object.values(configTable).map(({ env }) => env), "SEQUENCER_URL"]);
  for (const env of Object.keys(environment)) {
    if (env.startsWith("SEQUENCER_") && !known.has(env))
      problems.push({ env, problem: "is no setting of the sequencer" });
  }
  if (problems.length > 0) {
    const lines = problems.map(({ env, problem }) => `${env} ${problem}`);
    throw sequencerError("SEQ_CONFIG_INVALID", lines.join("\n"), { data: { problems } });
  }
  return Object.freeze(values) as Config;
}

/** The table of docs and README. */
export function configMarkdown(): string {
  const rows = Object.values(configTable).map(
    ({ env, fallback, description, isSecret }: Setting<unknown>) =>
      `| \`${env}\` | ${fallback === undefined ? "required" : `\`${fallback}\``} | ${description}${isSecret ? " (secret)" : ""} |`,
  );
  return ["| variable | default | meaning |", "|---|---|---|", ...rows].join("\n");
}
