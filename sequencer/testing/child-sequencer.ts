/** A sequencer as a process of its own, for tests that kill it and for measurements that must not share its core. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ownProcess } from "@openledger/foundation/testing/own-process";
import { type Answer, operatorHeaders } from "./test-rollup.ts";

export interface ChildSequencer {
  readonly process: ChildProcess;
  readonly url: string;
  /** What it has logged so far. */
  readonly logged: readonly Readonly<Record<string, unknown>>[];
}

/** @param environment needs SEQUENCER_LOG_LEVEL info: the URL is read from the log */
export async function startChild(environment: Record<string, string>): Promise<ChildSequencer> {
  const child = spawn(process.execPath, ownProcess("sequencer/main.ts"), {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const logged: Record<string, unknown>[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const entry = JSON.parse(line) as { msg: string; url?: string };
      logged.push(entry);
      if (entry.msg === "sequencer listens") resolve(entry.url!);
    });
    lines.on("close", () => reject(new Error("the sequencer ended before it listened")));
  });
  return { process: child, url, logged };
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));

export async function killChild({ process: child }: ChildSequencer): Promise<void> {
  const exit = ended(child);
  child.kill("SIGKILL");
  await exit;
}

/** @returns the exit code */
export async function stopChild({ process: child }: ChildSequencer): Promise<number | null> {
  const exit = ended(child);
  child.kill("SIGTERM");
  return exit;
}

/** One request with the operator's token; null where the process died before it answered. */
export async function request(url: string, payload?: object): Promise<Answer> {
  try {
    const response = await fetch(url, {
      ...(payload === undefined ? {} : { method: "POST", body: JSON.stringify(payload) }),
      headers: {
        ...operatorHeaders,
        ...(payload === undefined ? {} : { "content-type": "application/json" }),
      },
    });
    const text = await response.text();
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return null;
  }
}
