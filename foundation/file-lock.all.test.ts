import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { whileLocked } from "./file-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "file-lock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const pathOf = (name: string) => join(folder, name);

/** A process that holds the lock until it is killed. */
async function startHolder(path: string): Promise<ChildProcess> {
  const module = JSON.stringify(new URL("./file-lock.ts", import.meta.url).href);
  const script = `const { whileLocked } = await import(${module});
    await whileLocked(${JSON.stringify(path)}, () => {}, async () => {
      process.stdout.write("has it");
      await new Promise((settle) => setTimeout(settle, 3_600_000));
    });`;
  const holder = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((settle) => holder.stdout!.once("data", settle));
  return holder;
}

/** A process that is told to stop before it loads proper-lockfile, which has signal-exit. */
const STOPPING = `const { stopSignal } = await import(${JSON.stringify(new URL("./run-until-stopped.ts", import.meta.url).href)});
  const stopping = stopSignal();
  await import(${JSON.stringify(new URL("./file-lock.ts", import.meta.url).href)});
  const keepAlive = setInterval(() => {}, 1_000);
  process.stdout.write("runs");
  await stopping;
  await new Promise((settle) => setTimeout(settle, 200));
  process.stdout.write(" and ends");
  clearInterval(keepAlive);`;

async function end(holder: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = new Promise((settle) => holder.once("exit", settle));
  holder.kill(signal);
  await gone;
}

test("works of one process on one lock do not overlap, and a failure lets the next one begin", async () => {
  const path = pathOf("queue");
  const events: string[] = [];
  const work = (name: string, fails = false) =>
    whileLocked(
      path,
      () => {},
      async () => {
        events.push(`${name} begins`);
        await new Promise((settle) => setTimeout(settle, 20));
        events.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      },
    );
  const results = await Promise.allSettled([work("a"), work("b", true), work("c")]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  const names = events.map((event) => event.split(" ")[0]);
  expect([...names].sort()).toEqual(["a", "a", "b", "b", "c", "c"]);
  for (let i = 0; i < 6; i += 2)
    expect(events.slice(i, i + 2)).toEqual([`${names[i]} begins`, `${names[i]} ends`]);
  expect(readdirSync(folder)).toEqual([]);
});

test("waits for another process, says so once, and goes on where that one ends by a signal", async () => {
  const path = pathOf("other");
  const holder = await startHolder(path);
  let waitCount = 0;
  const done = whileLocked(
    path,
    () => {
      waitCount += 1;
    },
    async () => "done",
  );
  await new Promise((settle) => setTimeout(settle, 300));
  expect(existsSync(path)).toBe(true);
  await end(holder, "SIGTERM");
  expect(await done).toBe("done");
  expect(waitCount).toBe(1);
});

test("takes over from a killed process once its lock shows no life", async () => {
  const path = pathOf("killed");
  await end(await startHolder(path), "SIGKILL");
  expect(existsSync(path)).toBe(true);
  const ago = Date.now() / 1000 - 11;
  utimesSync(path, ago, ago);
  expect(
    await whileLocked(
      path,
      () => {},
      async () => "done",
    ),
  ).toBe("done");
  expect(existsSync(path)).toBe(false);
});

test("one that cannot be made is refused, not waited for", async () => {
  const path = pathOf("no such folder/lock");
  await expect(
    whileLocked(
      path,
      () => {},
      async () => "done",
    ),
  ).rejects.toMatchObject({ code: "ENOENT" });
});

test("a holder whose lock another one took ends its work all the same", async () => {
  const path = pathOf("lost");
  const lost = whileLocked(
    path,
    () => {},
    async () => {
      rmSync(path, { recursive: true });
      // Longer than proper-lockfile lets a look at its own lock wait.
      await new Promise((settle) => setTimeout(settle, 6_000));
      return "done";
    },
  );
  expect(await lost).toBe("done");
});

test("a process with a lock's library ends its stop, and at a second signal at once", async () => {
  for (const [signalCount, printed, status] of [
    [1, "runs and ends", 0],
    [2, "runs", 130],
  ] as const) {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", STOPPING], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (bytes: Buffer) => {
      text += bytes;
    });
    const exit = new Promise((settle) => child.once("exit", settle));
    await expect.poll(() => text, { timeout: 20_000 }).toBe("runs");
    child.kill("SIGTERM");
    if (signalCount === 2) {
      await new Promise((settle) => setTimeout(settle, 50));
      child.kill("SIGTERM");
    }
    expect([await exit, text]).toEqual([status, printed]);
  }
});
