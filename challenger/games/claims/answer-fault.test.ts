/** An answer that the model would not give, shown by the numbers of the owner's own trace (docs/explanation/fault-proofs.md). */

import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { decodeFunctionData, type Hex } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { startLedgerTraces, tinyRegistered } from "../testing/ledger-fixture.ts";
import { blindChallenge, falseTrace, placeOf, playOut } from "../testing/played-games.ts";
import { BOND_WEI, gameCall, STAKE_WEI } from "../testing/trace-fixture.ts";
import { answerFault, answerMoveOf } from "./answer-fault.ts";
import { claimOf, type TracedQuery, traceQuery } from "./traced-model.ts";

const PROMPT = [3, 14];
const MOST_TOKENS = 3;
const VOCABULARY_SIZE = 40;

const f = started(() => startLedgerTraces());
const ledgerOf = (isLikeliest: boolean) => tinyRegistered(f, { mostTokens: MOST_TOKENS, isLikeliest });
const ledger = started(() => ledgerOf(true));
let right: TracedQuery;
let wrong: TracedQuery;

/** Token by token, as the model answers: whatever stands behind a place does not change what is before it. */
function likeliestAnswer(): TracedQuery {
  const tokens = [...PROMPT, ...new Array<number>(MOST_TOKENS).fill(0)];
  for (;;) {
    const text = { tokens: [...tokens], promptCount: PROMPT.length };
    const query = traceQuery(ledger.model, text, ledger.kernels);
    const fault = answerFault(query);
    if (fault === null) return query;
    tokens[fault.place + 1] = fault.rival;
  }
}

beforeAll(() => {
  right = likeliestAnswer();
  const tokens = [...right.text.tokens];
  tokens[3] = (tokens[3]! + 1) % VOCABULARY_SIZE;
  wrong = traceQuery(ledger.model, { tokens, promptCount: PROMPT.length }, ledger.kernels);
});
revertEachTest(() => f);

const playerOf = (who: Hex, own: TracedQuery, { traced } = ledger) =>
  f.playerOf(who, own, {
    challenges: who === f.watcher,
    answerMove: (query) => {
      const fault = answerFault(query);
      return fault && answerMoveOf(traced, query, fault);
    },
  });

describe("an answer", () => {
  test("that is the model's finds no fault, and its claim no challenger", async () => {
    expect(answerFault(right)).toBeNull();
    const claimId = await ledger.claim(right);
    expect((await playerOf(f.watcher, right).playOnce()).moves).toEqual([]);
    expect(await f.isRefuted(claimId)).toBe(false);
  });

  test("that is another is refuted after the owner's first move, though its query is right", async () => {
    const claimId = await ledger.claim(wrong);
    const moves = await playOut([playerOf(f.watcher, wrong), playerOf(f.owner, wrong)]);
    expect(moves.map(({ what }) => what)).toEqual(["challenge", "answer", "showAnswer"]);
    expect(await f.isRefuted(claimId)).toBe(true);
    expect(await f.read("owedWei", [f.watcher])).toBe(BOND_WEI / 2n + STAKE_WEI);
  });

  test("that is another, with a trace that hides it, is refuted by the number that was changed", async () => {
    // Powers of e that make the answered token the likeliest one: the trace then differs before the loss.
    const lie = falseTrace(ledger.model, wrong, ledger.kernels, placeOf(wrong, "chain"));
    const claimId = await ledger.claim({ ...lie, text: wrong.text });
    const moves = await playOut([playerOf(f.watcher, wrong), playerOf(f.owner, lie)]);
    expect(moves.at(-1)!.what).toBe("show");
    expect(await f.isRefuted(claimId)).toBe(true);
  });
});

describe("a right answer", () => {
  /** A game at the challenger's turn about a claim of this query. */
  async function gameAbout(query: TracedQuery, of: typeof ledger = ledger): Promise<bigint> {
    const claimId = await of.claim(query);
    await f.send(f.watcher, await blindChallenge(f.publicClient, f.game, claimId), STAKE_WEI);
    await playerOf(f.owner, query, of).playOnce();
    return (await f.read("gameCount")) as bigint;
  }
  const shown = (
    gameId: bigint,
    query: TracedQuery,
    place: number,
    rival: number,
    of: typeof ledger = ledger,
  ) => answerMoveOf(of.traced, query, { place, rival })(gameId, claimOf(of.model, query).statement);

  test("stands every rival at every place", async () => {
    const gameId = await gameAbout(right);
    for (let place = PROMPT.length - 1; place + 1 < right.text.tokens.length; place++)
      for (const rival of [0, 7, 23, 39, right.text.tokens[place + 1]!])
        expect(await f.refusal(f.watcher, shown(gameId, right, place, rival))).toBe("TraceNothingWrong");
  });

  test("is not judged at places of the prompt, behind the answer, nor by tokens or operations that there are not", async () => {
    const gameId = await gameAbout(right);
    const last = right.text.tokens.length - 1;
    for (const [place, rival] of [
      [0, 7],
      [1, VOCABULARY_SIZE],
    ] as const)
      expect(await f.refusal(f.watcher, shown(gameId, right, place, rival))).toBe("TraceLossInvalid");
    const changed = (change: (args: never[]) => void) => {
      const { args } = decodeFunctionData({ abi: traceGameAbi, data: shown(gameId, right, last - 1, 7) });
      const copy = structuredClone(args) as never as never[];
      change(copy);
      return f.refusal(f.watcher, gameCall("showAnswer", copy));
    };
    expect(await changed((args: unknown[]) => (args[4] = BigInt(last)))).toBe("TraceLossInvalid");
    type Step = { place: bigint; op: Hex; path: Hex[] };
    expect(await changed((args: [Step, Step][]) => args[3]!.reverse())).toBe("TraceLossInvalid");
    expect(await changed((args: [Step, Step][]) => (args[3]![1] = args[3]![0]))).toBe("TraceLossInvalid");
    expect(await changed((args: [Step, Step][]) => (args[3]![0].place += 1n))).toBe("TraceLossInvalid");
    expect(await changed((args: [object, object][]) => args[6]!.reverse())).toBe("TraceRangeInvalid");
    expect(await changed((args: { rest: number }[]) => (args[2]!.rest = 255))).toBe("LedgerTracesOtherModel");
  });

  test("is nobody's to judge where answers are drawn", async () => {
    const other = await ledgerOf(false);
    const drawn = traceQuery(other.model, wrong.text, other.kernels);
    const gameId = await gameAbout(drawn, other);
    const fault = answerFault(drawn)!;
    const call = shown(gameId, drawn, fault.place, fault.rival, other);
    expect(await f.refusal(f.watcher, call)).toBe("LedgerTracesOtherModel");
  });
});
