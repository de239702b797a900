/** Moves of the game over a query's computation, each from what the chain shows and a trace of one's own. */

import { keccak_256 } from "@noble/hashes/sha3.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { bytesToHex, encodeFunctionData, type Hex, hexToBytes } from "viem";
import { placesOf } from "../trace/leaf-rules.ts";
import { encodeOp, sizeOf } from "../trace/trace-op.ts";
import type { WordTree } from "../trace/word-tree.ts";
import { hashAs } from "./claims/ledger-claims.ts";
import {
  hexes,
  openedRange,
  type TracedQuery,
  type TraceStatement,
  WORD_NUMBERS,
} from "./claims/traced-model.ts";

/** Levels that a move goes down. */
const STEP = 4;
/** In the order of ITraceGame.Turn. */
export const TURNS = ["none", "answer", "reveal", "choose", "show", "over"] as const;

/** A game as the contract has it. */
export interface GameState {
  readonly gameId: bigint;
  readonly claimId: bigint;
  readonly turn: (typeof TURNS)[number];
  /** Unix time. */
  readonly deadline: bigint;
  readonly challenger: Hex;
  /** Levels left below `node`. */
  readonly depth: number;
  /** null while it is not known in which operation the first difference lies. */
  readonly op: number | null;
  readonly place: number;
  readonly node: Hex;
  /** That has the challenge. */
  readonly block: number;
}

/** All that the owner has shown, move by move: its challenger goes on from there. */
export interface ShownGame extends GameState {
  readonly revealed: readonly (readonly Hex[])[];
}

/** One's own trace, as far as moves need it: trees of the operations that they are about, and the one over all roots. */
export interface GameTrace extends Pick<TracedQuery, "text" | "program" | "programTree" | "claimedOp"> {
  readonly tree: { readonly top: WordTree; readonly ops: Readonly<Record<number, WordTree>> };
}

/** What the contract keeps of a statement, and a challenge names. */
export const statementHash = (statement: TraceStatement): Hex => hashAs("answer", "statement", statement);

/** The challenge of a claim, if that is what its number still stands for. */
export function challengeCall(claimId: bigint, hash: Hex): Hex {
  return encodeFunctionData({ abi: traceGameAbi, functionName: "challenge", args: [claimId, hash] });
}

/** The owner's move. */
export function ownersMove(game: GameState, statement: TraceStatement, own: GameTrace): Hex {
  if (game.turn === "answer") {
    const { top } = own.tree;
    const shown = [hexes(top.path(own.claimedOp)), nodesBelow(top, top.depth, 0)] as const;
    const args = [game.gameId, statement, bytesToHex(top.root), ...shown] as const;
    return encodeFunctionData({ abi: traceGameAbi, functionName: "answer", args });
  }
  const tree = game.op === null ? own.tree.top : own.tree.ops[game.op]!;
  const args = [game.gameId, nodesBelow(tree, game.depth, game.place)] as const;
  return encodeFunctionData({ abi: traceGameAbi, functionName: "reveal", args });
}

/** Whether the owner has shown a node that one's own trace has not. */
export function differs({ depth, op, place, revealed }: ShownGame, own: GameTrace): boolean {
  const nodes = revealed.at(-1)!;
  const tree = op === null ? own.tree.top : own.tree.ops[op]!;
  const step = Math.log2(nodes.length);
  return nodes.some((node, i) => node !== bytesToHex(tree.node(depth - step, (place << step) + i)));
}

/** The challenger's move. Where nothing differs from his own trace he has no good one: the first node, any number. */
export function challengersMove(game: ShownGame, statement: TraceStatement, own: GameTrace): Hex {
  if (game.turn === "show") return showNumber(game, statement, own);
  const nodes = game.revealed.at(-1)!;
  const tree = game.op === null ? own.tree.top : own.tree.ops[game.op]!;
  const step = Math.log2(nodes.length);
  const level = game.depth - step;
  const first = game.place << step;
  const differing = nodes.findIndex((node, i) => node !== bytesToHex(tree.node(level, first + i)));
  const child = Math.max(0, differing);
  const place = first + child;
  if (game.op !== null || level !== 0) {
    const args = [game.gameId, nodes, BigInt(child)] as const;
    return encodeFunctionData({ abi: traceGameAbi, functionName: "choose", args });
  }
  const op = own.program[place];
  const args = [
    game.gameId,
    statement,
    nodes,
    BigInt(child),
    op === undefined ? "0x" : bytesToHex(encodeOp(op)),
    op === undefined ? [] : hexes(own.programTree.path(place)),
  ] as const;
  return encodeFunctionData({ abi: traceGameAbi, functionName: "chooseOp", args });
}

function showNumber(game: ShownGame, statement: TraceStatement, own: GameTrace): Hex {
  const place = game.op!;
  const op = own.program[place]!;
  const given = game.node.slice(2).match(/.{8}/g)!;
  const right = bytesToHex(own.tree.ops[place]!.node(0, game.place)).slice(2).match(/.{8}/g)!;
  const number = Math.max(
    0,
    given.findIndex((word, i) => word !== right[i]),
  );
  const args = [
    game.gameId,
    statement,
    BigInt(number),
    bytesToHex(encodeOp(op)),
    rangesOf(own, place, WORD_NUMBERS * game.place + number, (source) => {
      const shown = shownNodes(game, own.tree.top.depth);
      return own.tree.top
        .path(source)
        .map((node, level) => shown.get(`${level}/${(source >> level) ^ 1}`) ?? bytesToHex(node));
    }),
  ] as const;
  return encodeFunctionData({ abi: traceGameAbi, functionName: "show", args });
}

/** What a number of an operation is made of. @param pathOf an operation's, under the root that it opens */
export function rangesOf(
  own: GameTrace,
  place: number,
  element: number,
  pathOf: (op: number) => Hex[] = (op) => hexes(own.tree.top.path(op)),
) {
  const op = own.program[place]!;
  if (element >= sizeOf(op)) return [];
  const [row, column] = [Math.floor(element / op.columns), element % op.columns];
  return placesOf(op, own.text, row, column).map(({ count, from, source }) => {
    // A token that the table has no row for.
    if (from >= source.size) return { words: "0x" as Hex, beside: [], path: [] };
    return { ...openedRange(own.tree.ops[source.op]!, from, count), path: pathOf(source.op) };
  });
}

/**
 * Nodes of the owner's tree over operations that his moves have shown, by level and number. Those beside them, which are
 * left of the first difference, are one's own.
 */
function shownNodes({ op, revealed }: ShownGame, depth: number): Map<string, Hex> {
  const shown = new Map<string, Hex>();
  for (let level = depth, move = 0; level > 0; move++) {
    const step = Math.min(STEP, level);
    level -= step;
    const first = ((op ?? 0) >> (level + step)) << step;
    let nodes = revealed[move]!.map((node) => hexToBytes(node));
    for (let above = 0; above < step; above++) {
      for (const [i, node] of nodes.entries())
        shown.set(`${level + above}/${(first >> above) + i}`, bytesToHex(node));
      nodes = Array.from({ length: nodes.length / 2 }, (_, i) =>
        keccak_256(concatBytes(nodes[2 * i]!, nodes[2 * i + 1]!)),
      );
    }
  }
  return shown;
}

function nodesBelow(tree: WordTree, depth: number, place: number): Hex[] {
  const step = Math.min(STEP, depth);
  return Array.from({ length: 1 << step }, (_, i) =>
    bytesToHex(tree.node(depth - step, (place << step) + i)),
  );
}
