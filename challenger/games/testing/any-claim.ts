import { type Hex, zeroAddress } from "viem";
import { programLeaf } from "../../trace/trace-tree.ts";
import { WordTree } from "../../trace/word-tree.ts";

const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString("hex")}`;

/**
 * A claim of a program of two operations: what is in them is not asked for before the last move.
 * @param byte of its query: another one makes another statement
 */
export function anyClaim(byte = 9) {
  const program = new Uint8Array(32).fill(7);
  const programs = new WordTree(Buffer.concat([new Uint8Array(32), programLeaf(2, program)]));
  const query = new Uint8Array(32).fill(byte);
  const trace = new WordTree(Buffer.concat([new Uint8Array(32).fill(8), query]));
  const tokens: Hex = "0x0000000100000002";
  const statement = {
    ...{ rollup: zeroAddress, modelId: 1n, inputs: [], programs: hex(programs.root), programCount: 2n },
    ...{ opCount: 2n, program: hex(program), tokens, promptCount: 1n, query: hex(query) },
  };
  const nodes = [0, 1].map((i) => hex(trace.node(0, i)));
  return { statement, path: programs.path(1).map(hex), root: hex(trace.root), nodes };
}
