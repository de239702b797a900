/**
 * Servers under abuse, seen by their honest clients: 300 idle connections and 300 bodies that trickle to each of three
 * servers, 24 uploads of 30 MB at a time, 1,300 feeds, prompts of 4 MB and of one word of 400 kB, invented keys. Attackers
 * have addresses of their own, as bounds are of addresses; all of it stays on this machine, and ends by itself.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { residentMegabytes, startAttackedWorld } from "./attacked-world.ts";
import type { AttackOrder } from "./attacker.ts";
import type { HonestFigures } from "./honest-clients.ts";

interface AbuseFigures {
  readonly processesEnded: number;
  /** Longest time that an honest client has waited for an answer. */
  readonly longestStallMs: number;
  readonly largestRssMb: number;
  readonly honestRequests: { readonly ok: number; readonly failed: number };
}

const WARM_UP_SECONDS = 8;
const REST_SECONDS = 10;
const RSS_EVERY_MS = 200;
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));

export async function benchAbuse(options: { seconds: string }): Promise<AbuseFigures> {
  const seconds = Number(options.seconds);
  const world = await startAttackedWorld();
  const everybody = [...world.clients, world.control];
  let largestRssMb = 0;
  const watching = setInterval(() => {
    for (const pid of world.pids) largestRssMb = Math.max(largestRssMb, residentMegabytes(pid));
  }, RSS_EVERY_MS);
  const look = (title: string) => {
    console.log(title);
    const seen = everybody.map((client) => ({ name: client.name, ...client.take() }));
    for (const { failed, longestMs, name, ok, p99Ms } of seen)
      console.log(
        `  ${name.padEnd(20)} ${String(ok).padStart(5)} ok ${String(failed).padStart(3)} failed, p99 ${String(p99Ms).padStart(5)} ms, longest ${String(longestMs).padStart(5)} ms`,
      );
    const of = (pick: (figures: HonestFigures) => number) => seen.slice(0, -1).map(pick);
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    return {
      ok: sum(of(({ ok }) => ok)),
      failed: sum(of(({ failed }) => failed)),
      longestMs: Math.max(...of(({ longestMs }) => longestMs)),
    };
  };
  try {
    for (const client of everybody) client.start();
    await pause(WARM_UP_SECONDS);
    look("while servers warm up");
    await pause(REST_SECONDS);
    look("before the attack; control asks a process that nobody attacks");
    const attack = await attackFor({ ...world.urls, session: world.session, seconds });
    const { failed, longestMs, ok } = look("under attack");
    console.log(`the attacker: ${attack}`);
    return {
      processesEnded: world.endedCount(),
      longestStallMs: longestMs,
      largestRssMb: Math.round(largestRssMb),
      honestRequests: { ok, failed },
    };
  } finally {
    clearInterval(watching);
    await Promise.all(everybody.map((client) => client.stop()));
    await world.close();
  }
}

/** What the attacker says at its end. */
async function attackFor(order: AttackOrder): Promise<string> {
  const main = fileURLToPath(new URL("./attacker.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", main, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const killOnExit = () => child.kill("SIGKILL");
  process.once("exit", killOnExit);
  let said = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    said = line;
  });
  await new Promise((resolve) => child.once("close", resolve));
  process.off("exit", killOnExit);
  return said;
}
