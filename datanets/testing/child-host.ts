/** A host as a process of its own, for tests that kill it and for measurements that must not share its core. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ownProcess } from "@openledger/foundation/testing/own-process";

export interface ChildHost {
  readonly process: ChildProcess;
  readonly url: string;
  /** Sends the signal and waits for the end. @returns the exit code, null where the signal ended it */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
}

export async function startChildHost(environment: Record<string, string>): Promise<ChildHost> {
  const child = spawn(process.execPath, ownProcess("datanets/host/main.ts"), {
    env: { PATH: process.env.PATH ?? "", DATANET_LOG_LEVEL: "info", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const heard = { url: null as string | null, isLoaded: false };
  const url = await new Promise<string>((resolve, reject) => {
    lines.on("line", (line) => {
      const entry = JSON.parse(line) as { msg: string; url?: string };
      if (entry.msg === "datanet host listens") heard.url = entry.url!;
      if (entry.msg === "rows and records read") heard.isLoaded = true;
      if (heard.url !== null && heard.isLoaded) resolve(heard.url);
    });
    lines.on("close", () => reject(new Error("the host ended before it listened")));
  });
  return {
    process: child,
    url,
    end: (signal) =>
      new Promise((resolve) => {
        child.once("exit", resolve);
        child.kill(signal);
      }),
  };
}
