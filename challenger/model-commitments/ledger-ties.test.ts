/** What a model commitment says of the ledger: every way to let an honest model commitment stand beside something else, and its refusal. */

import { hashStatics } from "@openledger/circuits/ledger/leaf";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { featuresCommitment } from "@openledger/circuits/settlement/feature-commitment";
import { FAMILY_NUMBERS } from "@openledger/contracts/build/deploy-disputes";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { type Hex, zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import type { DisputeStatement } from "../statements/committed-model.ts";
import { findDirectFaults } from "../statements/direct-faults.ts";
import {
  challengeData,
  postedTuple,
  sharedShown,
  statementTuple,
} from "../statements/model-commitment-calls.ts";
import { directCase, shortEmails } from "./testing/direct-case.ts";
import { BOND_WEI, lie, startDisputes } from "./testing/dispute-fixture.ts";
import { rowsInState } from "./testing/rows-in-state.ts";

const f = started(() => startDisputes());
const made = started(() => directCase(shortEmails(24)));
revertEachTest(() => f);

/** @param rest the rollup, and the datanet's leaf with its path */
const commitRefused = (statement: DisputeStatement, ...rest: readonly unknown[]) =>
  f.refused(
    f.owner,
    "commitModel",
    [FAMILY_NUMBERS.direct, statementTuple(statement), ...rest, postedTuple(made.honest, "direct")],
    BOND_WEI,
  );

test.each<[string, () => Partial<DisputeStatement>]>([
  ["an unmarked model", () => ({ staticsHash: unmarked() })],
  ["a rule of shared rewards that it has not", () => ({ sharesDuplicates: true })],
  ["other payees", () => ({ payeeRoot: 7n })],
])("a model commitment with the statics of %s is refuted", async (_, numbers) => {
  const { posted } = lie(made, {}, numbers());
  expect([...findDirectFaults(posted, made.rows)]).toContainEqual({ kind: "statics" });
  expect(await f.judged(made, await f.post(posted), posted, { kind: "statics" })).toBeNull();
});

const unmarked = () => {
  const { columns, statics } = made.model;
  const answering = featuresCommitment(columns[0]!, made.honest.statement.answering);
  return hashStatics({ ...statics, featuresCommitment: answering });
};

describe("numbers that are none are not posted", () => {
  test.each([
    [
      "a binding plus r: the same hash, other sizes",
      () => ({ binding: made.honest.statement.binding + FIELD_ORDER }),
    ],
    ["a binding of other rows", () => ({ binding: made.honest.statement.binding + (1n << 56n) })],
    ["a binding of columns as another family has", () => ({ binding: otherShape() })],
    ["a binding of other columns", () => ({ binding: made.honest.statement.binding + (1n << 115n) })],
    [
      "a root of rows plus r, to which no path leads",
      () => ({ rowsRoot: made.honest.statement.rowsRoot + FIELD_ORDER }),
    ],
    ["statics plus r", () => ({ staticsHash: made.honest.statement.staticsHash + FIELD_ORDER })],
    ["an answering hash plus r", () => ({ answering: made.honest.statement.answering + FIELD_ORDER })],
    ["a clip so short that every row passes for a cut one", () => ({ clipLength: 31 })],
    ["a split with bits above its own", () => ({ split: made.honest.statement.split + (1n << 32n) })],
  ])("%s", async (_, changed) => {
    const statement = { ...made.honest.statement, ...changed() };
    const { leaf, path } = rowsInState(made.honest.statement);
    expect(await commitRefused(statement, f.stranger, leaf, path)).toBe("DisputesStatementInvalid");
  });
});

describe("an honest model commitment's places", () => {
  test("stand against every challenge, and against false openings", async () => {
    const id = await f.post(made.honest);
    for (const fault of [
      { kind: "statics" } as const,
      ...[0, 11, 23].map((row) => ({ kind: "versionRow", row }) as const),
    ])
      expect(await f.judged(made, id, made.honest, fault)).toBe("DisputesNothingWrong");
    // A challenger's own forgeries: a swapped row, a path to another root, a row hash plus r.
    const tuple = statementTuple(made.honest.statement);
    const others = made.rows.map((row, k) => (k === 4 ? { ...row, content: made.rows[5]!.content } : row));
    const honest = { kind: "versionRow", row: 4 } as const;
    expect(await f.judged({ rows: others }, id, made.honest, honest)).toBe("DisputesRootMismatch");
    const [, digest, path, versionRow, versionPath] = sharedShown(made.honest, made.rows, honest) as [
      ...[number, Hex, readonly Hex[]],
      ...[readonly [bigint, bigint, bigint], readonly (readonly bigint[])[]],
    ];
    const shown = (...args: unknown[]) => challengeData("direct", id, "versionRow", [tuple, ...args]);
    const aliased = [versionRow[0] + FIELD_ORDER, versionRow[1], versionRow[2]];
    expect(await refusalOf(shown(4n, digest, path, aliased, versionPath))).toBe("DisputesNothingWrong");
    // One of a higher node for a leaf: its tag is another.
    expect(await refusalOf(shown(0n, digest, path, versionRow, versionPath.slice(1)))).not.toBeNull();
  });
});

describe("a rollup's state", () => {
  test.each([
    ["another version", { version: 2n }, 0n, "LedgerMathChildWrong"],
    ["other rows", { rowsRoot: 5n }, 0n, "LedgerMathChildWrong"],
    ["another root than its state", {}, 1n, "DisputesRootMismatch"],
  ])("that has %s: nothing is posted", async (_, changed, offset, refusal) => {
    const { statement } = made.honest;
    const { leaf, path } = rowsInState(statement);
    const rollup = await f.deployState(rowsInState(statement, changed).root + offset);
    const shown = rowsInState(statement, changed).path;
    expect(await commitRefused(statement, rollup, leaf, shown)).toBe(refusal);
    // Its own path leads to another root.
    expect(await commitRefused(statement, rollup, leaf, path)).toBe("DisputesRootMismatch");
    expect(await f.disputes.read.modelCommitmentCount()).toBe(0n);
  });

  test("that is shown by a leaf of a higher level, or is none, has no rows", async () => {
    const { statement } = made.honest;
    const { leaf, path, root } = rowsInState(statement);
    const at = async (of: bigint, way: unknown) =>
      commitRefused(statement, await f.deployState(of), leaf, way);
    expect(await at(root, path.slice(1))).toBe("DisputesRootMismatch");
    // Attack: what is admitted for address 0 is admitted for every rollup.
    await expect(commitRefused(statement, zeroAddress, leaf, path)).rejects.toThrow();
    expect(await at(0n, [])).toBe("DisputesRootMismatch");
  });
});

/** As many columns as entries of a row of G, with no bits of a shape. */
const otherShape = () => {
  const { binding, columnCount } = made.honest.statement;
  return (binding & ((1n << 115n) - 1n)) | (BigInt(columnCount) << 115n);
};
const refusalOf = (data: `0x${string}`) => f.refusal({ account: f.stranger, to: f.disputes.address, data });
