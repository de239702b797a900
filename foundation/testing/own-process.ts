/** Starts processes of this repository in tests, and waits until they are ready. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startOf } from "./start-of.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Node's arguments for a test that starts a process of this repository as people do: from the bundle, which costs a third
 * of what tsx does before the process begins.
 * @param main from the root, as `sequencer/main.ts`
 * @param root another checkout of the repository, to compare with
 */
export const ownProcess = (main: string, root = ROOT): readonly string[] =>
  startOf(main).map((part) => (part.startsWith("--") ? part : join(root, part)));

export type LogEntry = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface OwnProcess {
  readonly process: ChildProcess;
  /** URL that the process printed when it was ready. */
  readonly url: string;
  /** Sends the signal and waits for the end. @returns the exit code, null if the signal ended it */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
}

/**
 * A process of its own, for tests that kill it and for measurements that must not share its core.
 * @param environment beside PATH and HOME
 * @param onEntry called with each line of its log; a text is the address at which it is ready
 * @param root as `ownProcess` takes it
 */
export async function startOwnProcess(
  main: string,
  environment: Readonly<Record<string, string>>,
  onEntry: (entry: LogEntry) => string | null | undefined,
  root?: string,
): Promise<OwnProcess> {
  const { HOME = "", PATH = "" } = process.env;
  const child = spawn(process.execPath, ownProcess(main, root), {
    ...(root === undefined ? {} : { cwd: root }),
    env: { PATH, HOME, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const found = onEntry(JSON.parse(line) as LogEntry);
      if (typeof found === "string") resolve(found);
    });
    lines.on("close", () => reject(new Error(`${main} ended before it was ready`)));
  });
  return {
    process: child,
    url,
    end: (signal) =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode);
        child.once("exit", resolve);
        child.kill(signal);
      }),
  };
}

/** The address of the entry with this message. */
export const saying = (msg: string) => (entry: LogEntry) =>
  entry.msg === msg ? (entry.url as string) : null;
