/** A machine of an operator: an installation, and its processes as its units or its compose file start them. */
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import {
  installationPaths,
  readEnvFile,
  readInstallation,
} from "@openledger/operations/installation/installation";
import type { CommandRunner } from "../../world/commands.ts";
import { drillError } from "../../world/drill-errors.ts";
import { ManagedProcess, type ProcessSpec } from "../../world/process.ts";

type StartCommand = Pick<ProcessSpec, "args" | "command" | "env" | "workingDir">;

/** What systemd would start. */
function commandOfUnit(folder: string, name: string): StartCommand {
  const text = readFileSync(installationPaths(folder).unit(name), "utf8");
  const value = (key: string) => {
    const [, found] = new RegExp(`^${key}=(.+)$`, "m").exec(text) ?? [];
    if (found === undefined) throw drillError("DRL_UNEXPECTED", `the unit of ${name} has no ${key}`);
    return found;
  };
  const [command, ...args] = value("ExecStart").split(" ");
  const env = readEnvFile(value("EnvironmentFile"));
  return { command: command!, args, env, workingDir: value("WorkingDirectory") };
}

/** What compose would start in a container, without the container. */
function commandOfCompose(folder: string, name: string): StartCommand {
  const text = readFileSync(installationPaths(folder).compose, "utf8");
  const { services } = JSON.parse(text.slice(text.indexOf("{"))) as {
    services: Record<string, { command: string[]; working_dir: string; env_file: string[] }>;
  };
  const { command, env_file, working_dir } = services[name]!;
  const [program, ...args] = command;
  const started = program === "node" ? process.execPath : program!;
  return { command: started, args, env: readEnvFile(env_file[0]!), workingDir: working_dir };
}

export class OperatedMachine {
  readonly name: string;
  /** Of the installation. */
  readonly folder: string;
  readonly #logFolder: string;
  readonly #commands: CommandRunner;
  readonly #processes = new Map<string, ManagedProcess>();

  constructor(name: string, folder: string, commands: CommandRunner) {
    this.name = name;
    this.folder = join(folder, name);
    this.#logFolder = join(folder, "logs", name);
    this.#commands = commands;
  }

  async init(...args: string[]): Promise<void> {
    await this.#commands.run("operator", "init", "--out", this.folder, ...args);
  }

  get url(): string {
    const { lease } = readInstallation(this.folder);
    return lease?.url ?? `http://127.0.0.1:${this.portOf("sequencer")}`;
  }

  get processes(): ManagedProcess[] {
    return [...this.#processes.values()];
  }

  process(name: string): ManagedProcess {
    return this.#processes.get(name)!;
  }

  /** As `systemctl start openledger.target`: whatever the installation lists and does not run yet. */
  start(...names: string[]): void {
    for (const { name } of readInstallation(this.folder).processes)
      if ((names.length === 0 || names.includes(name)) && !this.#processes.has(name))
        this.#launch(name, commandOfUnit(this.folder, name));
  }

  /** Sequencer and bridge as systemd starts them, all others as compose does. */
  startMixed(): void {
    for (const { kind, name } of readInstallation(this.folder).processes) {
      const isUnit = kind === "sequencer" || kind === "bridge";
      this.#launch(name, (isUnit ? commandOfUnit : commandOfCompose)(this.folder, name));
    }
  }

  #launch(name: string, start: StartCommand): void {
    const one = new ManagedProcess({ ...start, name, logPath: join(this.#logFolder, `${name}.log`) });
    one.launch();
    this.#processes.set(name, one);
  }

  /** @returns how long that took, in seconds */
  async stop(name: string): Promise<number> {
    const startedAtMs = performance.now();
    await this.#processes.get(name)?.stop();
    this.#processes.delete(name);
    return Math.round((performance.now() - startedAtMs) / 100) / 10;
  }

  /** kill -9 of everything here. */
  async die(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.kill()));
    this.#processes.clear();
  }

  /** What was a leader's is kept beside, and not started again. */
  moveLedgerAway(): void {
    const { data } = installationPaths(this.folder);
    for (const name of ["sequencer", "bridge"]) renameSync(data(name), data(`${name}.replaced`));
  }

  portOf(name: string): number {
    return readInstallation(this.folder).processes.find((one) => one.name === name)!.port;
  }
}
