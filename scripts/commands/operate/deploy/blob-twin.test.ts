import { sizesOfName } from "@openledger/circuits/registry/circuit-sizes";
import { describe, expect, it } from "vitest";
import { lacksBlobTwin } from "./blob-twin.ts";

const circuits = (...names: string[]) => names.map(sizesOfName);
/** Full of transfers and payments, these cost 112,000 gas in calldata, and 80,192 in a blob at the floor. */
const LARGE = "table-140-120-8-200-8-2-4";

describe("lacksBlobTwin", () => {
  it("misses the twin of a circuit whose full batches are cheaper in blobs", () => {
    expect(lacksBlobTwin(circuits(LARGE, "leaf-exit"))).toBe(true);
    expect(lacksBlobTwin(circuits(LARGE, "leaf-exit", `${LARGE}-blob`))).toBe(false);
  });

  it("misses none where calldata is always cheaper, where blobs are the only way, and where nothing batches", () => {
    expect(lacksBlobTwin(circuits("table-10-6-5-20-6-1-2", "leaf-exit"))).toBe(false);
    expect(lacksBlobTwin(circuits(`${LARGE}-blob`))).toBe(false);
    expect(lacksBlobTwin(circuits("leaf-exit"))).toBe(false);
  });
});
