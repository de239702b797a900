/** Compares the verdicts of C++, WebAssembly and noble on a million random signatures. */
import { beforeAll, expect, it } from "vitest";
import { initPoseidon } from "../field/poseidon.ts";
import { loadNativeField } from "./native-field.ts";
import { judgeAlike } from "./testing/judge-alike.ts";

beforeAll(initPoseidon);

const COUNT = 1_000_000;

it("C++ and WebAssembly judge a million random signatures alike, and noble each 997th", {
  timeout: 3_600_000,
}, () => {
  const goodCount = judgeAlike(COUNT, 1, loadNativeField()!);
  expect(goodCount).toBeGreaterThan(COUNT / 10);
  expect(goodCount).toBeLessThan(COUNT / 2);
});
