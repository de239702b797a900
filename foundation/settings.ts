/**
 * The settings of a process: a table of environment variables with one prefix, read once. Sequencer, bridge and prover
 * have one each; docs/reference/settings.md is written from them (scripts/settings.ts).
 *
 * A setting that several processes have is one variable for all of them, `OPENLEDGER_LOG_LEVEL`. With the prefix of a process,
 * `BRIDGE_LOG_LEVEL`, it is for that one alone.
 *
 * A secret may be given as a file instead: `BRIDGE_OPERATOR_TOKEN_FILE` names one that only its owner may read. What is in
 * the environment itself is seen by every child, by crash reports, and by the one who lists a container's settings.
 */
import { z } from "zod";
import { processErrors } from "./error-table.ts";
import { isRollupError } from "./rollup-error.ts";
import { Secret } from "./secret.ts";
import { readSecretFile } from "./secret-file.ts";

export interface Setting<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** Default as text; without one the setting is required, unless its schema accepts an absent value. */
  readonly default?: string;
  readonly isSecret?: true;
  /** True for a setting of several processes: it is also read with the prefix of all. */
  readonly isShared?: true;
  readonly description: string;
}

export type Settings = Readonly<Record<string, Setting>>;
export type SettingValues<T extends Settings> = { readonly [K in keyof T]: z.output<T[K]["schema"]> };
export type Environment = Readonly<Record<string, string | undefined>>;

export interface SettingProblem {
  readonly env: string;
  readonly problem: string;
}

/** `operatorToken` of the prefix `BRIDGE` is read from `BRIDGE_OPERATOR_TOKEN`, `l1RpcUrl` from `BRIDGE_L1_RPC_URL`. */
export function settingVariable(prefix: string, name: string): string {
  return `${prefix}_${screaming(name)}`;
}

/** Prefix of settings that all processes read. */
export const SHARED_PREFIX = "OPENLEDGER";
/**
 * Variable with the same prefix that is no setting: the folder in which commands and processes store their
 * files.
 */
const HOME_VARIABLE = "OPENLEDGER_HOME";

