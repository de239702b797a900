import { createHash } from "node:crypto";
import { babyjubjub } from "@noble/curves/misc.js";
import { describe, expect, test } from "vitest";
import { FIELD_ORDER } from "../../protocol.ts";
import { BASE8 } from "./eddsa.ts";
import { deriveOffset, toMontgomery } from "./eddsa-tables.ts";
import { type GeneratorName, generators } from "./generators.ts";

const { Point } = babyjubjub;
const { Fp: field } = Point;

/** The derivation once more, with noble's field and group. */
function derive(name: GeneratorName, index: number): { u: bigint; v: bigint } {
  for (let counter = 0; counter < 200; counter++) {
    const text = `OpenLedger generator v1|${name}|${index}|${counter}`;
    const u = BigInt(`0x${createHash("sha256").update(text).digest("hex")}`) % FIELD_ORDER;
    const right = field.mul(u, field.create(u * u + 168698n * u + 1n));
    if (right === 0n || field.pow(right, (FIELD_ORDER - 1n) / 2n) !== 1n) continue;
    const root = field.sqrt(right);
    const v = root > FIELD_ORDER / 2n ? FIELD_ORDER - root : root;
    const point = Point.fromAffine({ x: field.div(u, v), y: field.div(u - 1n, u + 1n) });
    return toMontgomery(point.clearCofactor());
  }
  throw new Error("no counter gives a point");
}

describe("generators", () => {
  test.each(["row", "blind", "plane"] as const)("%s is the stated hash, eight times, by noble", (name) => {
    const points = generators(name, 4);
    for (let i = 0; i < 4; i++) expect({ u: points.u[i], v: points.v[i] }).toEqual(derive(name, i));
  });

  test("are of the prime order l, and no two are equal or opposite, nor the points known elsewhere", () => {
    const all = [generators("row", 100), generators("blind", 1), generators("plane", 9)];
    const us = all.flatMap(({ u }) => u);
    for (const points of all) {
      points.u.forEach((u, i) => {
        const v = points.v[i]!;
        const point = Point.fromAffine({ x: field.div(u, v), y: field.div(u - 1n, u + 1n) });
        point.assertValidity();
        expect(point.isTorsionFree() && !point.isSmallOrder()).toBe(true);
      });
    }
    us.push(toMontgomery(Point.fromAffine(BASE8)).u, toMontgomery(deriveOffset()).u);
    expect(new Set(us).size).toBe(us.length);
  });

  test("do not depend on how many are asked for, nor in which order", () => {
    const few = [...generators("row", 3).u.slice(0, 3)];
    expect(generators("row", 300).u.slice(0, 3)).toEqual(few);
    expect(generators("row", 2).u.length).toBeGreaterThanOrEqual(300);
  });
});
