/** One of an operator's two machines: a sequencer and a bridge while it leads, a follower while it is the spare. */
import { randomInt } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { drillPrivateKey } from "../drill-accounts.ts";
import { DrillProcess } from "../drill-process.ts";
import { type L1Proxy, startL1Proxy } from "../l1-proxy.ts";
import { FEE_PER_UNIT_WEI } from "../traffic.ts";

export interface MachineOptions {
  readonly name: string;
  /** Shared by both. */
  readonly folder: string;
  readonly deploymentPath: string;
  readonly l1Url: string;
  readonly rollupAddress: string;
  readonly leaseAddress: string;
  readonly leaseSeconds: number;
  readonly marginMs: number;
  readonly confirmations: number;
  readonly finalityDepthBlocks: number;
  readonly token: string;
  readonly tell: (text: string) => void;
}

export interface Leadership {
  readonly hasLease: boolean;
  /** Whether it waits for the spare's word. */
  readonly isReplicaRequired: boolean;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Machines come and go for minutes: ports that no outgoing connection gets meanwhile. */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

const served = (url: string) => async () =>
  (await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) })).status < 600;

export class Machine {
  readonly name: string;
  readonly url: string;
  followerUrl = "";
  /** Its way to L1. */
  readonly proxy: L1Proxy;
  sequencer: DrillProcess | null = null;
  bridge: DrillProcess | null = null;
  follower: DrillProcess | null = null;
  readonly #options: MachineOptions;
  readonly #ports: readonly [sequencer: number, bridge: number];
  /** Each time that it gets a role, it begins with new folders. */
  #turn = 0;

  static async create(options: MachineOptions): Promise<Machine> {
    const ports = [await quietPort(), await quietPort()] as const;
    return new Machine(options, ports, await startL1Proxy(options.l1Url));
  }

  private constructor(options: MachineOptions, ports: readonly [number, number], proxy: L1Proxy) {
    this.name = options.name;
    this.#options = options;
    this.#ports = ports;
    this.proxy = proxy;
    this.url = `http://127.0.0.1:${ports[0]}`;
  }

  #path(what: string): string {
    return join(this.#options.folder, `${this.name}-${what}-${this.#turn}`);
  }

  /** Where a sequencer that is to be made keeps its ledger. */
  get dataPath(): string {
    return this.#path("sequencer");
  }

  get followerPath(): string {
    return this.#path("follower");
  }

