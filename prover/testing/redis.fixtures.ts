/**
 * Redis or Valkey of a test's own, in memory. Neither is an npm package: tests report it if the machine has
 * none.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "@openledger/foundation/testing/free-port";
import { Redis } from "ioredis";
import { KEY_PREFIX } from "../queue/prove-queue.ts";

const PROGRAMS = ["redis-server", "valkey-server"];

/** Name of Redis' program; null if none is installed, with one warning. */
export function redisProgram(): string | null {
  const found = PROGRAMS.find((program) => spawnSync(program, ["--version"]).status === 0) ?? null;
  if (found === null)
    console.warn(`SKIPPED: neither ${PROGRAMS.join(" nor ")} is installed (apt-get install redis-server)`);
  return found;
}

export interface TestRedis {
  /** URL of a user with all rights. */
  readonly url: string;
  /** URL of a user with a worker's rights (docs/how-to/operate.md). */
  readonly workerUrl: string;
  stop(): Promise<void>;
}

/** Rights of a worker's user, the same as in docs/how-to/operate.md. */
const WORKER_RIGHTS = [`~${KEY_PREFIX}:*`, "resetchannels", "+@all", "-@dangerous", "-@admin", "+info"];

export async function startRedis(program: string): Promise<TestRedis> {
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child: ChildProcess = spawn(program, args, { stdio: "ignore" });
  const killOnExit = () => child.kill("SIGKILL");
  process.once("exit", killOnExit);
  const redis = new Redis({ port, lazyConnect: true, retryStrategy: () => 50 });
  redis.on("error", () => {});
  for (let tries = 0; (await redis.ping().catch(() => null)) !== "PONG"; tries++) {
    if (tries > 1_200) throw new Error(`${program} does not start`);
    await delay(50);
  }
  await redis.call("ACL", "SETUSER", "prover", "on", ">worker-secret", ...WORKER_RIGHTS);
  redis.disconnect();
  return {
    url: `redis://127.0.0.1:${port}`,
    workerUrl: `redis://prover:worker-secret@127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        process.off("exit", killOnExit);
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      }),
  };
}
