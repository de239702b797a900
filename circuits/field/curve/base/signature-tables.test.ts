import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../../protocol.ts";
import { baseWindows, renderSignatureTables, windowForm } from "./signature-tables.ts";

describe("renderSignatureTables", () => {
  test("gives the committed signature-tables.circom", () => {
    const committed = readFileSync(new URL("signature-tables.circom", import.meta.url), "utf8");
    expect(renderSignatureTables()).toBe(committed);
  });
});

describe("windowForm", () => {
  const mod = (x: bigint) => ((x % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
  const numbers = [...Array.from({ length: 9 }, (_, i) => 10n ** BigInt(7 * i) + 1n), FIELD_ORDER - 1n];

  test("makes rows of BasePoints whose differences are N(u), of degree 8, and the curve's equation", () => {
    for (const points of baseWindows()) {
      const us = points.map(({ u }) => u);
      expect(new Set(us).size).toBe(8);
      const [q, ...c] = windowForm(us) as [bigint, ...bigint[]];
      // Both sides have degree 8 in u at most: equal at ten places, they are equal.
      for (const u of numbers) {
        const t = u * u;
        const w = mod(t * (t + q * u));
        const row =
          (w + c[0]! * t + c[1]! * u) * (w + c[2]! * t + c[3]! * u) -
          (c[4]! * w + c[5]! * t + c[6]! * u + c[7]!);
        expect(mod(row)).toBe(us.reduce((product, root) => mod(product * (u - root)), 1n));
        const p = mod((1n + q) * ((FIELD_ORDER + 1n) / 2n));
        const rest = mod(-((t + p * u) ** 2n) - ((168698n - p * p) * t + u - w));
        expect(rest).toBe(mod(-(u ** 3n + 168698n * t + u)));
      }
    }
  });
});
