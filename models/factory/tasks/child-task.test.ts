import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wholeTest } from "@openledger/foundation/testing/whole-run";
import { afterEach, expect, it } from "vitest";
import { makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { byteConfig } from "../../testing/text-rows.ts";
import { OWN_BASE } from "../../tuning/base/base-address.ts";
import { ChildTask } from "./child-task.ts";
import { SideTasks } from "./side-tasks.ts";

const LIMITS = { sideTimeoutMs: 3_000, jobSilenceMs: 3_000 };
const silent = expect.objectContaining({ code: "MOD_FACTORY_TASK_SILENT" });

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function isThere(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}

// A stopped process stands for one that a library holds: neither handles a message.
it("kills a process that says nothing for too long, whatever it computes", async () => {
  const source = mkdtempSync(join(tmpdir(), "held-"));
  folders.push(source);
  const tasks = [
    new ChildTask({ mode: "base", place: OWN_BASE }, LIMITS),
    new ChildTask({ mode: "merge", jobFolder: source, ...taskAt(source) }, LIMITS),
    new ChildTask(
      {
        mode: "train",
        jobFolder: source,
        form: {} as never,
        card: null,
        labels: [],
        saidStep: -1,
        registration: null as never,
        ...taskAt(source),
      },
      LIMITS,
    ),
  ];
  for (const { processId } of tasks) process.kill(processId!, "SIGSTOP");
  for (const { ended, processId } of tasks) {
    await expect(ended).rejects.toThrow(silent);
    await expect.poll(() => isThere(processId!)).toBe(false);
  }
}, 20_000);

/** A folder with a model's file that is a pipe which nobody writes: whoever opens it waits for ever. */
function heldFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "held-"));
  folders.push(folder);
  execFileSync("mkfifo", [join(folder, "config.json")]);
  return folder;
}

it("gives the place of a held computation to the next one of all who wait", async () => {
  const side = new SideTasks(1, LIMITS);
  const base = { mode: "base", place: heldFolder() } as const;
  const held = [7, 8].map((account) => side.run(account, base));
  expect(side.counts).toEqual({ running: 1, waiting: 1 });
  await expect(held[0]).rejects.toThrow(silent);
  expect(side.counts).toEqual({ running: 1, waiting: 0 });
  await expect(held[1]).rejects.toThrow(silent);
  expect(side.counts).toEqual({ running: 0, waiting: 0 });
}, 20_000);

wholeTest(
  "gives the place of a held computation to the account's next one",
  async () => {
    const folder = heldFolder();
    const place = join(folder, "base");
    await writeMadeModel(place, makeModel(byteConfig, "text"));
    const side = new SideTasks(1, { sideTimeoutMs: 10_000, jobSilenceMs: 60_000 });
    const held = side.run(7, { mode: "base", place: folder });
    const next = side.run(7, { mode: "base", place });
    await expect(held).rejects.toThrow(silent);
    expect((await next).view.name).toBe("base");
    expect(side.counts).toEqual({ running: 0, waiting: 0 });
  },
  60_000,
);

function taskAt(folder: string) {
  return {
    basePlace: OWN_BASE,
    recipe: {} as never,
    rowsFolder: folder,
    kernels: "wasm" as const,
    threadCount: 1,
    maxMemoryBytes: 2 ** 30,
  };
}
