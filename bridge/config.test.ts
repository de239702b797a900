import { inspect } from "node:util";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { settingVariable } from "@openledger/foundation/settings";
import { describe, expect, test } from "vitest";
import { BRIDGE_SETTINGS, readBridgeConfig } from "./config.ts";

const KEY = `0x${"ab".repeat(32)}`;
const required = {
  BRIDGE_OPERATOR_TOKEN: "token-1234-of-tests",
  BRIDGE_OPERATOR_PRIVATE_KEY: KEY,
};

describe("readBridgeConfig", () => {
  test("fills in defaults", () => {
    const config = readBridgeConfig(required);
    expect(config).toMatchObject({
      l1FinalityDepthBlocks: 64,
      pollIntervalMs: 1_000,
      logLevel: "info",
    });
    expect(config.l1RpcUrl).toBeUndefined();
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("names every variable that is wrong, and no secret's value", () => {
    const env = {
      BRIDGE_OPERATOR_PRIVATE_KEY: "0xdeadbeef",
      BRIDGE_L1_CONFIRMATIONS: "",
      BRIDGE_L1_MAX_FEE_GWEI: "1e3",
      BRIDGE_SEQUENCER_URL: "ftp://x",
      BRIDGE_LOG_LEVEL: "loud",
      BRIDGE_TYPO: "1",
    };
    try {
      readBridgeConfig(env);
      expect.unreachable();
    } catch (error) {
      if (!isRollupError(error, "SRV_CONFIG_INVALID")) throw error;
      for (const name of [...Object.keys(env), "BRIDGE_OPERATOR_TOKEN"])
        expect(error.message).toContain(name);
      expect(error.message).not.toContain("deadbeef");
    }
  });

  test("keeps secrets out of text", () => {
    const config = readBridgeConfig(required);
    for (const text of [
      JSON.stringify(config),
      inspect(config),
      `${config.operatorToken}${config.operatorPrivateKey}`,
    ]) {
      expect(text).not.toContain("token-1234");
      expect(text).not.toContain("abab");
    }
    expect(config.operatorPrivateKey.reveal()).toBe(KEY);
  });

  test("accepts each default as if it had been given", () => {
    const input = Object.entries(BRIDGE_SETTINGS).flatMap(([name, setting]) =>
      "default" in setting ? [[settingVariable("BRIDGE", name), setting.default]] : [],
    );
    expect(readBridgeConfig({ ...required, ...Object.fromEntries(input) })).toEqual(
      readBridgeConfig(required),
    );
  });
});
