import { runs, TestRandom } from "@openledger/foundation/testing/test-random";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { accountLeaf, EMPTY_DATANET_BODY, EMPTY_LEAF, hashLeaf, type LeafState } from "../leaf.ts";
import { Ledger } from "../ledger.ts";
import { hashVersions, LedgerTree, type TreeVersion } from "../ledger-tree.ts";
import { PlainTree } from "../testing/plain-tree.ts";
import { FlatLedger } from "./flat-ledger.ts";

beforeAll(initPoseidon);

/** Chunks of 4,096 leaves have a level above them. */
const DEPTH = 5;

interface Batch {
  readonly changes: ReadonlyMap<number, LeafState | undefined>;
  readonly leaves: ReadonlyMap<number, LeafState>;
  readonly plain: PlainTree;
}

interface Held {
  readonly version: TreeVersion;
  readonly leaves: ReadonlyMap<number, LeafState>;
  readonly plain: PlainTree;
}

/** A ledger that closes, folds and takes back batches at random, beside maps and a plain tree. */
class World {
  readonly ledger = new Ledger(DEPTH);
  readonly random: TestRandom;
  readonly ids: number[];
  leaves = new Map<number, LeafState>();
  plain = new PlainTree(DEPTH);
  readonly held: Held[] = [];
  /** Closed batches that are not folded; the first is the one folded last. */
  batches: Batch[] = [{ changes: new Map(), leaves: new Map(), plain: new PlainTree(DEPTH) }];
  changes = new Map<number, LeafState | undefined>();

  constructor(random: TestRandom) {
    this.random = random;
    const all = [0, 1, 9, 70, 4_095, 4_096, 32_767, random.below(32_768)];
    this.ids = random.below(2) === 0 ? all : all.slice(0, 1 + random.below(3));
  }

  state(): LeafState {
    const value = BigInt(this.random.below(2));
    const leaf = accountLeaf({ l1Owner: 5n + value, keyX: 2n ** 253n + value, balance: 2n ** 95n + value });
    if (this.random.below(4) > 0) return { leaf: { ...leaf, nonce: value } };
    const datanet = { ...EMPTY_DATANET_BODY, rowCount: value };
    return { leaf: { ...leaf, kind: 2, body: value + 1n }, datanet };
  }

  put(id: number, state: LeafState | undefined): void {
    this.changes.set(id, state);
    if (state === undefined) {
      this.leaves.delete(id);
      this.ledger.remove(id);
    } else {
      this.leaves.set(id, state);
      this.ledger.put(id, state, this.random.below(2) === 0 ? hashLeaf(state.leaf) : undefined);
    }
    this.plain.update(id, state === undefined ? 0n : hashLeaf(state.leaf));
  }

  hold(): void {
    const { version } = this.ledger.tree;
    this.held.push({ version, leaves: new Map(this.leaves), plain: this.plain.copy() });
  }

  close(): void {
    this.batches.push({ changes: this.changes, leaves: new Map(this.leaves), plain: this.plain.copy() });
    this.changes = new Map();
  }

  /** The oldest closed batch can no longer be taken back. */
  fold(): void {
    if (this.batches.length < 2) return;
    this.batches.shift();
    const { changes, leaves } = this.batches[0]!;
    const named = [...changes.keys(), this.random.pick(this.ids)];
    this.ledger.fold(
      [...new Set(named)].map((id) => {
        const state = leaves.get(id);
        return [id, state, state === undefined ? 0n : hashLeaf(state.leaf)] as const;
      }),
    );
    for (const id of this.ids) {
      expect(this.ledger.foldedLeaf(id)).toEqual(leaves.get(id));
      expect(this.ledger.leaf(id)).toEqual(this.leaves.get(id));
    }
    // Hashes that nobody has read are not computed yet.
    if (this.random.below(4) === 0) expect(this.ledger.root).toBe(this.plain.root);
  }

  foldAll(): void {
    this.close();
    while (this.batches.length > 1) this.fold();
  }

  takeBack(): void {
    const count = this.random.below(this.batches.length);
    const gone = this.batches.splice(this.batches.length - count, count);
    const touched = new Set([...this.changes.keys(), ...gone.flatMap(({ changes }) => [...changes.keys()])]);
    const { leaves } = this.batches.at(-1)!;
    for (const id of touched) this.put(id, leaves.get(id));
    this.changes = new Map();
  }

  check({ leaves, plain, version }: Held): void {
    const id = this.random.pick(this.ids);
    const asks = [
      () => expect(version.path(id)).toEqual(plain.path(id)),
      () => expect(version.part([id, 9]).rows).toEqual(plain.rows([...new Set([id, 9])])),
      () => expect(version.leafHash(id)).toBe(plain.path(id)[0]![id % 8]),
      () => expect(version.leaf(id)).toEqual(leaves.get(id)?.leaf ?? null),
      () => expect(version.subtree(id, 2).root).toBe(plain.path(id)[2]![Math.floor(id / 64) % 8]),
      () => expect(LedgerTree.ofPart(version.part([id])).path(id)).toEqual(plain.path(id)),
    ];
    this.random.pick(asks)();
    expect(version.root).toBe(plain.root);
  }

