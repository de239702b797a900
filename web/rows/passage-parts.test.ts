import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { expect, it } from "vitest";
import { passageParts } from "./passage-parts.ts";

it("names the parts of prompts with answers and of conversations, and of nothing else", () => {
  expect(passageParts(encodeTextRow({ prompt: "Why?\nSay.", answer: "So." }))).toEqual([
    { name: "prompt", text: "Why?\nSay." },
    { name: "answer", text: "So." },
  ]);
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Fog?" },
    { role: "assistant", content: "No." },
  ] as const;
  expect(passageParts(encodeTextRow({ messages }))?.map(({ name }) => name)).toEqual([
    "system",
    "user",
    "assistant",
  ]);
  expect(passageParts(encodeTextRow({ text: "Rain\nand fog" }))).toBeNull();
  expect(passageParts(new TextEncoder().encode("{"))).toBeNull();
});
