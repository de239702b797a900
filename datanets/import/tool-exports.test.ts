/** Tests of labelling tools' exports and of chats: small files made by hand after the tools' documentation. */
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import { decisionText } from "./decision.ts";
import { readImport } from "./read-import.ts";

const card = sampleCard();
const passages = sampleCard({
  row: { kind: "passage", fields: [], maxBytes: 1_000 },
  labels: [],
  examples: [],
});
const texts = (rows: readonly Uint8Array[]) => rows.map((row) => new TextDecoder().decode(row));
const lines = (records: readonly object[]) => records.map((record) => JSON.stringify(record)).join("\n");

async function read(name: string, text: string, input = card) {
  const { decisions, labels, refused, rows, unused } = await readImport(input, [
    { name, content: new TextEncoder().encode(text) },
  ]);
  // An export has one reading.
  expect(decisions.filter(({ isOpen }) => isOpen)).toEqual([]);
  return {
    rows: texts(rows),
    labels,
    said: decisions.map(decisionText),
    unused,
    refused: refused.map(({ field, line }) => [line, field]),
  };
}

describe("Label Studio", () => {
  const choice = (label: string, more: object = {}) => ({
    id: 1001,
    completed_by: 1,
    result: [
      {
        id: "x1",
        type: "choices",
        from_name: "weather",
        to_name: "text",
        origin: "manual",
        value: { choices: [label] },
      },
    ],
    was_cancelled: false,
    ground_truth: false,
    lead_time: 4.288,
    ...more,
  });
  const task = (id: number, text: string, annotations: object[]) => ({
    id,
    data: { text, source: "paper" },
    annotations,
    predictions: [{ model_version: "m", result: choice("bad").result, score: 0.9 }],
    project: 83,
  });

  it("has the labels that people agree on, and no predictions", async () => {
    const json = JSON.stringify([
      task(1, "Sun", [choice("good"), choice("good", { id: 1002, completed_by: 2 })]),
      task(2, "Rain", [choice("good", { was_cancelled: true }), choice("bad")]),
      task(3, "Fog", []),
      task(4, "Hail", [choice("good"), choice("bad")]),
      task(5, "Wind", [choice("good"), choice("bad", { ground_truth: true })]),
    ]);
    expect(await read("export.json", json)).toEqual({
      rows: ["Sun", "Rain", "Fog", "Wind"],
      labels: ["good", "bad", null, "bad"],
      said: ['"Label Studio" in 5 records, export.json: an export of Label Studio'],
      unused: ["source"],
      refused: [[4, "weather"]],
    });
  });

  it("may call a control as a field of the data, and has labels of parts, which are none of a row", async () => {
    const named = JSON.stringify([
      {
        id: 1,
        data: { text: "Sun" },
        annotations: [{ result: [{ type: "choices", from_name: "text", value: { choices: ["good"] } }] }],
      },
    ]);
    expect(await read("a.json", named)).toMatchObject({ rows: ["Sun"], labels: ["good"] });
    const spans = JSON.stringify([
      {
        id: 1,
        data: { text: "Sun" },
        annotations: [
          { result: [{ type: "labels", from_name: "ner", value: { start: 0, end: 3, labels: ["good"] } }] },
        ],
      },
    ]);
    expect(await read("a.json", spans)).toMatchObject({ rows: ["Sun"], labels: [null], unused: ["ner"] });
  });

  it("in its flat form has a record for each annotation, which are one row if people agree", async () => {
    const flat = (id: number, annotation: number, text: string, weather: unknown) => ({
      id,
      text,
      weather,
      annotator: annotation,
      annotation_id: annotation,
      created_at: "2024-05-01T00:00:00Z",
      updated_at: "2024-05-01T00:00:00Z",
      lead_time: 2.5,
    });
    const json = JSON.stringify([
      flat(1, 1, "Sun", "good"),
      flat(1, 2, "Sun", "good"),
      flat(2, 3, "Rain", { choices: ["bad"] }),
      flat(3, 4, "Hail", "good"),
      flat(3, 5, "Hail", "bad"),
    ]);
    expect(await read("min.json", json)).toMatchObject({
      rows: ["Sun", "Rain"],
      labels: ["good", "bad"],
      refused: [[4, "weather"]],
    });
  });
});

describe("Argilla", () => {
  it("has fields, metadata and what was submitted", async () => {
    const record = (text: string, responses: object) => ({
      id: text,
      fields: { text },
      metadata: { source: "paper" },
      suggestions: { weather: { value: "bad", score: 0.9, agent: "m" } },
      responses,
      vectors: {},
      status: "completed",
      _server_id: "s",
    });
    const json = JSON.stringify([
      record("Sun", { weather: [{ value: "good", user_id: "u1" }] }),
      record("Rain", {
        weather: [
          { value: "bad", user_id: "u1" },
          { value: "bad", user_id: "u2" },
        ],
      }),
      record("Fog", {}),
      record("Hail", {
        weather: [
          { value: "bad", user_id: "u1" },
          { value: "good", user_id: "u2" },
        ],
      }),
    ]);
    expect(await read("records.json", json)).toMatchObject({
      rows: ["Sun", "Rain", "Fog"],
      labels: ["good", "bad", null],
      unused: ["metadata.source"],
      refused: [[4, "weather"]],
    });
  });

  it("has parallel lists in its flat form, with drafts among them", async () => {
    const record = (text: string, values: string[] | null, status: string[] | null) => ({
      id: text,
      status: "completed",
      _server_id: "s",
      text,
      "weather.responses": values,
      "weather.responses.users": values?.map((_, i) => `u${i}`) ?? null,
      "weather.responses.status": status,
      "weather.suggestion": "bad",
      "weather.suggestion.score": null,
      "weather.suggestion.agent": null,
    });
    const json = lines([
      record("Sun", ["good", "bad"], ["submitted", "draft"]),
      record("Rain", ["bad"], ["submitted"]),
      record("Fog", null, null),
    ]);
    expect(await read("records.jsonl", json)).toMatchObject({
      rows: ["Sun", "Rain", "Fog"],
      labels: ["good", "bad", null],
      unused: [],
    });
  });
});