  checkLeaves(): void {
    const sorted = [...this.leaves].sort(([x], [y]) => x - y);
    expect([...this.ledger.leaves]).toEqual(sorted);
    expect(this.ledger.leaves.size).toBe(sorted.length);
    expect([...this.ledger.leaves.withMore()]).toEqual(sorted.filter(([, { datanet }]) => datanet));
    expect([...this.ledger.leaves.of({ l1Owner: 5n })]).toEqual(
      sorted.filter(([, { leaf }]) => leaf.l1Owner === 5n),
    );
    expect([...this.ledger.leaves.of({ keyX: 2n ** 253n })]).toEqual(
      sorted.filter(([, { leaf }]) => leaf.keyX === 2n ** 253n),
    );
    expect(this.ledger.totalWei()).toBe(sorted.reduce((sum, [, { leaf }]) => sum + leaf.balance, 0n));
  }
}

describe("FlatLedger", () => {
  it("below a ledger is never seen: roots, paths, parts, leaves and old versions are those of a plain tree", () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat(15), { maxLength: 80, size: "max" }), (seed, steps) => {
        const world = new World(new TestRandom(seed));
        for (const step of steps) {
          if (step < 5) world.put(world.random.pick(world.ids), world.state());
          else if (step < 8) world.close();
          else if (step < 10) world.fold();
          else if (step === 10) world.takeBack();
          else if (step === 11) world.hold();
          else if (step < 14) world.foldAll();
          else if (step === 14) expect(world.ledger.root).toBe(world.plain.root);
          else if (world.held.length > 0) world.check(world.random.pick(world.held));
        }
        world.hold();
        world.checkLeaves();
        if (steps.length % 2 === 0) hashVersions(world.held.map(({ version }) => version));
        for (const held of world.held.reverse()) world.check(held);
        world.ledger.foldAll();
        world.checkLeaves();
        expect(world.ledger.root).toBe(world.plain.root);
        for (const held of world.held) world.check(held);
      }),
      { numRuns: runs(150) },
    );
  });

  it("gives every leaf back as it was, in its record or beside it", () => {
    const max = { kind: 255, nonce: 2n ** 40n - 1n, l1Owner: 2n ** 160n - 1n, balance: 2n ** 96n - 1n };
    const largest = { ...EMPTY_LEAF, ...max, keyX: 2n ** 256n - 1n };
    const leaves = [
      largest,
      accountLeaf({ l1Owner: 1n }),
      ...(["nonce", "l1Owner", "balance"] as const).map((field) => ({
        ...largest,
        [field]: largest[field] + 1n,
      })),
      ...(["chain", "openAmount", "counters", "body"] as const).map((field) => ({ ...largest, [field]: 1n })),
    ];
    const flat = new FlatLedger(2);
    flat.fold(leaves.map((leaf, id) => [id, { leaf }, BigInt(id)]));
    for (const [id, leaf] of leaves.entries()) expect(flat.leaf(id)).toEqual({ leaf });
    expect(flat.withMore.map(([id]) => id)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect([flat.size, flat.leaf(9), flat.leaf(63)]).toEqual([9, undefined, undefined]);
    const copy = new FlatLedger(2);
    const { bytes, more } = flat.chunk(0)!;
    copy.adopt(0, bytes.slice().buffer, structuredClone(more));
    expect([...copy.ids()].map((id) => copy.leaf(id))).toEqual(leaves.map((leaf) => ({ leaf })));
    expect(copy.view.hash(2, 0)).toBe(flat.view.hash(2, 0));
  });
});

it("finds an owner's leaves, and a key's, without going through all", () => {
  const ledger = new Ledger(7);
  const count = 200_000;
  ledger.base.fold(
    Array.from({ length: count }, (_, id) => {
      const l1Owner = id % 1_000 === 7 ? 5n : BigInt(id) + 1_000_000n;
      return [id, { leaf: accountLeaf({ l1Owner, keyX: l1Owner << 90n }) }, 1n] as const;
    }),
  );
  // Changes that are not folded yet have an index of their own.
  ledger.put(count, { leaf: accountLeaf({ l1Owner: 5n, keyX: 5n << 90n }) });
  ledger.put(7, { leaf: accountLeaf({ l1Owner: 6n, keyX: 5n << 90n }) });
  const ids = (expected: Parameters<typeof ledger.leaves.of>[0]) =>
    [...ledger.leaves.of(expected)].map(([id]) => id);
  const all = Array.from({ length: 200 }, (_, i) => 7 + 1_000 * i);
  expect(ids({ l1Owner: 5n })).toEqual([...all.slice(1), count]);
  expect(ids({ keyX: 5n << 90n })).toEqual([...all, count]);
  expect(ids({ l1Owner: 6n })).toEqual([7]);
  const before = process.cpuUsage();
  for (let i = 0; i < 500; i++)
    expect(ids({ l1Owner: BigInt(i) })).toHaveLength(i === 5 ? 200 : i === 6 ? 1 : 0);
  const { system, user } = process.cpuUsage(before);
  // Going through all of them takes milliseconds for each.
  expect((system + user) / 500).toBeLessThan(500);
});
