/** The two machines of an operator: which one leads, and how the lease passes from one to the other. */
import { randomBytes } from "node:crypto";
import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { LeaseContract } from "@openledger/bridge/l1/lease-contract";
import { OperatorNonce } from "@openledger/bridge/operator/publishing/operator-nonce";
import { releaseLease } from "@openledger/bridge/operator/take-lease";
import {
  type TakeOverModules,
  type TakeOverResult,
  takeForOwn,
  takeOver,
} from "@openledger/sequencer/full-node/restore/take-over";
import { parseGwei } from "viem";
import { foundry } from "viem/chains";
import { drillAccount } from "./accounts.ts";
import type { Machine, Role } from "./machine.ts";
import type { Settings } from "./services.ts";
import type { Acknowledged } from "./traffic.ts";
import { createWorld, type World, type WorldDeclaration } from "./world.ts";

export interface PairOptions extends Pick<WorldDeclaration, "backend" | "keepIn"> {
  readonly leaseSeconds: number;
  readonly marginMs: number;
  /** Whether the leader waits for its standby's acknowledgement before it acknowledges. */
  readonly isReplicaRequired: boolean;
  readonly tell: (text: string) => void;
}

const PATIENCE_MS = 600_000;
const ANSWER_TIMEOUT_MS = 60_000;
const PATIENT = { isPatient: true, pollIntervalMs: 200 } as const;

export class MachinePair {
  readonly world: World;
  readonly lease: LeaseContract;
  readonly #options: PairOptions;
  readonly #replicaToken = randomBytes(16).toString("hex");

