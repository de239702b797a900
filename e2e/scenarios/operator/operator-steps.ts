/** Steps of an operator, by the commands that an operator uses; each waits until it has had its effect. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { drillAccount, drillPrivateKey, drillUser } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { faucetOn } from "../../world/l1.ts";
import type { ManagedProcess } from "../../world/process.ts";
import { FEE_PER_UNIT_WEI, Traffic } from "../../world/traffic.ts";
import { waitUntil } from "../../world/wait-until.ts";
import { CIRCUITS } from "./rehearsed-keys.ts";

const USERS = [0, 1, 2, 3];
export const PATIENCE_MS = 900_000;

/** Blocks come by the second, and a proof takes as long as ever: little may wait for it. */
export const DRILL_SETTINGS = {
  SEQUENCER_FEE_PER_UNIT_WEI: FEE_PER_UNIT_WEI,
  SEQUENCER_CLOSE_INTERVAL_MS: 1_000,
  SEQUENCER_MAX_UNPOSTED_BATCHES: 4,
  BRIDGE_L1_CONFIRMATIONS: 2,
  BRIDGE_L1_FINALITY_DEPTH_BLOCKS: 8,
  BRIDGE_POLL_INTERVAL_MS: 300,
};
export const setOptions = (settings: Readonly<Record<string, string | number | bigint>>) =>
  Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);

export const ended = (processes: readonly ManagedProcess[]) =>
  processes.map(({ endedByItself }) => endedByItself).find((end) => end !== null) ?? null;
export const unexpected = (message: string) => drillError("DRL_UNEXPECTED", message);

/** A file that nobody else may read. @returns its path */
function writeSecret(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

export function writeConfig(
  folder: string,
  l1: { rpcUrl: string; chainId: number; confirmations?: number | undefined },
  keys: object | string,
): string {
  writeSecret(folder, "deployer-key", drillPrivateKey("faucet"));
  writeSecret(folder, "operator-key", drillPrivateKey("operator"));
  const path = join(folder, "deploy.json");
  const config = {
    l1: { confirmations: 2, ...l1 },
    deployerKeyFile: "deployer-key",
    token: { holder: drillAccount("faucet").address },
    operator: { keyFile: "operator-key" },
    treasuryOwner: drillAccount("treasury").address,
    idFee: "0.5",
    circuits: CIRCUITS,
    keys,
    out: "deployment",
  };
  writeFileSync(path, JSON.stringify(config, null, 2));
  return path;
}

/** Four users deposit, and begin to send transfers. */
export async function startTraffic(
  rpcUrl: string,
  recordPath: string,
  sequencerUrl: string,
): Promise<Traffic> {
  await initPoseidon();
  const record = loadDeployment(recordPath);
  const users = USERS.map((i) => drillUser(i));
  await faucetOn(rpcUrl, record).openAccounts(users);
  await waitUntil(
    "the first deposits",
    async () => {
      const answers = await Promise.all(
        users.map(({ leafId }) => fetch(`${sequencerUrl}/v1/leaves/${leafId}`).then((answer) => answer.ok)),
      );
      return answers.every(Boolean);
    },
    PATIENCE_MS,
  );
  const traffic = new Traffic({ sequencerUrl, domain: record.domain, users });
  traffic.start();
  return traffic;
}

export async function untilFinal(
  sequencerUrl: string,
  processes: readonly ManagedProcess[],
  acknowledged: number,
): Promise<number> {
  if (acknowledged === 0) throw unexpected("no operation was acknowledged");
  return waitUntil(
    "every batch to be final",
    async () => {
      const answer = await fetch(`${sequencerUrl}/v1/status`);
      const status = (await answer.json()) as {
        batches: { closed: number; final: number };
        head: { operationCount: number };
      };
      const isOver = status.head.operationCount === 0 && status.batches.final === status.batches.closed;
      return isOver ? status.batches.final : null;
    },
    PATIENCE_MS,
    { inVain: () => ended(processes) },
  );
}
