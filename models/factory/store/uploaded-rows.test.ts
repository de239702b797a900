import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { expect, test } from "vitest";
import { uploadedRows } from "./uploaded-rows.ts";

test("uploaded lines are rows, or refused by their line", () => {
  const exported = '\ufeff{"text":"a","id":1}\r\n\r\n{"text":null,"prompt":"a","answer":"b"}\r\n';
  expect(uploadedRows(exported)).toEqual([
    encodeTextRow({ text: "a" }),
    encodeTextRow({ prompt: "a", answer: "b" }),
  ]);
  for (const wrong of ["no JSON", "null", "7", '{"text":"b","text":"c"}', '{"text":""}', '{"prompt":"b"}'])
    expect(() => uploadedRows(`{"text":"a"}\n\n${wrong}`), wrong).toThrow(
      expect.objectContaining({ code: "SRV_BAD_REQUEST", data: expect.objectContaining({ line: 3 }) }),
    );
  expect(() => uploadedRows("\n \n")).toThrow(expect.objectContaining({ code: "SRV_BAD_REQUEST" }));
});