  /** Both machines run, the first one leads and holds the lease. */
  static async start(options: PairOptions): Promise<MachinePair> {
    const { backend, keepIn, tell } = options;
    const world = await createWorld({
      ...{ name: "failover", keepIn: keepIn ?? null, tell, hasStandby: true, slots: 8 },
      ...(backend === undefined ? {} : { backend }),
      finalityDepthBlocks: 8,
      // As few as L1 gets within minutes after the last handover.
      maxUnpostedBatches: 40,
    });
    const pair = new MachinePair(options, world);
    try {
      await pair.#begin();
      return pair;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  private constructor(options: PairOptions, world: World) {
    this.#options = options;
    this.world = world;
    const client = createL1Client({ rpcUrl: world.l1.url });
    this.lease = new LeaseContract({ client, address: world.leaseAddress! });
  }

  get leaseSeconds(): number {
    return this.#options.leaseSeconds;
  }

  get leader(): Machine {
    return this.world.leader;
  }

  get standby(): Machine {
    return this.world.machines.find((machine) => machine !== this.leader)!;
  }

  async #begin(): Promise<void> {
    const { leader, standby, world } = this;
    // The directory has to be there before it takes the lease.
    await leader.lead({ sequencer: this.#leading(false, false), bridge: {} });
    await leader.kill();
    await takeForOwn({ ...this.#epochOptions(leader), ...PATIENT }, this.#modules(leader));
    await leader.lead(this.#leader(this.#options.isReplicaRequired));
    await standby.follow(leader, this.#replicaToken);
    await this.#isFollowed();
    await this.waitFor(
      "the first deposits",
      async () => (await world.haveUsers()) && (await leader.isLeading()),
    );
  }

  /** What the sequencer is told. */
  #leading(hasLease: boolean, isReplicaRequired: boolean): Settings {
    return {
      SEQUENCER_LEASE: hasLease ? "required" : "off",
      SEQUENCER_LEASE_MARGIN_MS: this.#options.marginMs,
      SEQUENCER_REPLICA: isReplicaRequired ? "required" : "off",
      SEQUENCER_REPLICA_TOKEN: this.#replicaToken,
      SEQUENCER_REPLICA_TIMEOUT_MS: 3_000,
    };
  }

  /** Of the machine that has the lease. */
  #leader(isReplicaRequired: boolean): Role {
    return {
      sequencer: this.#leading(true, isReplicaRequired),
      bridge: {
        BRIDGE_LEASE_ADDRESS: this.world.leaseAddress!,
        BRIDGE_LEASE_SECONDS: this.#options.leaseSeconds,
        BRIDGE_LEASE_MARGIN_MS: this.#options.marginMs,
      },
    };
  }

  #epochOptions({ dataPath, url }: Machine) {
    return { dataPath, url, durationSeconds: this.#options.leaseSeconds };
  }

  #modules({ fullNode }: Machine): TakeOverModules {
    const { client } = this.lease;
    const { tell } = this.#options;
    const { confirmations } = this.world;
    return {
      lease: this.lease,
      tell,
      stopFullNode: async () => {
        await fullNode?.stop();
      },
      nonceWith: (onSigned) =>
        new OperatorNonce(
          {
            ...{ chainId: foundry.id, confirmations, resendAfterMs: 3_000, pollIntervalMs: 200 },
            maxFeePerGasWei: parseGwei("200"),
            maxPriorityFeePerGasWei: parseGwei("3"),
          },
          { account: drillAccount("operator"), client, onSigned, tell },
        ),
    };
  }

  /** The standby becomes the leader. */
  async takeOver(onTaken: () => void): Promise<TakeOverResult> {
    const { standby, world } = this;
    const modules = this.#modules(standby);
    const result = await takeOver(
      {
        ...{ ...this.#epochOptions(standby), ...PATIENT, rpcUrl: world.l1.url },
        rollupAddress: world.l1.deployment.rollupAddress,
        fullNodePath: standby.fullNodePath,
        fullNodeUrl: standby.fullNodeUrl,
      },
      { ...modules, onTaken },
    );
    // It has no standby now: required, it would acknowledge nothing.
    await standby.lead(this.#leader(false));
    world.leader = standby;
    return result;
  }

  /** The leader is stopped, and its lease released. */
  async release(): Promise<void> {
    const { leader } = this;
    const { epoch } = await this.lease.read();
    await leader.bridge.stop();
    await leader.sequencer.stop();
    const { lease, nonceWith } = this.#modules(leader);
    await releaseLease(epoch, { lease, nonce: nonceWith(async () => {}) });
    // Without its bridge it has no lease, and still hands over what the standby does not have.
    await leader.startSequencer(this.#leading(true, this.#options.isReplicaRequired));
  }

  waitFor(what: string, ask: () => Promise<boolean>): Promise<unknown> {
    return this.world.waitFor(what, ask, PATIENCE_MS);
  }

  /** The machine that led comes back. */
  async gainStandby(): Promise<void> {
    const { leader, standby } = this;
    await standby.follow(leader, this.#replicaToken);
    await this.#isFollowed();
    if (!this.#options.isReplicaRequired) return;
    await leader.startSequencer(this.#leading(true, true));
    await this.waitFor("the leader to have its lease again", () => leader.isLeading());
  }

  async #isFollowed(): Promise<void> {
    const { standby } = this;
    await this.waitFor("the standby to follow", async () => {
      const response = await fetch(`${standby.fullNodeUrl}/health`, { signal: AbortSignal.timeout(5_000) });
      const { fullNode } = (await response.json()) as { fullNode: { isAtEnd: boolean } };
      return fullNode.isAtEnd;
    });
  }

  /** What the new leader does not know of all that the old one acknowledged; the users send it again. @returns how much */
  async resendLost(oldEpoch: number, resent: Set<string>): Promise<number> {
    const { traffic } = this.world;
    const lost: Acknowledged[] = [];
    // A standby that read final batches from L1 knows no hashes of their operations. The audit finds these on L1 itself.
    const finalEnd = await this.#finalEnd();
    const mayBeLost = ({ epoch, preconfirmation }: Acknowledged) =>
      (epoch ?? 0) <= oldEpoch && preconfirmation.opIndex >= finalEnd;
    for (const one of traffic.acknowledged.filter(mayBeLost)) {
      const answer = await this.#get<{ error?: { code: string } }>(`/v1/operations/${one.hash}`);
      if (answer.error?.code === "SEQ_UNKNOWN") lost.push(one);
    }
    for (const one of lost) {
      resent.add(one.hash);
      await traffic.sendAgain(this.leader.url, one);
    }
    return lost.length;
  }

  /** Signed operations of all final batches. */
  async #finalEnd(): Promise<number> {
    const { batches } = await this.#get<{ batches: { final: number } }>("/v1/status");
    if (batches.final === 0) return 0;
    const last = await this.#get<{ firstOpIndex: number; counts: { signed: number } }>(
      `/v1/batches/${batches.final}`,
    );
    return last.firstOpIndex + last.counts.signed;
  }

  #get<T>(path: string): Promise<T> {
    return this.world.get<T>(path, ANSWER_TIMEOUT_MS);
  }
}
