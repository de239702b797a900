/** `openledger operator init`: writes an installation. Run again, it writes everything again except secrets and data. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { encodeDeployment, loadDeployment } from "@openledger/circuits/registry/deployment";
import { readSecretFile } from "@openledger/foundation/secret-file";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { handInKeyOf } from "@openledger/prover/jobs/hand-in";
import type { Address, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { operatorError } from "../operator-errors.ts";
import { foreignRecord } from "./data-owner.ts";
import {
  type Installation,
  type InstallationPlan,
  type InstalledLease,
  installationPaths,
  readInstallation,
  writeInstallation,
} from "./installation.ts";
import { ownSequencerUrl } from "./plan-lease.ts";
import { planProcesses, settingProblems } from "./plan-processes.ts";
import type { PlannedProcess } from "./planned-process.ts";
import { writeMonitoring } from "./write-monitoring.ts";
import { composeFile, systemdTarget, systemdUnit } from "./write-units.ts";

export interface InitOptions {
  /** null: the leader's, of `standbyOf`. */
  readonly deploymentPath: string | null;
  readonly folder: string;
  /** The operator's L1 key; read once, and kept in the installation's own file. null: that one is there already. */
  readonly operatorKeyFile: string | null;
  /** null: the record's. */
  readonly rpcUrl: string | null;
  readonly proverCount: number;
  /** Files with the addresses of the provers' queue: the dispatcher's, with all its rights, and the workers'. */
  readonly queue: { readonly urlFile: string; readonly workerUrlFile: string } | null;
  readonly backend: string;
  readonly host: string;
  readonly firstPort: number;
  readonly hasFullNode: boolean;
  readonly hasDatanetHost: boolean;
  readonly hasFactory: boolean;
  readonly model: { readonly folder: string; readonly id: number; readonly keyFile: string } | null;
  /** The lease's contract: this machine is the leader, or stays the standby that it is. null: as before. */
  readonly leaseAddress: Address | null;
  /** The leader's installation, or a copy of it without its data: this machine becomes its standby. */
  readonly standbyOf: string | null;
  /** Where clients and provers find this machine's sequencer; null: where it listens, or as before. */
  readonly url: string | null;
  readonly user: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

