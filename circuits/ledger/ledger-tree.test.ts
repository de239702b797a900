import { runs } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { hashTagged, initPoseidon } from "../field/poseidon.ts";
import { FIELD_ORDER, MAX_LEAF_COUNT, TAG, TREE_ARITY, TREE_DEPTH } from "../protocol.ts";
import { accountLeaf, hashLeaf } from "./leaf.ts";
import { hashVersions, LedgerTree, rootFromPath, type TreeVersion } from "./ledger-tree.ts";

beforeAll(initPoseidon);

const updates = fc.array(fc.tuple(fc.nat(63), fc.bigInt(0n, FIELD_ORDER - 1n)), { maxLength: 12 });

/** The root of all 64 leaves at once, with nothing kept between updates. */
function denseRoot(leaves: readonly bigint[]): bigint {
  let level = [...leaves];
  while (level.length > 1) {
    level = Array.from({ length: level.length / TREE_ARITY }, (_, i) =>
      hashTagged(TAG.node, level.slice(8 * i, 8 * i + 8)),
    );
  }
  return level[0]!;
}

describe("LedgerTree", () => {
  it("has the dense tree's root after any updates, in any order", () => {
    fc.assert(
      fc.property(updates, (list) => {
        const tree = new LedgerTree(2);
        const leaves = Array<bigint>(64).fill(0n);
        expect(tree.root).toBe(denseRoot(leaves));
        for (const [id, hash] of list) {
          leaves[id] = hash;
          tree.update(id, hash);
          if (id % 3 === 0) expect(tree.root).toBe(denseRoot(leaves));
        }
        expect(tree.root).toBe(denseRoot(leaves));
        const backwards = new LedgerTree(2);
        for (let id = 63; id >= 0; id--) if (leaves[id] !== 0n) backwards.update(id, leaves[id]!);
        expect(backwards.root).toBe(tree.root);
      }),
      { numRuns: runs(30) },
    );
  });

  it("gives paths that lead to the root, before and after an update", () => {
    fc.assert(
      fc.property(updates, fc.nat(63), (list, id) => {
        const tree = new LedgerTree(2);
        for (const [at, hash] of list) tree.update(at, hash);
        const rows = tree.path(id);
        expect(rows.map((row) => row.length)).toEqual([8, 8]);
        expect(rows[0]![id % 8]).toBe(list.findLast(([at]) => at === id)?.[1] ?? 0n);
        expect(rootFromPath(id, rows[0]![id % 8]!, rows)).toBe(tree.root);
        tree.update(id, 5n);
        expect(rootFromPath(id, 5n, rows)).toBe(tree.root);
      }),
      { numRuns: runs(30) },
    );
  });

  it("has an empty root that follows from the empty leaf 0, and 2^24 leaves at depth 8", () => {
    const tree = new LedgerTree();
    let empty = 0n;
    for (let level = 0; level < TREE_DEPTH; level++) empty = hashTagged(TAG.node, Array(8).fill(empty));
    expect(tree.root).toBe(empty);
    expect(tree.capacity).toBe(MAX_LEAF_COUNT);
    tree.update(MAX_LEAF_COUNT - 1, 7n);
    expect(rootFromPath(MAX_LEAF_COUNT - 1, 7n, tree.path(MAX_LEAF_COUNT - 1))).toBe(tree.root);
    tree.update(MAX_LEAF_COUNT - 1, 0n);
    expect(tree.root).toBe(empty);
  });

  it("hashes a leaf's contents as hashLeaf does, and shows them again", () => {
    const tree = new LedgerTree(3);
    const leaf = accountLeaf({ l1Owner: 5n, keyX: 6n, balance: 7n });
    tree.put(100, leaf);
    const same = new LedgerTree(3);
    same.update(100, hashLeaf(leaf));
    expect(tree.root).toBe(same.root);
    expect(tree.version.leaf(100)).toBe(leaf);
    expect(tree.version.leaf(99)).toBeNull();
  });

  it("keeps old versions as they were, whenever and in whatever order they are hashed", () => {
    fc.assert(
      fc.property(updates, fc.infiniteStream(fc.nat(2)), (list, asks) => {
        const tree = new LedgerTree(2);
        const eager = new LedgerTree(2);
        const versions: [TreeVersion, root: bigint, path: bigint[][], id: number][] = [];
        for (const [id, hash] of list) {
          tree.update(id, hash);
          eager.update(id, hash);
          versions.push([tree.version, eager.root, eager.path(id), id]);
          if (asks.next().value === 0) expect(tree.root).toBe(eager.root);
        }
        if (asks.next().value === 0) hashVersions(versions.map(([version]) => version));
        for (const [version, root, path, id] of versions.reverse()) {
          expect(version.path(id)).toEqual(path);
          expect(version.root).toBe(root);
        }
      }),
      { numRuns: runs(40) },
    );
  });

  it("changes no version and no other tree, whatever trees begin as whose versions", () => {
    const change = fc.tuple(fc.nat(9), fc.nat(63), fc.bigInt(0n, FIELD_ORDER - 1n), fc.nat(3));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const worlds = [{ tree: new LedgerTree(2), leaves: Array<bigint>(64).fill(0n) }];
        const versions: [TreeVersion, leaves: bigint[]][] = [];
        for (const [which, id, hash, look] of changes) {
          const { leaves, tree } = worlds[which % worlds.length]!;
          tree.update(id, hash);
          leaves[id] = hash;
          if (look > 1) continue;
          versions.push([tree.version, [...leaves]]);
          if (look === 1) worlds.push({ tree: LedgerTree.ofVersion(tree.version), leaves: [...leaves] });
        }
        for (const { leaves, tree } of worlds) versions.push([tree.version, leaves]);
        for (const [version, leaves] of versions) expect(version.root).toBe(denseRoot(leaves));
      }),
      { numRuns: runs(100) },
    );
  });

  it("follows some leaves from a part of the tree alone", () => {
    fc.assert(
      fc.property(updates, updates, (before, after) => {
        const tree = new LedgerTree(2);
        for (const [id, hash] of before) tree.update(id, hash);
        const ids = [0, ...after.map(([id]) => id)];
        const part = LedgerTree.ofPart(structuredClone(tree.version.part(ids)));
        expect(part.root).toBe(tree.root);
        for (const [id, hash] of after) {
          expect(part.path(id)).toEqual(tree.path(id));
          tree.update(id, hash);
          part.update(id, hash);
        }
        expect(part.root).toBe(tree.root);
      }),
      { numRuns: runs(40) },
    );
  });
});
