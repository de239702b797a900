/** Tests of the newer API's requests and answers: tools, their calls and results, and fields that are refused by name. */
import type { ServerResponse } from "node:http";
import { servingError } from "@openledger/models/model-errors";
import { EventStream } from "@openledger/models/serving/openai/event-stream";
import { expect, it } from "vitest";
import type { PaidAnswer } from "../asking/asker.ts";
import { newHead, ResponseEvents, wholeResponse } from "./responses-answer.ts";
import { chatOf, inFieldsOf, parseResponses } from "./responses-request.ts";

const tools = [{ type: "function", name: "find", description: "finds", parameters: { type: "object" } }];
const chat = (fields: object) => chatOf(parseResponses({ model: "model-1", input: "hello", ...fields }));

it("makes a chat of instructions, messages, calls of tools and their results", () => {
  const input = [
    { role: "user", content: [{ type: "input_text", text: "where?" }] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "I look." }], id: "msg_1" },
    { type: "function_call", call_id: "c1", name: "find", arguments: "{}", id: "fc_1", status: "completed" },
    { type: "function_call", call_id: "c2", name: "find", arguments: '{"a":1}' },
    { type: "function_call_output", call_id: "c1", output: "here" },
  ];
  const call = (id: string, written: string) => ({
    id,
    type: "function",
    function: { name: "find", arguments: written },
  });
  expect(chat({ input, instructions: "Be brief.", tools })).toEqual({
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "where?" },
      { role: "assistant", content: "I look.", tool_calls: [call("c1", "{}"), call("c2", '{"a":1}')] },
      { role: "tool", content: "here", tool_call_id: "c1", name: "find" },
    ],
    tools: [
      {
        type: "function",
        function: { name: "find", description: "finds", parameters: { type: "object" } },
      },
    ],
    fields: ["instructions", "input.0", "input.1", "input.4"],
  });
  expect(chat({ tools, tool_choice: "none" }).tools).toEqual([]);
});

it.each<[string, object]>([
  ["tools.0.strict", { tools: [{ ...tools[0], strict: true }] }],
  ["tools.0.type", { tools: [{ type: "web_search" }] }],
  ["tool_choice", { tools, tool_choice: "required" }],
  ["previous_response_id", { previous_response_id: "resp_1" }],
  ["input.0.type", { input: [{ type: "reasoning" }] }],
  ["colour", { colour: "red" }],
])("refuses %s by its name", (param, fields) => {
  expect(() => parseResponses({ model: "model-1", input: "hello", ...fields })).toThrow(
    expect.objectContaining({ code: "SRV_BAD_REQUEST", data: expect.objectContaining({ param }) }),
  );
});

it.each<[string, string, object]>([
  ["messages.0.content", "instructions", { instructions: "<s>" }],
  ["messages.0.content", "input", {}],
  [
    "messages.1.content",
    "input.1.content",
    {
      input: [
        { role: "user", content: "a" },
        { role: "user", content: "<s>" },
      ],
    },
  ],
  ["messages", "input", {}],
  ["tools", "tools", {}],
])("names a refused message %s as %s", (param, field, fields) => {
  const refuse = () => {
    throw servingError("SRV_BAD_REQUEST", `${param}: it has the mark <s>`, {
      data: { param, openaiCode: "x" },
    });
  };
  expect(() => inFieldsOf(chat(fields), refuse)).toThrow(
    expect.objectContaining({
      message: `${field}: it has the mark <s>`,
      data: expect.objectContaining({ param: field }),
    }),
  );
});

const paid = (changes: Partial<PaidAnswer>): PaidAnswer => ({
  text: "hello",
  toolCalls: [],
  finish: "stop",
  promptTokens: 3,
  answerTokens: 2,
  openledger: { receipt: "0x1" } as never,
  delivered: async () => {},
  left: () => {},
  ...changes,
});
const calls = [{ id: "c1", type: "function" as const, function: { name: "find", arguments: "{}" } }];

it("gives calls of tools as items of their own, whole and as events", () => {
  const head = newHead(parseResponses({ model: "model-1", input: "hello", tools }));
  const answer = paid({ text: "", toolCalls: calls, finish: "tool_calls" });
  expect(wholeResponse(head, answer)).toMatchObject({
    status: "completed",
    output: [{ type: "function_call", call_id: "c1", name: "find", arguments: "{}", status: "completed" }],
    openledger: { receipt: "0x1" },
  });
  const sent: { type: string; sequence_number: number; output_index?: number }[] = [];
  const response = {
    writeHead: () => {},
    writableLength: 0,
    write: (event: string) => sent.push(JSON.parse(event.slice("data: ".length))),
    end: () => {},
  };
  const events = new ResponseEvents(new EventStream(response as unknown as ServerResponse, 1_000), head);
  events.text("I look.");
  events.end(paid({ text: "I look.", toolCalls: calls, finish: "tool_calls" }));
  expect(sent.map(({ type }) => type.replace("response.", ""))).toEqual([
    "created",
    "in_progress",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "output_item.added",
    "function_call_arguments.delta",
    "function_call_arguments.done",
    "output_item.done",
    "completed",
  ]);
  expect(sent.map(({ sequence_number: number }) => number)).toEqual(sent.map((_, i) => i));
  expect(sent.at(-1)).toMatchObject({
    response: { output: [{ type: "message" }, { type: "function_call", call_id: "c1" }] },
  });
});
