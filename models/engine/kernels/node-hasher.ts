/** Keccak-256 of neighbouring nodes of a tree, many in one call: the bytes are those of @noble/hashes. */
import { WasmModuleBuilder } from "@openledger/foundation/wasm/assembler";
import { type KernelCalls, newMemory, WebAssembly } from "@openledger/foundation/wasm/relaxed-simd";
import { addHashPairs, addSwapFloats, roundConstants } from "./wasm/keccak-code.ts";

/** Size of a node: one hash. */
export const NODE_BYTES = 32;
/** Maximum nodes: the memory has room for them. */
export const MAX_NODES = 1_024;

/** Byte offset of the round constants in the memory. */
const CONSTANTS_AT = 64;
/** Byte offset of the nodes in the memory. */
const NODES_AT = 1_024;
/** Pages of memory, of 64 KiB. */
const PAGES = 1;

/** Works on nodes that its caller puts into its memory, and takes out of it. */
export class NodeHasher {
  readonly nodes: Uint8Array;
  /** Floats in the same memory. */
  readonly floats: Float32Array;
  readonly #calls: KernelCalls;

  /** Generates and compiles the code, some milliseconds. */
  constructor() {
    const builder = new WasmModuleBuilder(PAGES);
    addHashPairs(builder, CONSTANTS_AT);
    addSwapFloats(builder);
    const memory = newMemory(PAGES, PAGES);
    new BigUint64Array(memory.buffer, CONSTANTS_AT).set(roundConstants());
    this.nodes = new Uint8Array(memory.buffer, NODES_AT, NODE_BYTES * MAX_NODES);
    this.floats = new Float32Array(memory.buffer, NODES_AT, (NODE_BYTES / 4) * MAX_NODES);
    const module = new WebAssembly.Module(builder.build());
    this.#calls = new WebAssembly.Instance(module, { env: { memory, scratch: 0 } }).exports;
  }

  /** Turns nodes 2 i and 2 i + 1 into node i, for `count` values of i. The nodes behind them change, too. */
  hashPairs(count: number): void {
    this.#calls.hashPairs!(NODES_AT, NODES_AT, count);
  }

  /** Turns `count` nodes of eight floats each into big-endian floats, every NaN the same. */
  swapFloats(count: number): void {
    this.#calls.swapFloats!(NODES_AT, NODES_AT + NODE_BYTES * count);
  }
}
