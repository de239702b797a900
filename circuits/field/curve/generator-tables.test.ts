import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repositoryRoot } from "../../compiler/compile.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import {
  digitTables,
  generatorTablesPath,
  renderGeneratorTables,
  TABLE_BLOCK_ROWS,
} from "./generator-tables.ts";
import { generators } from "./generators.ts";
import { addAll, type MontgomeryPoints } from "./montgomery-points.ts";

const copy = ({ u, v }: Readonly<MontgomeryPoints>, count: number) => ({
  u: u.slice(0, count),
  v: v.slice(0, count),
});

describe("digitTables", () => {
  test("give every odd multiple from -7 to 7 of every generator", () => {
    const count = 5;
    const points = copy(generators("row", count), count);
    const tables = digitTables(points);
    const multiple = copy(points, count);
    const twice = copy(points, count);
    addAll(twice, points);
    for (const digit of [1n, 3n, 5n, 7n]) {
      const z = digit * digit;
      const t = (z - 1n) * (z - 49n);
      const basis = [1n, z, t, z * t];
      tables.forEach((table, k) => {
        const sum = (from: number) => {
          const value = basis.reduce((total, x, i) => total + x * table[from + i]!, 0n) % FIELD_ORDER;
          return (value + FIELD_ORDER) % FIELD_ORDER;
        };
        expect(sum(0)).toBe(multiple.u[k]);
        expect((digit * sum(4)) % FIELD_ORDER).toBe(multiple.v[k]);
      });
      addAll(multiple, twice);
    }
  });
});

describe("renderGeneratorTables", () => {
  test("writes H_k of a block into its rows and fills the last block with zeros", () => {
    const text = renderGeneratorTables(TABLE_BLOCK_ROWS + 1);
    const blocks = [...text.matchAll(/if \(block == (\d+)\) \{\n\s*return \[\n([\s\S]*?)\];\n/g)];
    expect(blocks.map(([, block]) => block)).toEqual(["0", "1"]);
    const rows = blocks.map(([, , body]) => body!.split(",\n"));
    const hex = (table: bigint[]) => `[${table.map((value) => `0x${value.toString(16)}`).join(",")}]`;
    const tables = digitTables(copy(generators("row", 65), 65)).map(hex);
    expect(rows[0]).toEqual(tables.slice(0, 64));
    expect(rows[1]).toEqual([tables[64], ...new Array<string>(63).fill("[0,0,0,0,0,0,0,0]")]);
  });
});

describe("generatorTablesPath", () => {
  test("names a file in the cache that holds the tables, one for each number of rows", () => {
    const path = generatorTablesPath(2);
    expect(path).toMatch(/^\.cache\/generators\/rows-2-[0-9a-f]{24}\.circom$/);
    expect(existsSync(join(repositoryRoot, path))).toBe(true);
    expect(readFileSync(join(repositoryRoot, path), "utf8")).toBe(renderGeneratorTables(2));
    expect(generatorTablesPath(3)).not.toBe(path);
  });
});
