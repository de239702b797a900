/** A rollup of an operator with two machines, for the drills of the handover. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { LeaseContract } from "@openledger/bridge/l1/lease-contract";
import { OperatorNonce } from "@openledger/bridge/operator/operator-nonce";
import { releaseLease } from "@openledger/bridge/operator/take-lease";
import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { deployContract } from "@openledger/contracts/build/deploy";
import { freePort } from "@openledger/foundation/testing/free-port";
import type { BackendName } from "@openledger/prover/backends";
import {
  type TakeOverModules,
  type TakeOverResult,
  takeForOwn,
  takeOver,
} from "@openledger/sequencer/follower/take-over";
import { createWalletClient, http, parseGwei } from "viem";
import { foundry } from "viem/chains";
import { type DrillUser, drillAccount, drillUser } from "../drill-accounts.ts";
import { buildDrillCircuit, DRILL_SIZES, type DrillCircuit } from "../drill-circuit.ts";
import { type DrillL1, startDrillL1 } from "../drill-l1.ts";
import { DrillProcess } from "../drill-process.ts";
import { type Acknowledged, Traffic } from "../traffic.ts";
import { waitUntil } from "../wait-until.ts";
import { Machine } from "./machine.ts";

export interface FailoverWorldOptions {
  readonly backend: BackendName;
  readonly leaseSeconds: number;
  readonly marginMs: number;
  readonly keepIn: string | null;
  readonly tell: (text: string) => void;
}

const USERS = [0, 1, 2, 3].map(drillUser);
const CONFIRMATIONS = 2;
const FINALITY_DEPTH_BLOCKS = 8;
const PATIENCE_MS = 600_000;

export class FailoverWorld {
  readonly circuits: readonly DrillCircuit[];
  readonly l1: DrillL1;
  readonly traffic: Traffic;
  readonly users: readonly DrillUser[] = USERS;
  readonly lease: LeaseContract;
  leader: Machine;
  spare: Machine;
  readonly #prover: DrillProcess;
  readonly #options: FailoverWorldOptions;
  readonly #folder: string;

  /** Both machines run, the first one leads and holds the lease. */
  static async start(options: FailoverWorldOptions, isReplicaRequired: boolean): Promise<FailoverWorld> {
    const circuits = [await buildDrillCircuit(DRILL_SIZES.get(8)!.shape)];
    const l1 = await startDrillL1(circuits, USERS);
    const parent = options.keepIn ?? tmpdir();
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, "drill-failover-"));
    const deploymentPath = join(folder, "deployment.json");
    writeFileSync(deploymentPath, l1.encoded);
    const leaseAddress = await deployLease(l1);
    const { leaseSeconds, marginMs, tell } = options;
    const token = randomBytes(16).toString("hex");
    const machine = (name: string) =>
      Machine.create({
        ...{ name, folder, deploymentPath, leaseAddress, leaseSeconds, marginMs, token, tell },
        l1Url: l1.url,
        rollupAddress: l1.deployment.rollupAddress,
        confirmations: CONFIRMATIONS,
        finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
      });
    const [a, b] = [await machine("a"), await machine("b")];
    const proverPort = await freePort();
    const prover = new DrillProcess({
      name: "prover",
      main: "prover/service/main.ts",
      logFolder: join(folder, "logs"),
      tell,
      isReady: async () => (await fetch(`http://127.0.0.1:${proverPort}/health`)).status < 600,
      env: {
        PROVER_DEPLOYMENT_PATH: deploymentPath,
        PROVER_SEQUENCER_URL: a.url,
        PROVER_SPARE_SEQUENCER_URL: b.url,
        PROVER_TOKEN: `${token}-operator`,
        PROVER_BACKEND: options.backend,
        PROVER_POLL_INTERVAL_MS: "100",
        PROVER_MAX_BACKOFF_MS: "1000",
        PROVER_HEALTH_PORT: String(proverPort),
      },
    });
    const world = new FailoverWorld(options, { circuits, l1, leaseAddress, a, b, prover, folder });
    try {
      await world.#begin(isReplicaRequired);
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  private constructor(
    options: FailoverWorldOptions,
    parts: {
      circuits: readonly DrillCircuit[];
      l1: DrillL1;
      leaseAddress: `0x${string}`;
      a: Machine;
      b: Machine;
      prover: DrillProcess;
      folder: string;
    },
  ) {
    this.#options = options;
    this.circuits = parts.circuits;
    this.l1 = parts.l1;
    this.leader = parts.a;
    this.spare = parts.b;
    this.#prover = parts.prover;
    this.#folder = parts.folder;
    this.lease = new LeaseContract({
      client: createL1Client({ rpcUrl: parts.l1.url }),
      address: parts.leaseAddress,
    });
    this.traffic = new Traffic({
      sequencerUrl: parts.a.url,
      spareUrl: parts.b.url,
      domain: parts.l1.deployment.domain,
      users: USERS,
    });
  }

  async #begin(isReplicaRequired: boolean): Promise<void> {
    const { leader, spare } = this;
    // The directory has to be there before it takes the lease.
    await leader.lead({ hasLease: false, isReplicaRequired: false });
    await leader.kill();
    await takeForOwn(
      { ...this.#epochOptions(leader), isPatient: true, pollIntervalMs: 200 },
      this.#modules(leader),
    );
    await leader.lead({ hasLease: true, isReplicaRequired });
    await this.#prover.start();
    await spare.follow(leader);
    await this.#isFollowed();
    await this.waitFor("the first deposits", async () => {
      for (const { leafId } of USERS) {
        const leaf = await this.get<{ error?: unknown }>(`/v1/leaves/${leafId}`);
        if (leaf.error !== undefined) return false;
      }
      return leader.isLeading();
    });
  }

  #epochOptions({ dataPath, url }: Machine) {
    return { dataPath, url, durationSeconds: this.#options.leaseSeconds };
  }

  #modules({ follower }: Machine): TakeOverModules {
    const { client } = this.lease;
    const { tell } = this.#options;
    return {
      lease: this.lease,
      tell,
      stopFollower: async () => {
        await follower?.stop();
      },
      nonceWith: (onSigned) =>
        new OperatorNonce(
          {
            chainId: foundry.id,
            confirmations: CONFIRMATIONS,
            resendAfterMs: 3_000,
            pollIntervalMs: 200,
            maxFeePerGasWei: parseGwei("200"),
            maxPriorityFeePerGasWei: parseGwei("3"),
          },
          { account: drillAccount("operator"), client, onSigned, tell },
        ),
    };
  }

  /** The spare becomes the leader. */
  async takeOver(onTaken: () => void): Promise<TakeOverResult> {
    const { leader, spare } = this;
    const modules = this.#modules(spare);
    const result = await takeOver(
      {
        ...this.#epochOptions(spare),
        ...{ isPatient: true, pollIntervalMs: 200, rpcUrl: this.l1.url },
        rollupAddress: this.l1.deployment.rollupAddress,
        followerPath: spare.followerPath,
        followerUrl: spare.followerUrl,
      },
      { ...modules, onTaken },
    );
    // It has no spare now: required, it would acknowledge nothing.
    await spare.lead({ hasLease: true, isReplicaRequired: false });
    this.leader = spare;
    this.spare = leader;
    return result;
  }

  /** Ends the leader's lease. Its processes have stopped. */
  async release(epoch: number): Promise<void> {
    const { lease, nonceWith } = this.#modules(this.leader);
    await releaseLease(epoch, { lease, nonce: nonceWith(async () => {}) });
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.leader.url}${path}`, { signal: AbortSignal.timeout(60_000) });
    return (await response.json()) as T;
  }

  waitFor(what: string, ask: () => Promise<boolean>): Promise<unknown> {
    const inVain = () =>
      [...this.leader.processes, ...this.spare.processes, this.#prover]
        .map((one) => one.endedByItself)
        .find((end) => end !== null) ?? null;
    return waitUntil(what, ask, PATIENCE_MS, { tell: this.#options.tell, inVain });
  }

  /** The machine that led comes back. */
  async gainSpare(isReplicaRequired: boolean): Promise<void> {
    const { leader, spare } = this;
    await spare.follow(leader);
    await this.#isFollowed();
    if (!isReplicaRequired) return;
    await leader.startSequencer({ hasLease: true, isReplicaRequired });
    await this.waitFor("the leader to have its lease again", () => leader.isLeading());
  }

  async #isFollowed(): Promise<void> {
    const { spare } = this;
    await this.waitFor("the spare to follow", async () => {
      const response = await fetch(`${spare.followerUrl}/health`, { signal: AbortSignal.timeout(5_000) });
      const { follower } = (await response.json()) as { follower: { isAtEnd: boolean } };
      return follower.isAtEnd;
    });
  }

  /** What the new leader does not know of all that the old one acknowledged; the users send it again. @returns how much */
  async resendLost(oldEpoch: number, resent: Set<string>): Promise<number> {
    const lost: Acknowledged[] = [];
    // A spare that read final batches from L1 knows no hashes of their operations. The audit finds these on L1 itself.
    const finalEnd = await this.#finalEnd();
    const mayBeLost = ({ epoch, preconfirmation }: Acknowledged) =>
      (epoch ?? 0) <= oldEpoch && preconfirmation.opIndex >= finalEnd;
    for (const one of this.traffic.acknowledged.filter(mayBeLost)) {
      const answer = await this.get<{ error?: { code: string } }>(`/v1/operations/${one.hash}`);
      if (answer.error?.code === "SEQ_UNKNOWN_OPERATION") lost.push(one);
    }
    for (const one of lost) {
      resent.add(one.hash);
      await this.traffic.sendAgain(this.leader.url, one);
    }
    return lost.length;
  }

  /** Signed operations of all final batches. */
  async #finalEnd(): Promise<number> {
    const { batches } = await this.get<{ batches: { final: number } }>("/v1/status");
    if (batches.final === 0) return 0;
    const last = await this.get<{ firstOpIndex: number; counts: { signed: number } }>(
      `/v1/batches/${batches.final}`,
    );
    return last.firstOpIndex + last.counts.signed;
  }

  /** Until L1 has every batch, and calls it final. */
  async settle(): Promise<void> {
    await this.traffic.stop();
    for (const step of ["posted", "final"] as const) {
      await this.waitFor(`every batch to be ${step}`, async () => {
        const { batches, head } = await this.get<{
          batches: Record<string, number>;
          head: { operationCount: number };
        }>("/v1/status");
        return batches[step] === batches.closed && head.operationCount === 0;
      });
    }
  }

  async stop(): Promise<void> {
    this.traffic.abandon();
    await Promise.all([this.leader.stop(), this.spare.stop(), this.#prover.close()]);
    await this.l1.stop();
    if (this.#options.keepIn === null) rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function deployLease({ client, url }: DrillL1): Promise<`0x${string}`> {
  const walletClient = createWalletClient({
    chain: foundry,
    transport: http(url),
    account: drillAccount("faucet"),
  });
  const contract = pickContract(await compileContracts({ set: "lease" }), "SequencerLease");
  const receipt = await deployContract(
    { walletClient, publicClient: client as never },
    "SequencerLease",
    contract,
    [drillAccount("operator").address],
  );
  return receipt.contractAddress;
}
