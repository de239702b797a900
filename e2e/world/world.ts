/** A whole rollup by declaration: a real L1, real processes with their folders, ports and logs, and traffic. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BatchShape } from "@openledger/circuits/protocol";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { TestRandom } from "@openledger/foundation/testing/test-random";
import type { BackendName } from "@openledger/prover/backends";
import { parseEther } from "viem";
import { type DrillUser, drillUser } from "./accounts.ts";
import { type BuiltCircuit, buildBatchCircuit, WORLD_SIZES } from "./circuits.ts";
import { drillError } from "./drill-errors.ts";
import { type L1Declaration, startL1, type WorldL1 } from "./l1.ts";
import type { L1Proxy } from "./l1-proxy.ts";
import { Machine, type MachineSettings } from "./machine.ts";
import { ManagedProcess } from "./process.ts";
import type { ServiceSpec, Settings } from "./services.ts";
import { FEE_PER_UNIT_WEI, Traffic } from "./traffic.ts";
import { waitUntil } from "./wait-until.ts";
import { WorldDatabase } from "./world-database.ts";

export interface WorldDeclaration extends Pick<L1Declaration, "deploy" | "l1"> {
  /** Names the folder of data and logs. */
  readonly name: string;
  /** Folder to store it in; default: a temporary one, removed at the end. */
  readonly keepIn?: string | null;
  /** Called with a description of what is awaited. */
  readonly tell?: ((text: string) => void) | undefined;
  /** Operations that a batch has room for: 2 (default) or 8. */
  readonly slots?: number;
  /** Shape of batches, if it is not that of `WORLD_SIZES`. */
  readonly shape?: BatchShape;
  /** Circuits of the rollup beside the batch's, in L1's order. */
  readonly others?: readonly BuiltCircuit[];
  /** Back end of the prover; default: WebAssembly. */
  readonly backend?: BackendName;
  /** Address of the database in which proofs wait for workers (`serve`); absent: the sequencer's child makes them. */
  readonly proofQueueUrl?: string;
  /** Maximum batches that wait for proof and L1: beyond it traffic pauses. Default: the circuit's. */
  readonly maxUnpostedBatches?: number;
  /** Maximum time for which an operation waits for others, in ms; default: 1,000. */
  readonly closeIntervalMs?: number;
  /** Blocks until the bridge hands a queue entry over (null: its default), and until it calls a batch final. */
  readonly confirmations?: number | null;
  readonly finalityDepthBlocks?: number;
  /** True: with a database, the processes that work with it, and people who use those. Proofs are made by a worker of its queue. */
  readonly hasDatabase?: boolean;
  /** Folder of built pages that the sequencer serves; absent for none. */
  readonly pagesPath?: string;
}

/** Finality of worlds whose money is to be final soon. */
export const QUICK_FINALITY = { confirmations: 1, finalityDepthBlocks: 6 } as const;
const USER_COUNT = 4;
const DEPOSITS_TIMEOUT_MS = 300_000;
const ACKNOWLEDGE_TIMEOUT_MS = 300_000;
const SETTLE_TIMEOUT_MS = 1_200_000;
/** Timeout of one step of somebody who uses the rollup in earnest. */
export const STEP_TIMEOUT_MS = 600_000;

interface LedgerStatus {
  readonly batches: {
    readonly closed: number;
    readonly proven: number;
    readonly submitted: number;
    readonly posted: number;
    readonly final: number;
  };
  readonly queue: { readonly seenIndex: number; readonly consumedIndex: number };
  readonly head: { readonly operationCount: number };
  readonly l1: { readonly timestamp: number };
}

