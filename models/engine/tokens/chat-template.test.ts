/** Chat templates, rendered beside what Python's Jinja makes of them as transformers sets it (models/testing/chat-templates). */
import { readFileSync } from "node:fs";
import type { ChatMessage, ChatTool } from "@openledger/attribution/model/model-chat";
import { describe, expect, it } from "vitest";
import { ChatTemplate } from "./chat-template.ts";
import { parseTemplate, RenderLimitReached, renderTemplate } from "./jinja-reference.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../../testing/chat-templates/${name}`, import.meta.url), "utf8");

interface Chats {
  readonly date: string;
  readonly templates: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly chats: Readonly<Record<string, { messages: readonly ChatMessage[]; tools?: readonly ChatTool[] }>>;
}
interface Golden {
  readonly sha256: string;
  readonly texts: Readonly<Record<string, string | { refused?: string; failed?: string }>>;
}
const { chats, date, templates } = JSON.parse(fixture("chats.json")) as Chats;
const golden = JSON.parse(fixture("golden.json")) as Readonly<Record<string, Golden>>;

const templateOf = (source: string, marks: readonly string[] = [], names = {}) =>
  new ChatTemplate({ source, names, marks });
const user = (content: string): ChatMessage => ({ role: "user", content });
const refusal = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error as { code: string; data: { param?: string; reason: string } };
  }
  throw new Error("it is not refused");
};

describe.each(Object.entries(golden))("the template %s", (name, { sha256, texts }) => {
  const template = templateOf(fixture(`${name}.jinja`), [], templates[name]);

  const hasTools = fixture(`${name}.jinja`).includes("tools");
  const rendered = Object.entries(texts).filter(([chat]) => hasTools || chats[chat]!.tools === undefined);

  it.each(rendered)("gives the reference's text: %s", (chat, expected) => {
    if (typeof expected === "string") {
      expect(template.render(chats[chat]!, date)).toBe(expected);
      return;
    }
    const { code, data } = refusal(() => template.render(chats[chat]!, date));
    expect(code).toBe("MOD_CHAT_REFUSED");
    if (expected.refused !== undefined) expect(data.reason).toBe(expected.refused);
  });

  if (!hasTools) {
    it("has no place for tools, which the reference leaves out without a word", () => {
      for (const chat of ["tools", "a tool's result"]) {
        const { code, data } = refusal(() => template.render(chats[chat]!, date));
        expect([code, data.param]).toEqual(["MOD_CHAT_REFUSED", "tools"]);
      }
    });
  }

  it("is known by its hash", () => {
    expect(template.sha256).toBe(sha256);
  });
});

describe("a chat", () => {
  const echo = "{% for message in messages %}{{ message.content }}{% endfor %}";
  const render = (messages: readonly ChatMessage[], tools?: readonly ChatTool[]) => () =>
    templateOf(echo, ["<|end|>", "<s>"]).render(
      { messages, ...(tools === undefined ? {} : { tools }) },
      date,
    );

  it("is refused by the field that does not fit", () => {
    const tool = (description: string): ChatTool => ({
      type: "function",
      function: { name: "x", description },
    });
    const call = (text: string) => ({
      role: "assistant" as const,
      content: null,
      tool_calls: [{ id: "1", type: "function" as const, function: { name: "x", arguments: text } }],
    });
    for (const [run, param] of [
      [render([]), "messages"],
      [render(Array(1_001).fill(user("x"))), "messages"],
      [render([user("a"), user("b<|end|>")]), "messages.1.content"],
      [render([user("\ud800")]), "messages.0.content"],
      [render([user("x".repeat(2 ** 21 + 1))]), "messages.0.content"],
      [render([user("x")], [tool("x")]), "tools"],
      [render([user("x"), call("{")]), "messages.1.tool_calls.0.function.arguments"],
      [render([user("x"), call("[]")]), "messages.1.tool_calls.0.function.arguments"],
      [render([user("x"), call('{"<s>":1}')]), "messages.1.tool_calls"],
      [render([user("x"), call('{"a":"\\u003cs>"}')]), "messages.1.tool_calls.0"],
      [render([user("x"), call('{"a":"\\ud800"}')]), "messages.1.tool_calls.0"],
      [render([user("x"), call(`{"a":${"[".repeat(40)}${"]".repeat(40)}}`)]), "messages.1.tool_calls.0"],
    ] as const) {
      const { code, data } = refusal(run);
      expect([code, data.param]).toEqual(["MOD_CHAT_REFUSED", param]);
    }
    const ofTools = templateOf("{{ tools | tojson }}", ["<s>"]);
    expect(
      refusal(() => ofTools.render({ messages: [user("x")], tools: [tool("<s>")] }, date)).data.param,
    ).toBe("tools.0");
  });

  it("has the date that is given, and no clock", () => {
    const template = templateOf('{{ strftime_now("%d %b %Y") }}');
    expect(template.render({ messages: [user("x")] }, "2024-02-05")).toBe("05 Feb 2024");
    expect(template.render({ messages: [user("x")] }, date)).toBe("29 Nov 2026");
    const odd = refusal(() => templateOf('{{ strftime_now("%s") }}').render({ messages: [user("x")] }, date));
    expect(odd.data.reason).toContain("%s");
  });
});