/** @throws CMD_INIT_REFUSED, CIR_DEPLOYMENT_INVALID, CIR_SECRET_FILE_… */
export async function initInstallation(options: InitOptions): Promise<Installation> {
  const folder = resolve(options.folder);
  const paths = installationPaths(folder);
  const known = existsSync(paths.manifest) ? readInstallation(folder) : null;
  if (known === null && existsSync(folder) && readdirSync(folder).length > 0)
    throw operatorError("CMD_INIT_REFUSED", `${folder} is not empty, and no installation`, {
      data: { reason: "init-folder-taken", folder },
    });
  for (const path of [folder, repositoryRoot])
    if (/[\s"'$%\\:,]/.test(path)) throw refused(`units and compose take no path like ${path}`, { path });
  const leader = options.standbyOf === null ? null : await readLeader(resolve(options.standbyOf), folder);
  const deploymentPath = options.deploymentPath ?? leader?.paths.deployment;
  if (deploymentPath === undefined) throw refused("name the record with --deployment");
  const record = loadDeployment(deploymentPath);
  const deployment = { ...record, rpcUrl: options.rpcUrl ?? record.rpcUrl };
  // A new host may have other keys, the settings of an earlier run stay.
  const settings = { ...leader?.installation.settings, ...known?.settings, ...options.settings };
  const { model } = options;
  const hasQueue = options.queue !== null || leader?.installation.plan.hasQueue === true;
  const plan: InstallationPlan = {
    ...{ hasQueue, backend: options.backend, proverCount: options.proverCount },
    ...{ host: options.host, firstPort: options.firstPort },
    ...{ hasDatanetHost: options.hasDatanetHost, hasFactory: options.hasFactory },
    hasFullNode: options.hasFullNode || leader !== null,
    model: model === null ? null : { folder: resolve(model.folder), id: model.id },
  };
  const lease = leaseOf(options, known?.lease ?? null, leader?.lease ?? null);
  const request = { ...plan, ...{ folder, lease, settings }, rpcUrl: deployment.rpcUrl };
  const planned = planProcesses(request);
  // What a standby's take-over starts has to start then.
  for (const one of planProcesses({ ...request, lease: lease && { ...lease, role: "leader" } }))
    requireTaken(one);
  requireOwnData(planned, deployment);
  // Without the settings: an Ethereum node's address often has a password in it.
  const processes = planned.map(({ env: _env, ...one }) => one);
  const user = options.user ?? userInfo().username;
  const installation: Installation = {
    ...{ version: 1, repository: repositoryRoot, user, settings },
    ...{ plan, lease, processes },
  };

  await mkdir(dirname(paths.operatorKey), { recursive: true, mode: 0o700 });
  await chmod(dirname(paths.operatorKey), 0o700);
  const keyFile = options.operatorKeyFile ?? leader?.paths.operatorKey ?? null;
  await keepKey(paths.operatorKey, keyFile, deployment.genesis.operatorOwner);
  if (model !== null) await keepKey(paths.modelKey, model.keyFile, null);
  const queue = options.queue ?? (hasQueue ? leaderQueue(leader!.paths) : null);
  if (queue !== null) {
    await writeSecret(paths.queueUrl, readSecretFile(queue.urlFile));
    await writeSecret(paths.workerQueueUrl, readSecretFile(queue.workerUrlFile));
    await keepHandInKeys(paths, leader?.paths ?? null, planned);
  }
  // Provers and standby go from one machine to the other with what they have.
  if (leader !== null)
    for (const name of ["proverToken", "replicaToken"] as const)
      await writeSecret(paths[name], readSecretFile(leader.paths[name]));
  const tokens = [paths.operatorToken, paths.proverToken, ...(lease === null ? [] : [paths.replicaToken])];
  for (const path of tokens) if (!existsSync(path)) await writeSecret(path, randomBytes(32).toString("hex"));
  for (const one of planned) await writeProcess(folder, installation, one);
  await writeFileWhole(paths.deployment, encodeDeployment(deployment), 0o600);
  const sequencerUrl = lease?.leaderUrl ?? ownSequencerUrl({ ...plan, host: "127.0.0.1" });
  await writeFileWhole(paths.endpoints, `${JSON.stringify({ sequencerUrl, modelServers: {} }, null, 2)}\n`);
  await writeFileWhole(paths.target, systemdTarget(installation));
  const keyFolders = new Set(deployment.circuits.map(({ zkeyPath }) => dirname(resolve(zkeyPath))));
  const outside = [...keyFolders].filter((path) => !path.startsWith(`${repositoryRoot}/`));
  const { gid, uid } = userInfo();
  await writeFileWhole(paths.compose, composeFile(folder, installation, outside, { uid, gid }));
  await writeMonitoring(folder, installation);
  await writeInstallation(folder, installation);
  return installation;
}

/** @throws CMD_INIT_REFUSED, before anything is written */
function requireOwnData(planned: readonly PlannedProcess[], { chainId, rollupAddress }: StoreRollup): void {
  for (const { dataPath } of planned) {
    const found = dataPath === null ? null : foreignRecord(dataPath, { chainId, rollupAddress });
    if (found === null) continue;
    throw operatorError(
      "CMD_INIT_REFUSED",
      `${found.path} is data of rollup ${found.rollupAddress} on chain ${found.chainId}, and the record is of ${rollupAddress} on ${chainId}: name another folder with --out`,
      {
        data: { reason: "init-other-rollup", path: found.path, found, expected: { chainId, rollupAddress } },
      },
    );
  }
}

/**
 * A standby that has taken the lease becomes the leader: its installation gets a sequencer and a bridge. It has no standby, so it
 * waits for no standby's acknowledgement, whatever the old leader did.
 */
export async function promoteStandby(folder: string): Promise<Installation> {
  const known = readInstallation(folder);
  const { lease, plan, user } = known;
  const paths = installationPaths(resolve(folder));
  if (lease === null) throw refused(`${folder} has no lease`);
  const { SEQUENCER_REPLICA: _replica, ...settings } = known.settings;
  await writeInstallation(folder, {
    ...{ ...known, settings },
    lease: { ...lease, role: "leader", leaderUrl: null },
  });
  const { model } = plan;
  return initInstallation({
    ...{ ...plan, folder, user, deploymentPath: paths.deployment, operatorKeyFile: null, rpcUrl: null },
    queue: plan.hasQueue ? leaderQueue(paths) : null,
    model: model === null ? null : { ...model, keyFile: paths.modelKey },
    ...{ leaseAddress: null, standbyOf: null, url: null, settings: {} },
  });
}

type Paths = ReturnType<typeof installationPaths>;
const refused = (message: string, data: object = {}) => operatorError("CMD_INIT_REFUSED", message, { data });
const leaderQueue = ({ queueUrl, workerQueueUrl }: Paths) => ({
  urlFile: queueUrl,
  workerUrlFile: workerQueueUrl,
});

/** @throws CMD_INIT_REFUSED where it has no lease, or the standby's folder holds the ledger of a leader */
async function readLeader(leaderFolder: string, folder: string) {
  const installation = readInstallation(leaderFolder);
  const { lease } = installation;
  if (lease === null)
    throw refused(`${leaderFolder} has no lease: give it one first, with operator init --lease`);
  if (leaderFolder === folder) throw refused("a machine is not its own standby");
  if (lease.role !== "leader") throw refused(`${leaderFolder} is a standby itself`);
  for (const path of ["sequencer", "bridge"].map((name) => installationPaths(folder).data(name)))
    if (existsSync(path))
      throw refused(`this machine has been a leader: stop its processes, and move ${path} away`, { path });
  return { installation, lease, paths: installationPaths(leaderFolder) };
}

/** @throws CMD_INIT_REFUSED where nobody could reach the address that would stand on L1 */
function leaseOf(
  { firstPort, host, leaseAddress, url }: InitOptions,
  known: InstalledLease | null,
  leader: InstalledLease | null,
): InstalledLease | null {
  const address = leader?.address ?? leaseAddress ?? known?.address;
  if (address === undefined) {
    if (url !== null) throw refused("--url goes with --lease or --standby-of");
    return null;
  }
  const own = url ?? known?.url ?? ownSequencerUrl({ host, firstPort });
  if (leader !== null) return { address, url: own, role: "standby", leaderUrl: leader.url };
  const { leaderUrl = null, role = "leader" } = known ?? {};
  return { address, url: own, role, leaderUrl };
}

function requireTaken({ env, kind, name }: PlannedProcess): void {
  const files = Object.entries(env).filter(([name]) => name.endsWith("_FILE"));
  // They are written later.
  const problem = settingProblems(
    kind,
    env,
    files.map(([, path]) => path),
  );
  if (problem !== null) throw refused(`${name} would not start: ${problem}`, { process: name, problem });
}

async function writeProcess(folder: string, installation: Installation, one: PlannedProcess): Promise<void> {
  const paths = installationPaths(folder);
  const problem = settingProblems(one.kind, one.env);
  if (problem !== null)
    throw operatorError("CMD_INIT_REFUSED", `${one.name} would not start: ${problem}`, {
      data: { process: one.name, problem },
    });
  const lines = Object.entries(one.env).map(([name, value]) => `${name}=${value}`);
  await writeFileWhole(paths.env(one.name), `${lines.join("\n")}\n`, 0o600);
  await writeFileWhole(paths.unit(one.name), systemdUnit(folder, installation, one));
  // Those of a ledger are made by their processes: where one is there, the machine has been a leader.
  await mkdir(join(installation.repository, ".cache"), { recursive: true });
  if (one.kind === "dispatcher") await mkdir(one.dataPath!, { recursive: true });
  else if (one.dataPath !== null) await mkdir(dirname(one.dataPath), { recursive: true });
}

/** The secret of the first time stays: workers on other machines have keys of it. A standby has its leader's. */
async function keepHandInKeys(
  paths: Paths,
  leader: Paths | null,
  planned: readonly PlannedProcess[],
): Promise<void> {
  if (leader !== null) await writeSecret(paths.handInSecret, readSecretFile(leader.handInSecret));
  else if (!existsSync(paths.handInSecret))
    await writeSecret(paths.handInSecret, randomBytes(32).toString("hex"));
  const secret = readSecretFile(paths.handInSecret);
  for (const { env } of planned)
    if (env.PROVER_HAND_IN_KEY_FILE !== undefined)
      await writeSecret(env.PROVER_HAND_IN_KEY_FILE, handInKeyOf(secret, env.PROVER_NAME!));
}

/** @param address whose key it has to be; null for anybody's. @throws CMD_INIT_REFUSED, CIR_SECRET_FILE_… */
async function keepKey(path: string, from: string | null, address: Address | null): Promise<void> {
  const isThere = existsSync(path);
  if (!isThere && from === null)
    throw operatorError(
      "CMD_INIT_REFUSED",
      "the operator's key is missing: name its file with --operator-key-file",
      {
        data: { path },
      },
    );
  const text = readSecretFile(from ?? path);
  if (!/^0x[0-9a-fA-F]{64}$/.test(text))
    throw operatorError("CMD_INIT_REFUSED", `${from ?? path} does not hold 0x and 64 hex digits`, {
      data: { path: from ?? path },
    });
  const owner = privateKeyToAccount(text as Hex).address;
  if (address !== null && owner.toLowerCase() !== address.toLowerCase())
    throw operatorError(
      "CMD_INIT_REFUSED",
      `${from ?? path} is the key of ${owner}, and the operator is ${address}`,
      {
        data: { path: from ?? path, owner, operator: address },
      },
    );
  if (from !== null) await writeSecret(path, text);
}

const writeSecret = (path: string, text: string) => writeFileWhole(path, `${text}\n`, 0o600);
