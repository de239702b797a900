import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageText } from "../../serving/openai/message-text.ts";
import { answerMessage } from "./tool-calls.ts";

const tools = [{ type: "function" as const, function: { name: "weather" } }];
const call = { name: "weather", arguments: '{"place":"Zürich"}' };
const json = '{"name": "weather", "arguments": {"place": "Zürich"}}';

describe("calls of tools", () => {
  it("are read in the forms of Qwen and Hermes, Llama and Mistral", () => {
    for (const [text, content, count] of [
      [`<tool_call>\n${json}\n</tool_call>`, null, 1],
      [`I look.\n<tool_call>\n${json}\n</tool_call>\n<tool_call>\n${json}\n</tool_call>`, "I look.", 2],
      [`<tool_call>\n${json}`, null, 1],
      [json.replace("arguments", "parameters"), null, 1],
      [` [${json}, ${json}]`, null, 2],
    ] as const) {
      const message = answerMessage(text, tools);
      expect(message.content, text).toBe(content);
      expect(message.toolCalls.map((one) => one.function)).toEqual(Array(count).fill(call));
      expect(new Set(message.toolCalls.map(({ id }) => id)).size).toBe(count);
      for (const { id } of message.toolCalls) expect(id).toMatch(/^[0-9a-f]{9}$/);
    }
  });

  it("of no tool, or of another form, are text", () => {
    for (const text of [
      "Hello",
      "",
      "{",
      '{"name": "other", "arguments": {}}',
      "[1]",
      "[]",
      "null",
      '{"name": "weather", "arguments": [1]}',
      "<tool_call>x</tool_call>",
    ])
      expect(answerMessage(text, tools)).toEqual({ content: text, toolCalls: [] });
    expect(answerMessage(json, [])).toEqual({ content: json, toolCalls: [] });
  });
});

it("arguments that no JSON can be written of are text", () => {
  const depth = 50_000;
  const text = `{"name":"${tools[0]!.function.name}","arguments":{"a":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
  expect(answerMessage(text, tools)).toEqual({ content: text, toolCalls: [] });
});

describe("text that comes in parts", () => {
  it("is given as it is certain, and calls are never part of it", () => {
    const part = fc.constantFrom(
      "<",
      "tool",
      "_call",
      ">",
      "<tool_call>",
      json,
      "\n",
      "</tool_call>",
      "a",
      " {",
      "[",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        let input = "";
        const text = new MessageText(tools, (more) => {
          input += more;
        });
        for (const more of parts) {
          text.give(more, []);
          expect(parts.join("").startsWith(input)).toBe(true);
        }
        const calls = text.end();
        const whole = answerMessage(parts.join(""), tools);
        expect(calls).toEqual(whole.toolCalls);
        if (calls.length === 0) expect(input).toBe(parts.join(""));
        else expect(input.trim()).toBe(whole.content ?? "");
      }),
      { numRuns: 200 },
    );
  });
});
