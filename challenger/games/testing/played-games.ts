/** False traces, and games that are played until neither side has a move. */
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import type { Address, Hex, PublicClient } from "viem";
import type { TracedText } from "../../trace/leaf-rules.ts";
import { type chainKernels, traceSteps } from "../../trace/run-trace.ts";
import type { OpKind } from "../../trace/trace-op.ts";
import { type DescribedModel, type TracedQuery, tracedQuery } from "../claims/traced-model.ts";
import { challengeCall } from "../trace-moves.ts";
import type { TracePlayer } from "../trace-player.ts";

// Large enough to be left in the query's eight bits.
const inflated = (number: number) => 3 * number + 2;

/** A trace that goes on from one number that was changed: an operation's last. */
export function falseTrace(
  model: DescribedModel,
  { program, text }: { readonly program: TracedQuery["program"]; readonly text: TracedText },
  kernels: ReturnType<typeof chainKernels>,
  op: number,
  change: (number: number) => number = inflated,
): TracedQuery {
  const results: Float32Array[] = [];
  for (const numbers of traceSteps(program, text, model.inputs, kernels)) {
    if (results.length === op) numbers[numbers.length - 1] = change(numbers[numbers.length - 1]!);
    results.push(numbers);
  }
  return tracedQuery(text, program, results);
}

/** The results that a query claims. */
export function claimedNumbers({ claimedOp, tree }: TracedQuery): Float32Array {
  const words = tree.ops[claimedOp]!;
  const bytes = Buffer.concat(Array.from({ length: words.wordCount }, (_, i) => words.node(0, i)));
  return Float32Array.from({ length: bytes.length / 4 }, (_, k) => bytes.readFloatBE(4 * k));
}

/** Of the operations of a kind the middle one. */
export function placeOf({ program }: Pick<TracedQuery, "program">, kind: OpKind): number {
  const all = program.flatMap((op, place) => (op.kind === kind ? [place] : []));
  return all[all.length >> 1]!;
}

/** The challenge of whatever claim L1 has under a number: of somebody who has compared nothing. */
export async function blindChallenge(
  client: Pick<PublicClient, "readContract">,
  game: Address,
  claimId: bigint,
): Promise<Hex> {
  const claims = { address: game, abi: traceGameAbi, functionName: "claims", args: [claimId] } as const;
  const [, , , , , , , , hash] = await client.readContract(claims);
  return challengeCall(claimId, hash);
}

/** @returns what was done, with its gas */
export async function playOut(players: readonly TracePlayer[]) {
  const moves: { what: string; gas: number }[] = [];
  for (let isOver = false; !isOver; ) {
    isOver = true;
    for (const player of players) {
      const { failures, moves: made, waiting } = await player.playOnce();
      if (failures.length > 0) throw failures[0]!.error;
      if (waiting.length > 0) isOver = false;
      for (const { gasUsed, what } of made) {
        moves.push({ what, gas: Number(gasUsed) });
        isOver = false;
      }
    }
  }
  return moves;
}
