/**
 * Compact storage of the leaves and nodes of a ledger as some batch left them, outside the JavaScript heap: 117 bytes a leaf,
 * of 16.7 million that there may be, 8 of them an index of owners and keys. A ledger keeps what changed since as nodes over it
 * (ledger-tree.ts).
 *
 * `fold` overwrites leaves in place. Whoever holds a FlatView still sees what was there: each fold leaves what it overwrote
 * with the view that was the newest until then, and a view looks into those of all folds since. Views point to newer ones
 * alone, so what no one looks at is collected.
 */
import { hashTagged, hashTaggedMany } from "../../field/poseidon.ts";
import { AMOUNT_BITS, ID_BITS, NONCE_BITS, TAG, TREE_ARITY, TREE_DEPTH } from "../../protocol.ts";
import { EMPTY_LEAF, type Leaf, type LeafState } from "../leaf.ts";
import { ChunkIndex } from "./chunk-index.ts";

const DIGIT_BITS = Math.log2(TREE_ARITY);
/** Levels of a chunk. Leaves are allocated, and stored, in subtrees of 4,096. */
const CHUNK_LEVELS = 4;
const HASH_WORDS = 4;
/** form 8 bits, kind 8, nonce 40; l1Owner 160 bits, balance 96; keyX 256. Each in 64-bit words. */
const RECORD_WORDS = 9;
const WORD_BYTES = 8;
/** Halves of a word. */
const RECORD_HALVES = 2 * RECORD_WORDS;
const OWNER_WORD = 1;
const KEY_WORD = 5;
/** Storage of a leaf: absent, in its record, or in the map if it has more fields than a record holds. */
const FORM = { absent: 0n, record: 1n, map: 2n } as const;
/** Cache size: decoded leaves. An operation asks for each of its leaves several times. */
const DECODED = 4_096;

const emptyHashes: bigint[] = [0n];
/** Hash of the empty subtree of `level` levels. */
function emptyHash(level: number): bigint {
  for (let next = emptyHashes.length; next <= level; next++)
    emptyHashes.push(hashTagged(TAG.node, Array<bigint>(TREE_ARITY).fill(emptyHashes[next - 1]!)));
  return emptyHashes[level]!;
}

function read(words: BigUint64Array, at: number): bigint {
  const high = (words[at + 3]! << 64n) | words[at + 2]!;
  return (high << 128n) | (words[at + 1]! << 64n) | words[at]!;
}

/** Writes a value as words. Each assignment keeps the low 64 bits. */
function write(words: BigUint64Array, at: number, value: bigint): void {
  words[at] = value;
  words[at + 1] = value >> 64n;
  words[at + 2] = value >> 128n;
  words[at + 3] = value >> 192n;
}

const fits = (value: bigint, bits: number) => value >= 0n && value >> BigInt(bits) === 0n;

/** True if the record holds the whole leaf, as it does for every account. */
function isRecord({ datanet, leaf, model, rewards }: LeafState): boolean {
  const { balance, body, chain, counters, keyX, kind, l1Owner, nonce, openAmount } = leaf;
  return (
    [datanet, model, rewards].every((part) => part === undefined) &&
    [chain, openAmount, counters, body].every((field) => field === 0n) &&
    fits(BigInt(kind), 8) &&
    fits(nonce, NONCE_BITS) &&
    fits(l1Owner, 160) &&
    fits(balance, AMOUNT_BITS) &&
    fits(keyX, 256)
  );
}

/** Hash and state that a fold overwrote. A node's hash may not be computed yet. */
interface Overwritten {
  hash: bigint | undefined;
  readonly state: LeafState | undefined;
}

const nodeKey = (level: number, index: number) => level * 2 ** ID_BITS + index;

/** View of a flat ledger at one moment. */
export class FlatView {
  readonly flat: FlatLedger;
  #overwritten: ReadonlyMap<number, Overwritten> | null = null;
  #next: FlatView | null = null;

  constructor(flat: FlatLedger) {
    this.flat = flat;
  }

  /** Marks the view as superseded. Called by FlatLedger only. */
  supersede(next: FlatView, overwritten: ReadonlyMap<number, Overwritten>): void {
    this.#next = next;
    this.#overwritten = overwritten;
  }

  #before(level: number, index: number): Overwritten | undefined {
    const key = nodeKey(level, index);
    for (let view: FlatView = this; view.#overwritten !== null; view = view.#next!) {
      const found = view.#overwritten.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #known(level: number, index: number): bigint | undefined {
    const before = this.#before(level, index);
    return before === undefined ? this.flat.known(level, index) : before.hash;
  }

  leaf(id: number): LeafState | undefined {
    const before = this.#before(0, id);
    return before === undefined ? this.flat.leaf(id) : before.state;
  }

