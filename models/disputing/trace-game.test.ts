import { encodeFunctionData } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { traceGameAbi } from "../../contracts/build/trace-abi.ts";
import { madeConfigs } from "../testing/made-models.ts";
import type { TracedText } from "../trace/leaf-rules.ts";
import { chainKernels, traceSteps } from "../trace/run-trace.ts";
import {
  BOND_WEI,
  HOUR_SECONDS,
  STAKE_WEI,
  smallModel,
  startTraceGame,
  type TraceFixture,
} from "./testing/trace-fixture.ts";
import { readGames, TracePlayer } from "./trace-player.ts";
import {
  claimOf,
  type DescribedModel,
  describeModel,
  type TracedQuery,
  tracedQuery,
  traceQuery,
} from "./traced-model.ts";

let f: TraceFixture;
let model: DescribedModel;
let kernels: ReturnType<typeof chainKernels>;
let honest: TracedQuery;
const text: TracedText = { tokens: [3, 14, 15, 9, 26, 5], promptCount: 2 };

beforeAll(async () => {
  const config = { ...madeConfigs.llama, num_hidden_layers: 1, vocab_size: 40, intermediate_size: 32 };
  const small = await smallModel(config, 6);
  model = describeModel(7n, small.model, small.inputs);
  kernels = chainKernels("wasm", model.programs);
  honest = traceQuery(model, text, kernels);
  f = await startTraceGame();
  return undefined;
});
afterAll(() => f?.stop());

/** A trace that goes on from one number that was changed; without an operation, of another one's inputs. */
function falseTrace(op: number, at = 0): TracedQuery {
  const program = honest.program;
  const results: Float32Array[] = [];
  for (const numbers of traceSteps(program, text, model.inputs, kernels)) {
    // The lie must not reach the list of inputs, which is everybody's.
    const own = results.length === op ? numbers.slice() : numbers;
    if (results.length === op) {
      own[at] = own[at]! + 1;
      numbers.set(own);
    }
    results.push(own);
  }
  return tracedQuery(text, program, results);
}

const playerOf = (who: `0x${string}`, own: TracedQuery, challenges = false) =>
  new TracePlayer({
    ...{ publicClient: f.publicClient, game: f.game, account: f.accountOf(who), challenges },
    traceOf: () => own,
  });

/** Both play until neither has a move. @returns what was done, with its gas */
async function playOut(players: readonly TracePlayer[]) {
  const moves: { what: string; gas: number }[] = [];
  for (let isOver = false; !isOver; ) {
    isOver = true;
    for (const player of players) {
      for (const { gasUsed, what } of await player.playOnce()) {
        moves.push({ what, gas: Number(gasUsed) });
        isOver = false;
      }
    }
  }
  return moves;
}

const challenge = async (claimId: bigint, who: `0x${string}`) => {
  const data = encodeFunctionData({ abi: traceGameAbi, functionName: "challenge", args: [claimId] });
  await f.accountOf(who).send({ data, valueWei: STAKE_WEI });
  return f.client.readContract({ ...f.read, functionName: "gameCount" });
};

const isRefuted = async (claimId: bigint) =>
  (await f.client.readContract({ ...f.read, functionName: "claims", args: [claimId] }))[2];

describe("a lying owner", () => {
  test("loses to a challenger who plays by himself, wherever the lie is", async () => {
    const kinds = ["chain", "exponential", "crossEntropy", "assemble", "quantise"] as const;
    for (const kind of kinds) {
      const all = honest.program.flatMap((op, place) => (op.kind === kind ? [place] : []));
      const lie = falseTrace(all[all.length >> 1]!);
      const claimId = await f.claim(claimOf(model, lie));
      const before = await f.owedWei(f.challenger);
      const moves = await playOut([playerOf(f.challenger, honest, true), playerOf(f.owner, lie)]);
      expect(moves.at(-1)?.what, kind).toBe("show");
      expect(await isRefuted(claimId)).toBe(true);
      expect((await f.owedWei(f.challenger)) - before).toBe(BOND_WEI / 2n + STAKE_WEI);
    }
  });
});