describe("a template's own marks", () => {
  const marks = [
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<end_of_turn>",
    "</s>",
    "<s>",
    "<|start_header_id|>",
  ];
  const ofName = (name: string) => templateOf(fixture(`${name}.jinja`), marks, templates[name]);

  it("end an answer", () => {
    const ends = Object.keys(golden).map((name) => [name, ofName(name).endMark]);
    expect(Object.fromEntries(ends)).toEqual({
      smollm2: "<|im_end|>",
      qwen2_5: "<|im_end|>",
      qwen3: "<|im_end|>",
      llama3_2: "<|eot_id|>",
      gemma: "<end_of_turn>",
      mistral: "</s>",
      calls: "</s>",
      values: null,
    });
  });

  it.each(["smollm2", "qwen2_5", "qwen3", "llama3_2", "gemma", "mistral", "calls"])(
    "stand around the last question: %s",
    (name) => {
      const template = ofName(name);
      const { after, before } = template.questionMarks!;
      for (const messages of [chats.question!.messages, chats["two turns"]!.messages]) {
        const text = template.render({ messages }, date);
        expect(text.endsWith(after)).toBe(true);
        const question = text.slice(text.lastIndexOf(before) + before.length, -after.length);
        expect(question).toBe(messages.at(-1)!.content!.trim());
      }
      expect(template.hasDate).toBe(name === "llama3_2");
    },
  );

  it("stand around question and system message together where a template writes them into one turn", () => {
    const joined =
      "{% if messages[0].role == 'system' %}{% set said = messages[0].content + '; ' %}{% endif %}" +
      "{% for m in messages %}{% if m.role == 'user' %}[I]{% if loop.last %}{{ said }}{% endif %}{{ m.content }}[/I]" +
      "{% elif m.role == 'assistant' %}{{ m.content }}</s>{% endif %}{% endfor %}";
    expect(templateOf(joined, marks).questionMarks).toEqual({ before: "[I]", after: "[/I]" });
    expect(templateOf("{{ messages[-1].content }}", marks).questionMarks).toBeNull();
  });
});

describe("a template of a stranger", () => {
  it("ends at its bounds of steps, entries and characters", () => {
    const grow = (value: string, step: string) =>
      `{% set ns = namespace(x=${value}) %}{% for i in range(6) %}{% set ns.x = ns.x ${step} ns.x %}{% endfor %}`;
    const loop = (depth: number) =>
      "{% for i in range(9) %}".repeat(depth) + "x" + "{% endfor %}".repeat(depth);
    const render = (source: string) =>
      renderTemplate(parseTemplate(source), {}, { maxSteps: 200, maxLength: 40 });
    for (const source of [loop(1), "{% for i in range(40) %}x{% endfor %}", "{{ 'x' ~ 'x' }}"])
      expect(render(source), source).toMatch(/^x+$/);
    for (const source of [
      loop(3),
      "{% for i in range(41) %}x{% endfor %}",
      grow("'x'", "~"),
      grow("'x'", "+"),
      grow("[1]", "+"),
    ])
      expect(() => render(source), source).toThrow(RenderLimitReached);
    expect(
      refusal(() =>
        templateOf("{% for i in range(5000000) %}{% endfor %}").render({ messages: [user("x")] }, date),
      ).code,
    ).toBe("MOD_CHAT_REFUSED");
  });

  it("is refused where it is no Jinja, or too long", () => {
    for (const source of [
      "{% for %}",
      "{{",
      "{% if x %}",
      `{{ ${"(".repeat(50_000)}`,
      "x".repeat(2 ** 17 + 1),
    ])
      expect(refusal(() => templateOf(source)).code, source.slice(0, 20)).toBe("MOD_FILE_INVALID");
  });

  it("reaches nothing but what it is given", () => {
    for (const source of [
      "{{ messages.constructor }}",
      "{{ messages[0].__proto__ }}",
      "{{ ''.constructor }}",
      "{{ raise_exception.constructor }}",
      "{{ process }}{{ globalThis }}",
    ]) {
      let text = "";
      try {
        text = templateOf(source).render({ messages: [user("x")] }, date);
      } catch {
        // Refused.
      }
      expect(text, source).toBe("");
    }
  });
});
