/** A machine of an operator: a sequencer and a bridge while it leads, a full node while it is the standby. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@openledger/foundation/testing/free-port";
import { drillPrivateKey } from "./accounts.ts";
import { type L1Proxy, startL1Proxy } from "./l1-proxy.ts";
import { healthOf, ManagedProcess } from "./process.ts";
import { commandSpec, portOf, type ServiceSpec, type Settings, serviceSpec } from "./services.ts";

interface MachineOptions {
  /** Before the names of its processes and folders; null where there is one machine. */
  readonly name: string | null;
  /** Of the whole world. */
  readonly folder: string;
  readonly deploymentPath: string;
  readonly l1Url: string;
  readonly rollupAddress: string;
  readonly operatorToken: string;
  readonly finalityDepthBlocks: number;
  /** Of its services, whatever its role. */
  readonly settings: Role;
  readonly tell?: ((text: string) => void) | undefined;
}

/** What a role tells sequencer and bridge besides. */
export interface Role {
  readonly sequencer: Settings;
  readonly bridge: Settings;
}

export class Machine {
  readonly name: string;
  readonly url: string;
  readonly bridgeUrl: string;
  fullNodeUrl = "";
  /** The bridge's way to L1, and the full node's. */
  readonly proxy: L1Proxy;
  sequencer: ManagedProcess;
  bridge: ManagedProcess;
  fullNode: ManagedProcess | null = null;
  readonly #options: MachineOptions;
  /** Each time that it becomes the standby, it begins with new folders. */
  #turn = 0;

  static async create(options: MachineOptions): Promise<Machine> {
    const urls = [await localUrl(), await localUrl()] as const;
    return new Machine(options, urls, await startL1Proxy(options.l1Url));
  }

  private constructor(options: MachineOptions, urls: readonly [string, string], proxy: L1Proxy) {
    this.name = options.name ?? "";
    this.#options = options;
    [this.url, this.bridgeUrl] = urls;
    this.proxy = proxy;
    this.sequencer = this.#makeSequencer();
    this.bridge = this.#makeBridge();
  }

  #path(what: string): string {
    const parts = [this.name, what, this.#turn === 0 ? "" : String(this.#turn)];
    return join(this.#options.folder, parts.filter(Boolean).join("-"));
  }

  /** Where the sequencer keeps its ledger. */
  get dataPath(): string {
    return this.#path("sequencer");
  }

  get bridgeDataPath(): string {
    return this.#path("bridge");
  }

  get fullNodePath(): string {
    return this.#path("full-node");
  }

  get processes(): ManagedProcess[] {
    return [this.sequencer, this.bridge, this.fullNode].filter((one) => one !== null);
  }

  #process(spec: ServiceSpec): ManagedProcess {
    const { folder, name, tell } = this.#options;
    const full = name === null ? spec.name : `${name}-${spec.name}`;
    return new ManagedProcess({ ...spec, name: full, logPath: join(folder, "logs", `${full}.log`), tell });
  }

  /** On the ledger at `dataPath`, or a new one. */
  #makeSequencer(settings: Settings = {}): ManagedProcess {
    const { deploymentPath, operatorToken, settings: own } = this.#options;
    return this.#process({
      ...serviceSpec("sequencer", this.url, {
        SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
        SEQUENCER_DATA_PATH: this.dataPath,
        SEQUENCER_PORT: portOf(this.url),
        SEQUENCER_OPERATOR_TOKEN: operatorToken,
        SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: drillPrivateKey("operator"),
        ...own.sequencer,
        ...settings,
      }),
      // With a lease that another machine has it serves, and says that it does not acknowledge.
      isReady: healthOf(this.url, settings.SEQUENCER_LEASE !== undefined),
    });
  }

  #makeBridge(settings: Settings = {}): ManagedProcess {
    const { deploymentPath, operatorToken, settings: own } = this.#options;
    return this.#process({
      ...serviceSpec("bridge", this.bridgeUrl, {
        BRIDGE_DEPLOYMENT_PATH: deploymentPath,
        BRIDGE_L1_RPC_URL: this.proxy.url,
        BRIDGE_SEQUENCER_URL: this.url,
        BRIDGE_OPERATOR_TOKEN: operatorToken,
        BRIDGE_OPERATOR_PRIVATE_KEY: drillPrivateKey("operator"),
        BRIDGE_DATA_PATH: this.bridgeDataPath,
        BRIDGE_HEALTH_PORT: portOf(this.bridgeUrl),
        ...own.bridge,
        ...settings,
      }),
      isReady: healthOf(this.bridgeUrl, settings.BRIDGE_LEASE_ADDRESS !== undefined),
    });
  }

  /** Again, where it runs. */
  async startSequencer(settings: Settings): Promise<void> {
    await this.sequencer.stop();
    this.sequencer = this.#makeSequencer(settings);
    await this.sequencer.start();
  }

  async lead({ bridge, sequencer }: Role): Promise<void> {
    await this.startSequencer(sequencer);
    this.bridge = this.#makeBridge(bridge);
    await this.bridge.start();
  }

  /** As the standby, with the replica's token. */
  async follow(leader: Machine, replicaToken: string): Promise<void> {
    this.#turn += 1;
    this.fullNodeUrl = await localUrl();
    const { finalityDepthBlocks, folder, rollupAddress } = this.#options;
    const tokenFile = join(folder, "replica-token");
    writeFileSync(tokenFile, replicaToken, { mode: 0o600 });
    const args = [
      ...["follow", "--rpc", this.proxy.url, "--rollup", rollupAddress, "--feed", leader.url],
      ...["--data", this.fullNodePath, "--port", portOf(this.fullNodeUrl), "--no-pages"],
      ...["--poll-interval", "1000", "--finality-depth", String(finalityDepthBlocks)],
      ...["--replica-token-file", tokenFile],
    ];
    this.fullNode = this.#process(commandSpec("full-node", args, {}, healthOf(this.fullNodeUrl, true)));
    await this.fullNode.start();
  }

  /** Whether it acknowledges. */
  isLeading(): Promise<boolean> {
    return healthOf(this.url)().catch(() => false);
  }

  /** kill -9 of everything that runs here: those that hang end, too. */
  async kill(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.kill()));
    this.fullNode = null;
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.proxy.stop();
  }
}

/** On a port that no outgoing connection gets while its process is away. */
export const localUrl = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;
