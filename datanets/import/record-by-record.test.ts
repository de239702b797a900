/** Files whose records differ: each is read as what it is, odd ones are refused by line, and where turns are ambiguous a person is asked. */
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import type { Choices } from "./decision.ts";
import { readImport } from "./read-import.ts";
import { readWithoutCard } from "./without-card.ts";

const passages = sampleCard({
  row: { kind: "passage", fields: [], maxBytes: 5_000 },
  labels: [],
  examples: [],
});
const sorted = (...labels: readonly string[]) =>
  sampleCard({
    row: { kind: "text", fields: [], maxBytes: 2_000 },
    labels: labels.map((name) => ({ name, description: "" })),
    examples: [],
  });
const utf8 = (text: string) => new TextEncoder().encode(text);
const lines = (...records: readonly object[]) =>
  utf8(records.map((record) => JSON.stringify(record)).join("\n"));
/** Parquet file of records, with lists and objects as JSON that the reader of the library gives back as such. */
const parquet = (columns: Readonly<Record<string, readonly unknown[]>>, isJson: readonly string[] = []) =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: Object.entries(columns).map(([name, data]) => ({
        name,
        data: [...data],
        type: isJson.includes(name) ? ("JSON" as const) : ("STRING" as const),
      })),
    }),
  );

async function read(
  card: Parameters<typeof readImport>[0],
  name: string,
  content: Uint8Array,
  choices: Choices = {},
) {
  const found = await readImport(card, [{ name, content }], {}, { choices });
  return {
    rows: found.rows.map((row) => new TextDecoder().decode(row)),
    labels: found.labels,
    refused: found.refused.map(({ line, why }) => [line, why]),
    unused: found.unused,
    open: found.decisions.flatMap(({ column, isOpen, kind }) => (isOpen ? [[kind, column]] : [])),
    said: found.decisions.flatMap(({ cells, column, isOpen, kind, taken }) =>
      isOpen ? [] : [[kind, column, cells, taken.name]],
    ),
  };
}
type Read = Awaited<ReturnType<typeof read>>;
const pair = (prompt: string, answer: string) => new TextDecoder().decode(encodeTextRow({ prompt, answer }));
const talk = (...turns: readonly (readonly ["system" | "user" | "assistant", string])[]) =>
  new TextDecoder().decode(encodeTextRow({ messages: turns.map(([role, content]) => ({ role, content })) }));

