/** The machine of an operator: a sequencer, a bridge, and the volume that both write to. */
import { join } from "node:path";
import { freePort } from "@openledger/foundation/testing/free-port";
import { drillPrivateKey } from "./accounts.ts";
import { type L1Proxy, startL1Proxy } from "./l1-proxy.ts";
import { ManagedProcess } from "./process.ts";
import { portOf, type ServiceSpec, type Settings, serviceSpec } from "./services.ts";

interface MachineOptions {
  /** Folder of the whole world. */
  readonly folder: string;
  readonly deploymentPath: string;
  readonly l1Url: string;
  readonly operatorToken: string;
  readonly settings: MachineSettings;
  readonly tell?: ((text: string) => void) | undefined;
}

/** Settings of sequencer and bridge besides those of the machine. */
export interface MachineSettings {
  readonly sequencer: Settings;
  readonly bridge: Settings;
}

export class Machine {
  readonly url: string;
  readonly bridgeUrl: string;
  /** The bridge's way to L1. */
  readonly proxy: L1Proxy;
  readonly sequencer: ManagedProcess;
  readonly bridge: ManagedProcess;
  readonly #options: MachineOptions;

  static async create(options: MachineOptions): Promise<Machine> {
    const urls = [await localUrl(), await localUrl()] as const;
    return new Machine(options, urls, await startL1Proxy(options.l1Url));
  }

  private constructor(options: MachineOptions, urls: readonly [string, string], proxy: L1Proxy) {
    this.#options = options;
    [this.url, this.bridgeUrl] = urls;
    this.proxy = proxy;
    this.sequencer = this.sequencerAt("sequencer", this.url);
    this.bridge = this.bridgeAt("bridge", this.bridgeUrl);
  }

  /** Folder of the sequencer's ledger. */
  get dataPath(): string {
    return join(this.#options.folder, "sequencer");
  }

  get bridgeDataPath(): string {
    return join(this.#options.folder, "bridge");
  }

  get processes(): ManagedProcess[] {
    return [this.sequencer, this.bridge];
  }

  #process(name: string, spec: ServiceSpec): ManagedProcess {
    const { folder, tell } = this.#options;
    return new ManagedProcess({ ...spec, name, logPath: join(folder, "logs", `${name}.log`), tell });
  }

  /** A sequencer on this machine's volume that listens elsewhere; not started. */
  sequencerAt(name: string, url: string): ManagedProcess {
    const { deploymentPath, operatorToken, settings } = this.#options;
    return this.#process(
      name,
      serviceSpec("sequencer", url, {
        SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
        SEQUENCER_DATA_PATH: this.dataPath,
        SEQUENCER_PORT: portOf(url),
        SEQUENCER_OPERATOR_TOKEN: operatorToken,
        SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: drillPrivateKey("operator"),
        ...settings.sequencer,
      }),
    );
  }

  /** Bridge on this machine's volume that reports its health elsewhere; not started. */
  bridgeAt(name: string, url: string): ManagedProcess {
    const { deploymentPath, operatorToken, settings } = this.#options;
    return this.#process(
      name,
      serviceSpec("bridge", url, {
        BRIDGE_DEPLOYMENT_PATH: deploymentPath,
        BRIDGE_L1_RPC_URL: this.proxy.url,
        BRIDGE_SEQUENCER_URL: this.url,
        BRIDGE_OPERATOR_TOKEN: operatorToken,
        BRIDGE_OPERATOR_PRIVATE_KEY: drillPrivateKey("operator"),
        BRIDGE_DATA_PATH: this.bridgeDataPath,
        BRIDGE_HEALTH_PORT: portOf(url),
        ...settings.bridge,
      }),
    );
  }

  /** kill -9 of everything that runs here: those that hang end, too. */
  async kill(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.kill()));
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.proxy.stop();
  }
}

/** Returns a URL on a port that no outgoing connection gets while its process is away. */
export const localUrl = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;
