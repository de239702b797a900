import { describe, expect, test } from "vitest";
import { chooseKeyMemory, memoryBytes, residentPointBytes } from "./key-memory.ts";

const GIB = 2 ** 30;
const keyOf = (power: number, hasB1 = true) => ({ wireCount: 2 ** power, domainSize: 2 ** power, hasB1 });

describe("chooseKeyMemory", () => {
  test("counts each point twice, with its image", () => {
    expect(residentPointBytes({ wireCount: 1, domainSize: 0, hasB1: true })).toBe(640);
    expect(residentPointBytes({ wireCount: 1, domainSize: 0, hasB1: false })).toBe(512);
    expect(residentPointBytes({ wireCount: 0, domainSize: 1, hasB1: true })).toBe(128);
  });

  test("keeps a key in memory that takes a quarter of it at most", () => {
    expect(residentPointBytes(keyOf(20))).toBe(0.75 * GIB);
    expect(chooseKeyMemory("auto", keyOf(20), 3 * GIB)).toBe("resident");
    expect(chooseKeyMemory("auto", keyOf(20), 3 * GIB - 1)).toBe("mapped");
    expect(chooseKeyMemory("auto", keyOf(23), 20 * GIB)).toBe("mapped");
    expect(chooseKeyMemory("auto", keyOf(23, false), 20 * GIB)).toBe("resident");
  });

  test("does what it is told", () => {
    expect(chooseKeyMemory("resident", keyOf(23), 1)).toBe("resident");
    expect(chooseKeyMemory("mapped", keyOf(4), 16 * GIB)).toBe("mapped");
  });
});

describe("memoryBytes", () => {
  test("is the control group's limit where there is one below the machine's memory", () => {
    expect(memoryBytes(2 * GIB, 8 * GIB)).toBe(2 * GIB);
    for (const none of [undefined, 0, 2 ** 63]) expect(memoryBytes(none, 8 * GIB)).toBe(8 * GIB);
  });

  test("stays the same where less of it is free", () => {
    expect(memoryBytes()).toBe(memoryBytes());
    expect(memoryBytes()).toBeGreaterThanOrEqual(process.availableMemory());
  });
});
