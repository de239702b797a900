import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { repositoryRoot } from "../compiler/compile.ts";
import { transpose } from "./field-matrix.ts";
import { poseidonDefinition } from "./poseidon-definition.ts";
import { sparsePoseidon } from "./poseidon-sparse.ts";

const widths = Array.from({ length: 16 }, (_, i) => i + 2);
const theirs = (name: string) =>
  JSON.parse(readFileSync(`${repositoryRoot}/node_modules/circomlibjs/src/${name}.json`, "utf8")) as Record<
    string,
    string[][] & string[][][]
  >;

it("the definition has the constants and the matrices that others publish, for every width", () => {
  const { C, M } = theirs("poseidon_constants");
  for (const width of widths) {
    const { matrix, rounds } = poseidonDefinition(width);
    expect(rounds.flat(), `width ${width}`).toEqual(C![width - 2]!.map(BigInt));
    expect(matrix).toEqual(M![width - 2]!.map((row) => (row as unknown as string[]).map(BigInt)));
  }
});

it("the sparse form is the one that others publish, for every width", () => {
  const { C, M, P, S } = theirs("poseidon_constants_opt");
  const big = (rows: unknown) => (rows as string[][]).map((row) => row.map(BigInt));
  for (const width of widths) {
    const { after, before, entry, matrix, partial, start } = sparsePoseidon(width);
    const constants = [...start, ...before.flat(), ...partial.map(({ constant }) => constant)];
    expect([...constants, ...after.slice(0, -1).flat()], `width ${width}`).toEqual(
      C![width - 2]!.map(BigInt),
    );
    expect(partial.flatMap(({ column, row }) => [...row, ...column])).toEqual(S![width - 2]!.map(BigInt));
    expect(matrix).toEqual(transpose(big(M![width - 2])));
    expect(entry).toEqual(transpose(big(P![width - 2])));
  }
});
