import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { HASH_BYTES, type Opening } from "./merkle-opening.ts";

/** Leaves hashed between two turns of the event loop. */
const TURN_LEAVES = 1 << 15;

/** The tree of merkle-opening.ts with all of its nodes: what a host opens leaves from. */
export class MerkleTree {
  readonly #data: Uint8Array;
  readonly #leafBytes: number;
  /** Level after level from the leaves' hashes up. */
  readonly nodes: Uint8Array;

  private constructor(data: Uint8Array, leafBytes: number, nodes: Uint8Array) {
    this.#data = data;
    this.#leafBytes = leafBytes;
    this.nodes = nodes;
  }

  /** @param onHashed how many bytes of the data are hashed */
  static async build(
    data: Uint8Array,
    leafBytes: number,
    onHashed: (bytes: number) => void = () => {},
  ): Promise<MerkleTree> {
    const widths = levelWidths(data.length, leafBytes);
    const nodes = new Uint8Array(nodeBytes(data.length, leafBytes));
    const leaf = new Uint8Array(1 + leafBytes);
    for (let i = 0; i < widths[0]!; i++) {
      const from = i * leafBytes;
      const part = data.subarray(from, from + leafBytes);
      leaf.set(part, 1);
      nodes.set(hash("sha256", leaf.subarray(0, 1 + part.length), "buffer"), i * HASH_BYTES);
      if (i % TURN_LEAVES === TURN_LEAVES - 1) {
        onHashed(from + part.length);
        await nextTurn();
      }
    }
    const pair = new Uint8Array(1 + 2 * HASH_BYTES).fill(1, 0, 1);
    let below = 0;
    for (const [level, width] of widths.entries()) {
      const here = below + width * HASH_BYTES;
      for (let i = 0; i < (widths[level + 1] ?? 0); i++) {
        const from = below + 2 * i * HASH_BYTES;
        const isAlone = 2 * i + 1 === width;
        const children = nodes.subarray(from, from + (isAlone ? 1 : 2) * HASH_BYTES);
        if (isAlone) {
          nodes.set(children, here + i * HASH_BYTES);
          continue;
        }
        pair.set(children, 1);
        nodes.set(hash("sha256", pair, "buffer"), here + i * HASH_BYTES);
      }
      below = here;
    }
    return new MerkleTree(data, leafBytes, nodes);
  }

  /** Of nodes that `build` has made; they are not checked. */
  static ofNodes(data: Uint8Array, leafBytes: number, nodes: Uint8Array): MerkleTree {
    return new MerkleTree(data, leafBytes, nodes);
  }

  get root(): Uint8Array {
    return this.nodes.subarray(this.nodes.length - HASH_BYTES);
  }

  /** The leaves that hold these bytes, with the hashes that lead to the root. */
  open(ranges: Iterable<{ readonly from: number; readonly to: number }>): Opening {
    const chosen = new Set<number>();
    for (const { from, to } of ranges) {
      const last = Math.floor((Math.min(to, this.#data.length) - 1) / this.#leafBytes);
      for (let i = Math.floor(from / this.#leafBytes); i <= last; i++) chosen.add(i);
    }
    const indices = [...chosen].sort((a, b) => a - b);
    const leaves = indices.map((i) => this.#data.subarray(i * this.#leafBytes, (i + 1) * this.#leafBytes));
    const siblings: Uint8Array[] = [];
    let known = indices;
    let from = 0;
    for (const width of levelWidths(this.#data.length, this.#leafBytes)) {
      const isKnown = new Set(known);
      for (const i of known) {
        const sibling = i ^ 1;
        if (isKnown.has(sibling) || sibling >= width) continue;
        siblings.push(this.nodes.subarray(from + sibling * HASH_BYTES, from + (sibling + 1) * HASH_BYTES));
      }
      known = [...new Set(known.map((i) => i >> 1))];
      from += width * HASH_BYTES;
    }
    return { indices, leaves, siblings };
  }
}

/** Bytes of all nodes over data of this length. */
export function nodeBytes(byteLength: number, leafBytes: number): number {
  return levelWidths(byteLength, leafBytes).reduce((sum, width) => sum + width * HASH_BYTES, 0);
}

function levelWidths(byteLength: number, leafBytes: number): number[] {
  const widths = [Math.ceil(byteLength / leafBytes)];
  while (widths[widths.length - 1]! > 1) widths.push(Math.ceil(widths[widths.length - 1]! / 2));
  return widths;
}