/** Name in the case of constants and variables: "MAX_FEE" for "maxFee". */
export function screaming(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

const former = (why: string) => `is no setting any more: ${why}; docs/how-to/upgrade.md says what to do`;

/** Problems of settings that earlier versions had. */
const FORMER_SETTINGS: Readonly<Record<string, string>> = {
  DATANET_DATA_PATH: former("what a host stores is in PostgreSQL"),
  SERVING_ANSWERS_PATH: former("answers and keys are in PostgreSQL"),
  SERVING_CACHE_PATH: former("SERVING_DATA_PATH names the folder"),
  SERVING_CHARGING: former("what is registered is paid"),
  SEQUENCER_BLOBS_PATH: former("blobs are made from the ledger's batches"),
  SEQUENCER_BLOBS_MAX: former("blobs are made from the ledger's batches"),
  SEQUENCER_STORE_CHECK: former("the store holds all history"),
  SEQUENCER_PROVER_TOKEN: former("provers take jobs from the queue"),
  SEQUENCER_PROVE_LEASE_MS: former("provers take jobs from the queue"),
  PROVER_HAND_IN_KEY: former("provers take jobs from the queue"),
};

/**
 * @param prefix of all variables of the process, "BRIDGE"
 * @returns the values, or every variable that is missing, wrong or unknown; the value of a secret one is not named
 */
export function readSettings<T extends Settings>(
  prefix: string,
  settings: T,
  environment: Environment,
): { readonly values: SettingValues<T>; readonly problems: readonly SettingProblem[] } {
  const values: Record<string, unknown> = {};
  const problems: SettingProblem[] = [];
  const known = new Set([HOME_VARIABLE, ...sharedVariables()]);
  for (const [name, { default: fallback, description, isSecret, isShared, schema }] of Object.entries(
    settings,
  )) {
    const own = settingVariable(prefix, name);
    for (const variable of waysToSet(own, isSecret)) known.add(variable);
    const isInput = (variable: string) =>
      waysToSet(variable, isSecret).some((way) => environment[way] !== undefined);
    const candidates = [own, ...(isShared ? [settingVariable(SHARED_PREFIX, name)] : [])];
    const env = candidates.find(isInput) ?? own;
    let input = environment[env];
    const fileEnv = `${env}_FILE`;
    const path = isSecret ? environment[fileEnv] : undefined;
    if (path !== undefined) {
      const read = input === undefined ? secretOf(path) : { problem: `is given, and ${env} too` };
      if ("problem" in read) {
        problems.push({ env: fileEnv, problem: read.problem });
        continue;
      }
      input = read.text;
    }
    const parsed = schema.safeParse(input ?? fallback);
    if (parsed.success) values[name] = parsed.data;
    else if (input === undefined) problems.push({ env: own, problem: `is missing: ${description}` });
    else problems.push({ env, problem: parsed.error.issues.map((issue) => issue.message).join(", ") });
  }
  for (const env of Object.keys(environment)) {
    const isOurs = env.startsWith(`${prefix}_`) || env.startsWith(`${SHARED_PREFIX}_`);
    if (isOurs && !known.has(env)) problems.push({ env, problem: FORMER_SETTINGS[env] ?? "is no setting" });
  }
  return { values: Object.freeze(values) as SettingValues<T>, problems };
}

/** Settings and constants; a test may replace either. */
export type ConfigOf<T extends Settings, Fixed> = SettingValues<T> & {
  readonly [Name in keyof Fixed]: Fixed[Name] extends bigint
    ? bigint
    : Fixed[Name] extends number
      ? number
      : string;
};

/**
 * Reads the settings of a process, and adds values that no operator has had a reason to set.
 * @param problemsOf finds problems that single settings do not show; called if each setting is valid
 * @throws SRV_CONFIG_INVALID naming every variable that is missing, wrong or unknown, never the value of a
 * secret one
 */
export function readConfig<T extends Settings, const Fixed extends object>(
  prefix: string,
  { settings, fixed }: { readonly settings: T; readonly fixed: Fixed },
  environment: Environment,
  problemsOf: (values: SettingValues<T>) => readonly SettingProblem[] = () => [],
): ConfigOf<T, Fixed> {
  const { problems: found, values } = readSettings(prefix, settings, environment);
  const problems = found.length > 0 ? found : problemsOf(values);
  if (problems.length > 0)
    throw processErrors.raise("SRV_CONFIG_INVALID", describeProblems(problems), { data: { problems } });
  return Object.freeze({ ...values, ...fixed }) as ConfigOf<T, Fixed>;
}

/** Ways to set a variable: a secret may also be in a file. */
const waysToSet = (variable: string, isSecret: true | undefined): string[] =>
  isSecret ? [variable, `${variable}_FILE`] : [variable];

/**
 * Variables of all processes. A process accepts those of the others, too: one environment is enough for all.
 */
const sharedVariables = (): string[] => [
  ...Object.entries<Setting>(SHARED_SETTINGS).flatMap(([name, { isSecret }]) =>
    waysToSet(settingVariable(SHARED_PREFIX, name), isSecret),
  ),
  ...SERVER_NAMES.map((name) => settingVariable(SHARED_PREFIX, name)),
];

function secretOf(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    return { text: readSecretFile(path) };
  } catch (error) {
    if (isRollupError(error)) return { problem: `(${error.code}) ${error.message}` };
    throw error;
  }
}

/** Text for an operator: one line a problem. */
export const describeProblems = (problems: readonly SettingProblem[]): string =>
  problems.map(({ env, problem }) => `${env} ${problem}`).join("\n");

/** A row a setting: variable, default, meaning. */
export function settingsTable(prefix: string, settings: Settings): string {
  return tableOf(
    Object.entries(settings).map(([name, setting]) => [
      settingVariable(prefix, name),
      shownDefault(setting),
      setting,
    ]),
  );
}
export const sharedTable = (settings: Settings, defaultOf: (name: string) => string): string =>
  tableOf(
    Object.entries(settings).map(([name, setting]) => [
      settingVariable(SHARED_PREFIX, name),
      defaultOf(name),
      setting,
    ]),
  );

/** Characters of a table's row. What a description has beyond them is a list below the table. */
const MAX_ROW_LENGTH = 150;