describe("instructions", () => {
  const expected = [pair("Add\n\n1 and 2", "3"), pair("Name a river.", "Akerselva.")];

  it("keep their input from lines, CSV and Parquet, where some have none", async () => {
    for (const second of [
      { instruction: "Name a river.", output: "Akerselva." },
      { instruction: "Name a river.", input: null, output: "Akerselva." },
      { instruction: "Name a river.", input: "", output: "Akerselva." },
      {
        messages: [
          { role: "user", content: "Name a river." },
          { role: "assistant", content: "Akerselva." },
        ],
      },
    ]) {
      const found = await read(
        passages,
        "a.jsonl",
        lines({ instruction: "Add", input: "1 and 2", output: "3" }, second),
      );
      expect([found.rows, found.refused, found.open, found.unused], JSON.stringify(second)).toEqual([
        expected,
        [],
        [],
        [],
      ]);
      expect(found.said).toEqual([["conversation-turns", "input", 1, "in-prompt"]]);
    }
    const csv = "instruction,input,output\nAdd,1 and 2,3\nName a river.,,Akerselva.\n";
    expect((await read(passages, "a.csv", utf8(csv))).rows).toEqual(expected);
    expect(
      (
        await read(
          passages,
          "a.tsv",
          utf8("Instruction\tInput\tOutput\nAdd\t1 and 2\t3\nName a river.\t\tAkerselva."),
        )
      ).rows,
    ).toEqual(expected);
    const file = parquet({
      instruction: ["Add", "Name a river."],
      input: ["1 and 2", null],
      output: ["3", "Akerselva."],
    });
    expect((await read(passages, "a.parquet", file)).rows).toEqual(expected);
    const both = await readImport(passages, [
      { name: "a.csv", content: utf8(csv) },
      { name: "b.jsonl", content: lines({ instruction: "Add", input: "2 and 2", output: "4" }) },
    ]);
    expect([both.rows.length, both.refused]).toEqual([3, []]);
  });

  it("are numbers too, and a record that is none is refused by itself", async () => {
    const found = await read(
      passages,
      "a.jsonl",
      lines(
        { instruction: "Square", input: 7, output: 49 },
        { instruction: "List", input: "two rivers", output: ["a", "b"] },
        { instruction: "", input: "Sum: 1, 2", output: "3" },
      ),
    );
    expect(found.rows).toEqual([pair("Square\n\n7", "49"), pair("Sum: 1, 2", "3")]);
    expect(found.refused).toEqual([[2, '"answer" is no text']]);
  });

  it("are Dolly's with a context, Alpaca's with a text that repeats them, and those with a system message", async () => {
    const dolly = await read(
      passages,
      "a.jsonl",
      lines(
        {
          instruction: "Who founded it?",
          context: "Ana founded the club.",
          response: "Ana.",
          category: "qa",
        },
        { instruction: "Name a tree.", context: "", response: "Oak.", category: "open" },
      ),
    );
    expect(dolly).toMatchObject({
      rows: [pair("Who founded it?\n\nAna founded the club.", "Ana."), pair("Name a tree.", "Oak.")],
      unused: ["category"],
      open: [],
    });
    const four = await read(
      passages,
      "a.csv",
      utf8(
        "instruction,input,output,text\nAdd,1 and 2,3,### Instruction: Add ### Input: 1 and 2 ### Response: 3\n",
      ),
    );
    expect([four.rows, four.refused]).toEqual([[pair("Add\n\n1 and 2", "3")], []]);
    expect(four.said).toContainEqual(["columns-left-out", "text", 1, "left-out"]);
    const orca = await read(
      passages,
      "a.csv",
      utf8("system_prompt,question,response\nBe brief.,Sun?,Yes.\n,Rain?,No.\n"),
    );
    expect([orca.rows, orca.open]).toEqual([
      [talk(["system", "Be brief."], ["user", "Sun?"], ["assistant", "Yes."]), pair("Rain?", "No.")],
      [],
    ]);
    const left = await read(
      passages,
      "a.csv",
      utf8("system_prompt,question,response\nBe brief.,Sun?,Yes.\n"),
      {
        "conversation-turns:system_prompt": "left-out",
      },
    );
    expect([left.rows, left.unused]).toEqual([[pair("Sun?", "Yes.")], ["system_prompt"]]);
  });

  it("ask of a context beside a question: a prompt may have it, or not", async () => {
    const content = utf8("question,context,answer\nWho chairs?,Minutes of May.,Ana.\n");
    const found = await read(passages, "a.csv", content);
    expect(found.open).toEqual([["conversation-turns", "context"]]);
    const without = await read(passages, "a.csv", content, { "conversation-turns": "left-out" });
    expect([without.rows, without.open, without.unused]).toEqual([
      [pair("Who chairs?", "Ana.")],
      [],
      ["context"],
    ]);
    const within = await read(passages, "a.csv", content, { "conversation-turns:context": "in-prompt" });
    expect(within.rows).toEqual([pair("Who chairs?\n\nMinutes of May.", "Ana.")]);
  });

  it("are read alike without a card", async () => {
    const content = lines(
      { instruction: "Add", input: "1 and 2", output: "3" },
      { instruction: "Name a river.", output: "Akerselva." },
    );
    const { rows } = await readWithoutCard([{ name: "a.jsonl", content }]);
    expect(rows.map((row) => new TextDecoder().decode(row))).toEqual(expected);
  });
});

