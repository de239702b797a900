/** A sequencer as a process of its own, for tests that kill it and for measurements that must not share its core. */
import type { ChildProcess } from "node:child_process";
import { type LogEntry, saying, startOwnProcess } from "@openledger/foundation/testing/own-process";
import { type Answer, operatorHeaders } from "./test-rollup.ts";

export interface ChildSequencer {
  readonly process: ChildProcess;
  readonly url: string;
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
  /** Log entries so far. */
  readonly logged: readonly LogEntry[];
}

/** @param environment needs SEQUENCER_LOG_LEVEL info: the URL is read from the log */
export async function startChild(environment: Record<string, string>): Promise<ChildSequencer> {
  const logged: LogEntry[] = [];
  const isListening = saying("sequencer listens");
  const started = await startOwnProcess("sequencer/main.ts", environment, (entry) => {
    logged.push(entry);
    return isListening(entry);
  });
  return { ...started, logged };
}

export const killChild = async (child: ChildSequencer): Promise<void> => void (await child.end("SIGKILL"));

/** @returns the exit code */
export const stopChild = (child: ChildSequencer): Promise<number | null> => child.end("SIGTERM");

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
