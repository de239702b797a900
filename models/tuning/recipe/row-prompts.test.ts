import { expect, it } from "vitest";
import { excerptOf } from "./row-prompts.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

it("shows a table's row by its fields, a text by its beginning, and nothing of a picture", () => {
  expect(excerptOf(bytes('{"age":25,"city":"Oslo","spend":null}'), true)).toBe(
    "age: 25, city: Oslo, spend: null",
  );
  expect(excerptOf(bytes('{"age":25}'), false)).toBe('{"age":25}');
  expect(excerptOf(bytes("x".repeat(200)), false)).toBe(`${"x".repeat(160)}…`);
  expect(excerptOf(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff), false)).toBe("");
});
