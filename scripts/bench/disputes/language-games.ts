/** Disputes over a language model's query: gas of one chain, and of a whole game about a query of the default base. */
import { bytesToHex, encodeFunctionData, zeroAddress } from "viem";
import { SeededRandom } from "../../../attribution/maths/seeded-random.ts";
import { traceRulesAbi } from "../../../contracts/build/trace-abi.ts";
import { defaultBase } from "../../../models/base/default-base.ts";
import {
  BOND_WEI,
  startTraceGame,
  type TraceFixture,
  tracedBase,
} from "../../../models/disputing/testing/trace-fixture.ts";
import { rangesOf } from "../../../models/disputing/trace-moves.ts";
import { TracePlayer } from "../../../models/disputing/trace-player.ts";
import {
  claimOf,
  describeModel,
  type TracedQuery,
  tracedQuery,
  traceQuery,
} from "../../../models/disputing/traced-model.ts";
import { chainKernels, traceSteps } from "../../../models/trace/run-trace.ts";
import {
  encodeOp,
  LONGEST_ROW,
  type OpKind,
  type TraceOp,
  type TraceSource,
} from "../../../models/trace/trace-op.ts";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";
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
    const { rounds, ...language } = await playGame(f, tokens);
    return { fields: { chainGas, ledgerGas, lossGas, rounds }, besides: { language } };
  } finally {
    await f.stop();
  }
}

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

/** A lie in the middle of the pass, played to the end by both sides. */
async function playGame(f: TraceFixture, tokenCount: number) {
  const { inputs, model } = await tracedBase(defaultBase(), tokenCount, {
    featureCount: FEATURE_COUNT,
    rank: RANK,
  });
  let startedAtMs = performance.now();
  const seconds = () => {
    const now = performance.now();
    const passed = Math.round((now - startedAtMs) / 10) / 100;
    startedAtMs = now;
    return passed;
  };
  console.log("roots of the base's numbers, and programs for every length");
  const described = describeModel({ rollup: zeroAddress, modelId: 1n }, model, inputs);
  const describeSeconds = seconds();
  console.log(`described in ${describeSeconds} s; tracing ${tokenCount} tokens`);
  const tokens = Array.from({ length: tokenCount + 1 }, (_, i) => (i * i * 7 + i * 3) % 2_000);
  const text = { tokens, promptCount: Math.ceil(tokenCount / 3) };
  const kernels = chainKernels("wasm", described.programs.slice(-1));
  const honest = traceQuery(described, text, kernels);
  const traceSeconds = seconds();
  const { program } = honest;
  const floatCount = program.reduce((sum, { columns, rows }) => sum + rows * columns, 0);
  console.log(
    `${program.length} operations with ${floatCount.toLocaleString("en")} numbers: ${traceSeconds} s`,
  );
  const lie = falseTrace(honest, inputs, kernels, described.fixed);
  const { path, statement } = claimOf(described, lie);
  const claimGas = await f.claimGas({ path, statement });
  const of = (address: `0x${string}`, own: TracedQuery, challenges: boolean) =>
    new TracePlayer({
      ...{ publicClient: f.publicClient, game: f.game, account: f.accountOf(address), challenges },
      traceOf: () => own,
    });
  const players = [of(f.challenger, honest, true), of(f.owner, lie, false)];
  const moves: { what: string; gas: number }[] = [];
  for (let before = -1; before !== moves.length; ) {
    before = moves.length;
    for (const player of players) {
      const { failures, moves: made } = await player.playOnce();
      if (failures.length > 0) throw failures[0]!.error;
      for (const { gasUsed, what } of made) {
        moves.push({ what, gas: Number(gasUsed) });
        console.log(`${what}: ${gasUsed.toLocaleString("en")} gas`);
      }
    }
  }
  if ((await f.owedWei(f.challenger)) < BOND_WEI / 2n) throw new Error("the liar was not refuted");
  const rounds = moves.filter(({ what }) => what === "answer" || what === "reveal").length;
  const kinds = [...new Set(program.map(({ kind }) => kind))];
  const chained = program.filter(({ kind }) => kind === "chain");
  const multiplyAdds = chained.reduce((sum, { columns, depth, rows }) => sum + rows * columns * depth, 0);
  return {
    rounds: { count: rounds, claimGas, moves },
    traced: { tokens: tokenCount, ops: program.length, floatCount, multiplyAdds, kinds: kinds.length },
    describeSeconds,
    traceSeconds,
  };
}

function falseTrace(
  { program, text }: TracedQuery,
  inputs: readonly Float32Array[],
  kernels: ReturnType<typeof chainKernels>,
  fixed: Parameters<typeof tracedQuery>[3],
): TracedQuery {
  const isAt = (kind: OpKind) => program.flatMap((op, place) => (op.kind === kind ? [place] : []));
  const chains = isAt("chain");
  const wrong = chains[chains.length >> 1]!;
  const results: Float32Array[] = [];
  for (const numbers of traceSteps(program, text, inputs, kernels)) {
    if (results.length === wrong) numbers[numbers.length - 1] = 3 * numbers[numbers.length - 1]! + 2;
    results.push(numbers);
  }
  return tracedQuery(text, program, results, fixed);
}
