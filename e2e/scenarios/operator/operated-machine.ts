/** A machine of an operator: what `operator init` wrote, and the processes of compose.yaml, started without the containers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { freePort } from "@openledger/foundation/testing/free-port";
import {
  installationPaths,
  readEnvFile,
} from "@openledger/scripts/commands/operate/installation/installation";
import { parse } from "yaml";
import type { CommandRunner } from "../../world/commands.ts";
import { healthOf, ManagedProcess } from "../../world/process.ts";

interface ComposeService {
  readonly command: readonly string[];
  readonly env_file: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Services of the default profile, and the port of each in compose.yaml. */
const SERVICES = [
  ["sequencer", 8547],
  ["bridge", 8548],
  ["full-node", 8557],
] as const;
type ServiceName = (typeof SERVICES)[number][0];

export class OperatedMachine {
  /** Folder that --out named. */
  readonly folder: string;
  readonly #parent: string;
  readonly #commands: CommandRunner;
  readonly #ports: ReadonlyMap<ServiceName, number>;
  readonly #processes = new Map<ServiceName, ManagedProcess>();

  static async create(folder: string, commands: CommandRunner): Promise<OperatedMachine> {
    const ports = new Map<ServiceName, number>();
    for (const [name] of SERVICES) ports.set(name, await freePort());
    return new OperatedMachine(folder, commands, ports);
  }

  private constructor(parent: string, commands: CommandRunner, ports: ReadonlyMap<ServiceName, number>) {
    this.folder = join(parent, "installation");
    this.#parent = parent;
    this.#commands = commands;
    this.#ports = ports;
  }

  async init(...args: string[]): Promise<void> {
    await this.#commands.run("operator", "init", "--out", this.folder, ...args);
  }

  urlOf(name: ServiceName): string {
    return `http://127.0.0.1:${this.#ports.get(name)}`;
  }

  get url(): string {
    return this.urlOf("sequencer");
  }

  get processes(): ManagedProcess[] {
    return [...this.#processes.values()];
  }

  process(name: ServiceName): ManagedProcess {
    return this.#processes.get(name)!;
  }

  /** Starts the services as `docker compose up --detach --wait` does. */
  async start(): Promise<void> {
    for (const [name] of SERVICES) {
      if (!this.#processes.has(name)) this.#processes.set(name, this.#processOf(name));
      if (!this.process(name).isRunning) this.process(name).launch();
    }
    await Promise.all(this.processes.map((one) => one.ready()));
  }

  #processOf(name: ServiceName): ManagedProcess {
    const { services } = parse(readFileSync(join(repositoryRoot, "compose.yaml"), "utf8"), {
      merge: true,
    }) as {
      services: Record<string, ComposeService>;
    };
    const { command, env_file, environment } = services[name]!;
    const settings = env_file.length === 0 ? {} : readEnvFile(installationPaths(this.folder).settings);
    const own = Object.entries(environment).map(([key, value]) => [key, this.#outside(value)]);
    return new ManagedProcess({
      name,
      args: command.map((arg) => this.#outside(arg)),
      env: { ...settings, ...Object.fromEntries(own) },
      workingDir: repositoryRoot,
      logPath: join(this.#parent, "logs", `${name}.log`),
      isReady: healthOf(this.urlOf(name)),
    });
  }

  /** Maps a path, an address or a port of the containers to this machine. */
  #outside(text: string): string {
    let own = text
      .replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1")
      .replace("/operator/installation", this.folder)
      .replace("/data/", `${this.#parent}/data/`)
      .replaceAll("0.0.0.0", "127.0.0.1");
    for (const [name, port] of SERVICES)
      own = own
        .replace(`http://${name}:${port}`, this.urlOf(name))
        .replace(new RegExp(`(^|=)${port}$`), `$1${this.#ports.get(name)}`);
    return own;
  }

  /** kill -9 of everything here. */
  async die(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.kill()));
  }
}
