/** A server of adapters as a process of its own, as the command starts it. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";

export interface ServingChild {
  readonly process: ChildProcess;
  readonly url: string;
  readonly registeredCount: number;
  residentMegabytes(): Promise<number>;
  stop(): Promise<void>;
}

/** @param options of `openledger models serve`. @param settings SERVING_… */
export async function startServingChild(
  options: readonly string[],
  settings: Readonly<Record<string, string>>,
  global: readonly string[] = [],
): Promise<ServingChild> {
  const command = ["--import", "tsx", "scripts/openledger.ts", "--json", ...global, "models", "serve"];
  const child = spawn(process.execPath, [...command, ...options], {
    env: { ...process.env, SERVING_PORT: "0", SERVING_LOG_LEVEL: "error", ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { registeredCount, url } = await firstAnswer(child);
  return {
    process: child,
    url,
    registeredCount,
    residentMegabytes: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    },
    async stop() {
      const ended = new Promise((settle) => child.once("exit", settle));
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function firstAnswer(child: ChildProcess): Promise<{ url: string; registeredCount: number }> {
  return new Promise((settle, fail) => {
    let text = "";
    child.stdout!.on("data", (more: Buffer) => {
      text += more.toString();
      try {
        settle(JSON.parse(text) as { url: string; registeredCount: number });
      } catch {
        // Not whole yet.
      }
    });
    child.once("exit", (status) => fail(new Error(`the server ended with status ${status}: ${text}`)));
  });
}
