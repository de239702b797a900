/** A whole rollup for one drill: real processes, a real L1, and traffic. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BatchShape } from "@openledger/circuits/protocol";
import { freePort } from "@openledger/foundation/testing/free-port";
import type { TestRandom } from "@openledger/foundation/testing/test-random";
import type { BackendName } from "@openledger/prover/backends";
import { type Address, parseEther } from "viem";
import { type DrillUser, drillPrivateKey, drillUser } from "./drill-accounts.ts";
import { buildDrillCircuit, DRILL_SIZES, type DrillCircuit } from "./drill-circuit.ts";
import { type DrillL1, startDrillL1 } from "./drill-l1.ts";
import { DrillProcess, type ProcessSpec } from "./drill-process.ts";
import { type L1Proxy, startL1Proxy } from "./l1-proxy.ts";
import { FEE_PER_UNIT_WEI, Traffic } from "./traffic.ts";
import { waitUntil } from "./wait-until.ts";

export interface WorldOptions {
  readonly backend: BackendName;
  /** Operations that a batch has room for: 2 or 8. */
  readonly slots: number;
  /** Of batches, where it is not that of `DRILL_SIZES`. */
  readonly shape?: BatchShape;
  /** Circuits that the rollup has beside the batch's, in L1's order. */
  readonly others?: readonly DrillCircuit[];
  /** Deploys the contract that the rollup asks before it takes a genesis; absent for none. */
  readonly gateOn?: (l1Url: string) => Promise<Address>;
  /** Traffic is held back while so many batches wait for proof and L1; default: as the circuit's. */
  readonly maxUnpostedBatches?: number;
  /** Longest time that an operation waits for company; 1,000 unless told. */
  readonly closeIntervalMs?: number;
  /** Blocks until the bridge hands a queue entry over, and until it calls a batch final. */
  readonly confirmations?: number;
  readonly finalityDepthBlocks?: number;
  /** Folder of built pages that the sequencer serves; absent for none. */
  readonly pagesPath?: string;
  /** Names the folder of data and logs. */
  readonly name: string;
  /** Where that folder stays; null: it is temporary, and removed at the end. */
  readonly keepIn: string | null;
  /** Told what is waited for. */
  readonly tell?: (text: string) => void;
}

const USER_COUNT = 4;
const ACKNOWLEDGE_TIMEOUT_MS = 300_000;
const SETTLE_TIMEOUT_MS = 1_200_000;

export interface LedgerStatus {
  readonly batches: {
    readonly closed: number;
    readonly proven: number;
    readonly submitted: number;
    readonly posted: number;
    readonly final: number;
  };
  readonly queue: { readonly seenIndex: number; readonly consumedIndex: number };
}

export class DrillWorld {
  readonly circuit: DrillCircuit;
  /** All that the rollup has, that one first. */
  readonly circuits: readonly DrillCircuit[];
  readonly l1: DrillL1;
  /** The bridge's way to L1. */
  readonly proxy: L1Proxy;
  /** Deployment and first deposits lie in blocks up to this one. */
  firstBlock = 0;
  readonly users: readonly DrillUser[];
  readonly traffic: Traffic;
  readonly sequencer: DrillProcess;
  readonly prover: DrillProcess;
  readonly bridge: DrillProcess;
  readonly folder: string;
  readonly dataPath: string;
  readonly bridgeDataPath: string;
  readonly sequencerUrl: string;
  readonly bridgeHealthUrl: string;
  readonly clockFile: string;
  readonly finalityDepthBlocks: number;
  readonly #operatorToken: string;
  readonly #tell: ((text: string) => void) | undefined;
  readonly #isTemporary: boolean;

  static async start(options: WorldOptions): Promise<DrillWorld> {
    const circuit = await buildDrillCircuit(options.shape ?? DRILL_SIZES.get(options.slots)!.shape);
    const users = Array.from({ length: USER_COUNT }, (_, i) => drillUser(i));
    const circuits = [circuit, ...(options.others ?? [])];
    const l1 = await startDrillL1(circuits, users, options.gateOn);
    try {
      const ports = [await freePort(), await freePort(), await freePort()] as const;
      const proxy = await startL1Proxy(l1.url);
      const world = new DrillWorld(options, circuits, l1, proxy, users, ports);
      world.firstBlock = Number(await l1.client.getBlockNumber());
      try {
        await world.sequencer.start();
        world.prover.launch();
        world.bridge.launch();
        await Promise.all([world.prover.ready(), world.bridge.ready()]);
        await world.#usersAreThere();
        return world;
      } catch (error) {
        await world.stop();
        throw error;
      }
    } catch (error) {
      await l1.stop();
      throw error;
    }
  }

