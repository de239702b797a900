/**
 * `openledger operator init`: writes settings and secrets for the processes of compose.yaml. Everything is checked before
 * anything is written, and what a failed write had begun is removed. Run again, it keeps secrets and given settings.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { type Deployment, encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { readSecretFile } from "@openledger/foundation/secret-file";
import {
  describeProblems,
  readSettings,
  type Setting,
  SHARED_PREFIX,
  settingVariable,
} from "@openledger/foundation/settings";
import { isSameRollup } from "@openledger/foundation/store/store-identity";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import type { Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { operatorError } from "../../../cli/operator-errors.ts";
import { PROCESSES } from "../../../settings.ts";
import { foreignRecord } from "./data-owner.ts";
import { type ClusterProfile, databaseSecrets } from "./database-secrets.ts";
import { installationPaths, readEnvFile } from "./installation.ts";

export interface InitOptions {
  readonly deploymentPath: string;
  readonly folder: string;
  /** Operator's L1 key, copied into the folder; null: it is there already. */
  readonly operatorKeyFile: string | null;
  /** null: the record's. */
  readonly rpcUrl: string | null;
  /** Variables of docs/reference/settings.md; those of earlier runs stay. */
  readonly settings: Readonly<Record<string, string>>;
  /** Settings and secrets for the services of the profile `cluster` too. Those of earlier runs stay. */
  readonly cluster?: ClusterOptions | undefined;
}

interface ClusterOptions {
  /** File with the owner's address of a database of the operator's own; null: the one of compose.yaml. */
  readonly ownerUrlFile: string | null;
}

export interface Initialised {
  readonly folder: string;
  /** Variables of `settings.env`. */
  readonly settings: Readonly<Record<string, string>>;
  /** Profile of compose.yaml; null for the default one. */
  readonly profile: ClusterProfile | null;
}

type Paths = ReturnType<typeof installationPaths>;