  #process(
    name: string,
    main: string,
    env: Record<string, string>,
    url: string,
    args: string[] = [],
  ): DrillProcess {
    const { folder, tell } = this.#options;
    const logFolder = join(folder, "logs");
    return new DrillProcess({
      ...{ name: `${this.name}-${name}`, main, args, env, logFolder, tell },
      isReady: served(url),
    });
  }

  async follow(leader: Machine): Promise<void> {
    this.#turn += 1;
    const port = await quietPort();
    this.followerUrl = `http://127.0.0.1:${port}`;
    const { finalityDepthBlocks, folder, rollupAddress, token } = this.#options;
    const tokenFile = join(folder, "replica-token");
    writeFileSync(tokenFile, token, { mode: 0o600 });
    const follow = ["follow", "--rpc", this.proxy.url, "--rollup", rollupAddress, "--feed", leader.url];
    const where = ["--data", this.followerPath, "--port", String(port), "--no-pages"];
    const how = ["--poll-interval", "1000", "--finality-depth", String(finalityDepthBlocks)];
    this.follower = this.#process("follower", "scripts/openledger.ts", {}, this.followerUrl, [
      ...follow,
      ...where,
      ...how,
      ...["--replica-token-file", tokenFile],
    ]);
    await this.follower.start();
  }

  /** On the ledger at `dataPath`, or on a new one. */
  async lead(how: Leadership): Promise<void> {
    await this.startSequencer(how);
    await this.#startBridge(how);
  }

  /** Again, where it runs: with other settings. */
  async startSequencer({ hasLease, isReplicaRequired }: Leadership): Promise<void> {
    await this.sequencer?.stop();
    await this.sequencer?.close();
    const { deploymentPath, marginMs, token } = this.#options;
    this.sequencer = this.#process(
      "sequencer",
      "sequencer/main.ts",
      {
        SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
        SEQUENCER_DATA_PATH: this.dataPath,
        SEQUENCER_PORT: String(this.#ports[0]),
        SEQUENCER_OPERATOR_TOKEN: `${token}-operator`,
        SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: drillPrivateKey("operator"),
        SEQUENCER_FEE_PER_UNIT_WEI: FEE_PER_UNIT_WEI.toString(),
        SEQUENCER_CLOSE_INTERVAL_MS: "1000",
        // As few as L1 gets within minutes after the last handover.
        SEQUENCER_MAX_UNPOSTED_BATCHES: "40",
        SEQUENCER_PROVE_LEASE_MS: "20000",
        SEQUENCER_RATE_LIMIT_PER_MINUTE: "1000000",
        SEQUENCER_LEASE: hasLease ? "required" : "off",
        SEQUENCER_LEASE_MARGIN_MS: String(marginMs),
        SEQUENCER_REPLICA: isReplicaRequired ? "required" : "off",
        SEQUENCER_REPLICA_TOKEN: token,
        SEQUENCER_REPLICA_TIMEOUT_MS: "3000",
      },
      this.url,
    );
    await this.sequencer.start();
  }

  async #startBridge({ hasLease }: Leadership): Promise<void> {
    const {
      confirmations,
      deploymentPath,
      finalityDepthBlocks,
      leaseAddress,
      leaseSeconds,
      marginMs,
      token,
    } = this.#options;
    const healthUrl = `http://127.0.0.1:${this.#ports[1]}`;
    this.bridge = this.#process(
      "bridge",
      "bridge/main.ts",
      {
        BRIDGE_DEPLOYMENT_PATH: deploymentPath,
        BRIDGE_L1_RPC_URL: this.proxy.url,
        BRIDGE_SEQUENCER_URL: this.url,
        BRIDGE_OPERATOR_TOKEN: `${token}-operator`,
        BRIDGE_OPERATOR_PRIVATE_KEY: drillPrivateKey("operator"),
        BRIDGE_DATA_PATH: this.#path("bridge"),
        BRIDGE_POLL_INTERVAL_MS: "200",
        BRIDGE_MAX_BACKOFF_MS: "1000",
        BRIDGE_REQUEST_TIMEOUT_MS: "3000",
        BRIDGE_HEALTH_PORT: String(this.#ports[1]),
        BRIDGE_L1_CONFIRMATIONS: String(confirmations),
        BRIDGE_L1_FINALITY_DEPTH_BLOCKS: String(finalityDepthBlocks),
        BRIDGE_L1_RESEND_AFTER_MS: "3000",
        ...(hasLease
          ? {
              BRIDGE_LEASE_ADDRESS: leaseAddress,
              BRIDGE_LEASE_SECONDS: String(leaseSeconds),
              BRIDGE_LEASE_MARGIN_MS: String(marginMs),
            }
          : {}),
      },
      healthUrl,
    );
    await this.bridge.start();
  }

  /** Until it acknowledges. */
  async isLeading(): Promise<boolean> {
    const response = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => null,
    );
    return response?.ok === true;
  }

  get processes(): DrillProcess[] {
    return [this.sequencer, this.bridge, this.follower].filter((one) => one !== null);
  }

  /** kill -9 of everything that runs here. */
  async kill(): Promise<void> {
    // Those that hang end, too.
    await Promise.all(this.processes.map((one) => one.close()));
    this.sequencer = null;
    this.bridge = null;
    this.follower = null;
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.proxy.stop();
  }
}
