/** Commitments of models that the engine cannot compute as a whole: what is false of them is found all the same. */
import { sha256 } from "@noble/hashes/sha2.js";
import { versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { modelError } from "@openledger/models/model-errors";
import type { Hex } from "viem";
import { expect, test } from "vitest";
import { examineModelCommitment } from "../../model-commitments/examine-model-commitment.ts";
import { TextModelCommitments } from "../../playing/text-model-commitments.ts";
import { encodeLeaves } from "../../statements/leaf-file.ts";
import { versionRowOf } from "../../statements/tie-faults.ts";
import { textCase } from "../testing/text-case.ts";
import { withTextTrees } from "./text-model-commitment.ts";
import { readRowTokens, rowTokensLeaf } from "./text-row-tokens.ts";

const made = started(() => textCase("0x00000000000000000000000000000000000000aa"));

test.each([
  ["a version that has one row twice", "tokens", true, true],
  ["a model that has no room in memory", "tokens", false, true],
  ["a model that has no room in memory", "row", false, false],
] as const)("of %s false leaves are found: %s", async (_, fault, isTwice, areTokens) => {
  const { honest, model, setting: real, terms, traced } = made;
  const { content } = made.rows[3]!;
  const rows = isTwice ? made.rows.with(5, { ...made.rows[5]!, content }) : made.rows;
  const tokens = honest.leaves.tokens.map((leaf) => {
    const read = readRowTokens(leaf)!;
    return rowTokensLeaf({ ...read, tokens: read.tokens.map((token) => (token === 65 ? 66 : 65)) });
  });
  const map = honest.leaves.map.map((leaf) => leaf.with(7, leaf[7]! ^ 1));
  const leaves = { ...honest.leaves, rows: rows.map((row) => sha256(row.content)) };
  const numbers = { ...honest.statement, rowsRoot: versionRowsRoot(rows.map(versionRowOf)) };
  const posted = withTextTrees(
    { ...leaves, ...(areTokens ? { tokens } : { map }) },
    numbers,
    model.recipe.tracing!.digest as Hex,
  );
  const none = {
    get bases(): never {
      throw modelError("MOD_TOO_LARGE", "no room", { data: {} });
    },
    ...{ kernels: "wasm", threadCount: 1 },
  };
  const opened = { require: async () => ({ setting: isTwice ? real : none, terms, traced }) };
  const { kind } = new TextModelCommitments(opened as never, () => {});
  const points = posted.leaves.points.map((data, index) => ({
    ...{ tree: "points" as const, index, data, path: posted.trees.points.path(index) },
    ...{ holders: [0n, 0n] as const, versionPath: [] },
  }));
  const { statement } = posted;
  const shown = { facts: Buffer.concat(posted.leaves.facts), leaves: points };
  const commitment = { modelId: statement.modelId, statement, posted: shown };
  const files = { model, rows, leaves: encodeLeaves(posted.leaves), mismatch: null };
  const found = await examineModelCommitment(commitment as never, files as never, kind);
  expect(found.fault).not.toBeNull();
  const kinds = [found.fault!.fault, ...found.fault!.others].map((one) => one.kind);
  expect(kinds).toContain(fault);
});
