import { inspect } from "node:util";
import { createLogger } from "@openledger/foundation/logger";
import { describe, expect, it } from "vitest";
import { loadConfig } from "./config.ts";
import { testEnvironment } from "./testing/test-rollup.ts";

const environment = (overrides: Record<string, string> = {}) => testEnvironment("data", overrides);

describe("loadConfig", () => {
  it("fills in defaults and freezes the result", () => {
    const config = loadConfig(environment());
    expect(config).toMatchObject({
      closeIntervalMs: 10_000,
      pendingPerLeaf: 64,
      pendingTotal: 10_000,
      feeAccountId: 1,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it("reports all problems at once and quotes no secret", () => {
    const token = "short";
    const wrong = {
      ...environment({
        SEQUENCER_PORT: "",
        SEQUENCER_CLOSE_INTERVAL_MS: "1e3",
        SEQUENCER_OPERATOR_TOKEN: token,
        SEQUENCER_TYPO: "1",
        SEQUENCER_FEE_PER_UNIT_WEI: (2n ** 64n).toString(),
      }),
      SEQUENCER_DEPLOYMENT_PATH: "",
    };
    let error: { code?: string; message?: string; data?: { problems: { env: string }[] } } = {};
    try {
      loadConfig(wrong);
    } catch (caught) {
      error = caught as typeof error;
    }
    expect(error.code).toBe("SRV_CONFIG_INVALID");
    expect(error.data?.problems.map(({ env }) => env).sort()).toEqual([
      "SEQUENCER_CLOSE_INTERVAL_MS",
      "SEQUENCER_DEPLOYMENT_PATH",
      "SEQUENCER_FEE_PER_UNIT_WEI",
      "SEQUENCER_OPERATOR_TOKEN",
      "SEQUENCER_PORT",
      "SEQUENCER_TYPO",
    ]);
    expect(error.message).not.toContain(token);
  });
});

it("takes no token for the operator's servers that opens the operator's routes", () => {
  const token = "one-token-for-everything";
  const settings = { SEQUENCER_OPERATOR_TOKEN: token, SEQUENCER_SERVER_TOKEN: token };
  expect(() => loadConfig(environment(settings))).toThrow(/^SEQUENCER_SERVER_TOKEN is the operator's token/);
  const config = loadConfig(environment({ ...settings, SEQUENCER_SERVER_TOKEN: "another-token-for-hosts" }));
  expect(config.serverToken!.reveal()).toBe("another-token-for-hosts");
  expect(`${config.serverToken}`).toBe("[secret]");
});

describe("secrets", () => {
  it("show in no log, JSON or inspection", () => {
    const config = loadConfig(environment());
    const token = config.operatorToken.reveal();
    const lines: string[] = [];
    const logger = createLogger("test", "info", { write: (line) => void lines.push(line) });
    logger.info({ config, headers: { authorization: `Bearer ${token}` } }, "started");
    logger.info({ operatorToken: token }, "oops");
    for (const text of [
      ...lines,
      JSON.stringify(config, (_k, v) => (typeof v === "bigint" ? v.toString() : v)),
      inspect(config),
      `${config.operatorToken}`,
    ]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(config.preconfirmationPrivateKey.reveal());
    }
    expect(lines).toHaveLength(2);
  });
});
