import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { takeFileLock, whileLocked } from "./file-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "file-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const pathOf = (name: string) => join(folder, name);
const sleeper = () => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);

test("refuses a file that a living process holds, and takes that of a killed one", async () => {
  const path = pathOf("held");
  const holder = sleeper();
  writeFileSync(path, String(holder.pid));
  const refused = new Error("refused");
  expect(() => takeFileLock(path, () => refused)).toThrow(refused);
  const gone = new Promise((settle) => holder.once("exit", settle));
  holder.kill("SIGKILL");
  await gone;
  takeFileLock(path, () => refused)();
  expect(existsSync(path)).toBe(false);
});

test("a number that another process has since a reboot holds nothing; the process that has taken it does", async () => {
  const path = pathOf("reused");
  const refused = new Error("refused");
  const take = () => takeFileLock(path, () => refused);
  const script = `(await import(${JSON.stringify(new URL("./file-lock.ts", import.meta.url).href)})).takeFileLock(${JSON.stringify(path)}, () => 0); setInterval(() => {}, 1000)`;
  const holder = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
  await expect.poll(() => existsSync(path), { timeout: 20_000 }).toBe(true);
  expect(take).toThrow(refused);
  const [processId, start] = readFileSync(path, "utf8").split(" ");
  for (const other of [start!.replace(/^[^/]*/, "another-boot"), `${start}1`]) {
    writeFileSync(path, `${processId} ${other}`);
    take()();
    expect(existsSync(path)).toBe(false);
  }
  holder.kill("SIGKILL");
});

test("work of one process on one file is done one after another, and a failure lets the next one begin", async () => {
  const path = pathOf("queue");
  const events: string[] = [];
  const work = (name: string, fails = false) =>
    whileLocked(
      path,
      () => events.push("waited"),
      async () => {
        events.push(`${name} begins`);
        await new Promise((settle) => setImmediate(settle));
        events.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      },
    );
  const results = await Promise.allSettled([work("a"), work("b", true), work("c")]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(events).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  expect(readdirSync(folder)).toEqual([]);
});

test("waits for another process, says so once, and goes on when that one is killed", async () => {
  const path = pathOf("other");
  const holder = sleeper();
  writeFileSync(path, String(holder.pid));
  const waited: number[] = [];
  const done = whileLocked(
    path,
    (processId) => {
      waited.push(processId);
      holder.kill("SIGKILL");
    },
    async () => "done",
  );
  expect(await done).toBe("done");
  expect(waited).toEqual([holder.pid]);
});
