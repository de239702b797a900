/** `openledger datanet preview` without a server, and what `datanet contribute` refuses before it looks for one. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { beforeAll, expect, it } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const folder = mkdtempSync(join(tmpdir(), "preview-"));
const path = (name: string) => join(folder, name);
const json = async (...words: readonly string[]) => {
  const { status, stdout } = await runInProcess(...words, "--json");
  return { status, answer: JSON.parse(stdout) as Answer };
};
interface Answer {
  readonly rows: readonly { readonly row: unknown; readonly label: string | null; readonly line: number }[];
  readonly refused: readonly unknown[];
  readonly decisions: readonly Readonly<Record<string, unknown>>[];
  readonly error?: { readonly code: string; readonly message: string };
}

beforeAll(() => {
  writeFileSync(path("lager.csv"), "Ort;Bestand\nKiel;1.250\nMainz;2.500\nUlm;980\nBonn;3.125\n");
  const fields = [{ name: "Bestand", type: "number", description: "" }];
  const row = { kind: "table", fields, maxBytes: 200 } as const;
  const card = sampleCard({ row: { ...row, fields: [...fields] as never }, labels: [], examples: [] });
  writeFileSync(path("card.json"), JSON.stringify(card));
  const labels = ["question", "praise"].map((name) => ({ name, description: "" }));
  writeFileSync(path("mail.json"), JSON.stringify(sampleCard({ labels, examples: [] })));
  writeFileSync(path("mail.tsv"), "praise\tWhat a fine day\nquestion\tWhen do you open?\n");
  writeFileSync(path("clear.csv"), "age,left\n20,no\n30,yes\n41,no\n52,yes\n");
});

it("lists decisions above the rows, with the options that take other readings", async () => {
  const { status, stdout } = await runInProcess("datanet", "preview", path("lager.csv"));
  expect(status).toBe(0);
  const lines = stdout.split("\n");
  expect(lines[0]).toBe(`choose: "1.250" in 3 cells of "Bestand", ${path("lager.csv")}`);
  expect(lines[1]).toBe("    --read number-marks:Bestand=decimals   a number with decimals: 1.250");
  expect(lines[2]).toBe("    --read number-marks:Bestand=thousands   a number with thousands: 1250");
  expect(lines.findIndex((line) => line.startsWith("  row 1"))).toBeGreaterThan(2);
});

it("answers programs with rows, refusals and decisions", async () => {
  const words = ["datanet", "preview", path("lager.csv"), "--card", path("card.json")];
  const { answer } = await json(...words);
  expect(answer.decisions).toEqual([
    {
      ...{ kind: "number-marks", file: path("lager.csv"), column: "Bestand", columns: [], cells: 3 },
      ...{ seen: "1.250", taken: "a number with decimals: 1.250", other: "a number with thousands: 1250" },
      option: "--read number-marks:Bestand=thousands",
      options: ["--read number-marks:Bestand=decimals", "--read number-marks:Bestand=thousands"],
      isOpen: true,
    },
  ]);
  const chosen = await json(...words, "--read", "number-marks:Bestand=thousands");
  expect(chosen.answer.rows.map(({ row }) => row)).toEqual(
    [1_250, 2_500, 980, 3_125].map((Bestand) => ({ Bestand })),
  );
  expect(chosen.answer).toMatchObject({ refused: [], decisions: [{ isOpen: false }] });
  const clear = await json("datanet", "preview", path("clear.csv"));
  expect(clear.answer.rows.map(({ label, line, row }) => [line, row, label])).toEqual([
    [2, { age: 20 }, "no"],
    [3, { age: 30 }, "yes"],
    [4, { age: 41 }, "no"],
    [5, { age: 52 }, "yes"],
  ]);
  expect(clear.answer.decisions).toEqual([]);
});

it("reads a file without a line of names as its first reading says", async () => {
  const words = ["datanet", "preview", path("mail.tsv"), "--card", path("mail.json")];
  expect((await json(...words)).answer.decisions).toMatchObject([{ kind: "first-line", isOpen: true }]);
  const { answer } = await json(...words, "--read", `first-line:${path("mail.tsv")}=data`);
  expect(answer.rows.map(({ label, line, row }) => [line, row, label])).toEqual([
    [1, "What a fine day", "praise"],
    [2, "When do you open?", "question"],
  ]);
});

it("refuses an unknown choice, and contribute an open question before anything is signed", async () => {
  const unknown = await json("datanet", "preview", path("lager.csv"), "--read", "number-marks:Ort=thousands");
  expect([unknown.status, unknown.answer.error?.code]).not.toEqual([0, undefined]);
  expect(unknown.answer.error?.code).toBe("DNT_READING_UNKNOWN");
  const words = ["datanet", "contribute", "6", path("lager.csv"), "--card", path("card.json")];
  const { answer, status } = await json(...words);
  expect([status !== 0, answer.error?.code]).toEqual([true, "DNT_READING_OPEN"]);
  expect(answer.error?.message).toContain("--read number-marks:Bestand=thousands");
});
