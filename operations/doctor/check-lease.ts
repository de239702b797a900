/** Of the lease: that it is this rollup's, who holds it, and that clocks and margins keep two machines apart. */

import { LeaseContract, type LeaseState } from "@openledger/bridge/l1/lease-contract";
import { leaseMarginProblem, leaseSecondsProblem } from "@openledger/bridge/l1/lease-margin";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { createPublicClient, http, isAddressEqual } from "viem";
import {
  type Installation,
  type InstalledLease,
  type InstalledProcess,
  installationPaths,
  readEnvFile,
} from "../installation/installation.ts";
import { bad, type Finding, looking } from "./finding.ts";

const TIMEOUT_MS = 10_000;
/** As the settings' own tables have them. */
const DEFAULTS = { marginMs: 20_000, seconds: 600 };
/** A standby that was not heard for so long is none. */
const MAX_SILENT_SECONDS = 10;
const OF_BOTH = "OPENLEDGER_LEASE_MARGIN_MS";

/** Nothing for an installation without a lease. */
export async function checkLease(
  folder: string,
  { lease, processes }: Installation,
  deployment: Deployment,
  rpcUrl: string,
): Promise<Finding[]> {
  if (lease === null) return [];
  const findings = lease.role === "leader" ? [await checkMargins(folder, deployment.chainId)] : [];
  const client = createPublicClient({
    transport: http(rpcUrl, { timeout: TIMEOUT_MS, retryCount: 0 }),
    cacheTime: 0,
  });
  const contract = new LeaseContract({ client: client as never, address: lease.address });
  const remedy = `deploy one with: openledger operator lease create; then: openledger operator init --lease`;
  const deployed = await looking("lease", lease.address, remedy, async () => {
    const code = await client.getCode({ address: lease.address });
    if (code === undefined) return "there is no contract at its address";
    const operator = await contract.operator();
    const { operatorOwner } = deployment.genesis;
    return isAddressEqual(operator, operatorOwner)
      ? null
      : `it is ${operator}'s, and the operator is ${operatorOwner}`;
  });
  findings.push(deployed);
  if (deployed.problem !== null) return findings;
  let state: LeaseState;
  let nowSeconds: number;
  try {
    [state, nowSeconds] = await Promise.all([
      contract.read(),
      client.getBlock().then(({ timestamp }) => Number(timestamp)),
    ]);
  } catch (error) {
    const why = (error as Error).message.split("\n")[0]!;
    return [...findings, bad("lease", lease.address, why, "look at the Ethereum node")];
  }
  findings.push(checkHolder(folder, lease, state, nowSeconds));
  const { marginMs } = marginsOf(folder);
  findings.push(
    await looking(
      "clock",
      "for the lease",
      "set the clock by NTP: with a late clock, two machines could acknowledge at once",
      async () => {
        const behindMs = nowSeconds * 1_000 - Date.now();
        return behindMs <= marginMs / 2
          ? null
          : `it is ${Math.round(behindMs / 1_000)} s behind L1's newest block`;
      },
    ),
  );
  const sequencer = processes.find(({ kind }) => kind === "sequencer");
  const fullNode = processes.find(({ kind }) => kind === "full-node");
  if (lease.role === "standby" && fullNode !== undefined) findings.push(await checkStandby(fullNode, lease));
  if (sequencer !== undefined) findings.push(...(await checkLeader(folder, sequencer, state)));
  return findings;
}

/** Of the sequencer and of the bridge; the default where a setting is not given. */
function marginsOf(folder: string): { marginMs: number; bridgeMarginMs: number; seconds: number } {
  const { env } = installationPaths(folder);
  const settingOf = (name: string, settings: readonly string[], fallback: number) => {
    try {
      const given = readEnvFile(env(name));
      return Number(
        settings.map((setting) => given[setting]).find((value) => value !== undefined) ?? fallback,
      );
    } catch {
      return fallback;
    }
  };
  return {
    marginMs: settingOf("sequencer", ["SEQUENCER_LEASE_MARGIN_MS", OF_BOTH], DEFAULTS.marginMs),
    bridgeMarginMs: settingOf("bridge", ["BRIDGE_LEASE_MARGIN_MS", OF_BOTH], DEFAULTS.marginMs),
    seconds: settingOf("bridge", ["BRIDGE_LEASE_SECONDS"], DEFAULTS.seconds),
  };
}

