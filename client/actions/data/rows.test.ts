/** Tests of rows, contributions and versions in client/actions/data/ without a server. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { hashTagged, initPoseidon } from "@openledger/circuits/field/poseidon";
import { ownersCommitment as ownersOf } from "@openledger/circuits/ledger/rewards";
import {
  contributionRoot,
  hashRow,
  hashVersionRow,
  treeDepth,
  treeRoot,
  type VersionRow,
} from "@openledger/circuits/ledger/version-rows";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readVersion, storeVersion } from "./published-version.ts";
import { openRowStore, type RowStore, readContribution, storeContribution } from "./row-store.ts";
import { commitVersion } from "./version-commitments.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

beforeAll(initPoseidon);

describe("treeRoot", () => {
  it("equals the root computed from the definition, level by level", () => {
    const tag = TAG.versionNode;
    const leaves = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n];
    const nodes = [hashTagged(tag, leaves.slice(0, 8)), hashTagged(tag, [9n, 0n, 0n, 0n, 0n, 0n, 0n, 0n])];
    const empty = hashTagged(tag, Array<bigint>(8).fill(0n));
    expect(treeRoot(tag, leaves, 2)).toBe(hashTagged(tag, [...nodes, ...Array<bigint>(6).fill(empty)]));
  });

  it("changes with any leaf, with their order and with the tag", () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 1n, max: FIELD_ORDER - 1n }), { minLength: 2, maxLength: 20 }),
        fc.nat(),
        (leaves, at) => {
          const depth = treeDepth(leaves.length);
          const root = treeRoot(32n, leaves, depth);
          const changed = leaves.map((leaf, i) =>
            i === at % leaves.length ? (leaf + 1n) % FIELD_ORDER : leaf,
          );
          expect(treeRoot(32n, changed, depth)).not.toBe(root);
          expect(treeRoot(33n, leaves, depth)).not.toBe(root);
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    [1, 1],
    [8, 1],
    [9, 2],
    [64, 2],
    [65, 3],
  ])("holds %i leaves at depth %i", (count, depth) => {
    expect(treeDepth(count)).toBe(depth);
  });
});

describe("commitVersion", () => {
  const row = (n: number, contributorId: number, validatorId = 9): VersionRow => ({
    rowHash: hashRow(bytes(`row ${n}`)),
    contributorId,
    validatorId,
  });
  const version = () => commitVersion([row(0, 5), row(1, 3), row(2, 5, 8), row(3, 3), row(4, 5)]);

  it("sorts rows by payee and keeps the order of contribution within one", () => {
    const { rows, payees, rowCount } = version();
    expect(rows.map(({ rowHash }) => rowHash)).toEqual(
      [1, 3, 2, 0, 4].map((n) => hashRow(bytes(`row ${n}`))),
    );
    expect(payees).toEqual([
      { contributorId: 3, validatorId: 9, rowCount: 2 },
      { contributorId: 5, validatorId: 8, rowCount: 1 },
      { contributorId: 5, validatorId: 9, rowCount: 2 },
    ]);
    expect(rowCount).toBe(5);
  });

  it("commits rows, owners and payees as docs/reference/ledger.md and docs/reference/settlement.md define them", () => {
    const { rows, rowsRoot, ownersCommitment, payeeRoot } = version();
    expect(rowsRoot).toBe(treeRoot(TAG.versionNode, rows.map(hashVersionRow), 1));
    const counts = [2n, 1n, 2n, ...Array<bigint>(12).fill(0n)];
    expect(ownersCommitment).toBe(hashTagged(TAG.owners, [3n, ...counts]));
    const leaves = [3n + (9n << 24n), 5n + (8n << 24n), 5n + (9n << 24n)];
    expect(payeeRoot).toBe(treeRoot(TAG.payeeNode, leaves, 4));
  });
});

describe("a version of several shards", () => {
  const rowsOf = (pairCount: number): VersionRow[] =>
    Array.from({ length: pairCount }, (_, i) => ({
      rowHash: BigInt(i + 1),
      contributorId: i,
      validatorId: 7,
    }));

  it("has its pairs beyond 512 in further shards, up to 4,096", () => {
    const { payees, payeeRoot, ownersCommitment, rows } = commitVersion(rowsOf(600).toReversed());
    expect(payees).toHaveLength(600);
    expect(rows.map(({ contributorId }) => contributorId)).toEqual([...Array(600).keys()]);
    expect(payees[512]).toEqual({ contributorId: 512, validatorId: 7, rowCount: 1 });
    expect(payeeRoot).toBe(
      treeRoot(
        TAG.payeeNode,
        payees.map((p) => BigInt(p.contributorId) + (7n << 24n)),
        4,
      ),
    );
    expect(ownersCommitment).toBe(ownersOf(payees.map(({ rowCount }) => rowCount)));
    expect(commitVersion(rowsOf(4_096)).payees).toHaveLength(4_096);
    expect(() => commitVersion(rowsOf(4_097))).toThrow(
      expect.objectContaining({
        code: "CIR_SETTLEMENT_SIZE",
        data: expect.objectContaining({ reason: "too-many-payees" }),
      }),
    );
  });

  it("has no more rows in a shard than its publisher says, and keeps that in the store", async () => {
    const rows = Array.from({ length: 5 }, (_, i) => ({ ...rowsOf(5)[i]!, contributorId: 3 + (i >> 2) }));
    const version = commitVersion(rows, { shard: { rows: 3, payees: 512 } });
    const [first, second, last] = [0, 512, 513].map((position) => version.payees[position]!);
    expect([first, second, last]).toEqual([
      { contributorId: 3, validatorId: 7, rowCount: 3 },
      { contributorId: 3, validatorId: 7, rowCount: 1 },
      { contributorId: 4, validatorId: 7, rowCount: 1 },
    ]);
    const one = commitVersion(rows, { shard: { rows: 9, payees: 1 } });
    expect([one.payees[0], one.payees[512]].map((payee) => payee!.rowCount)).toEqual([4, 1]);
    expect(version.payees[1]).toEqual({ contributorId: 0, validatorId: 0, rowCount: 0 });
    expect(version.rowsRoot).toBe(commitVersion(rows).rowsRoot);
    const folder = await mkdtemp(join(tmpdir(), "version-"));
    try {
      const store = await openRowStore(folder);
      const storedRows = ["a", "b", "c", "d"].map((letter) => ({
        digest: letter.repeat(64),
        contributorId: 3,
        validatorId: 7,
      }));
      const hashed = storedRows.map(({ digest, ...owners }) => ({
        ...owners,
        rowHash: BigInt(`0x${digest}`) % FIELD_ORDER,
      }));
      const stored = commitVersion(hashed, { shard: { rows: 3, payees: 512 } });
      await storeVersion(store, { ...stored, storedRows });
      const { commitments } = await readVersion(store, stored.rowsRoot);
      expect(commitments).toEqual(stored);
      expect(commitments.ownersCommitment).not.toBe(commitVersion(hashed).ownersCommitment);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("row store", () => {
  let folder: string;
  let store: RowStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rows-"));
    store = await openRowStore(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));
  const rows = [bytes("first"), bytes("second"), bytes("third")];

  it("gives back a contribution by its root, any number of times", async () => {
    const stored = await storeContribution(store, rows);
    expect(stored.rowsRoot).toBe(contributionRoot(rows.map(hashRow)));
    expect(await readContribution(store, stored.rowsRoot)).toEqual(stored);
    expect(await storeContribution(store, rows)).toEqual(stored);
  });

  it("refuses rows whose content has changed on disk", async () => {
    const { rowsRoot } = await storeContribution(store, rows);
    const digest = bytesToHex(sha256(rows[1]!));
    await writeFile(join(folder, "rows", digest.slice(0, 2), digest), "forged");
    await expect(readContribution(store, rowsRoot)).rejects.toMatchObject({ code: "CLI_ROWS_MISSING" });
  });

  it("refuses a list that is not the one of the root, and an unknown root", async () => {
    const { rowsRoot } = await storeContribution(store, rows);
    const other = await storeContribution(store, rows.slice(1));
    const pathOf = (root: bigint) =>
      join(folder, "contributions", `${root.toString(16).padStart(64, "0")}.json`);
    const { readFile } = await import("node:fs/promises");
    await writeFile(pathOf(rowsRoot), await readFile(pathOf(other.rowsRoot)));
    for (const root of [rowsRoot, 12345n]) {
      await expect(readContribution(store, root)).rejects.toMatchObject({ code: "CLI_ROWS_MISSING" });
    }
  });

  it("refuses an empty row and one that is there twice", async () => {
    for (const bad of [[bytes("")], [bytes("same"), bytes("same")]]) {
      await expect(storeContribution(store, bad)).rejects.toMatchObject({
        code: "CLI_INPUT_INVALID",
        data: { reason: "row-invalid" },
      });
    }
  });
});
