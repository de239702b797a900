import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { isRollupError } from "../circuits/rollup-error.ts";
import { BRIDGE_VARIABLES, readConfig } from "./config.ts";

const KEY = `0x${"ab".repeat(32)}`;
const required = { OPERATOR_TOKEN: "token-1234", OPERATOR_L1_KEY: KEY };

describe("readConfig", () => {
  test("fills in defaults", () => {
    const config = readConfig(required);
    expect(config).toMatchObject({
      confirmations: 3,
      finalityDepthBlocks: 64,
      pollIntervalMs: 1_000,
      logLevel: "info",
    });
    expect(config.l1RpcUrl).toBeUndefined();
    expect(Object.isFrozen(config)).toBe(true);
  });

  test("names every variable that is wrong, and no secret's value", () => {
    const env = {
      OPERATOR_L1_KEY: "0xdeadbeef",
      L1_CONFIRMATIONS: "",
      L1_MAX_FEE_GWEI: "1e3",
      SEQUENCER_URL: "ftp://x",
      LOG_LEVEL: "loud",
    };
    try {
      readConfig(env);
      expect.unreachable();
    } catch (error) {
      if (!isRollupError(error, "BRG_CONFIG_INVALID")) throw error;
      for (const name of [...Object.keys(env), "OPERATOR_TOKEN"]) expect(error.message).toContain(name);
      expect(error.message).not.toContain("deadbeef");
    }
  });

  test("keeps secrets out of text", () => {
    const config = readConfig(required);
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
    const given = Object.values(BRIDGE_VARIABLES).flatMap((v) =>
      "default" in v ? [[v.env, v.default]] : [],
    );
    expect(readConfig({ ...required, ...Object.fromEntries(given) })).toEqual(readConfig(required));
  });
});