  /** Hash of node `index` of a level. Level 0 is the leaf; 0 if there is none. */
  hash(level: number, index: number): bigint {
    return this.#known(level, index) ?? this.#take(level, index);
  }

  /** Hashes of node `index`'s eight children, which are on level `childLevel`. */
  row(childLevel: number, index: number): bigint[] {
    return Array.from({ length: TREE_ARITY }, (_, i) => this.hash(childLevel, TREE_ARITY * index + i));
  }

  /** Computes the missing hashes at and below a node, level by level. */
  #take(level: number, index: number): bigint {
    const levels: number[][] = Array.from({ length: level + 1 }, () => []);
    const visit = (at: number, node: number) => {
      if (this.#known(at, node) !== undefined) return;
      levels[at]!.push(node);
      for (let i = 0; i < TREE_ARITY; i++) visit(at - 1, TREE_ARITY * node + i);
    };
    visit(level, index);
    for (const [at, nodes] of levels.entries()) {
      const rows = nodes.map((node) => [node, this.row(at - 1, node)] as const);
      const isEmpty = (row: readonly bigint[]) => row.every((hash) => hash === emptyHash(at - 1));
      const nonEmpty = rows.filter(([, row]) => !isEmpty(row));
      const hashes = hashTaggedMany(nonEmpty.map(([, row]) => [TAG.node, row]));
      for (const [node, row] of rows) if (isEmpty(row)) this.#keep(at, node, emptyHash(at));
      for (const [i, [node]] of nonEmpty.entries()) this.#keep(at, node, hashes[i]!);
    }
    return this.#known(level, index)!;
  }

  /** Stores a computed hash: in the ledger, or in the overwritten node if a later fold has overwritten it. */
  #keep(level: number, index: number, hash: bigint): void {
    const before = this.#before(level, index);
    if (before === undefined) this.flat.keep(level, index, hash);
    else before.hash = hash;
  }
}

/** Search term for leaves: an owner or a key. */
export type LeafHolder = { readonly l1Owner: bigint } | { readonly keyX: bigint };

const lowBits = (value: bigint): number => Number(value & 0xffff_ffffn);

/** Leaf and its hash. Without a state the leaf is absent, and the hash is 0. */
export type FlatLeaf = readonly [id: number, state: LeafState | undefined, hash: bigint];

export class FlatLedger {
  readonly depth: number;
  /** Levels of a chunk, its top included. */
  readonly #chunkLevels: number;
  readonly #chunkLeaves: number;
  /** Offset of each level's hashes in a chunk; the last is the chunk's end. */
  readonly #starts: number[];
  readonly #chunks: BigUint64Array[] = [];
  /** Hashes of the levels above chunks. */
  readonly #above: BigUint64Array[] = [];
  /** Chunks as 32-bit halves of the same memory. Comparing halves takes a tenth of comparing bigints. */
  readonly #halves: Uint32Array[] = [];
  readonly #owners: ChunkIndex[] = [];
  readonly #keys: ChunkIndex[] = [];
  readonly #map = new Map<number, LeafState>();
  readonly #decoded: ([id: number, state: LeafState] | undefined)[] = [];
  #size = 0;
  #view = new FlatView(this);

