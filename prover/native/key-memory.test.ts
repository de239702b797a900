import { describe, expect, test } from "vitest";
import { chooseKeyMemory, residentPointBytes } from "./key-memory.ts";

const GIB = 2 ** 30;
const keyOf = (power: number) => ({ wireCount: 2 ** power, domainSize: 2 ** power });

describe("chooseKeyMemory", () => {
  test("counts each point twice, with its image", () => {
    expect(residentPointBytes({ wireCount: 1, domainSize: 0 })).toBe(640);
    expect(residentPointBytes({ wireCount: 0, domainSize: 1 })).toBe(128);
  });

  test("keeps a key in memory that takes a quarter of it at most", () => {
    expect(residentPointBytes(keyOf(20))).toBe(0.75 * GIB);
    expect(chooseKeyMemory("auto", keyOf(20), 3 * GIB)).toBe("resident");
    expect(chooseKeyMemory("auto", keyOf(20), 3 * GIB - 1)).toBe("mapped");
    expect(chooseKeyMemory("auto", keyOf(23), 16 * GIB)).toBe("mapped");
  });

  test("does what it is told", () => {
    expect(chooseKeyMemory("resident", keyOf(23), 1)).toBe("resident");
    expect(chooseKeyMemory("mapped", keyOf(4), 16 * GIB)).toBe("mapped");
  });
});
