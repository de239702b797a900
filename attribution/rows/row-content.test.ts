import { describe, expect, it } from "vitest";
import { MAX_PICTURE_BYTES } from "../pictures/picture-limits.ts";
import { sampleInputs } from "../testing/sample-rows.ts";
import { contentOf, inputOf, MAX_ROW_BYTES } from "./row-content.ts";

const invalid = (why: string) =>
  expect.objectContaining({
    code: "ATT_ROW_INVALID",
    data: expect.objectContaining({ why: expect.stringContaining(why) }),
  });

describe("inputs of rows", () => {
  it("come back as they were written", () => {
    for (const kind of ["text", "image"] as const)
      for (const { input } of sampleInputs(kind, 30, "back"))
        expect(inputOf(kind, contentOf(kind, input))).toBe(input);
  });

  it("are texts with words, or are refused", () => {
    expect(inputOf("text", Buffer.from(' {"label":"spam"}\n'))).toBe(' {"label":"spam"}\n');
    for (const [content, why] of [
      [Buffer.from(" \n"), "empty"],
      [Buffer.from([0xff, 0x41]), "no UTF-8"],
      [Buffer.alloc(MAX_ROW_BYTES + 1, 65), "65537 bytes"],
    ] as const)
      expect(() => inputOf("text", content), why).toThrow(invalid(why));
    expect(() => contentOf("text", "\ud800")).toThrow(invalid("surrogate"));
    expect(() => contentOf("text", "é".repeat(MAX_ROW_BYTES / 2 + 1))).toThrow(invalid("bytes"));
  });

  it("are pictures' files in base64, of one spelling and bounded before they are decoded", () => {
    for (const input of ["AAA", "AB==", "A A="])
      expect(() => contentOf("image", input)).toThrow(invalid("base64"));
    expect(() => contentOf("image", "A".repeat(5_000_000))).toThrow(invalid("bytes"));
    expect(() => inputOf("image", new Uint8Array(MAX_PICTURE_BYTES + 1))).toThrow(invalid("bytes"));
    const largest = new Uint8Array(MAX_PICTURE_BYTES).fill(7);
    // By its bytes: toEqual compares a million elements one by one.
    expect(Buffer.compare(contentOf("image", inputOf("image", largest)), largest)).toBe(0);
  });
});