describe("conversations", () => {
  const user = { role: "user", content: "Hi" };
  const assistant = { role: "assistant", content: "Arr" };

  it("of one turn are a prompt with its answer, from every format and beside other records", async () => {
    const expected = [pair("Hi", "Arr")];
    const shared = [
      { from: "human", value: "Hi" },
      { from: "gpt", value: "Arr" },
    ];
    expect((await read(passages, "a.jsonl", lines({ messages: [user, assistant] }))).rows).toEqual(expected);
    expect(
      (await read(passages, "a.parquet", parquet({ messages: [[user, assistant]] }, ["messages"]))).rows,
    ).toEqual(expected);
    expect(
      (await read(passages, "a.parquet", parquet({ conversations: [shared] }, ["conversations"]))).rows,
    ).toEqual(expected);
    const csv = `messages\n"${JSON.stringify([user, assistant]).replaceAll('"', '""')}"\n`;
    expect((await read(passages, "a.csv", utf8(csv))).rows).toEqual(expected);
    const mixed = await read(
      passages,
      "a.jsonl",
      lines({ prompt: "Sun?", answer: "Yes." }, { messages: [user, assistant] }, { conversations: shared }),
    );
    expect(mixed.rows).toEqual([pair("Sun?", "Yes."), pair("Hi", "Arr")]);
    expect(mixed.refused).toHaveLength(1);
  });

  it("never take a prompt of their own beside them: it is asked what it is", async () => {
    const content = lines({ prompt: "You are a pirate.", messages: [user, assistant] });
    const found = await read(passages, "a.jsonl", content);
    expect([found.rows, found.open]).toEqual([[pair("Hi", "Arr")], [["conversation-turns", "prompt"]]]);
    const system = await read(passages, "a.jsonl", content, { "conversation-turns:prompt": "system" });
    expect([system.rows, system.open]).toEqual([
      [talk(["system", "You are a pirate."], ["user", "Hi"], ["assistant", "Arr"])],
      [],
    ]);
    const both = lines({ prompt: "Sun?", answer: "Yes.", messages: [user, assistant] });
    expect((await read(passages, "a.jsonl", both)).open).toEqual([["conversation-turns", "prompt"]]);
    expect((await read(passages, "a.jsonl", both, { "conversation-turns": "pair" })).rows).toEqual([
      pair("Sun?", "Yes."),
    ]);
    expect((await read(passages, "a.jsonl", both, { "conversation-turns": "messages" })).rows).toEqual([
      pair("Hi", "Arr"),
    ]);
    // A prompt that the conversation begins with says nothing else.
    const repeated = await read(passages, "a.jsonl", lines({ prompt: "Hi", messages: [user, assistant] }));
    expect([repeated.rows, repeated.open, repeated.unused]).toEqual([[pair("Hi", "Arr")], [], ["prompt"]]);
  });

  it("of which a record has two are asked, unless one is the chosen answer", async () => {
    const other = { role: "assistant", content: "Ahoy" };
    const chosen = [user, assistant];
    const rejected = [user, other];
    const found = await read(passages, "a.jsonl", lines({ prompt: "Hi", rejected, chosen }));
    expect([found.rows, found.open, found.unused]).toEqual([[pair("Hi", "Arr")], [], ["prompt", "rejected"]]);
    expect(found.said).toEqual([["conversation-turns", "chosen", 1, "chosen"]]);
    const content = lines({ first: chosen, second: rejected });
    expect((await read(passages, "a.jsonl", content)).open).toEqual([["conversation-turns", "first"]]);
    const second = await read(passages, "a.jsonl", content, { "conversation-turns:first": "second" });
    expect([second.rows, second.open]).toEqual([[pair("Hi", "Ahoy")], []]);
  });

  it("have their system message, and are refused by name where a turn does not count", async () => {
    const turn = (from: string, value: string, more = {}) => ({ from, value, ...more });
    const found = await read(
      passages,
      "share.json",
      utf8(
        JSON.stringify([
          { system: "Be brief.", conversations: [turn("human", "Sun?"), turn("gpt", "Yes.")] },
          { conversations: [turn("human", "Sun?", { weight: 0 }), turn("gpt", "Yes.", { weight: 1 })] },
          { conversations: [turn("human", "Sun?"), turn("gpt", "Perhaps.", { weight: 0 })] },
          { conversations: [turn("human", "Sun?"), turn("gpt", "Yes.", { tool: "clock" })] },
          {
            system: "Be brief.",
            conversations: [turn("system", "Be long."), turn("human", "Sun?"), turn("gpt", "Yes.")],
          },
        ]),
      ),
    );
    expect(found.rows).toEqual([
      talk(["system", "Be brief."], ["user", "Sun?"], ["assistant", "Yes."]),
      pair("Sun?", "Yes."),
    ]);
    expect(found.refused).toEqual([
      [3, '"messages" has a message of assistant with "weight" 0, which a row cannot have'],
      [4, '"messages" has a message with "tool", which a row cannot have'],
      [5, 'it has a system message beside "system": leave one of them out'],
    ]);
  });
});

