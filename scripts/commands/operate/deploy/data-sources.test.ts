import { sizesOfName, withTwin } from "@openledger/circuits/registry/circuit-sizes";
import { describe, expect, it } from "vitest";
import { dataSourcesOf } from "./data-sources.ts";

const sourcesOf = (...names: string[]) => dataSourcesOf(names.map(sizesOfName));
/** Full of transfers and payments, these cost 112,000 gas in calldata, and 80,192 in a blob at the floor. */
const LARGE = "table-140-120-8-200-8-2-4";
const SMALL = "table-10-6-5-20-6-1-2";

describe("dataSourcesOf", () => {
  it("says that both places are open where the first circuit has its twin, in either order", () => {
    for (const first of [LARGE, SMALL, `${LARGE}-blob`])
      expect(sourcesOf(...withTwin([first, "leaf-exit"]))).toEqual({
        text: expect.stringContaining("calldata or a blob"),
        loss: null,
      });
  });

  it("says what is lost without the twin: money, or the choice", () => {
    expect(sourcesOf(LARGE, "leaf-exit")).toMatchObject({
      text: "calldata alone",
      loss: expect.stringContaining("full ones are cheaper in a blob"),
    });
    expect(sourcesOf(SMALL, "leaf-exit")?.loss).toContain("a blob stays closed to them");
    expect(sourcesOf(`${SMALL}-blob`, "table-1-1-3-2-1-1-1")).toMatchObject({
      text: "blobs alone",
      loss: expect.stringContaining("full ones are cheaper in calldata"),
    });
  });

  it("says nothing where the first circuit proves no batches", () => {
    expect(sourcesOf("leaf-exit", LARGE)).toBeNull();
  });
});
