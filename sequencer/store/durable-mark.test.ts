import { describe, expect, it } from "vitest";
import { freshFolder } from "../testing/fresh-rollup.ts";
import { DurableMark } from "./durable-mark.ts";

describe("DurableMark", () => {
  it("is null before the first entry, and again where no entry is left", () => {
    const folder = freshFolder();
    const mark = new DurableMark(folder);
    expect(mark.read()).toBeNull();
    mark.lower(-1);
    expect(mark.read()).toBeNull();
    mark.write(7);
    mark.lower(3);
    expect(mark.read()).toBe(3);
    mark.lower(-1);
    expect(new DurableMark(folder).read()).toBeNull();
    mark.write(0);
    expect(mark.read()).toBe(0);
    mark.close();
  });
});
