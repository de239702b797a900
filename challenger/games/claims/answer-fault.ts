/** Whether the tokens of an answer are the likeliest ones, by the numbers that its trace has (TraceRules.isLikelier). */

import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { likeliest } from "@openledger/models/training/generate";
import { bytesToHex, encodeFunctionData, type Hex } from "viem";
import { encodeOp, type TraceSource } from "../../trace/trace-op.ts";
import type { TracedTuple } from "./ledger-claims.ts";
import { hexes, openedRange, type TracedQuery, type TraceStatement, WORD_NUMBERS } from "./traced-model.ts";

/** A place before an answer's token, and a token that the model would have answered instead. */
interface AnswerFault {
  readonly place: number;
  readonly rival: number;
}

/** The first one; null where the answer is the model's. A token beyond the vocabulary has any rival. */
export function answerFault(query: TracedQuery): AnswerFault | null {
  const { promptCount, tokens } = query.text;
  const { columns, logits } = lossOf(query);
  for (let place = promptCount - 1; place + 1 < tokens.length; place++) {
    const rival = likeliest(rowOf(query, logits, place, columns));
    if (rival !== tokens[place + 1]) return { place, rival };
  }
  return null;
}

/**
 * The move that shows it, where the owner's trace is this one. What it opens is taken from the trace now: the trace itself is not
 * kept by it. @param terms as the model is registered
 */
export function answerMoveOf(
  terms: TracedTuple,
  query: TracedQuery,
  { place, rival }: AnswerFault,
): (gameId: bigint, statement: TraceStatement) => Hex {
  const { columns, logits, steps } = lossOf(query);
  const shown = steps.map((step) => ({
    place: BigInt(step),
    op: bytesToHex(encodeOp(query.program[step]!)),
    path: hexes(query.programTree.path(step)),
  }));
  const rangeOf = (token: number) => {
    const number = logits.start + place * logits.rowStride + token;
    const path = hexes(query.tree.top.path(logits.op));
    return { ...openedRange(query.tree.ops[logits.op]!, number, 1), path };
  };
  // Of a token beyond the vocabulary nothing is opened.
  const token = query.text.tokens[place + 1]!;
  const ranges = [rangeOf(rival), rangeOf(token < columns ? token : rival)];
  return (gameId, statement) => {
    const args = [gameId, statement, terms, shown, BigInt(place), BigInt(rival), ranges];
    return encodeFunctionData({ abi: traceGameAbi, functionName: "showAnswer", args } as never);
  };
}

/** The loss, the powers of e that it reads, and where these read their logits. */
function lossOf({ program }: TracedQuery) {
  const loss = program.findIndex(({ kind }) => kind === "crossEntropy");
  const powers = program[loss]!.sources[0]!.op;
  return { steps: [loss, powers], logits: program[powers]!.sources[0]!, columns: program[loss]!.columns };
}

function rowOf(
  query: TracedQuery,
  { op, rowStride, start }: TraceSource,
  row: number,
  count: number,
): Float32Array {
  const tree = query.tree.ops[op]!;
  const from = start + row * rowStride;
  const first = Math.floor(from / WORD_NUMBERS);
  const end = Math.ceil((from + count) / WORD_NUMBERS);
  const { words } = tree.range(first, end - first);
  const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
  return Float32Array.from({ length: count }, (_, k) =>
    view.getFloat32(4 * (from - first * WORD_NUMBERS + k)),
  );
}
