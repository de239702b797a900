import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { ownProcess } from "@openledger/foundation/testing/own-process";
import type { PublishedModels } from "../serving/serve-models.ts";

/**
 * Starts a server of published models as a process of its own (model-server.ts).
 * @param settings SERVING_… of the environment
 * @returns its address, and the process, which the caller ends
 */
export async function startModelServer(
  published: PublishedModels,
  settings: Readonly<Record<string, string | undefined>>,
): Promise<{ url: string; child: ChildProcess }> {
  const input = JSON.stringify({ ...published, domain: published.domain.toString() });
  const child = spawn(process.execPath, [...ownProcess("models/testing/model-server.ts"), input], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      SERVING_PORT: "0",
      SERVING_LOG_LEVEL: "silent",
      ...settings,
    },
  });
  const ended = once(child, "exit").then(() => {
    throw new Error("the model server ended before it was ready");
  });
  const line = once(createInterface({ input: child.stdout! }), "line") as Promise<[string]>;
  const [url] = await Promise.race([line, ended]);
  ended.catch(() => {});
  return { url, child };
}
