import { anyText } from "@openledger/foundation/testing/any-text";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeTableRow, encodeTableRow, type TableField, tableText, typedValues } from "./table-rows.ts";

const FIELDS: TableField[] = [
  { name: "2024", type: "number" },
  { name: "city", type: "category" },
  { name: "10", type: "text" },
  { name: "__proto__", type: "boolean" },
];
const text = (row: Uint8Array) => new TextDecoder().decode(row);
const utf8 = (row: string) => new TextEncoder().encode(row);

describe("typedValues", () => {
  const fields = [
    { name: "age", type: "number" },
    { name: "city", type: "category" },
    { name: "member", type: "boolean" },
  ] as const;
  const typed = (texts: Record<string, string>) => typedValues(fields, new Map(Object.entries(texts)));

  it("reads what a person types, and an empty text as a missing value", () => {
    expect(typed({ age: " 4.5e1 ", city: "Oslo ", member: "false" })).toEqual([45, "Oslo", false]);
    expect(typed({ age: "-0", city: "" })).toEqual([0, null, null]);
  });

  it("refuses what is no number or truth value, and a name that is no field's, naming the field", () => {
    for (const [name, text] of [
      ["age", "12,5"],
      ["age", "0x10"],
      ["age", "1e999"],
      ["age", "007"],
      ["member", "yes"],
      ["ages", "1"],
    ] as const)
      expect(() => typed({ [name]: text }), text).toThrow(
        expect.objectContaining({ code: "ATT_ROW_INVALID", data: expect.objectContaining({ field: name }) }),
      );
  });
});

describe("a table's row", () => {
  it("has the fields in the card's order, whatever their names, and null for what is missing", () => {
    const row = encodeTableRow(FIELDS, [158.5, "Oslo", null, true]);
    expect(text(row)).toBe('{"2024":158.5,"city":"Oslo","10":null,"__proto__":true}');
    expect(decodeTableRow(FIELDS, row)).toEqual([158.5, "Oslo", null, true]);
  });

  it("is read back as it was written", () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    const words = anyText;
    fc.assert(
      fc.property(
        fc.tuple(fc.option(number), fc.option(words), fc.option(words), fc.option(fc.boolean())),
        (values) => {
          expect(decodeTableRow(FIELDS, encodeTableRow(FIELDS, values))).toEqual(values);
        },
      ),
    );
  });

  it.each([
    ['{"age":46,"city":"Oslo"} ', "a space"],
    ['{"city":"Oslo","age":46}', "another order"],
    ['{"age":46}', "a field less"],
    ['{"age":46,"city":"Oslo","spend":1}', "a field more"],
    ['{"age":"46","city":"Oslo"}', "a text for a number"],
    ['{"age":46,"city":7}', "a number for a category"],
    ['{"age":4.60,"city":"Oslo"}', "another spelling"],
    ['{"age":-0,"city":"Oslo"}', "a number that JSON writes otherwise"],
    ['{"age":1e400,"city":"Oslo"}', "no finite number"],
    ['{"age":46,"age":46,"city":"Oslo"}', "a name twice"],
    ['{"age":46,"city":"\\ud800"}', "half of a surrogate pair"],
    ["[46]", "a list"],
    ["null", "nothing"],
    ["{", "no JSON"],
  ])("is not %s: %s", (row) => {
    const fields: TableField[] = [
      { name: "age", type: "number" },
      { name: "city", type: "category" },
    ];
    expect(() => decodeTableRow(fields, utf8(row))).toThrow(
      expect.objectContaining({ code: "ATT_ROW_INVALID" }),
    );
  });

  it("is a line a field to those who search and compare, without what is missing", () => {
    expect(tableText(FIELDS, [0, "Oslo", null, false])).toBe("2024: 0\ncity: Oslo\n__proto__: false");
  });
});