  constructor(depth: number = TREE_DEPTH) {
    this.depth = depth;
    this.#chunkLevels = Math.min(CHUNK_LEVELS, depth);
    this.#chunkLeaves = TREE_ARITY ** this.#chunkLevels;
    this.#starts = [RECORD_WORDS * this.#chunkLeaves];
    for (let level = 0; level <= this.#chunkLevels; level++)
      this.#starts.push(this.#starts[level]! + HASH_WORDS * TREE_ARITY ** (this.#chunkLevels - level));
  }

  /** View of the present state, for later reads. Costs nothing. */
  get view(): FlatView {
    return this.#view;
  }

  get size(): number {
    return this.#size;
  }

  /** Location of a node's hash; null if its whole chunk is empty. */
  #position(level: number, index: number): readonly [words: BigUint64Array, at: number] | null {
    const height = this.#chunkLevels - level;
    if (height < 0) {
      this.#above[-height] ??= new BigUint64Array(HASH_WORDS * TREE_ARITY ** (this.depth - level));
      return [this.#above[-height]!, HASH_WORDS * index];
    }
    const chunk = this.#chunks[index >>> (DIGIT_BITS * height)];
    if (chunk === undefined) return null;
    return [chunk, this.#starts[level]! + HASH_WORDS * (index & (TREE_ARITY ** height - 1))];
  }

  /** Hash of a node; undefined if a leaf below it has changed since the hash was computed. */
  known(level: number, index: number): bigint | undefined {
    const position = this.#chunks.length === 0 ? null : this.#position(level, index);
    if (position === null) return emptyHash(level);
    const hash = read(...position);
    return hash === 0n && level > 0 ? undefined : hash;
  }

  /** Stores a node's hash; 0 marks it as not computed. */
  keep(level: number, index: number, hash: bigint): void {
    const position = this.#position(level, index);
    if (position !== null) write(...position, hash);
  }

  leaf(id: number): LeafState | undefined {
    const decoded = this.#decoded[id % DECODED];
    if (decoded?.[0] === id) return decoded[1];
    const chunk = this.#chunks[Math.floor(id / this.#chunkLeaves)];
    if (chunk === undefined) return undefined;
    const at = RECORD_WORDS * (id % this.#chunkLeaves);
    const first = chunk[at]!;
    const form = first & 0xffn;
    if (form !== FORM.record) return form === FORM.map ? this.#map.get(id) : undefined;
    const mixed = chunk[at + 3]!;
    const leaf: Leaf = {
      ...EMPTY_LEAF,
      kind: Number((first >> 8n) & 0xffn),
      nonce: first >> 16n,
      l1Owner: ((mixed & 0xffff_ffffn) << 128n) | (chunk[at + 2]! << 64n) | chunk[at + 1]!,
      keyX: read(chunk, at + 5),
      balance: ((mixed >> 32n) << 64n) | chunk[at + 4]!,
    };
    const state = { leaf };
    if (this.#decoded.length === 0) this.#decoded.push(...Array<undefined>(DECODED).fill(undefined));
    this.#decoded[id % DECODED] = [id, state];
    return state;
  }

  #addChunk(index: number, chunk: BigUint64Array): void {
    this.#chunks[index] = chunk;
    this.#halves[index] = new Uint32Array(chunk.buffer);
    this.#owners[index] = new ChunkIndex(this.#chunkLeaves);
    this.#keys[index] = new ChunkIndex(this.#chunkLeaves);
  }

  /** Index key of a present leaf: low 32 bits of its owner and its key. */
  #indexed(chunk: BigUint64Array, id: number): [ownerBits: number, keyBits: number] {
    const more = this.#map.get(id);
    if (more !== undefined) return [lowBits(more.leaf.l1Owner), lowBits(more.leaf.keyX)];
    const at = RECORD_WORDS * (id % this.#chunkLeaves);
    return [lowBits(chunk[at + OWNER_WORD]!), lowBits(chunk[at + KEY_WORD]!)];
  }

  #set(id: number, state: LeafState | undefined, hash: bigint): void {
    const index = Math.floor(id / this.#chunkLeaves);
    if (this.#chunks[index] === undefined) this.#addChunk(index, new BigUint64Array(this.#starts.at(-1)!));
    const chunk = this.#chunks[index]!;
    const position = id % this.#chunkLeaves;
    const at = RECORD_WORDS * position;
    const [owners, keys] = [this.#owners[index]!, this.#keys[index]!];
    if (chunk[at] !== FORM.absent) {
      this.#size -= 1;
      const [ownerBits, keyBits] = this.#indexed(chunk, id);
      owners.remove(position, ownerBits);
      keys.remove(position, keyBits);
    }
    this.#map.delete(id);
    if (this.#decoded.length > 0) this.#decoded[id % DECODED] = undefined;
    chunk.fill(0n, at, at + RECORD_WORDS);
    write(chunk, this.#starts[0]! + HASH_WORDS * (id % this.#chunkLeaves), hash);
    if (state === undefined) return;
    this.#size += 1;
    owners.add(position, lowBits(state.leaf.l1Owner));
    keys.add(position, lowBits(state.leaf.keyX));
    if (!isRecord(state)) {
      chunk[at] = FORM.map;
      this.#map.set(id, state);
      return;
    }
    const { balance, keyX, kind, l1Owner, nonce } = state.leaf;
    chunk[at] = FORM.record | (BigInt(kind) << 8n) | (nonce << 16n);
    chunk[at + 1] = l1Owner;
    chunk[at + 2] = l1Owner >> 64n;
    chunk[at + 3] = (l1Owner >> 128n) | ((balance >> 64n) << 32n);
    chunk[at + 4] = balance;
    write(chunk, at + 5, keyX);
    if (this.#decoded.length > 0) this.#decoded[id % DECODED] = [id, state];
  }

  /** Overwrites leaves. Hashes are computed on first use. */
  fold(leaves: Iterable<FlatLeaf>): void {
    const overwritten = new Map<number, Overwritten>();
    for (const [id, state, hash] of leaves) {
      if (!overwritten.has(id)) overwritten.set(id, { hash: this.known(0, id), state: this.leaf(id) });
      this.#set(id, state, hash);
      let index = id;
      for (let level = 1; level <= this.depth; level++) {
        index >>>= DIGIT_BITS;
        const key = nodeKey(level, index);
        // All nodes above one that was noted were noted with it.
        if (overwritten.has(key)) break;
        overwritten.set(key, { hash: this.known(level, index), state: undefined });
        this.keep(level, index, 0n);
      }
    }
    const next = new FlatView(this);
    this.#view.supersede(next, overwritten);
    this.#view = next;
  }

  /** Rising. */
  *ids(): Generator<number> {
    for (const [index, chunk] of this.#chunks.entries()) {
      if (chunk === undefined) continue;
      const halves = new Uint32Array(chunk.buffer);
      for (let i = 0; i < this.#chunkLeaves; i++)
        if (halves[RECORD_HALVES * i] !== 0) yield index * this.#chunkLeaves + i;
    }
  }

  /** Leaves that `withMore` lists. */
  get bodyCount(): number {
    return this.#map.size;
  }

  /** Leaves that have more than an account, by rising id: datanets and models. */
  get withMore(): [id: number, state: LeafState][] {
    return [...this.#map].sort(([x], [y]) => x - y);
  }

  /** Ids of leaves with this owner or this key, ascending. One lookup in each chunk: at most 4,096. */
  *idsOf(holder: LeafHolder): Generator<number> {
    const [field, indices, value] =
      "keyX" in holder
        ? (["keyX", this.#keys, holder.keyX] as const)
        : (["l1Owner", this.#owners, holder.l1Owner] as const);
    const bits = lowBits(value);
    const half = 2 * (field === "keyX" ? KEY_WORD : OWNER_WORD);
    for (let index = 0; index < indices.length; index++) {
      const chunkIndex = indices[index];
      if (chunkIndex === undefined) continue;
      const halves = this.#halves[index]!;
      const found: number[] = [];
      for (let position = chunkIndex.first(bits); position >= 0; position = chunkIndex.next(position)) {
        // A bucket has one leaf of another value on average: no bigints are made of those. A record in the map has zeros here.
        const known = halves[RECORD_HALVES * position + half]!;
        if (known !== bits && (known !== 0 || !this.#map.has(index * this.#chunkLeaves + position))) continue;
        const id = index * this.#chunkLeaves + position;
        if (this.leaf(id)?.leaf[field] === value) found.push(id);
      }
      if (found.length > 0) yield* found.sort((x, y) => x - y);
    }
  }

  /** Sum of all accounts' balances, without those that `withMore` lists. */
  accountWei(): bigint {
    let sum = 0n;
    for (const chunk of this.#chunks)
      for (let at = 0; chunk !== undefined && at < RECORD_WORDS * this.#chunkLeaves; at += RECORD_WORDS)
        sum += ((chunk[at + 3]! >> 32n) << 64n) | chunk[at + 4]!;
    return sum;
  }

  // File form: one chunk after the other, as they are in memory.

  get chunkBytes(): number {
    return WORD_BYTES * this.#starts.at(-1)!;
  }

  get chunkCount(): number {
    return this.#chunks.length;
  }

  /** A chunk's bytes, which go on changing, and the leaves of it that are not in its records; null if it is empty. */
  chunk(index: number): { bytes: Uint8Array; more: [id: number, state: LeafState][] } | null {
    const chunk = this.#chunks[index];
    if (chunk === undefined) return null;
    const more: [number, LeafState][] = [];
    const halves = new Uint32Array(chunk.buffer);
    for (let i = 0; i < this.#chunkLeaves; i++) {
      if ((halves[RECORD_HALVES * i]! & 0xff) !== Number(FORM.map)) continue;
      const id = index * this.#chunkLeaves + i;
      more.push([id, this.#map.get(id)!]);
    }
    return { bytes: new Uint8Array(chunk.buffer), more };
  }

  /** Restores a chunk from the output of `chunk`. Call it before any other use of the ledger. */
  adopt(index: number, bytes: ArrayBuffer, more: readonly (readonly [id: number, state: LeafState])[]): void {
    const chunk = new BigUint64Array(bytes);
    this.#addChunk(index, chunk);
    for (const [id, state] of more) this.#map.set(id, state);
    const halves = new Uint32Array(bytes);
    for (let position = 0; position < this.#chunkLeaves; position++) {
      if (halves[RECORD_HALVES * position] === 0) continue;
      this.#size += 1;
      const [ownerBits, keyBits] = this.#indexed(chunk, index * this.#chunkLeaves + position);
      this.#owners[index]!.add(position, ownerBits);
      this.#keys[index]!.add(position, keyBits);
    }
  }
}
