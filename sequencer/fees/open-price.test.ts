import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OpenPrice, parseOpenPerEther } from "./open-price.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "open-price-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("parseOpenPerEther", () => {
  it("takes a positive decimal number and nothing else", () => {
    expect(parseOpenPerEther(" 12500.5\n")).toBe(12_500_500_000_000_000_000_000n);
    for (const text of ["", "0", "-1", "1e3", "1,5", "0x10", "1.", ".5", "NaN", "1 2"])
      expect(parseOpenPerEther(text), text).toBeNull();
  });
});

describe("OpenPrice", () => {
  it("reads a file again when it changes; one that is no good is told of, and the last price stands", () => {
    const path = join(folder, "price");
    const problems: unknown[] = [];
    const price = new OpenPrice({ feeOpenPerEther: null, feeOpenPerEtherPath: path }, (error) =>
      problems.push(error),
    );
    const put = (text: string, second: number) => {
      writeFileSync(path, text);
      utimesSync(path, second, second);
    };
    expect(price.read()).toBeNull();
    expect(problems).toHaveLength(1);
    put("2", 1_000);
    expect(price.read()).toBe(2n * 10n ** 18n);
    put("soon", 2_000);
    expect(price.read()).toBe(2n * 10n ** 18n);
    expect(problems[1]).toMatchObject({ code: "SEQ_PRICE_INVALID" });
    put("3", 3_000);
    expect(price.read()).toBe(3n * 10n ** 18n);
    expect(problems).toHaveLength(2);
  });
});
