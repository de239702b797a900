import { describe, expect, it } from "vitest";
import { exactNumber, Numeral, parseExactJson, parseStrictJson } from "./exact-json.ts";

describe("JSON that others write", () => {
  it("has no name twice, whatever escapes it is spelled with, and however deep", () => {
    for (const json of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '[{"b":[{"c":"x","c":"x"}]}]',
      '{"a" :1, "a"\n:2}',
    ])
      for (const read of [parseStrictJson, parseExactJson])
        expect(() => read(json), json).toThrow(SyntaxError);
    const fine = '{"a":{"a":"\\"a\\": }{"},"b":["a","a"],"c":"a"}';
    expect(parseStrictJson(fine)).toEqual(JSON.parse(fine));
    expect(parseExactJson(fine)).toEqual(JSON.parse(fine));
    expect(parseStrictJson('"a"')).toBe("a");
  });

  it("keeps all digits of a number", () => {
    const { n } = parseExactJson('{"n":9007199254740993}') as { n: Numeral };
    expect(n).toBeInstanceOf(Numeral);
    expect([String(n), n.toNumber()]).toEqual(["9007199254740993", null]);
    for (const [digits, number] of [
      ["9007199254740991", 9007199254740991],
      ["9007199254740992", null],
      ["9007199254740992.0", null],
      // As C's %.17g writes it.
      ["0.10000000000000001", 0.1],
      ["1e-400", null],
      ["-12.50", -12.5],
      ["0.1", 0.1],
      ["1e3", 1000],
      ["-0", null],
      ["-0.0", null],
      ["0.12345678901234567890", null],
      ["1e400", null],
      ["9007199254740993", null],
    ] as const)
      expect(exactNumber(digits), digits).toBe(number);
  });

  it("is refused where it is none, or nested too deeply", () => {
    for (const json of ["", "{", "01", "{'a':1}", "[".repeat(200_000) + "]".repeat(200_000)])
      expect(() => parseExactJson(json)).toThrow(SyntaxError);
  });
});
