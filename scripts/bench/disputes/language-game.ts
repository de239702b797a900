/** A game over one query of a language model, and how long its trace takes. */

import {
  BOND_WEI,
  type SmallModel,
  type TraceFixture,
} from "@openledger/challenger/internal/games/testing/trace-fixture";
import { TracePlayer } from "@openledger/challenger/internal/games/trace-player";
import {
  claimOf,
  describeModel,
  type TracedQuery,
  tracedQuery,
  traceQuery,
  tracingKernels,
} from "@openledger/challenger/internal/games/traced-model";
import { traceSteps } from "@openledger/challenger/internal/trace/run-trace";
import type { TraceOp } from "@openledger/challenger/internal/trace/trace-op";
import { zeroAddress } from "viem";

/** Which operation of a program is false. */
export type ChooseOp = (program: readonly TraceOp[]) => number;

/** A false number, played to the end by both sides. @throws Error where the liar is not refuted, or a trace is not the engine's */
export async function playGame(
  f: TraceFixture,
  { inputs, model, queryOf }: SmallModel,
  tokenCount: number,
  falseOp: ChooseOp,
) {
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
  const tokens = Array.from(
    { length: tokenCount + 1 },
    (_, i) => (i * i * 7 + i * 3) % Math.min(2_000, model.shape.vocabularySize),
  );
  const text = { tokens, promptCount: Math.ceil(tokenCount / 3) };
  const kernels = tracingKernels("wasm", described);
  const honest = traceQuery(described, text, kernels);
  const traceSeconds = seconds();
  if (honest.query.join() !== queryOf(tokens, text.promptCount).join())
    throw new Error("the trace ends otherwise than the engine");
  const engineSeconds = seconds();
  const { program } = honest;
  const floatCount = program.reduce((sum, { columns, rows }) => sum + rows * columns, 0);
  console.log(
    `${program.length} operations with ${floatCount.toLocaleString("en")} numbers: ${traceSeconds} s`,
  );
  const lie = falseTrace(honest, inputs, kernels, falseOp(program));
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
    engineSeconds,
  };
}

function falseTrace(
  { program, text }: TracedQuery,
  inputs: readonly Float32Array[],
  kernels: ReturnType<typeof tracingKernels>,
  wrong: number,
): TracedQuery {
  const results: Float32Array[] = [];
  for (const numbers of traceSteps(program, text, inputs, kernels)) {
    if (results.length === wrong) numbers[numbers.length - 1] = 3 * numbers[numbers.length - 1]! + 2;
    results.push(numbers);
  }
  return tracedQuery(text, program, results);
}
