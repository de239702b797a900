import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { expect, test } from "vitest";
import { uploadedRows } from "./uploaded-rows.ts";

test("uploaded lines are rows, or refused by their line", async () => {
  const exported = '\ufeff{"text":"a","id":1}\r\n\r\n{"text":null,"prompt":"a","answer":"b"}\r\n';
  expect(await uploadedRows(exported)).toEqual([
    encodeTextRow({ text: "a" }),
    encodeTextRow({ prompt: "a", answer: "b" }),
  ]);
  for (const wrong of ["no JSON", "null", "7", '{"text":"b","text":"c"}', '{"text":""}', '{"prompt":"b"}'])
    await expect(uploadedRows(`{"text":"a"}\n\n${wrong}`), wrong).rejects.toThrow(
      expect.objectContaining({ code: "SRV_BAD_REQUEST", data: expect.objectContaining({ line: 3 }) }),
    );
  for (const wrong of ["\n \n", '{"text":"\ud800"}'])
    await expect(uploadedRows(wrong)).rejects.toThrow(expect.objectContaining({ code: "SRV_BAD_REQUEST" }));
});
