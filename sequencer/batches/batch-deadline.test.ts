import { describe, expect, it } from "vitest";
import { BatchDeadline } from "./batch-deadline.ts";

describe("BatchDeadline", () => {
  it("counts from the first operation", () => {
    const deadline = new BatchDeadline(1_000);
    expect(deadline.remainingMs(0)).toBeNull();
    expect(deadline.isDue(10_000_000)).toBe(false);
    deadline.noteOperation(500);
    deadline.noteOperation(900);
    expect(deadline.remainingMs(600)).toBe(900);
    expect(deadline.isDue(1_499)).toBe(false);
    expect(deadline.isDue(1_500)).toBe(true);
    deadline.clear();
    expect(deadline.isDue(1_500)).toBe(false);
  });

  it("is never further away than the interval, even if the clock was set back", () => {
    const deadline = new BatchDeadline(1_000);
    deadline.noteOperation(1_000_000);
    expect(deadline.remainingMs(0)).toBe(1_000);
  });
});
