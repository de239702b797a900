import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { hasGroupShares } from "../../cli/groups-gone.ts";
import { runInProcess } from "../testing/run-in-process.ts";

it("refuses every command of groups by name, with the options of earlier versions", async () => {
  for (const words of [
    ["status", "--account", "alice"],
    ["found", "weather", "--threshold", "2", "--members", "2,3,4"],
    ["join", "0x0941", "--deal", "--folder", "messages"],
    [],
  ]) {
    const { status, stdout } = await runInProcess("group", ...words, "--json");
    expect([status, JSON.parse(stdout).error.code], words.join(" ")).toEqual([1, "CMD_GROUPS_GONE"]);
  }
});

it("knows of an earlier version's shares, and leaves their files as they are", () => {
  const home = mkdtempSync(join(tmpdir(), "shares-"));
  const before = process.env.OPENLEDGER_HOME;
  process.env.OPENLEDGER_HOME = home;
  onTestFinished(() => {
    if (before === undefined) delete process.env.OPENLEDGER_HOME;
    else process.env.OPENLEDGER_HOME = before;
    rmSync(home, { recursive: true });
  });
  expect(hasGroupShares()).toBe(false);
  mkdirSync(join(home, "groups"));
  const file = join(home, "groups", "weather.json");
  writeFileSync(file, "a share");
  expect(hasGroupShares()).toBe(true);
  expect(readFileSync(file, "utf8")).toBe("a share");
});
