import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { expect, test } from "vitest";
import { partsOf } from "./row-parts.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = sampleCard();
const passage = sampleCard({ row: { kind: "passage", fields: [], maxBytes: 1_000 } });

test("passages have parts, and a text that is an object of JSON is a text", () => {
  const turn = { prompt: "Fog?", answer: "No." };
  expect(partsOf(passage, encodeTextRow(turn))).toEqual(turn);
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Fog?" },
    { role: "assistant", content: "No." },
  ] as const;
  expect(partsOf(passage, encodeTextRow({ messages }))).toEqual({
    messages: "system: Be brief.\nuser: Fog?\nassistant: No.",
  });
  expect(partsOf(passage, utf8('{"label":"7"}'))).toEqual({ text: '{"label":"7"}' });
  expect(partsOf(text, encodeTextRow(turn))).toEqual({ text: JSON.stringify(turn) });
  expect(partsOf(text, utf8("x".repeat(1_000)))).toEqual({ text: `${"x".repeat(240)} …` });
});