describe("exports of tools with an odd record", () => {
  const prodigy = (text: string, label: string, answer?: string) => ({
    text,
    label,
    _input_hash: text.length,
    ...(answer === undefined ? {} : { answer }),
  });
  const refusals = ({ labels, refused, rows }: Read) => ({ rows, labels, refused });

  it("refuse a line of Prodigy that nobody has answered, and never take its label", async () => {
    const content = lines(
      prodigy("buy now", "SPAM", "accept"),
      prodigy("see you at noon", "SPAM", "reject"),
      prodigy("not seen", "SPAM"),
    );
    const found = await read(sorted("SPAM"), "a.jsonl", content);
    expect(refusals(found)).toEqual({
      rows: ["buy now", "see you at noon"],
      labels: ["SPAM", null],
      refused: [[3, 'it has no "answer", and the file is an export of Prodigy']],
    });
    expect([found.said, found.open]).toEqual([[["tool-records", null, 1, "tool"]], []]);
    const plain = await read(sorted("SPAM"), "a.jsonl", content, { "tool-records:a.jsonl": "plain" });
    expect(plain.labels).toEqual(["SPAM", "SPAM", "SPAM"]);
    const none = await read(sorted("SPAM"), "b.jsonl", lines(prodigy("a", "SPAM"), prodigy("bc", "SPAM")));
    expect([none.rows, none.refused.length]).toEqual([[], 2]);
    // The other way round: one of Prodigy's among plain records.
    const one = await read(
      sorted("SPAM"),
      "c.jsonl",
      lines({ text: "hello", label: "SPAM" }, { text: "bye", label: null }, prodigy("no", "SPAM", "reject")),
    );
    expect(refusals(one)).toEqual({
      rows: ["hello", "bye"],
      labels: ["SPAM", null],
      refused: [[3, "it is a record of Prodigy, and the others of the file are not"]],
    });
  });

  it("refuse a task of Label Studio without annotations, and have no labels of predictions alone", async () => {
    const result = [{ type: "choices", from_name: "kind", value: { choices: ["good"] } }];
    const task = (text: string, more: object) => ({ id: text.length, data: { text }, ...more });
    const found = await read(
      sorted("good", "bad"),
      "tasks.json",
      utf8(
        JSON.stringify([
          task("Sun", { annotations: [{ result }] }),
          task("Fog!", {}),
          task("Sea so blue", { annotations: [] }),
        ]),
      ),
    );
    expect(refusals(found)).toEqual({
      rows: ["Sun", "Sea so blue"],
      labels: ["good", null],
      refused: [[2, 'it has no "annotations", and the file is an export of Label Studio']],
    });
    const predicted = await readImport(sorted("good", "bad"), [
      {
        name: "p.json",
        content: utf8(
          JSON.stringify([
            task("Sun", { predictions: [{ result }] }),
            task("Fog!", { predictions: [{ result }] }),
          ]),
        ),
      },
    ]);
    expect([predicted.labels, predicted.refused]).toEqual([[null, null], []]);
    expect(predicted.decisions[0]!.taken.text).toBe(
      "an export of Label Studio with predictions alone, which are no labels",
    );
  });

  it("read Argilla's and doccano's by most of their records", async () => {
    const argilla = await read(
      sorted("good", "bad"),
      "a.json",
      utf8(
        JSON.stringify([
          { id: "1", status: "completed", fields: { text: "Sun" }, responses: { kind: [{ value: "good" }] } },
          { id: "2", status: "pending", fields: { text: "Fog" } },
        ]),
      ),
    );
    expect(refusals(argilla)).toEqual({
      rows: ["Sun"],
      labels: ["good"],
      refused: [[2, 'it has no "responses", and the file is an export of Argilla']],
    });
    const doccano = await read(
      sorted("good", "bad"),
      "all.jsonl",
      lines(
        { id: 1, text: "Sun", label: ["good"] },
        { id: 2, text: "Fog", label: ["bad"] },
        { id: 3, data: "Ice" },
      ),
    );
    expect(refusals(doccano)).toMatchObject({
      rows: ["Sun", "Fog"],
      labels: ["good", "bad"],
      refused: [[3, expect.stringContaining("doccano")]],
    });
  });

  it("read Label Studio's CSV as its JSON: people agree, or differ", async () => {
    const csv = [
      "id,text,kind,annotator,annotation_id,created_at,updated_at,lead_time",
      "1,Sun,good,1,11,2024,2024,2.5",
      "1,Sun,good,2,12,2024,2024,3.5",
      '2,Fog,"{""choices"": [""bad""]}",1,13,2024,2024,1.5',
      "3,Hail,good,1,14,2024,2024,1",
      "3,Hail,bad,2,15,2024,2024,1",
    ].join("\n");
    const found = await read(sorted("good", "bad"), "project.csv", utf8(csv));
    expect(found).toMatchObject({ rows: ["Sun", "Fog"], labels: ["good", "bad"], unused: [], open: [] });
    expect(found.refused).toEqual([[5, 'people differ about "kind": "good", "bad"']]);
  });
});

