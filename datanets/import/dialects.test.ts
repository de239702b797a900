/**
 * Random tables in the dialects of programs: either the read values are the written ones, or a person is asked, and one of the offered
 * readings gives them. Nobody is asked where there is one reading.
 */
import { readFileSync } from "node:fs";
import { runs, TestRandom } from "@openledger/foundation/testing/test-random";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import {
  DIALECTS,
  type Dialect,
  numberOf,
  randomTable,
  type WrittenColumn,
  writeNumber,
  writeTable,
} from "../testing/table-dialects.ts";
import { type Choices, type Decision, decisionKey } from "./decision.ts";
import { proposeCard } from "./propose-card.ts";
import { readFiles } from "./read-files.ts";
import { rowsOfTable } from "./read-import.ts";

const CASES = runs(300);
/** Maximum questions about one file. */
const MAX_QUESTIONS = 3;

type Values = readonly (number | string | null)[];
const expected = (columns: readonly WrittenColumn[]): Values[] =>
  columns[0]!.cells.map((_, row) =>
    columns.map(({ cells }) => {
      const cell = cells[row]!;
      return cell === null || typeof cell === "string" ? cell : numberOf(cell);
    }),
  );

const cardOf = (columns: readonly WrittenColumn[]) => ({
  ...sampleCard({ labels: [], examples: [] }),
  row: {
    kind: "table" as const,
    fields: columns.map(({ name, type }) => ({ name, type, description: "" })),
    maxBytes: 10_000,
  },
});

interface Read {
  readonly values: readonly Values[];
  readonly refusedCount: number;
  readonly recordCount: number;
  /** Why the first part that could not be read was refused. */
  readonly why: string | undefined;
  readonly decisions: readonly Decision[];
}

async function read(file: File, columns: readonly WrittenColumn[], choices: Choices): Promise<Read> {
  const card = cardOf(columns);
  const table = await readFiles([file], { choices, ...(file.separator === undefined ? {} : file) });
  const isNamed = table.columns.some(({ name }) => name === columns[0]!.name);
  // Without a line of names a person says which column is which.
  const mapping = isNamed
    ? {}
    : { columns: Object.fromEntries(columns.map(({ name }, i) => [name, table.columns[i]?.name ?? null])) };
  const { decisions, refused, rows } = rowsOfTable(card, table, mapping, choices);
  const values = rows.map(
    (row) => Object.values(JSON.parse(new TextDecoder().decode(row)) as object) as Values,
  );
  return {
    ...{ values, refusedCount: refused.length, recordCount: table.records.length, decisions },
    why: refused[0]?.why,
  };
}

interface File {
  readonly name: string;
  readonly content: Uint8Array;
  /** Separator where a person has to say it. */
  readonly separator?: Dialect["separator"];
}

/** All combinations of the readings of open decisions, the ones of later questions included. */
async function answers(
  file: File,
  columns: readonly WrittenColumn[],
  choices: Choices,
): Promise<readonly Read[]> {
  const found = await read(file, columns, choices);
  const open = found.decisions.find(({ isOpen }) => isOpen);
  if (open === undefined) return [found];
  // Columns of one question may each have another reading.
  const keys =
    open.columns.length > 0
      ? open.columns.map((column) => decisionKey({ ...open, column }))
      : [decisionKey(open)];
  const names = [open.taken, ...open.others].map(({ name }) => name);
  const [key] = keys.filter((one) => choices[one] === undefined);
  const all: Read[] = [];
  for (const name of names) all.push(...(await answers(file, columns, { ...choices, [key!]: name })));
  return all;
}

const isSame = ({ refusedCount, values }: Read, wanted: readonly Values[]) =>
  refusedCount === 0 && JSON.stringify(values) === JSON.stringify(wanted);

/** True for a column whose marks may be decimal or grouping: each is single, with three digits behind it. */
function isUnclear({ cells, type }: WrittenColumn, dialect: Dialect): boolean {
  if (type !== "number") return false;
  const texts = cells.flatMap((cell) =>
    cell === null || typeof cell === "string" ? [] : [writeNumber(cell, { ...dialect, unit: "" })],
  );
  const marked = texts.filter((text) => /[.,]/.test(text));
  return marked.length > 0 && marked.every((text) => /^-?[1-9]\d{0,2}[.,]\d{3}$/.test(text));
}

