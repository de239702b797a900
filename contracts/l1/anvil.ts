/** Local Ethereum node: starts Foundry's anvil as a child process for devnets, tests and measurements. */
import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { contractError } from "../contract-errors.ts";

export interface AnvilOptions {
  /** Port of the node. Default: 0, a free one. */
  port?: number;
  /** Interval of blocks, in seconds. Default: each transaction makes a block. */
  blockTimeSeconds?: number;
  /** File that the chain is loaded from, if it exists, and saved to each second and at the end. */
  statePath?: string;
  chainId?: number;
}

export interface Anvil {
  url: string;
  /** Ends the process and waits until the state is saved. May be called twice. */
  stop(): Promise<void>;
}

/** Time for anvil to listen: it loads a saved chain first. */
const READY_TIMEOUT_MS = 30_000;
/** Time for anvil to save the chain before it is killed. */
const STOP_TIMEOUT_MS = 20_000;
/** Last lines of anvil's output in an error. */
const OUTPUT_LINE_COUNT = 40;
/**
 * Rules of every local node: the newest ones, and those of a transaction's size that anvil leaves out by
 * default. The node keeps the states of the last blocks in memory; anvil would write a file of each older
 * one, and leave it if killed.
 */
export const ANVIL_RULES = [
  "--hardfork",
  "osaka",
  "--enable-tx-gas-limit",
  "--prune-history",
  "512",
] as const;

/**
 * Starts a local Ethereum node with anvil's ten funded accounts and waits until it answers.
 *
 * The node dies with this process, however that ends, except on SIGKILL.
 *
 * @throws RollupError CON_ANVIL_FAILED
 */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const { statePath } = options;
  const savedAtMs = statePath === undefined ? 0 : modifiedAtMs(statePath);
  const args = [
    ["--port", String(options.port ?? 0)],
    ["--chain-id", String(options.chainId ?? 31337)],
    ANVIL_RULES,
    options.blockTimeSeconds === undefined ? [] : ["--block-time", String(options.blockTimeSeconds)],
    statePath === undefined ? [] : ["--state", statePath, "--state-interval", "1"],
  ].flat();
  const child = spawn(anvilPath(), args, { stdio: ["ignore", "pipe", "pipe"] });
  const killOnExit = () => child.kill("SIGKILL");
  process.once("exit", killOnExit);
  const ended = new Promise<string>((settle) => {
    child.once("error", (error) => settle(error.message));
    child.once("exit", (status, signal) => settle(`exit status ${status ?? signal}`));
  });
  void ended.then(() => process.off("exit", killOnExit));

  const url = await waitForUrl(child, ended);
  if (statePath !== undefined) await waitForSave(child, statePath, savedAtMs);
  return {
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** The binary itself, so that no wrapper process is between us and its end. @throws CON_ANVIL_FAILED */
export function anvilPath(): string {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const name = `@foundry-rs/anvil-${process.platform}-${arch}`;
  try {
    const requireFrom = createRequire(import.meta.url);
    return join(dirname(requireFrom.resolve(`${name}/package.json`)), "bin", "anvil");
  } catch (cause) {
    throw contractError("CON_ANVIL_FAILED", `${name} is not installed; there is no anvil for this machine`, {
      data: { reason: "anvil-missing", platform: process.platform, arch: process.arch },
      cause,
    });
  }
}

/**
 * Waits for the first save. anvil listens before it catches SIGTERM, and a stop between the two would lose
 * the chain; the task that saves is the one that catches the signal.
 */
async function waitForSave(child: ChildProcess, path: string, savedAtMs: number): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  while (modifiedAtMs(path) === savedAtMs) {
    if (Date.now() > deadlineMs) {
      child.kill("SIGKILL");
      const reason = `no chain saved after ${READY_TIMEOUT_MS} ms`;
      throw contractError("CON_ANVIL_FAILED", `anvil did not start (${reason})`, { data: { reason } });
    }
    await sleep(20);
  }
}

/** Time of the last change of a file; 0 if there is none. */
const modifiedAtMs = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

async function waitForUrl(child: ChildProcess, ended: Promise<string>): Promise<string> {
  const lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const listening = new Promise<string>((settle) => {
    let rest = "";
    const read = (chunk: Buffer) => {
      const parts = `${rest}${chunk}`.split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        lines.push(line);
        if (lines.length > OUTPUT_LINE_COUNT) lines.shift();
        const address = /^Listening on (\S+)/.exec(line)?.[1];
        if (address !== undefined) settle(`http://${address}`);
      }
    };
    // Both keep being read: a full pipe would stop the node.
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
  });
  const failed = Promise.race([
    ended,
    new Promise<string>((settle) => {
      timer = setTimeout(() => settle(`not ready after ${READY_TIMEOUT_MS} ms`), READY_TIMEOUT_MS);
    }),
  ]).then((reason) => {
    child.kill("SIGKILL");
    const output = lines.join("\n");
    throw contractError("CON_ANVIL_FAILED", `anvil did not start (${reason}):\n${output}`, {
      data: { reason, output },
    });
  });
  try {
    return await Promise.race([listening, failed]);
  } finally {
    clearTimeout(timer);
  }
}
