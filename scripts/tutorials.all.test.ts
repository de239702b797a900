/** Runs the commands of the tutorials on a devnet of their own, and compares each sample with what its commands print. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { missingLines, stepsOf } from "./pages/tutorial-samples.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Pages in the order of a reader, each with the ids of its text that commands print: their pattern in the output. */
const TUTORIALS: readonly { readonly name: string; readonly ids: Readonly<Record<string, RegExp>> }[] = [
  { name: "first-rollup", ids: {} },
  { name: "pay-for-an-answer", ids: {} },
  { name: "publish-a-datanet", ids: { 14: /datanet (\d+)/i } },
  { name: "let-an-agent-pay", ids: {} },
  { name: "run-a-watcher", ids: {} },
  { name: "train-and-earn", ids: { 14: /datanet (\d+)/i, 15: /model (\d+)/i } },
];
/** Milliseconds that a command, and a page's commands together, may take on a busy machine. */
const COMMAND_MS = 1_200_000;
/** Milliseconds in which the devnet is there. */
const START_MS = 1_200_000;
const PAGE_MS = 2_400_000;
/** Commands that run until they are stopped. */
const SERVERS = [["gateway"], ["watch"], ["models", "serve"]];
/** Parts of pages that want a devnet or a host of another kind. */
const LEFT_OUT = /^## (?:6\. Share a model with other Datanets|With other people)$/m;

let home: string;
const running: ChildProcess[] = [];

/** Starts a script with all that it prints. */
function start(script: string, args: readonly string[]) {
  const child = spawn(process.execPath, [join(root, "scripts/start.js"), join(root, script), ...args], {
    cwd: home,
    env: { ...process.env, OPENLEDGER_HOME: join(home, ".openledger") },
  });
  running.push(child);
  const state = { output: "", status: undefined as number | null | undefined };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      state.output += chunk.toString();
    });
  child.on("close", (status) => {
    state.status = status;
  });
  return { child, state };
}

const stop = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on("close", () => resolve());
    child.kill("SIGINT");
  });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "openledger-tutorials-"));
  for (const name of ["facts", "sayings"])
    await copyFile(join(root, `examples/${name}.jsonl`), join(home, `${name}.jsonl`));
  const { state } = start("e2e/devnet.ts", []);
  // `expect.poll` belongs to a test.
  const isReady = () => /every check holds; the job took [\d.]+ s/.test(state.output);
  await vi.waitUntil(() => isReady() || state.status !== undefined, { timeout: START_MS, interval: 500 });
  expect(isReady(), state.output.slice(-4000)).toBe(true);
}, 1_300_000);
afterAll(async () => {
  for (const child of running.reverse()) await stop(child);
  await rm(home, { recursive: true, force: true });
}, 120_000);

it.each(TUTORIALS)("prints the samples of $name", { timeout: PAGE_MS }, async ({ name, ids }) => {
  const page = await readFile(join(root, `docs/tutorials/${name}.md`), "utf8");
  const steps = stepsOf(page.split(LEFT_OUT)[0]!);
  expect(steps.length).toBeGreaterThan(1);
  const actual: Record<string, string> = {};
  const servers: ChildProcess[] = [];
  for (const { commands, files, sample } of steps) {
    for (const line of files) execFileSync("sh", ["-c", line], { cwd: home });
    let printed = "";
    for (const words of commands) {
      const line = words.map((word) => actual[word] ?? word.replace(/^examples\//, ""));
      // The page has the reader end a server by Ctrl-C before what it holds is taken back.
      if (line.includes("--end")) for (const child of servers.splice(0)) await stop(child);
      const { child, state } = start("scripts/openledger.ts", line);
      if (SERVERS.some((server) => server.every((word, i) => word === line[i])) && !line.includes("--end")) {
        servers.push(child);
        const missing = () => missingLines(sample ?? "", state.output);
        const isOver = () => state.status !== undefined || missing().length === 0;
        // What it has printed says more than the time that went by.
        await vi.waitUntil(isOver, { timeout: COMMAND_MS, interval: 500 }).catch(() => undefined);
        expect([state.status, missing()], state.output).toEqual([undefined, []]);
      } else {
        await expect.poll(() => state.status, { timeout: COMMAND_MS }).toBeDefined();
        expect(state.status, `${line.join(" ")}\n${state.output}`).toBe(0);
      }
      for (const [id, form] of Object.entries(ids))
        if (actual[id] === undefined && form.test(state.output)) actual[id] = form.exec(state.output)![1]!;
      printed += state.output;
    }
    if (sample !== null && commands.length > 0) expect(missingLines(sample, printed), printed).toEqual([]);
  }
  for (const child of servers) await stop(child);
});