/** Questions that a table in a dialect may ask. */
function mayAsk(columns: readonly WrittenColumn[], dialect: Dialect): ReadonlySet<string> {
  const isMissingAsked =
    /^(NA|NULL|-)$/.test(dialect.missing) &&
    columns.some(({ cells, type }) => type !== "number" && cells.includes(null));
  // A few names beyond ASCII may be those of another encoding: Tromsø is Tromsř in the one of Central Europe.
  const isEncodingAsked =
    dialect.encoding === "windows-1252" &&
    columns.some(({ cells }) => cells.some((cell) => typeof cell === "string" && /[^\0-\x7f]/.test(cell)));
  return new Set([
    ...(isEncodingAsked ? ["encoding"] : []),
    ...(columns.some((column) => isUnclear(column, dialect)) ? ["number-marks"] : []),
    ...(isMissingAsked ? ["missing-values"] : []),
    ...(dialect.hasNames ? [] : ["first-line"]),
  ]);
}

it.each(DIALECTS)("$name: the written values are read, or a person is asked", async (dialect) => {
  const random = new TestRandom(DIALECTS.indexOf(dialect) + 84);
  let asked = 0;
  for (let i = 0; i < CASES; i++) {
    const columns = randomTable(random);
    const file = { name: "a.csv", content: writeTable(columns, dialect) };
    const wanted = expected(columns);
    const context = () => `case ${i}: ${new TextDecoder().decode(file.content).slice(0, 400)}`;
    const found = await read(file, columns, {});
    if (found.recordCount === 0) {
      // What no reader could tell is refused by its name, with what a person can say.
      expect(found.refusedCount, context()).toBe(1);
      expect(found.why, context()).toMatch(/say which/);
      continue;
    }
    const open = found.decisions.filter((decision) => decision.isOpen);
    expect(open.length, context()).toBeLessThanOrEqual(MAX_QUESTIONS);
    if (open.length === 0) {
      expect(found, context()).toMatchObject({ values: wanted, refusedCount: 0 });
      continue;
    }
    asked++;
    const may = mayAsk(columns, dialect);
    for (const { kind } of open) expect(may.has(kind), `${kind}: ${context()}`).toBe(true);
    const all = await answers(file, columns, {});
    expect(
      all.some((one) => isSame(one, wanted)),
      context(),
    ).toBe(true);
  }
  console.log(`${dialect.name}: ${((100 * asked) / CASES).toFixed(1)} % of ${CASES} tables ask`);
});

it("Parquet: the written values are read, and nothing asks", async () => {
  const random = new TestRandom(7);
  for (let i = 0; i < CASES; i++) {
    const columns = randomTable(random);
    const hasDecimals = i % 2 === 0;
    const content = new Uint8Array(
      parquetWriteBuffer({
        columnData: columns.map(({ cells, name, type }) => ({
          name,
          type: type === "number" ? ("DOUBLE" as const) : ("STRING" as const),
          data: cells.map((cell) => (cell === null || typeof cell === "string" ? cell : numberOf(cell))),
        })),
        ...(hasDecimals ? { kvMetadata: [{ key: "pandas", value: '{"index_columns":[]}' }] } : {}),
      }),
    );
    const found = await read({ name: "a.parquet", content }, columns, {});
    expect(found.values, `case ${i}`).toEqual(expected(columns));
    expect(found.decisions.filter(({ isOpen }) => isOpen)).toEqual([]);
    // Nor does a new Datanet's proposal ask.
    const proposal = proposeCard(await readFiles([{ name: "a.parquet", content }]), null);
    expect(proposal.decisions.filter(({ isOpen }) => isOpen)).toEqual([]);
  }
});

/** Tables as pyarrow has written them, each with its values. */
const PYARROW = JSON.parse(readFileSync(new URL("pyarrow.fixtures.json", import.meta.url), "utf8")) as {
  readonly files: readonly {
    /** How it was written. */
    readonly written: string;
    readonly columns: readonly {
      readonly name: string;
      readonly type: WrittenColumn["type"];
      readonly cells: readonly (string | number | null)[];
    }[];
    readonly parquet: string;
  }[];
};

it.each(PYARROW.files)(
  "Parquet by pyarrow, $written: the written values are read, and nothing asks",
  async ({ columns, parquet }) => {
    const content = new Uint8Array(Buffer.from(parquet, "base64"));
    const named = columns.map(({ name, type }) => ({ name, type, cells: [] }));
    const found = await read({ name: "a.parquet", content }, named, {});
    const wanted = columns[0]!.cells.map((_, row) => columns.map(({ cells }) => cells[row]!));
    expect(found).toMatchObject({ values: wanted, refusedCount: 0 });
    expect(found.decisions.filter(({ isOpen }) => isOpen)).toEqual([]);
  },
);