it("a table whose fields are instruction, input and output comes back as it is", async () => {
  const names = ["instruction", "input", "output"];
  const card = sampleCard({
    row: {
      kind: "table",
      fields: names.map((name) => ({ name, type: "text", description: "" })),
      maxBytes: 1_000,
    },
    labels: [],
    examples: [],
  });
  const found = await read(
    card,
    "a.jsonl",
    lines({ instruction: "Add", input: "1 and 2", output: "3", sha256: "ab" }),
  );
  expect([found.rows, found.open]).toEqual([['{"instruction":"Add","input":"1 and 2","output":"3"}'], []]);
});

it("fields may be called as what every object has", async () => {
  const names = ["constructor", "toString", "hasOwnProperty", "valueOf"];
  const card = sampleCard({
    row: {
      kind: "table",
      fields: names.map((name) => ({ name, type: "text", description: "" })),
      maxBytes: 1_000,
    },
    labels: [],
    examples: [],
  });
  const record = Object.fromEntries(names.map((name) => [name, `${name} of a club`]));
  for (const [name, content] of [
    ["a.jsonl", lines(record)],
    ["a.csv", utf8(`${names.join(",")}\n${names.map((one) => record[one]).join(",")}\n`)],
    ["a.parquet", parquet(Object.fromEntries(names.map((one) => [one, [record[one]]])))],
  ] as const) {
    const found = await read(card, name, content);
    expect([found.rows, found.refused], name).toEqual([[JSON.stringify(record)], []]);
  }
  // Where they are not there, nothing is.
  const none = await readImport(card, [{ name: "a.jsonl", content: lines({ text: "Sun" }) }]).catch(
    ({ code }: { readonly code: string }) => code,
  );
  expect(none).toBe("DNT_FILE_UNREADABLE");
});