describe("doccano", () => {
  it("has lists of labels, of which a row takes one, and spans, which are none", async () => {
    const json = lines([
      { id: 1, text: "Sun", label: ["good"], Comments: [] },
      { id: 2, text: "Rain", label: ["bad"], Comments: ["wet"] },
      { id: 3, text: "Fog", label: [], Comments: [] },
      { id: 4, text: "Hail", label: ["bad", "good"], Comments: [] },
      { id: 5, text: "Wind", label: [[0, 4, "good"]], Comments: [] },
    ]);
    expect(await read("all.jsonl", json)).toMatchObject({
      rows: ["Sun", "Rain", "Fog"],
      labels: ["good", "bad", null],
      unused: ["id"],
      refused: [
        [5, "label"],
        [4, "label"],
      ],
    });
  });
});

describe("Prodigy", () => {
  const common = (text: string, hash: number, answer: string) => ({
    text,
    meta: { source: "paper" },
    _input_hash: hash,
    _task_hash: hash * 7,
    _view_id: "choice",
    answer,
    _timestamp: 1_714_521_600,
    _annotator_id: "db-ana",
  });
  it("has choices, yes and no to one label, and several people's answers", async () => {
    const options = ["good", "bad"].map((id) => ({ id, text: id }));
    const json = lines([
      { ...common("Sun", 1, "accept"), options, accept: ["good"] },
      { ...common("Sun", 1, "accept"), options, accept: ["good"], _annotator_id: "db-ben" },
      { ...common("Rain", 2, "accept"), label: "bad" },
      { ...common("Fog", 3, "reject"), label: "bad" },
      { ...common("Dew", 4, "ignore"), options, accept: ["good"] },
      { ...common("Hail", 5, "accept"), options, accept: ["good"] },
      { ...common("Hail", 5, "accept"), options, accept: ["bad"] },
      { ...common("Wind", 6, "accept"), spans: [{ start: 0, end: 4, label: "good" }] },
    ]);
    expect(await read("db-out.jsonl", json)).toMatchObject({
      rows: ["Sun", "Rain", "Fog", "Dew"],
      labels: ["good", "bad", null, null],
      unused: ["meta.source"],
      refused: [
        [6, "label"],
        [8, "spans"],
      ],
    });
  });
});

describe("chats", () => {
  it("of a question and an answer are passages, in the forms of OpenAI, ShareGPT and Alpaca", async () => {
    const row = '{"prompt":"Sun?","answer":"All day."}';
    const openAi = lines([
      {
        messages: [
          { role: "user", content: "Sun?" },
          { role: "assistant", content: [{ type: "text", text: "All day." }] },
        ],
      },
      {
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Sun?" },
          { role: "assistant", content: "All day." },
        ],
      },
    ]);
    expect((await read("chat.jsonl", openAi, passages)).rows).toEqual([
      row,
      '{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Sun?"},{"role":"assistant","content":"All day."}]}',
    ]);
    const shareGpt = JSON.stringify([
      {
        id: "a",
        conversations: [
          { from: "human", value: "Sun?" },
          { from: "gpt", value: "All day." },
        ],
      },
    ]);
    expect(await read("share.json", shareGpt, passages)).toMatchObject({ rows: [row], unused: ["id"] });
    const alpaca = JSON.stringify([
      { instruction: "Sun?", input: "", output: "All day." },
      { instruction: "Translate.", input: "Sonne", output: "Sun" },
    ]);
    expect((await read("alpaca.json", alpaca, passages)).rows).toEqual([
      row,
      '{"prompt":"Translate.\\n\\nSonne","answer":"Sun"}',
    ]);
  });

  it("beside which a prompt is repeated are taken by their messages, and prompts without the texts beside them", async () => {
    const messages = [
      { content: "Be brief.", role: "system" },
      { content: "Sun?", role: "user" },
      { content: "All day.", role: "assistant" },
    ];
    const ultra = JSON.stringify([{ prompt: "Sun?", prompt_id: "a", talk: messages }]);
    expect(await read("ultra.json", ultra, passages)).toMatchObject({
      rows: [JSON.stringify({ messages: messages.map(({ content, role }) => ({ role, content })) })],
      unused: ["prompt", "prompt_id"],
    });
    const pairs = JSON.stringify([
      { question: "Sun?", answer: "All day.", content: "A page about the sun." },
    ]);
    expect(await read("pairs.json", pairs, passages)).toMatchObject({
      rows: ['{"prompt":"Sun?","answer":"All day."}'],
      unused: ["content"],
    });
  });

  it("of more turns are messages; without an answer, with tools, names or pictures they are refused by line", async () => {
    const user = { role: "user", content: "Sun?" };
    const assistant = { role: "assistant", content: "All day." };
    const json = lines([
      { messages: [user, assistant, user, assistant] },
      { messages: [user] },
      { messages: [user, { ...assistant, weight: 0 }] },
      { messages: [{ ...user, content: [{ type: "image_url", image_url: { url: "x" } }] }, assistant] },
      { messages: [user, assistant] },
    ]);
    expect(await read("chat.jsonl", json, passages)).toMatchObject({
      rows: [
        JSON.stringify({ messages: [user, assistant, user, assistant] }),
        '{"prompt":"Sun?","answer":"All day."}',
      ],
      refused: [
        [2, null],
        [3, "messages"],
        [4, "messages"],
      ],
    });
  });
});
