import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readSettings, settingVariable, someText, wholeNumber } from "../circuits/settings.ts";
import { renderSettings, SETTINGS_PAGE } from "./settings.ts";

describe("settings", () => {
  it("of every process stand in docs as the code has them", () => {
    expect(readFileSync(SETTINGS_PAGE, "utf8")).toBe(renderSettings());
  });

  it("have one prefix a process and names made of the code's", () => {
    expect(settingVariable("BRIDGE", "l1MaxPriorityFeeGwei")).toBe("BRIDGE_L1_MAX_PRIORITY_FEE_GWEI");
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
});