function tableOf(
  settings: readonly (readonly [variable: string, shown: string, setting: Setting])[],
): string {
  const rows: string[] = [];
  const notes: string[] = [];
  for (const [variable, shown, { description, isSecret }] of settings) {
    const rowOf = (meaning: string) =>
      `| \`${variable}\` | ${shown} | ${meaning}${isSecret ? " (secret)" : ""} |`;
    const separator = ["; ", ": "].find((one) => description.includes(one));
    const end = separator === undefined ? description.length : description.indexOf(separator);
    const fits = rowOf(description).length <= MAX_ROW_LENGTH || separator === undefined;
    rows.push(rowOf(fits ? description : description.slice(0, end)));
    if (!fits) notes.push(`- \`${variable}\`: ${description.slice(end + 2)}.`);
  }
  const table = ["| variable | default | meaning |", "|---|---|---|", ...rows];
  return [...table, ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
}

/** A default as a table has it. */
export function shownDefault({ default: fallback, schema }: Setting): string {
  if (fallback === undefined) return schema.safeParse(undefined).success ? "none" : "required";
  return fallback === "" ? "empty" : `\`${fallback}\``;
}

/** Schema of a plain decimal: nothing is rounded, cut off or read from an empty string. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is not a whole number")
    .transform(Number)
    .refine((value) => value >= min && value <= max, `is not between ${min} and ${max}`);
export const someText = z.string().min(1, "is empty");
/** Texts with commas between; empty for none. */
export const textList = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);
export const httpUrl = z.url({ protocol: /^https?$/, error: "is not an http(s) URL" });
/** Base URL of a server: paths are added to it, which would end up in a query. */
export const baseUrl = httpUrl.regex(/^[^?#]*$/, "has a ? or #, and is a URL to which paths are added");
const secretText = (pattern: RegExp, message: string) =>
  z
    .string()
    .regex(pattern, message)
    .transform((value) => new Secret(value));
/** PostgreSQL address with user and password, hence a secret. */
const postgresUrl = secretText(/^postgres(ql)?:\/\/\S+$/, "is no postgres:// address");
/** Schema of a bearer token in HTTP's form. */
export const bearerToken = secretText(/^[\x21-\x7e]{16,}$/, "needs at least 16 visible characters");
export const ethereumKey = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "is not 0x and 64 hex digits")
  .transform((value) => new Secret(value as `0x${string}`));
export const ONE_DAY_MS = 86_400_000;

/** Marks settings as shared: each is also read with the prefix of all processes. */
export function shared<const T extends Settings>(
  settings: T,
): { readonly [K in keyof T]: T[K] & { readonly isShared: true } } {
  const marked = Object.entries(settings).map(([name, setting]) => [name, { ...setting, isShared: true }]);
  return Object.fromEntries(marked) as { [K in keyof T]: T[K] & { readonly isShared: true } };
}

/** Settings that every server has besides its own (http/server-settings.ts). */
export const SERVER_NAMES = ["publicUrl", "proxies", "maxConnections"] as const;

/** Settings that several processes have, each declared here once; a process may have another default. */
export const SHARED_SETTINGS = shared({
  deploymentPath: {
    schema: someText,
    default: ".openledger/deployment.json",
    description: "path of the deployment record",
  },
  sequencerUrl: {
    schema: baseUrl,
    default: "http://127.0.0.1:8547",
    description: "URL of the sequencer's API; a full node's is enough for a process that sends it nothing",
  },
  dataPath: {
    schema: someText,
    default: ".openledger/data",
    description: "data directory of the process",
  },
  host: { schema: someText, default: "127.0.0.1", description: "address to listen on" },
  port: {
    schema: wholeNumber(0, 65_535),
    default: "0",
    description: "port to listen on; 0 = any free port",
  },
  healthPort: {
    schema: wholeNumber(0, 65_535).optional(),
    description: "port for GET /health and GET /metrics on 127.0.0.1",
  },
  rateLimitPerMinute: {
    schema: wholeNumber(1, 10_000_000),
    default: "6000",
    description: "maximum requests from one address per minute, IPv6 by /64",
  },
  requestTimeoutMs: {
    schema: wholeNumber(100, ONE_DAY_MS),
    default: "30000",
    description: "longest wait for a complete request or reply; a body may continue at 64 KiB per second",
  },
  pollIntervalMs: {
    schema: wholeNumber(10, ONE_DAY_MS),
    default: "1000",
    description: "time between two polls for work",
  },
  maxBackoffMs: {
    schema: wholeNumber(10, ONE_DAY_MS),
    default: "30000",
    description: "longest wait between two retries",
  },
  operatorToken: {
    schema: bearerToken,
    isSecret: true,
    description: "bearer token of the sequencer's /operator routes",
  },
  serverToken: {
    schema: bearerToken.optional(),
    isSecret: true,
    description: "bearer token of the operator's own servers: no rate limit at the sequencer",
  },
  databaseUrl: {
    schema: postgresUrl.optional(),
    isSecret: true,
    description:
      "PostgreSQL database; without it one is started in `…_DATABASE_PATH`. `DATABASE_URL` is never read",
  },
  databasePath: {
    schema: someText,
    default: ".openledger/database",
    description: "folder of this machine's database, where no URL is given",
  },
  logLevel: {
    schema: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
    default: "info",
    description: "lowest level that is logged",
  },
} as const satisfies Settings);

/** The same setting with another default. */
export const defaulting = <const S extends Setting>(setting: S, fallback: string) =>
  ({ ...setting, default: fallback }) as const;
