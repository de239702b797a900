/** What an operator does, by the commands that an operator uses; and waiting until it has had its effect. */
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { shapeName } from "@openledger/circuits/protocol";
import { loadDeployment } from "@openledger/circuits/registry/deployment";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { freePort } from "@openledger/foundation/testing/free-port";
import { type Diagnosis, examine } from "@openledger/operations/doctor/doctor";
import { createWalletClient, http, maxUint256, parseEther, publicActions } from "viem";
import { drillAccount, drillPrivateKey, drillUser } from "./drill-accounts.ts";
import { drillCeremony } from "./drill-ceremony.ts";
import { DRILL_SIZES } from "./drill-circuit.ts";
import { drillError } from "./drill-errors.ts";
import type { InstalledProcess } from "./installed-process.ts";
import { FEE_PER_UNIT_WEI, Traffic } from "./traffic.ts";
import { waitUntil } from "./wait-until.ts";

/** The smallest set with which everything can be done. The keys that ceremonies made of it are kept. */
const CIRCUITS = [shapeName(DRILL_SIZES.get(2)!.shape), "leaf-exit", "earner-exit-4"];
/** 52,234 constraints. */
const POWER = 16;
const USERS = [0, 1, 2, 3];
const FIRST_DEPOSIT_WEI = parseEther("1000");
export const PATIENCE_MS = 900_000;

/** Blocks come by the second, and a proof takes as long as ever: little may wait for it. */
export const DRILL_SETTINGS = {
  SEQUENCER_FEE_PER_UNIT_WEI: FEE_PER_UNIT_WEI,
  SEQUENCER_CLOSE_INTERVAL_MS: 1_000,
  SEQUENCER_MAX_UNPOSTED_BATCHES: 4,
  BRIDGE_L1_CONFIRMATIONS: 2,
  BRIDGE_L1_FINALITY_DEPTH_BLOCKS: 8,
  BRIDGE_POLL_INTERVAL_MS: 300,
  PROVER_POLL_INTERVAL_MS: 200,
};
export const setOptions = (settings: Readonly<Record<string, string | number | bigint>>) =>
  Object.entries(settings).flatMap(([name, value]) => ["--set", `${name}=${value}`]);

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const ended = (processes: readonly InstalledProcess[]) =>
  processes.map((one) => one.endedByItself()).find((end) => end !== null) ?? null;
export const unexpected = (message: string) => drillError("DRL_UNEXPECTED", message);

/** Into a folder of their own, as `deploy` wants them. */
export async function ceremonyKeys(folder: string, tell: (text: string) => void): Promise<object> {
  const { keyFolders, ptauPath } = await drillCeremony(CIRCUITS, POWER, tell);
  const keys = join(folder, "keys");
  for (const [i, from] of keyFolders.entries()) {
    const to = join(keys, CIRCUITS[i]!);
    mkdirSync(to, { recursive: true });
    for (const name of [`${CIRCUITS[i]}.zkey`, "meta.json", "verification-key.json"])
      copyFileSync(join(from, name), join(to, name));
  }
  return { folder: keys, ptau: ptauPath, leastContributions: 4 };
}

export function writeConfig(
  folder: string,
  l1: { rpcUrl: string; chainId: number },
  keys: object | string,
): string {
  const secret = (name: string, key: string) =>
    writeFileSync(join(folder, name), `${key}\n`, { mode: 0o600 });
  secret("deployer-key", drillPrivateKey("faucet"));
  secret("operator-key", drillPrivateKey("operator"));
  const path = join(folder, "deploy.json");
  const config = {
    l1: { ...l1, confirmations: 2 },
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

/** @returns the answer's JSON. @throws DRL_UNEXPECTED with another status */
export async function openledger(
  args: readonly string[],
  onLine: (line: string, kill: () => void) => void = () => {},
): Promise<{ status: number | null; json: Record<string, unknown> | null }> {
  const child = spawn(process.execPath, ["scripts/openledger.js", ...args], {
    cwd: repositoryRoot,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (part) => {
    stdout += part;
  });
  child.stderr.on("data", (part) => {
    stderr += part;
    onLine(String(part), () => child.kill("SIGKILL"));
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (status === null) return { status, json: null };
  if (status !== 0) throw unexpected(`openledger ${args[0]} ended with ${status}: ${stdout}${stderr}`);
  return { status, json: JSON.parse(stdout) as Record<string, unknown> };
}

/** The first of five free ports. */
export async function freeRange(): Promise<number> {
  for (;;) {
    const first = await freePort();
    if (first > 64_000) continue;
    const taken = await Promise.all([1, 2, 3, 4].map((i) => isTaken(first + i)));
    if (!taken.includes(true)) return first;
  }
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(true));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  });
}

export async function untilWell(home: string, processes: readonly InstalledProcess[]): Promise<Diagnosis> {
  let last: Diagnosis | null = null;
  await waitUntil(
    "the doctor to find nothing",
    async () => {
      last = await examine(home);
      return last.problems.length === 0;
    },
    PATIENCE_MS,
    { inVain: () => ended(processes) },
  ).catch((error: unknown) => {
    if (!isRollupError(error, "DRL_TIMEOUT")) throw error;
    const said = last?.problems.map(({ problem, subject }) => `${subject}: ${problem}`).join("; ");
    throw drillError("DRL_TIMEOUT", `the doctor still finds: ${said}`, { cause: error });
  });
  return last!;
}

/** Four users deposit, and begin to send transfers. @param spareUrl asked where the other one does not serve */
export async function startTraffic(
  rpcUrl: string,
  recordPath: string,
  sequencerUrl: string,
  spareUrl = sequencerUrl,
): Promise<Traffic> {
  await initPoseidon();
  const record = loadDeployment(recordPath);
  const users = USERS.map((i) => drillUser(i));
  const chain = {
    id: record.chainId,
    name: "drill",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  };
  const wallet = createWalletClient({
    chain,
    transport: http(rpcUrl),
    account: drillAccount("faucet"),
  }).extend(publicActions);
  const mined = async (hash: `0x${string}`) =>
    wallet.waitForTransactionReceipt({ hash, pollingInterval: 200 });
  const token = { address: record.tokenAddress, abi: openTokenAbi } as const;
  await mined(
    await wallet.writeContract({
      ...token,
      functionName: "approve",
      args: [record.rollupAddress, maxUint256],
    }),
  );
  for (const { keyX, l1Owner } of users) {
    const args = [FIRST_DEPOSIT_WEI, l1Owner, keyX, parseEther("10")] as const;
    await mined(
      await wallet.writeContract({
        address: record.rollupAddress,
        abi: rollupAbi,
        functionName: "depositNew",
        args,
      }),
    );
  }
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
  const traffic = new Traffic({ sequencerUrl, spareUrl, domain: record.domain, users });
  traffic.start();
  return traffic;
}

export async function untilFinal(
  sequencerUrl: string,
  processes: readonly InstalledProcess[],
  acknowledged: number,
): Promise<number> {
  if (acknowledged === 0) throw unexpected("no operation was acknowledged");
  const batches = await waitUntil(
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
  return batches;
}
