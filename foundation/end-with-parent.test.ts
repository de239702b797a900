import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const MODULE = new URL("./end-with-parent.ts", import.meta.url).href;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "openledger-parent-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A process that stays for good unless it is ended. */
async function start(before: string): Promise<ChildProcess> {
  const path = join(folder, `${before.length}.mjs`);
  await writeFile(
    path,
    `${before}
    const { endWithParent } = await import(${JSON.stringify(MODULE)});
    setInterval(() => {}, 1000);
    endWithParent(7);
    process.send("listens");`,
  );
  return fork(path, {
    execArgv: ["--import", import.meta.resolve("tsx")],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

it("ends a process whose parent ends while it runs", async () => {
  const child = await start("");
  await once(child, "message");
  child.disconnect();
  expect(await once(child, "exit")).toEqual([7, null]);
});

it("ends a process whose parent ended before it listened", async () => {
  const child = await start(`
    process.on("message", () => {});
    while (process.connected) await new Promise((resolve) => setTimeout(resolve, 10));
    `);
  child.disconnect();
  expect(await once(child, "exit")).toEqual([7, null]);
});