/** @throws CMD_INIT_REFUSED, CIR_DEPLOYMENT_INVALID, CIR_SECRET_FILE; then the folder is as before */
export async function initInstallation(options: InitOptions): Promise<Initialised> {
  const folder = resolve(options.folder);
  const paths = installationPaths(folder);
  if (/[\s"'$%\\#]/.test(folder))
    throw refused("path-invalid", `env files take no path like ${folder}`, { folder });
  const isKnown = existsSync(paths.settings);
  if (!isKnown && existsSync(folder) && readdirSync(folder).length > 0)
    throw refused("folder-taken", `${folder} is not empty, and operator init has not written it`, { folder });
  const record = loadDeployment(options.deploymentPath);
  const deployment = { ...record, rpcUrl: options.rpcUrl ?? record.rpcUrl };
  requireSameRollup(paths, deployment);
  const operatorKey = readOperatorKey(paths, options.operatorKeyFile, deployment);
  const { cluster } = options;
  const userSettings = {
    ...(cluster === undefined ? {} : clusterSettings(paths)),
    ...(isKnown ? userSettingsOf(paths) : {}),
    ...options.settings,
  };
  const settings = { ...ownSettings(paths), ...userSettings };
  requireValid(settings, Object.keys(userSettings));
  requireOwnData(settings, deployment);

  const secrets = cluster === undefined ? null : databaseSecrets(paths.database, cluster.ownerUrlFile);
  const files: readonly (readonly [path: string, text: string])[] = [
    [paths.operatorKey, operatorKey],
    [paths.operatorToken, tokenAt(paths.operatorToken)],
    [paths.serverToken, tokenAt(paths.serverToken)],
    ...(secrets?.files ?? []),
    [paths.deployment, encodeDeployment(deployment).trimEnd()],
    [paths.endpoints, JSON.stringify({ sequencerUrl: SEQUENCER_URL, modelServers: {} }, null, 2)],
    // Last: a folder that has it is whole. Private: the address of an Ethereum node may have a password in it.
    [
      paths.settings,
      Object.entries(settings)
        .map(([name, value]) => `${name}=${value}`)
        .join("\n"),
    ],
  ];
  const isNewFolder = !existsSync(folder);
  try {
    await mkdir(paths.secrets, { recursive: true, mode: 0o700 });
    await chmod(paths.secrets, 0o700);
    if (secrets !== null) await mkdir(paths.database.folder, { recursive: true, mode: 0o700 });
    for (const [path, text] of files) await writeFileWhole(path, `${text}\n`, { mode: 0o600 });
  } catch (error) {
    if (isNewFolder) await rm(folder, { recursive: true, force: true });
    else if (!isKnown)
      for (const name of readdirSync(folder)) await rm(resolve(folder, name), { recursive: true });
    throw error;
  }
  return { folder, settings, profile: secrets?.profile ?? null };
}

/** Default address of a sequencer: compose.yaml publishes it there, too. */
const SEQUENCER_URL = "http://127.0.0.1:8547";

/** Settings that say where this folder's files are. */
const ownSettings = (paths: Paths): Record<string, string> => ({
  OPENLEDGER_DEPLOYMENT_PATH: paths.deployment,
  OPENLEDGER_OPERATOR_TOKEN_FILE: paths.operatorToken,
  OPENLEDGER_SERVER_TOKEN_FILE: paths.serverToken,
  SEQUENCER_PRECONFIRMATION_PRIVATE_KEY_FILE: paths.operatorKey,
  BRIDGE_OPERATOR_PRIVATE_KEY_FILE: paths.operatorKey,
});

/** Settings with which the services of compose.yaml work together on one database; others may be given. */
const clusterSettings = ({ database }: Paths): Record<string, string> => ({
  PROVER_PLACE: "queue",
  // The sequencer puts jobs, workers take them. A server that settles gets its own address in compose.yaml.
  SEQUENCER_DATABASE_URL_FILE: database.urlOf("sequencer"),
  PROVER_DATABASE_URL_FILE: database.urlOf("prover"),
  // Addresses of the proxy in compose.yaml. Hosts refuse requests that are signed for another one than theirs.
  DATANET_PUBLIC_URL: "http://127.0.0.1:8560",
  SERVING_PUBLIC_URL: "http://127.0.0.1:8798",
  FACTORY_PUBLIC_URL: "http://127.0.0.1:8570",
});

function userSettingsOf(paths: Paths): Record<string, string> {
  const own = ownSettings(paths);
  // Earlier versions gave workers the sequencer's role.
  const isEarlier = (name: string, value: string) =>
    name === "PROVER_DATABASE_URL_FILE" && value === paths.database.urlOf("sequencer");
  return Object.fromEntries(
    Object.entries(readEnvFile(paths.settings)).filter(
      ([name, value]) => !(name in own) && !isEarlier(name, value),
    ),
  );
}

const tokenAt = (path: string): string =>
  existsSync(path) ? readSecretFile(path) : randomBytes(32).toString("hex");

/** Refuses a folder of another rollup: its volumes hold that rollup's ledger. @throws CMD_INIT_REFUSED */
function requireSameRollup(paths: Paths, deployment: Deployment): void {
  if (!existsSync(paths.deployment)) return;
  const { chainId, rollupAddress } = deployment;
  const known = loadDeployment(paths.deployment);
  if (isSameRollup(known, deployment)) return;
  throw refused(
    "other-rollup",
    `${paths.deployment} is of rollup ${known.rollupAddress} on chain ${known.chainId}, and the record of ${rollupAddress} on chain ${chainId}: choose another folder, and other volumes`,
    { known: { chainId: known.chainId, rollupAddress: known.rollupAddress }, chainId, rollupAddress },
  );
}

/** Data directories that the settings name hold this rollup's data, or none. @throws CMD_INIT_REFUSED */
function requireOwnData(settings: Readonly<Record<string, string>>, deployment: Deployment): void {
  const { chainId, rollupAddress } = deployment;
  for (const [name, path] of Object.entries(settings)) {
    const found = name.endsWith("_DATA_PATH") ? foreignRecord(path, deployment) : null;
    if (found === null) continue;
    throw refused(
      "other-rollup",
      `${name}: ${found.path} is data of rollup ${found.rollupAddress} on chain ${found.chainId}, and the record is of ${rollupAddress} on ${chainId}: name another folder`,
      { name, path: found.path, found, expected: { chainId, rollupAddress } },
    );
  }
}

/** @throws CMD_INIT_REFUSED, CIR_SECRET_FILE */
function readOperatorKey(paths: Paths, file: string | null, { genesis }: Deployment): string {
  const path = file ?? paths.operatorKey;
  if (file === null && !existsSync(path))
    throw refused("key-missing", "the operator's key is missing: name its file with --operator-key-file", {
      path,
    });
  const text = readSecretFile(path);
  if (!/^0x[0-9a-fA-F]{64}$/.test(text))
    throw refused("key-invalid", `${path} does not hold 0x and 64 hex digits`, { path });
  const owner = privateKeyToAccount(text as Hex).address;
  const operator = genesis.operatorOwner;
  if (owner.toLowerCase() !== operator.toLowerCase())
    throw refused("key-of-another", `${path} is the key of ${owner}, and the operator is ${operator}`, {
      path,
      owner,
      operator,
    });
  return text;
}

/**
 * Checks that every process would start with these settings.
 * @throws CMD_INIT_REFUSED naming every setting that is unknown or wrong
 */
function requireValid(settings: Readonly<Record<string, string>>, userNames: readonly string[]): void {
  const known = knownVariables();
  const unknown = userNames.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw refused("setting-unknown", `${unknown.join(", ")}: no process has such a setting`, { unknown });
  const problems = PROCESSES.flatMap(
    ({ prefix, settings: table }) => readSettings(prefix, table, settings).problems,
  )
    // Files of this folder are written later, and a missing one is a matter of the process that is started.
    .filter(({ env }) => userNames.includes(env) && !env.endsWith("_FILE"));
  if (problems.length > 0) throw refused("setting-invalid", describeProblems(problems), { problems });
}

/** Lists the names of all processes' settings, with `_FILE` for secret ones. */
const knownVariables = (): Set<string> =>
  new Set(
    PROCESSES.flatMap(({ prefix, settings }) =>
      Object.entries<Setting>(settings).flatMap(([name, { isSecret, isShared }]) =>
        [prefix, ...(isShared ? [SHARED_PREFIX] : [])].flatMap((one) => {
          const variable = settingVariable(one, name);
          return isSecret ? [variable, `${variable}_FILE`] : [variable];
        }),
      ),
    ),
  );

const refused = (reason: string, message: string, data: object) =>
  operatorError("CMD_INIT_REFUSED", message, { data: { reason, ...data } });