/** Starts every process and puts the users' first deposits into the ledger. @throws DRL_…, having removed what it began */
export async function createWorld(declared: WorldDeclaration): Promise<World> {
  const circuit = await buildBatchCircuit(declared.shape ?? WORLD_SIZES.get(declared.slots ?? 2)!.shape);
  const circuits = [circuit, ...(declared.others ?? [])];
  const users = Array.from({ length: USER_COUNT }, (_, i) => drillUser(i));
  const parent = declared.keepIn ?? tmpdir();
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, `drill-${declared.name}-`));
  const l1 = await startL1({ ...declared, circuits, folder, users }).catch((error: unknown) => {
    removeUnlessKept(declared, folder);
    throw error;
  });
  const world = new World(declared, { circuits, l1, users, folder });
  try {
    await world.build();
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

export class World {
  /** Circuits of the rollup, the batch's first. */
  readonly circuits: readonly BuiltCircuit[];
  readonly l1: WorldL1;
  readonly users: readonly DrillUser[];
  readonly folder: string;
  readonly deploymentPath: string;
  readonly clockFile: string;
  readonly finalityDepthBlocks: number;
  readonly confirmations: number;
  /** Deployment and first deposits lie in blocks up to this one. */
  firstBlock = 0;
  machine!: Machine;
  traffic!: Traffic;
  /** Operations on the ledger that are not the users'. */
  otherOperationCount = 0;
  #database: WorldDatabase | null = null;
  readonly #declared: WorldDeclaration;
  readonly #operatorToken = randomBytes(16).toString("hex");
  /** Commands that go on. */
  readonly #served: ManagedProcess[] = [];

  constructor(declared: WorldDeclaration, parts: Pick<World, "circuits" | "folder" | "l1" | "users">) {
    this.#declared = declared;
    this.circuits = parts.circuits;
    this.l1 = parts.l1;
    this.users = parts.users;
    this.folder = parts.folder;
    this.deploymentPath = join(parts.folder, "deployment.json");
    this.clockFile = join(parts.folder, "clock");
    this.finalityDepthBlocks = declared.finalityDepthBlocks ?? 40;
    this.confirmations = declared.confirmations === null ? 1 : (declared.confirmations ?? 2);
  }

  /** @throws DRL_UNEXPECTED in a world that was declared without one */
  get database(): WorldDatabase {
    if (this.#database === null) throw drillError("DRL_UNEXPECTED", "this world has no database");
    return this.#database;
  }

  get circuit(): BuiltCircuit {
    return this.circuits[0]!;
  }

  get sequencer(): ManagedProcess {
    return this.machine.sequencer;
  }

  /** Process id of the prover that the sequencer has started; null while none runs. */
  async proverId(): Promise<number | null> {
    const { prover } = await this.get<{ prover?: { processId: number | null; isReady: boolean } }>("/health");
    return prover?.isReady === true ? prover.processId : null;
  }

  get bridge(): ManagedProcess {
    return this.machine.bridge;
  }

  /** The bridge's way to L1. */
  get proxy(): L1Proxy {
    return this.machine.proxy;
  }

  get sequencerUrl(): string {
    return this.machine.url;
  }

  get bridgeHealthUrl(): string {
    return this.machine.bridgeUrl;
  }

  get dataPath(): string {
    return this.machine.dataPath;
  }

  get bridgeDataPath(): string {
    return this.machine.bridgeDataPath;
  }

  get processes(): ManagedProcess[] {
    return this.machine?.processes ?? [];
  }

  async build(): Promise<void> {
    const { tell } = this.#declared;
    const { deployment, encoded, url } = this.l1;
    writeFileSync(this.deploymentPath, encoded);
    if (this.#declared.hasDatabase === true) this.#database = await WorldDatabase.start(tell ?? (() => {}));
    this.machine = await Machine.create({
      folder: this.folder,
      deploymentPath: this.deploymentPath,
      l1Url: url,
      operatorToken: this.#operatorToken,
      settings: this.#settings(),
      tell,
    });
    this.traffic = new Traffic({
      sequencerUrl: this.machine.url,
      domain: deployment.domain,
      users: this.users,
    });
    this.firstBlock = Number(await this.l1.client.getBlockNumber());
    await this.sequencer.start();
    await this.#database?.startWorkers(this, this.#declared.backend ?? "wasm");
    await this.bridge.start();
    await this.waitFor("the first deposits", () => this.haveUsers(), DEPOSITS_TIMEOUT_MS);
    await this.#database?.populate(this);
  }

  /** Short intervals: L1 has a block a second. */
  #settings(): MachineSettings {
    const {
      backend = "wasm",
      closeIntervalMs = 1_000,
      maxUnpostedBatches,
      pagesPath,
      proofQueueUrl,
      slots = 2,
    } = this.#declared;
    const queueUrl = proofQueueUrl ?? this.#database?.proxy.url;
    const clock: Settings = { DRILL_CLOCK_FILE: this.clockFile };
    return {
      sequencer: {
        ...clock,
        SEQUENCER_FEE_PER_UNIT_WEI: FEE_PER_UNIT_WEI,
        SEQUENCER_CLOSE_INTERVAL_MS: closeIntervalMs,
        SEQUENCER_MAX_UNPOSTED_BATCHES: maxUnpostedBatches ?? WORLD_SIZES.get(slots)!.maxUnpostedBatches,
        PROVER_BACKEND: backend,
        ...(queueUrl === undefined ? {} : { PROVER_PLACE: "queue", PROVER_DATABASE_URL: queueUrl }),
        SEQUENCER_RATE_LIMIT_PER_MINUTE: 1_000_000,
        ...(pagesPath === undefined
          ? {}
          : {
              SEQUENCER_PAGES_PATH: pagesPath,
              SEQUENCER_PAGES_L1_URL: this.l1.url,
              SEQUENCER_PAGES_SOURCE_URL: "https://code.example/openledger",
            }),
      },
      bridge: {
        ...clock,
        BRIDGE_POLL_INTERVAL_MS: 500,
        BRIDGE_MAX_BACKOFF_MS: 1_000,
        BRIDGE_REQUEST_TIMEOUT_MS: 3_000,
        ...(this.#declared.confirmations === null ? {} : { BRIDGE_L1_CONFIRMATIONS: this.confirmations }),
        BRIDGE_L1_FINALITY_DEPTH_BLOCKS: this.finalityDepthBlocks,
        BRIDGE_L1_RESEND_AFTER_MS: 3_000,
      },
    };
  }

  #process(spec: ServiceSpec): ManagedProcess {
    const logPath = join(this.folder, "logs", `${spec.name}.log`);
    return new ManagedProcess({ ...spec, logPath, tell: this.#declared.tell });
  }

  /** Starts a process more, which ends with the world. */
  async serve(spec: ServiceSpec): Promise<ManagedProcess> {
    const process = this.#process(spec);
    this.#served.push(process);
    await process.start();
    return process;
  }

  /** Returns true if the ledger has the users' accounts. */
  async haveUsers(): Promise<boolean> {
    for (const { leafId } of this.users) {
      const leaf = await this.get<{ error?: unknown }>(`/v1/leaves/${leafId}`);
      if (leaf.error !== undefined) return false;
    }
    return true;
  }

  /** @throws where the sequencer does not answer */
  status(): Promise<LedgerStatus> {
    return this.get<LedgerStatus>("/v1/status");
  }

  /** Any GET of the sequencer's API. */
  async get<T>(path: string, timeoutMs = 5_000): Promise<T> {
    const signal = AbortSignal.timeout(timeoutMs);
    return (await (await fetch(`${this.sequencerUrl}${path}`, { signal })).json()) as T;
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
   * Waits for what needs all processes of the rollup.
   * @throws DRL_TIMEOUT; DRL_PROCESS_ENDED as soon as one of them has ended by itself
   */
  waitFor<T>(what: string, ask: () => Promise<T | null | undefined | false>, timeoutMs: number): Promise<T> {
    return waitUntil(what, ask, timeoutMs, {
      tell: this.#declared.tell,
      inVain: () =>
        [...this.processes, ...this.#served]
          .map(({ endedByItself }) => endedByItself)
          .find((end) => end !== null) ??
        this.l1.node.failure ??
        null,
    });
  }

  /** Closes the open batch and waits until L1 has every batch. @throws DRL_TIMEOUT */
  async allPosted(timeoutMs = STEP_TIMEOUT_MS): Promise<void> {
    const isPosted = async () => {
      await this.operator("/operator/close", {});
      const { batches } = await this.status();
      return batches.posted === batches.closed;
    };
    await this.waitFor("every batch to be posted", isPosted, timeoutMs);
  }

  /** Ends the traffic and waits until L1 has every batch, and calls it final. @throws DRL_TIMEOUT */
  async settle(): Promise<void> {
    await this.#database?.settle();
    await this.stopTraffic();
    await this.finalise();
  }

  /** Waits until L1 has every batch, and calls it final. @throws DRL_TIMEOUT */
  async finalise(): Promise<void> {
    await this.allPosted(SETTLE_TIMEOUT_MS);
    await this.l1.node.mine(this.finalityDepthBlocks);
    const isFinal = async () => {
      const { batches } = await this.status();
      return batches.final === batches.closed;
    };
    await this.waitFor("every batch to be final", isFinal, SETTLE_TIMEOUT_MS);
  }

  /** Ends the traffic once whatever is on its way has its receipt. @throws DRL_TIMEOUT, DRL_PROCESS_ENDED */
  async stopTraffic(): Promise<void> {
    let isStopped = false;
    void this.traffic.stop().then(() => {
      isStopped = true;
    });
    await this.waitFor("the last receipts", async () => isStopped, ACKNOWLEDGE_TIMEOUT_MS);
  }

  /** Deposits 1,000 OPEN for a new account. @returns its leaf's id, once the sequencer has it */
  async openAccount({ keyX, l1Owner }: Pick<DrillUser, "keyX" | "l1Owner">): Promise<number> {
    await this.l1.depositNew(parseEther("1000"), l1Owner, keyX);
    const leafOf = async () => (await this.get<{ id: number }[]>(`/v1/leaves?keyX=${hex32(keyX)}`))[0]?.id;
    return this.waitFor("the account of a deposit", leafOf, DEPOSITS_TIMEOUT_MS);
  }

  /** Again and again while too many batches wait for their proof and L1. @throws DRL_TIMEOUT, DRL_PROCESS_ENDED, what `act` throws */
  async patiently<T>(act: () => Promise<T>): Promise<T> {
    const outcome = await this.waitFor(
      "the sequencer to have room for an operation",
      async () => {
        try {
          return { value: await act() };
        } catch (error) {
          return isRollupError(error) && error.isRetryable ? null : { error };
        }
      },
      STEP_TIMEOUT_MS,
    );
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  }

  /** An operation of somebody else than the users, again and again until there is room for it. */
  async sign<T>(send: () => Promise<T>): Promise<T> {
    const sent = await this.patiently(send);
    this.otherOperationCount += 1;
    return sent;
  }

  /** Moves L1's time forward, and waits until the sequencer has heard of it. */
  async passTime(seconds: number): Promise<void> {
    const { client } = this.l1;
    const { timestamp } = await client.getBlock();
    await client.increaseTime({ seconds });
    await client.mine({ blocks: 1 });
    const hasHeard = async () => (await this.status()).l1.timestamp >= Number(timestamp) + seconds;
    await this.waitFor("the sequencer to hear of the new time", hasHeard, STEP_TIMEOUT_MS);
  }

  /** Sends a deposit to some user's leaf. Whether it stays on L1 is L1's business. */
  async deposit(random: TestRandom): Promise<void> {
    const { l1Owner, leafId } = random.pick(this.users);
    await this.l1.depositTo(leafId, parseEther("1") + BigInt(random.below(1_000)), l1Owner);
  }

  /** L1 mines until it has this block. */
  async mineTo(blockNumber: number): Promise<void> {
    const missing = blockNumber - Number(await this.l1.client.getBlockNumber());
    if (missing > 0) await this.l1.node.mine(missing);
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
    const isThere = async () => this.traffic.firstAfter(afterMs) !== null;
    await this.waitFor("an acknowledgement", isThere, ACKNOWLEDGE_TIMEOUT_MS);
  }

  /** Ends everything and removes what it left on the disk. */
  async stop(): Promise<void> {
    this.traffic?.abandon();
    await this.#database?.stop();
    await Promise.all(this.#served.map((process) => process.kill()));
    await this.machine?.stop();
    await this.l1.node.stop();
    removeUnlessKept(this.#declared, this.folder);
  }
}

function removeUnlessKept({ keepIn = null }: WorldDeclaration, folder: string): void {
  if (keepIn === null) rmSync(folder, { recursive: true, force: true });
}
