import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ModelInputs } from "@openledger/attribution/inputs/model-inputs";
import { directFamily } from "@openledger/attribution/model/direct/direct-family";
import { sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { afterAll, describe, expect, it } from "vitest";
import { promptOf } from "./question-prompt.ts";

const folder = mkdtempSync(join(tmpdir(), "question-prompt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const modelOf = (inputs: ModelInputs) => ({ family: directFamily, recipe: { inputs } }) as never;
const texts = modelOf({ kind: "text", bucketCount: 64 });
const pictures = modelOf({
  ...{ kind: "image", side: 4, colours: 1, levels: 3, ground: "black", bucketCount: 64 },
});
const table = modelOf({
  kind: "table",
  fields: [
    { name: "age", type: "number", knots: [1, 9] },
    { name: "city", type: "category" },
    { name: "churned", type: "boolean", ignored: true },
  ],
  bucketCount: 64,
});
const code = (name: string) => expect.objectContaining({ code: name });

describe("promptOf", () => {
  it("is the text or the file of a text, as it is", async () => {
    expect(await promptOf(texts, { typed: "lunch at noon?" })).toBe("lunch at noon?");
    expect(await promptOf(texts, { file: fileOf("mail.txt", "Grüße\n") })).toBe("Grüße\n");
  });

  it("is a picture's file in base64, which models read", async () => {
    const { input } = sampleInputs("image", 1, "asked")[0]!;
    expect(await promptOf(pictures, { file: fileOf("digit.png", Buffer.from(input, "base64")) })).toBe(input);
    await expect(promptOf(pictures, { file: fileOf("no.png", "GIF89a") })).rejects.toThrow(
      code("ATT_ROW_INVALID"),
    );
    await expect(promptOf(pictures, { typed: "digit.png" })).rejects.toThrow(code("CMD_USAGE"));
  });

  it("is a row of the table's fields, missing where they are not given", async () => {
    expect(await promptOf(table, { fields: ["city=Oslo = north", "age=46"] })).toBe(
      '{"age":46,"city":"Oslo = north","churned":null}',
    );
    const row = '{"age":null,"city":"Rome","churned":null}';
    expect(await promptOf(table, { typed: row })).toBe(row);
    await expect(promptOf(table, { fields: ["age=old"] })).rejects.toThrow(code("ATT_ROW_INVALID"));
  });

  it("is one of the three, and fields are named once", async () => {
    const file = fileOf("any.txt", "any");
    for (const [model, question] of [
      [texts, {}],
      [texts, { typed: "a", file }],
      [texts, { fields: ["age=1"] }],
      [texts, { file: join(folder, "nothing") }],
      [table, { fields: ["age"] }],
      [table, { fields: ["age=1", "age=2"] }],
    ] as const)
      await expect(promptOf(model, question), JSON.stringify(question)).rejects.toThrow(code("CMD_USAGE"));
  });
});
