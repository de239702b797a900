/** One of the two machines: an installation, and its processes as their units start them. */
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { installationPaths, readInstallation } from "@openledger/operations/installation/installation";
import { commandOfUnit, InstalledProcess } from "../installed-process.ts";
import { openledger } from "../operator-steps.ts";

export class OperatedMachine {
  readonly name: string;
  /** Of the installation. */
  readonly folder: string;
  readonly #logFolder: string;
  readonly #processes = new Map<string, InstalledProcess>();

  constructor(name: string, folder: string) {
    this.name = name;
    this.folder = join(folder, name);
    this.#logFolder = join(folder, "logs", name);
    mkdirSync(this.#logFolder, { recursive: true });
  }

  async init(...args: string[]): Promise<void> {
    await openledger(["operator", "init", "--out", this.folder, "--json", ...args]);
  }

  get url(): string {
    return readInstallation(this.folder).lease!.url;
  }

  get processes(): InstalledProcess[] {
    return [...this.#processes.values()];
  }

  /** As `systemctl start openledger.target`: whatever the installation lists and does not run yet. */
  start(...names: string[]): void {
    for (const { name } of readInstallation(this.folder).processes)
      if ((names.length === 0 || names.includes(name)) && !this.#processes.has(name)) this.#launch(name);
  }

  #launch(name: string): void {
    const one = new InstalledProcess(name, commandOfUnit(this.folder, name), this.#logFolder);
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
    await Promise.all(this.processes.map((one) => one.stop("SIGKILL")));
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
