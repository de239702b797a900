/** One of the rollup's processes as the drills run it: started like an operator starts it, killed at will. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { drillError } from "./drill-errors.ts";
import { waitUntil } from "./wait-until.ts";

export interface ProcessSpec {
  readonly name: string;
  /** Relative to the repository's root. */
  readonly main: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly isReady: () => Promise<boolean>;
  readonly logFolder: string;
  /** Told what is waited for. */
  readonly tell?: ((text: string) => void) | undefined;
}

export interface ProcessEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

const READY_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 30_000;
const REMEMBERED_LINES = 4_000;
const SHOWN_LINES = 12;
/** The last code is the one that it ended with. */
const CODE = /\b(?:SEQ|BRG|PRV|OP|CIR|ATT|LEVEL)_[A-Z][A-Z0-9_]*\b/g;

/** At most one child at a time; its output goes to a file, and the last lines are kept to be asked about. */
export class DrillProcess {
  readonly spec: ProcessSpec;
  /** Modules that are loaded before the program: the clock that jumps. */
  preloads: readonly string[] = [];
  readonly #logFile: WriteStream;
  #child: ChildProcess | null = null;
  #ending: Promise<ProcessEnd> | null = null;
  #lines: string[] = [];
  /** We asked for its end. */
  #isStopped = false;
  #lastEnd: ProcessEnd | null = null;

  constructor(spec: ProcessSpec) {
    this.spec = spec;
    mkdirSync(spec.logFolder, { recursive: true });
    this.#logFile = createWriteStream(join(spec.logFolder, `${spec.name}.log`), { flags: "a" });
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /**
   * Why waiting for it is useless: it ended without being told to, and was not started again. null: it runs or was
   * told.
   */
  get endedByItself(): Error | null {
    if (this.#child !== null || this.#lastEnd === null || this.#isStopped) return null;
    const { name } = this.spec;
    const last = this.#lines.slice(-SHOWN_LINES).join("\n");
    const codes = [...new Set(last.match(CODE) ?? [])];
    const how = `${this.#lastEnd.status ?? this.#lastEnd.signal}`;
    const named = codes.length === 0 ? "without a code" : `naming ${codes.join(", ")}`;
    return drillError("DRL_PROCESS_ENDED", `${name} ended by itself with ${how}, ${named}:\n${last}`, {
      data: { name, codes, ...this.#lastEnd },
    });
  }

  /** Starts the program and returns at once. */
  launch(): void {
    if (this.#child !== null) throw drillError("DRL_UNEXPECTED", `${this.spec.name} runs already`);
    const preloads = ["tsx", ...this.preloads].flatMap((name) => ["--import", name]);
    // The environment of the caller may hold settings of another rollup: only what is needed goes on.
    const { PATH = "", HOME = "", TMPDIR } = process.env;
    const child = spawn(process.execPath, [...preloads, this.spec.main, ...(this.spec.args ?? [])], {
      cwd: repositoryRoot,
      env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...this.spec.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => this.#note(line));
    // It dies with the drill, however that ends, except on SIGKILL.
    const killOnExit = () => child.kill("SIGKILL");
    process.once("exit", killOnExit);
    this.#child = child;
    this.#isStopped = false;
    this.#lastEnd = null;
    this.#ending = new Promise((resolve) => {
      // "close": everything that it said has been read.
      child.once("close", (status, signal) => {
        process.off("exit", killOnExit);
        if (this.#child === child) {
          this.#child = null;
          this.#lastEnd = { status, signal };
        }
        resolve({ status, signal });
      });
    });
  }

  /** @throws DRL_NOT_READY with the end of the log where it ends, or stays silent, instead */
  async start(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** @returns how long it took from now on. @throws DRL_NOT_READY */
  async ready(): Promise<number> {
    const startedAtMs = performance.now();
    const notReady = (how: string) =>
      drillError("DRL_NOT_READY", `${this.spec.name} ${how}:\n${this.#lines.slice(-SHOWN_LINES).join("\n")}`);
    await waitUntil(
      `${this.spec.name} to be ready`,
      async () => this.#child === null || (await this.spec.isReady()),
      READY_TIMEOUT_MS,
      { tell: this.spec.tell },
    ).catch(() => {
      throw notReady("does not answer");
    });
    if (this.#child === null) throw notReady("ended instead of being ready");
    return performance.now() - startedAtMs;
  }

  /** SIGSTOP, as a machine that hangs; SIGCONT, as one that comes back. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** kill -9. Nothing happens to one that has ended by itself. */
  async kill(): Promise<void> {
    if (this.#child !== null) this.#isStopped = true;
    this.#child?.kill("SIGKILL");
    await this.#ending;
  }

  /** SIGTERM; SIGKILL where that is not enough. */
  async stop(): Promise<ProcessEnd | null> {
    const child = this.#child;
    if (child === null) return null;
    this.#isStopped = true;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    const end = await this.#ending;
    clearTimeout(timer);
    return end;
  }

  /** Waits until it ends by itself. @throws DRL_TIMEOUT */
  async ended(timeoutMs: number): Promise<ProcessEnd> {
    await waitUntil(`${this.spec.name} to end`, async () => this.#child === null, timeoutMs, {
      tell: this.spec.tell,
    });
    return this.#ending!;
  }

  /** Whether a line of its log since the last `forgetLog` has this text: an error code, say. */
  hasSaid(text: string): boolean {
    return this.#lines.some((line) => line.includes(text));
  }

  /** Lines of the log with this text. */
  said(text: string): string[] {
    return this.#lines.filter((line) => line.includes(text));
  }

  forgetLog(): void {
    this.#lines = [];
  }

  async close(): Promise<void> {
    await this.kill();
    await new Promise((resolve) => this.#logFile.end(resolve));
  }

  #note(line: string): void {
    this.#logFile.write(`${line}\n`);
    this.#lines.push(line);
    if (this.#lines.length > REMEMBERED_LINES) this.#lines.shift();
  }
}
