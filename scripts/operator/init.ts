/** `openledger operator init`: writes an installation. Run again, it writes everything anew except secrets and data. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import type { Address, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { repositoryRoot } from "../../circuits/compiler/compile.ts";
import { encodeDeployment, loadDeployment } from "../../circuits/registry/deployment.ts";
import { readSecretFile } from "../../circuits/secret-file.ts";
import { operatorError } from "../cli/operator-errors.ts";
import { writeFileWhole } from "../cli/workspace.ts";
import { type Installation, installationPaths, readInstallation, writeInstallation } from "./installation.ts";
import { type PlannedProcess, planProcesses, settingProblems } from "./plan-processes.ts";
import { writeMonitoring } from "./write-monitoring.ts";
import { composeFile, systemdTarget, systemdUnit } from "./write-units.ts";

export interface InitOptions {
  readonly deploymentPath: string;
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
  readonly hasFollower: boolean;
  readonly hasDatanetHost: boolean;
  readonly hasFactory: boolean;
  readonly model: { readonly folder: string; readonly id: number; readonly keyFile: string } | null;
  readonly user: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

/** @throws CMD_INIT_FOLDER_TAKEN, CMD_INIT_REFUSED, CIR_DEPLOYMENT_INVALID, CIR_SECRET_FILE_… */
export async function initInstallation(options: InitOptions): Promise<Installation> {
  const folder = resolve(options.folder);
  const paths = installationPaths(folder);
  const known = existsSync(paths.manifest) ? readInstallation(folder) : null;
  if (known === null && existsSync(folder) && readdirSync(folder).length > 0)
    throw operatorError("CMD_INIT_FOLDER_TAKEN", `${folder} is not empty, and no installation`, {
      data: { folder },
    });
  for (const path of [folder, repositoryRoot])
    if (/[\s"'$%\\:,]/.test(path))
      throw operatorError("CMD_INIT_REFUSED", `units and compose take no path like ${path}`, {
        data: { path },
      });
  const record = loadDeployment(options.deploymentPath);
  const deployment = { ...record, rpcUrl: options.rpcUrl ?? record.rpcUrl };
  // A new host may have other keys, the settings of an earlier run stay.
  const settings = { ...known?.settings, ...options.settings };
  const { backend, firstPort, hasDatanetHost, hasFactory, hasFollower, host, model, proverCount } = options;
  const modelPlan = model === null ? null : { folder: resolve(model.folder), id: model.id };
  const request = {
    ...{ folder, backend, firstPort, hasDatanetHost, hasFactory, hasFollower, host },
    ...{ proverCount, settings, model: modelPlan },
    hasQueue: options.queue !== null,
  };
  const planned = planProcesses({ ...request, rpcUrl: deployment.rpcUrl });
  // Without the settings: an Ethereum node's address often has a password in it.
  const processes = planned.map(({ env: _env, ...one }) => one);
  const user = options.user ?? userInfo().username;
  const installation: Installation = { version: 1, repository: repositoryRoot, user, settings, processes };

  await mkdir(dirname(paths.operatorKey), { recursive: true, mode: 0o700 });
  await chmod(dirname(paths.operatorKey), 0o700);
  await keepKey(paths.operatorKey, options.operatorKeyFile, deployment.genesis.operatorOwner);
  if (model !== null) await keepKey(paths.modelKey, model.keyFile, null);
  if (options.queue !== null) {
    await writeSecret(paths.queueUrl, readSecretFile(options.queue.urlFile));
    await writeSecret(paths.workerQueueUrl, readSecretFile(options.queue.workerUrlFile));
  }
  for (const path of [paths.operatorToken, paths.proverToken])
    if (!existsSync(path)) await writeSecret(path, randomBytes(32).toString("hex"));
  for (const one of planned) await writeProcess(folder, installation, one);
  await writeFileWhole(paths.deployment, encodeDeployment(deployment), 0o600);
  const [sequencer] = processes;
  const endpoints = { sequencerUrl: `http://127.0.0.1:${sequencer!.port}`, modelServers: {} };
  await writeFileWhole(paths.endpoints, `${JSON.stringify(endpoints, null, 2)}\n`);
  await writeFileWhole(paths.target, systemdTarget(installation));
  const keyFolders = new Set(deployment.circuits.map(({ zkeyPath }) => dirname(resolve(zkeyPath))));
  const outside = [...keyFolders].filter((path) => !path.startsWith(`${repositoryRoot}/`));
  const { gid, uid } = userInfo();
  await writeFileWhole(paths.compose, composeFile(folder, installation, outside, { uid, gid }));
  await writeMonitoring(folder, installation);
  await writeInstallation(folder, installation);
  return installation;
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
  if (one.dataPath !== null) await mkdir(dirname(one.dataPath), { recursive: true });
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
