/** Disputes over a language model's query: gas of one chain, and of a whole game about a query of the default base. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import {
  startTraceGame,
  type TraceFixture,
  tracedBase,
} from "@openledger/challenger/internal/games/testing/trace-fixture";
import { rangesOf } from "@openledger/challenger/internal/games/trace-moves";
import { tracedQuery } from "@openledger/challenger/internal/games/traced-model";
import { chainKernels, traceSteps } from "@openledger/challenger/internal/trace/run-trace";
import {
  encodeOp,
  LONGEST_ROW,
  type TraceOp,
  type TraceSource,
} from "@openledger/challenger/internal/trace/trace-op";
import { traceRulesAbi } from "@openledger/contracts/build/trace-abi";
import { defaultBase } from "@openledger/models/base/base-place";
import { bytesToHex, encodeFunctionData } from "viem";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";
import { type ChooseOp, playGame } from "./language-game.ts";
import { ledgerClaimGas } from "./ledger-claims.ts";

const CHAINS = [256, 768, 2_048];
/** A row of GPT-2's logits: of these a piece is opened. */
const GPT2_TOKENS = 50_257;
const FEATURE_COUNT = 256;
const RANK = 8;

export const languageGames: DisputesPart = { name: "language", measure };

async function measure({ tokens }: DisputesBenchOptions) {
  const ledgerGas = await ledgerClaimGas();
  const f = await startTraceGame();
  try {
    const chainGas: Record<string, number> = {};
    for (const depth of CHAINS) {
      chainGas[depth] = await chainGasOf(f, depth);
      console.log(`a chain of ${depth}, with its openings: ${chainGas[depth]!.toLocaleString("en")} gas`);
    }
    const lossGas = await lossGasOf(f);
    console.log(`of ${LONGEST_ROW} logits: ${JSON.stringify(lossGas)} gas`);
    const base = await tracedBase(defaultBase(), tokens, { featureCount: FEATURE_COUNT, rank: RANK });
    const { rounds, ...language } = await playGame(f, base, tokens, middleChain);
    return { fields: { chainGas, ledgerGas, lossGas, rounds }, besides: { language } };
  } finally {
    await f.stop();
  }
}

/** In the middle of the pass. */
const middleChain: ChooseOp = (program) => {
  const chains = program.flatMap(({ kind }, place) => (kind === "chain" ? [place] : []));
  return chains[chains.length >> 1]!;
};

/** One transaction that computes a number of a product from openings of both operands. */
function chainGasOf(f: TraceFixture, depth: number): Promise<number> {
  const rows = 64;
  const source = (op: number): TraceSource => ({
    ...{ op, size: rows * depth, start: 0, rowStride: depth, columnStride: 1 },
  });
  const chain = { kind: "chain" as const, rows, columns: rows, depth, sources: [0, 1].map(source) };
  return opGasOf(f, [rows * depth, rows * depth], chain, 17 * rows + 5);
}

/** The largest of a piece of a row of logits, and one lane of its powers of e, with what is before it. */
async function lossGasOf(f: TraceFixture): Promise<Record<string, number>> {
  const [rows, start] = [2, 3 * LONGEST_ROW];
  const logits: TraceSource = {
    ...{ op: 0, size: rows * GPT2_TOKENS, start, rowStride: GPT2_TOKENS, columnStride: 1 },
  };
  const before: TraceSource = { op: 1, size: 16 * rows, start: 0, rowStride: 16, columnStride: 1 };
  const sizes = [rows * GPT2_TOKENS, 16 * rows];
  const of = (op: Pick<TraceOp, "kind" | "columns" | "sources">) =>
    opGasOf(f, sizes, { ...op, rows, depth: LONGEST_ROW }, op.columns);
  return {
    most: await of({ kind: "most", columns: 1, sources: [logits] }),
    lanes: await of({ kind: "lanes", columns: 16, sources: [logits, before] }),
  };
}

/** Gas of one number of an operation on inputs of random numbers, with all openings, by `TraceRules.output`. */
async function opGasOf(
  f: TraceFixture,
  inputSizes: readonly number[],
  parts: Pick<TraceOp, "kind" | "rows" | "columns" | "depth" | "sources">,
  element: number,
): Promise<number> {
  const random = new SeededRandom(`${parts.kind} of ${parts.depth}`);
  const none = { depth: 0, extra: 0, first: 0, second: 0, sources: [] };
  const op: TraceOp = { ...none, ...parts };
  const program: TraceOp[] = [
    ...inputSizes.map((columns, extra) => ({ ...none, kind: "input" as const, rows: 1, columns, extra })),
    op,
  ];
  const text = { tokens: [1, 2], promptCount: 1 };
  const inputs = inputSizes.map((size) =>
    Float32Array.from({ length: size }, () => random.nextFraction() - 0.5),
  );
  const kernels = chainKernels("wasm", op.kind === "chain" ? [program] : []);
  const own = tracedQuery(text, program, [...traceSteps(program, text, inputs, kernels)]);
  const pass = {
    traceRoot: bytesToHex(own.tree.top.root),
    opCount: BigInt(program.length),
    tokens: "0x0000000100000002" as const,
    promptCount: 1n,
  };
  const ranges = rangesOf(own, program.length - 1, element);
  const args = [pass, bytesToHex(encodeOp(op)), BigInt(element), ranges] as const;
  const data = encodeFunctionData({ abi: traceRulesAbi, functionName: "output", args });
  return f.gasOf({ account: f.challenger, to: f.rules, data });
}