function checkMargins(folder: string, chainId: number): Promise<Finding> {
  const remedy = "give both with operator init --set OPENLEDGER_LEASE_MARGIN_MS=…";
  return looking("lease", "margin", remedy, async () => {
    const { bridgeMarginMs, marginMs, seconds } = marginsOf(folder);
    if (marginMs !== bridgeMarginMs)
      return `the sequencer's is ${marginMs} ms, the bridge's ${bridgeMarginMs} ms`;
    const problem = leaseMarginProblem(marginMs, chainId);
    if (problem !== null) return `SEQUENCER_LEASE_MARGIN_MS ${problem}`;
    const tooShort = leaseSecondsProblem(seconds, marginMs);
    return tooShort === null ? null : `BRIDGE_LEASE_SECONDS ${tooShort}`;
  });
}

function checkHolder(folder: string, lease: InstalledLease, state: LeaseState, nowSeconds: number): Finding {
  const { endsAtSeconds, epoch, url } = state;
  const finding = (problem: string, remedy: string) => bad("lease", "holder", problem, remedy);
  const isOwn = url === lease.url;
  const overSeconds = nowSeconds - endsAtSeconds;
  if (epoch === 0) {
    const remedy =
      lease.role === "leader"
        ? `stop the sequencer, then: openledger operator lease take --config ${folder}`
        : "the leader takes it first: openledger operator lease take --config …";
    return finding("it has not been taken yet", remedy);
  }
  if (lease.role === "leader" && !isOwn)
    return finding(
      `${url} holds it, epoch ${epoch}: this machine acknowledges nothing any more`,
      "stop sequencer and bridge here, move data/sequencer and data/bridge away, then: openledger operator init --standby-of",
    );
  if (lease.role === "standby" && isOwn)
    return finding(
      `it is this machine's, epoch ${epoch}, and this is the installation of a standby`,
      `finish the handover: openledger operator take-over --config ${folder}`,
    );
  if (overSeconds >= 0)
    return finding(
      `epoch ${epoch} of ${url} has ended ${overSeconds} s ago, and is not extended`,
      lease.role === "leader"
        ? "look at the bridge's log: it extends the lease"
        : `if the leader does not come back: openledger operator take-over --config ${folder}`,
    );
  return { check: "lease", subject: `holder ${url}, epoch ${epoch}`, problem: null, remedy: "" };
}

const ask = (port: number, path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });

function checkStandby({ port }: InstalledProcess, { leaderUrl }: InstalledLease): Promise<Finding> {
  const remedy = `let ${leaderUrl} answer this machine; both need the same secrets/replica-token`;
  return looking("lease", "standby", remedy, async () => {
    const { fullNode } = (await (await ask(port, "/health")).json()) as {
      fullNode?: { isFeedFollowed: boolean | null; isAtEnd: boolean | null };
    };
    if (fullNode?.isFeedFollowed !== true) return `it does not follow ${leaderUrl}`;
    return fullNode.isAtEnd === true ? null : "it does not have all that the leader has yet";
  });
}

async function checkLeader(
  folder: string,
  { port }: InstalledProcess,
  state: LeaseState,
): Promise<Finding[]> {
  const paths = installationPaths(folder);
  return [
    await looking(
      "lease",
      "the sequencer's epoch",
      `stop it, then: openledger operator lease take --config ${folder}`,
      async () => {
        const headers = { authorization: `Bearer ${readSecretFile(paths.operatorToken)}` };
        const facts = (await (await ask(port, "/operator/lease", { headers })).json()) as {
          epoch?: number | null;
          isHeld?: boolean;
        };
        if (facts.epoch === null)
          return "it runs without the lease: start it with this installation's settings";
        if (facts.epoch !== state.epoch)
          return `it goes by epoch ${facts.epoch}, and L1 is at ${state.epoch}`;
        return facts.isHeld === true
          ? null
          : "it does not hold the lease: its bridge has not reported it in time";
      },
    ),
    await looking(
      "lease",
      "standby",
      "start the standby; without one: operator init --set SEQUENCER_REPLICA=off, and restart the sequencer",
      async () => {
        if (readEnvFile(paths.env("sequencer")).SEQUENCER_REPLICA !== "required") return null;
        const text = await (await ask(port, "/metrics")).text();
        const silent = Number(
          /^rollup_replica_silent_seconds (\S+)$/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY,
        );
        return silent <= MAX_SILENT_SECONDS
          ? null
          : "its confirmation is required, and it does not answer: nothing is acknowledged";
      },
    ),
  ];
}
