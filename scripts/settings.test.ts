import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SERVER_SETTINGS } from "@openledger/foundation/http/server-settings";
import {
  bearerToken,
  readSettings,
  SERVER_NAMES,
  SHARED_SETTINGS,
  settingVariable,
  someText,
  wholeNumber,
} from "@openledger/foundation/settings";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { renderSettings, SETTINGS_PAGE } from "./settings.ts";

describe("settings", () => {
  it("of every process stand in docs as the code has them", () => {
    expect(readFileSync(SETTINGS_PAGE, "utf8")).toBe(renderSettings());
  });

  it("have one prefix a process and names made of the code's", () => {
    expect(settingVariable("BRIDGE", "l1MaxPriorityFeeGwei")).toBe("BRIDGE_L1_MAX_PRIORITY_FEE_GWEI");
  });

  it("of several processes are one variable, and with a process's prefix that one's alone", () => {
    const valuesOf = (environment: Record<string, string>) =>
      readSettings("ANY", { logLevel: SHARED_SETTINGS.logLevel }, environment);
    expect(valuesOf({ OPENLEDGER_LOG_LEVEL: "debug" }).values.logLevel).toBe("debug");
    expect(valuesOf({ OPENLEDGER_LOG_LEVEL: "debug", ANY_LOG_LEVEL: "warn" }).values.logLevel).toBe("warn");
    const ofOthers = {
      OPENLEDGER_HOME: "x",
      OPENLEDGER_PUBLIC_URL: "x",
      OPENLEDGER_OPERATOR_TOKEN_FILE: "x",
    };
    expect(valuesOf(ofOthers).problems).toEqual([]);
    expect(valuesOf({ OPENLEDGER_LOGLEVEL: "x", OPENLEDGER_LOG_LEVEL: "loud" }).problems).toMatchObject([
      { env: "OPENLEDGER_LOG_LEVEL" },
      { env: "OPENLEDGER_LOGLEVEL", problem: "is no setting" },
    ]);
    expect(Object.keys(SERVER_SETTINGS)).toEqual([...SERVER_NAMES]);
  });

  it("are read once, with every problem named and no value of theirs", () => {
    const settings = {
      port: { schema: wholeNumber(1, 9), default: "7", description: "a port" },
      name: { schema: someText, description: "a name" },
      extra: { schema: z.string().optional(), description: "may be absent" },
    };
    const good = readSettings("ANY", settings, { ANY_NAME: "x", OTHER_NAME: "y" });
    expect(good).toEqual({ values: { port: 7, name: "x", extra: undefined }, problems: [] });
    expect(Object.isFrozen(good.values)).toBe(true);
    const { problems } = readSettings("ANY", settings, { ANY_PORT: "12", ANY_PRT: "7" });
    expect(problems).toEqual([
      { env: "ANY_PORT", problem: "is not between 1 and 9" },
      { env: "ANY_NAME", problem: "is missing: a name" },
      { env: "ANY_PRT", problem: "is no setting" },
    ]);
  });

  it("take a secret from a file that its owner alone may read, and no other setting", () => {
    const folder = mkdtempSync(join(tmpdir(), "openledger-secret-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "token");
    const settings = {
      token: { schema: bearerToken, isSecret: true, description: "a token" },
      name: { schema: someText, default: "x", description: "a name" },
    } as const;
    const problemsOf = (environment: Record<string, string>) =>
      readSettings("ANY", settings, environment).problems.map(({ env, problem }) => `${env} ${problem}`);
    writeFileSync(path, "0123456789abcdef-secret\n", { mode: 0o600 });
    const { problems, values } = readSettings("ANY", settings, { ANY_TOKEN_FILE: path });
    expect(problems).toEqual([]);
    expect(values.token.reveal()).toBe("0123456789abcdef-secret");
    expect(problemsOf({ ANY_TOKEN_FILE: path, ANY_TOKEN: "0123456789abcdef" })).toEqual([
      "ANY_TOKEN_FILE is given, and ANY_TOKEN too",
    ]);
    expect(problemsOf({ ANY_TOKEN_FILE: path, ANY_NAME_FILE: path })).toEqual([
      "ANY_NAME_FILE is no setting",
    ]);
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      chmodSync(path, mode);
      const [problem] = problemsOf({ ANY_TOKEN_FILE: path });
      expect(problem).toMatch(/^ANY_TOKEN_FILE \(CIR_SECRET_FILE\) .* chmod 600/);
      expect(problem).not.toContain("0123456789");
    }
    expect(problemsOf({ ANY_TOKEN_FILE: folder })[0]).toContain("CIR_SECRET_FILE");
    expect(problemsOf({ ANY_TOKEN_FILE: join(folder, "none") })[0]).toContain("CIR_SECRET_FILE");
    chmodSync(path, 0o600);
    writeFileSync(path, "short\n");
    expect(problemsOf({ ANY_TOKEN_FILE: path })).toEqual(["ANY_TOKEN needs at least 16 visible characters"]);
  });
});