  private constructor(
    options: WorldOptions,
    circuits: readonly DrillCircuit[],
    l1: DrillL1,
    proxy: L1Proxy,
    users: readonly DrillUser[],
    ports: readonly [number, number, number],
  ) {
    this.circuit = circuits[0]!;
    this.circuits = circuits;
    this.l1 = l1;
    this.proxy = proxy;
    this.users = users;
    this.#isTemporary = options.keepIn === null;
    this.#tell = options.tell;
    const parent = options.keepIn ?? tmpdir();
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(join(parent, `drill-${options.name}-`));
    this.dataPath = join(this.folder, "sequencer");
    this.bridgeDataPath = join(this.folder, "bridge");
    this.clockFile = join(this.folder, "clock");
    this.finalityDepthBlocks = options.finalityDepthBlocks ?? 40;
    this.#operatorToken = randomBytes(16).toString("hex");
    const [sequencerPort, bridgePort, proverPort] = ports;
    this.sequencerUrl = `http://127.0.0.1:${sequencerPort}`;
    this.bridgeHealthUrl = `http://127.0.0.1:${bridgePort}`;
    const deploymentPath = join(this.folder, "deployment.json");
    const logFolder = join(this.folder, "logs");
    const shared = { DRILL_CLOCK_FILE: this.clockFile };
    const served = (url: string) => async () =>
      (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })).ok;
    writeFileSync(deploymentPath, l1.encoded);
    const make = (spec: Omit<ProcessSpec, "logFolder" | "tell">) =>
      new DrillProcess({ ...spec, logFolder, tell: options.tell });
    this.sequencer = make({
      name: "sequencer",
      main: "sequencer/main.ts",
      isReady: served(this.sequencerUrl),
      env: {
        ...shared,
        SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
        SEQUENCER_DATA_PATH: this.dataPath,
        SEQUENCER_PORT: String(sequencerPort),
        SEQUENCER_OPERATOR_TOKEN: this.#operatorToken,
        SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: drillPrivateKey("operator"),
        SEQUENCER_FEE_PER_UNIT_WEI: FEE_PER_UNIT_WEI.toString(),
        SEQUENCER_CLOSE_INTERVAL_MS: String(options.closeIntervalMs ?? 1_000),
        SEQUENCER_MAX_UNPOSTED_BATCHES: String(
          options.maxUnpostedBatches ?? DRILL_SIZES.get(options.slots)!.maxUnpostedBatches,
        ),
        SEQUENCER_PROVE_LEASE_MS: "20000",
        SEQUENCER_RATE_LIMIT_PER_MINUTE: "1000000",
        ...(options.pagesPath === undefined
          ? {}
          : { SEQUENCER_PAGES_PATH: options.pagesPath, SEQUENCER_PAGES_L1_URL: l1.url }),
      },
    });
    this.prover = make({
      name: "prover",
      main: "prover/service/main.ts",
      isReady: served(`http://127.0.0.1:${proverPort}`),
      env: {
        ...shared,
        PROVER_DEPLOYMENT_PATH: deploymentPath,
        PROVER_SEQUENCER_URL: this.sequencerUrl,
        PROVER_TOKEN: this.#operatorToken,
        PROVER_BACKEND: options.backend,
        PROVER_POLL_INTERVAL_MS: "100",
        PROVER_MAX_BACKOFF_MS: "1000",
        PROVER_HEALTH_PORT: String(proverPort),
      },
    });
    this.bridge = make({
      name: "bridge",
      main: "bridge/main.ts",
      isReady: served(this.bridgeHealthUrl),
      env: {
        ...shared,
        BRIDGE_DEPLOYMENT_PATH: deploymentPath,
        BRIDGE_L1_RPC_URL: proxy.url,
        BRIDGE_SEQUENCER_URL: this.sequencerUrl,
        BRIDGE_OPERATOR_TOKEN: this.#operatorToken,
        BRIDGE_OPERATOR_PRIVATE_KEY: drillPrivateKey("operator"),
        BRIDGE_DATA_PATH: this.bridgeDataPath,
        BRIDGE_POLL_INTERVAL_MS: "200",
        BRIDGE_MAX_BACKOFF_MS: "1000",
        BRIDGE_REQUEST_TIMEOUT_MS: "3000",
        BRIDGE_HEALTH_PORT: String(bridgePort),
        BRIDGE_L1_CONFIRMATIONS: String(options.confirmations ?? 2),
        BRIDGE_L1_FINALITY_DEPTH_BLOCKS: String(this.finalityDepthBlocks),
        BRIDGE_L1_RESEND_AFTER_MS: "3000",
      },
    });
    const { domain } = l1.deployment;
    this.traffic = new Traffic({ sequencerUrl: this.sequencerUrl, domain, users });
  }

  /** @throws where the sequencer does not answer */
  async status(): Promise<LedgerStatus> {
    const response = await fetch(`${this.sequencerUrl}/v1/status`, { signal: AbortSignal.timeout(5_000) });
    return (await response.json()) as LedgerStatus;
  }

  /** Any GET of the sequencer's API. */
  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.sequencerUrl}${path}`, { signal: AbortSignal.timeout(5_000) });
    return (await response.json()) as T;
  }

  /** A request with the operator's token. */
  async operator(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.sequencerUrl}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${this.#operatorToken}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    return response.json();
  }

  /**
   * Waits for what needs all three processes.
   * @throws DRL_TIMEOUT; DRL_PROCESS_ENDED as soon as one of them has ended by itself
   */
  waitFor<T>(what: string, ask: () => Promise<T | null | undefined | false>, timeoutMs: number): Promise<T> {
    const processes = [this.sequencer, this.prover, this.bridge];
    const inVain = () =>
      processes.map((process) => process.endedByItself).find((end) => end !== null) ?? null;
    return waitUntil(what, ask, timeoutMs, { tell: this.#tell, inVain });
  }

  /** Ends the traffic and waits until L1 has every batch, and calls it final. @throws DRL_TIMEOUT */
  async settle(): Promise<void> {
    await this.stopTraffic();
    await this.waitFor(
      "every batch to be posted",
      async () => {
        await this.operator("/operator/close", {});
        const { batches } = await this.status();
        return batches.posted === batches.closed;
      },
      SETTLE_TIMEOUT_MS,
    );
    await this.l1.client.mine({ blocks: this.finalityDepthBlocks });
    await this.waitFor(
      "every batch to be final",
      async () => {
        const { batches } = await this.status();
        return batches.final === batches.closed;
      },
      SETTLE_TIMEOUT_MS,
    );
  }

  /** Ends the traffic once whatever is on its way has its receipt. @throws DRL_TIMEOUT, DRL_PROCESS_ENDED */
  async stopTraffic(): Promise<void> {
    let isStopped = false;
    void this.traffic.stop().then(() => {
      isStopped = true;
    });
    await this.waitFor("the last receipts", async () => isStopped, ACKNOWLEDGE_TIMEOUT_MS);
  }

  /** Sends a deposit to some user's leaf. Whether it stays on L1 is L1's business. */
  async deposit(random: TestRandom): Promise<void> {
    const { l1Owner, leafId } = random.pick(this.users);
    await this.l1.depositTo(leafId, parseEther("1") + BigInt(random.below(1_000)), l1Owner);
  }

  /** L1 mines until it has this block. */
  async mineTo(blockNumber: number): Promise<void> {
    const missing = blockNumber - Number(await this.l1.client.getBlockNumber());
    if (missing > 0) await this.l1.client.mine({ blocks: missing });
  }

  /** Waits until L1 has one batch more than now. @returns how long that took */
  async nextBatch(timeoutMs = 300_000): Promise<number> {
    const startedAtMs = performance.now();
    const before = await this.l1.batchNumber();
    await this.waitFor("the next batch on L1", async () => (await this.l1.batchNumber()) > before, timeoutMs);
    return performance.now() - startedAtMs;
  }

  /** Waits until something was acknowledged after a moment. */
  async acknowledgement(afterMs: number): Promise<void> {
    await this.waitFor(
      "an acknowledgement",
      async () => this.traffic.firstAfter(afterMs) !== null,
      ACKNOWLEDGE_TIMEOUT_MS,
    );
  }

  /** Ends everything and removes what it left on the disk. */
  async stop(): Promise<void> {
    this.traffic.abandon();
    await Promise.all([this.bridge, this.prover, this.sequencer].map((process) => process.close()));
    await this.proxy.stop();
    await this.l1.stop();
    if (this.#isTemporary) rmSync(this.folder, { recursive: true, force: true });
  }

  async #usersAreThere(): Promise<void> {
    await this.waitFor(
      "the first deposits",
      async () => {
        for (const { leafId } of this.users) {
          const leaf = await this.get<{ error?: unknown }>(`/v1/leaves/${leafId}`);
          if (leaf.error !== undefined) return false;
        }
        return true;
      },
      300_000,
    );
  }
}
