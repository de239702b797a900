/** A process of an installation, started by what its systemd unit or its compose service says, and by nothing else. */
import { type ChildProcess, spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { installationPaths, readEnvFile } from "@openledger/operations/installation/installation";
import { drillError } from "./drill-errors.ts";

interface StartCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envPath: string;
}

/** What systemd would start. */
export function commandOfUnit(folder: string, name: string): StartCommand {
  const text = readFileSync(installationPaths(folder).unit(name), "utf8");
  const value = (key: string) => {
    const [, found] = new RegExp(`^${key}=(.+)$`, "m").exec(text) ?? [];
    if (found === undefined) throw drillError("DRL_UNEXPECTED", `the unit of ${name} has no ${key}`);
    return found;
  };
  const [command, ...args] = value("ExecStart").split(" ");
  return {
    command: command!,
    args,
    workingDir: value("WorkingDirectory"),
    envPath: value("EnvironmentFile"),
  };
}

/** What compose would start in a container, without the container. */
export function commandOfCompose(folder: string, name: string): StartCommand {
  const text = readFileSync(installationPaths(folder).compose, "utf8");
  const { services } = JSON.parse(text.slice(text.indexOf("{"))) as {
    services: Record<string, { command: string[]; working_dir: string; env_file: string[] }>;
  };
  const { command, env_file, working_dir } = services[name]!;
  const [program, ...args] = command;
  return {
    command: program === "node" ? process.execPath : program!,
    args,
    workingDir: working_dir,
    envPath: env_file[0]!,
  };
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class InstalledProcess {
  readonly name: string;
  readonly #start: StartCommand;
  readonly #logPath: string;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(name: string, start: StartCommand, folder: string) {
    this.name = name;
    this.#start = start;
    this.#logPath = join(folder, `${name}.log`);
  }

  launch(): void {
    const { args, command, envPath, workingDir } = this.#start;
    const { HOME = "", PATH = "" } = process.env;
    const log = openSync(this.#logPath, "a");
    const child = spawn(command, args, {
      cwd: workingDir,
      env: { HOME, PATH, ...readEnvFile(envPath) },
      stdio: ["ignore", log, log],
    });
    running.add(child);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once("exit", () => {
        running.delete(child);
        if (this.#child === child) this.#child = null;
        resolve();
      });
    });
  }

  /** The end of its log where it has ended by itself; null while it runs. */
  endedByItself(): Error | null {
    if (this.#child !== null) return null;
    const lines = readFileSync(this.#logPath, "utf8").trim().split("\n").slice(-12);
    return drillError("DRL_PROCESS_ENDED", `${this.name} has ended:\n${lines.join("\n")}`);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
  }
}
