import { started } from "@openledger/foundation/testing/test-fixtures";
import { type PublicClient, zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import type { TracedText } from "../trace/leaf-rules.ts";
import { traceSteps } from "../trace/run-trace.ts";
import type { OpKind } from "../trace/trace-op.ts";
import { claimOf, type TracedQuery, tracedQuery, traceQuery } from "./claims/traced-model.ts";
import { GameReader } from "./read-games.ts";
import { blindChallenge, falseTrace, placeOf, playOut } from "./testing/played-games.ts";
import {
  BOND_WEI,
  gameCall,
  HOUR_SECONDS,
  STAKE_WEI,
  startTraceGame,
  tinyTraced,
} from "./testing/trace-fixture.ts";
import { challengersMove, ownersMove, type ShownGame } from "./trace-moves.ts";

const f = started(() => startTraceGame());
const { model, kernels } = await tinyTraced();
const text: TracedText = { tokens: [3, 14, 15, 9, 26, 5], promptCount: 2 };
const honest = traceQuery(model, text, kernels);
const lieIn = (kind: OpKind) => falseTrace(model, honest, kernels, placeOf(honest, kind));

const playerOf = (who: `0x${string}`, own: TracedQuery, challenges = false) =>
  f.playerOf(who, own, { challenges });

const challenge = async (claimId: bigint, who: `0x${string}`) => {
  const data = await blindChallenge(f.publicClient, f.game, claimId);
  await f.accountOf(who).send({ data, valueWei: STAKE_WEI });
  return f.read("gameCount") as Promise<bigint>;
};

/** With what its owner has shown. */
async function gameOf(claimId: bigint): Promise<ShownGame> {
  const reader = new GameReader(f.publicClient, f.game);
  const [game] = (await reader.games([claimId])).games;
  return { ...game!, revealed: await reader.revealed(game!) };
}

test("a watcher looks at his model's claims, and one refused answer keeps him from no other", async () => {
  const lie = lieIn("quantise");
  const refusedId = await f.claim(claimOf(model, honest));
  const claimId = await f.claim(claimOf(model, lie));
  const publicClient = Object.create(f.publicClient) as PublicClient;
  publicClient.readContract = (asked) =>
    asked.functionName === "claims" && (asked.args as readonly unknown[])[0] === refusedId
      ? Promise.reject(new Error("too many requests"))
      : (f.publicClient as PublicClient).readContract(asked);
  const watcherOf = (modelId: bigint) =>
    f.playerOf(f.challenger, honest, {
      ...{ publicClient, challenges: true, model: { rollup: zeroAddress, modelId } },
    });
  expect(await watcherOf(8n).playOnce()).toEqual({ moves: [], failures: [], waiting: [], warnings: [] });
  const { failures, moves } = await watcherOf(7n).playOnce();
  expect(failures).toMatchObject([{ claimId: refusedId, gameId: null }]);
  expect(moves.filter((move) => move.claimId === claimId)).toMatchObject([{ what: "challenge" }]);
  await playOut([playerOf(f.challenger, honest, true), playerOf(f.owner, lie)]);
});

test("a look traces no more new claims than it may, each once, and those that cannot be traced come last", async () => {
  const ids = [await f.claim(claimOf(model, honest)), await f.claim(claimOf(model, honest))];
  ids.push(await f.claim(claimOf(model, honest)));
  const asked: bigint[] = [];
  const watcher = f.playerOf(f.stranger, null, {
    ...{ challenges: true, mostTraced: 1 },
    traceOf: ({ claimId }) => {
      if (!ids.includes(claimId)) return null;
      asked.push(claimId);
      if (claimId === ids[0]) throw new Error("no memory");
      return honest;
    },
  });
  const rounds = [];
  do rounds.push(await watcher.playOnce());
  while (rounds.at(-1)!.waiting.length > 0);
  expect(asked).toEqual(ids);
  expect(rounds.flatMap(({ moves }) => moves)).toEqual([]);
  expect((await watcher.playOnce()).failures).toMatchObject([{ claimId: ids[0] }]);
  expect(asked).toEqual([...ids, ids[0]]);
});

describe("a lying owner", () => {
  test.each(["chain", "exponential", "crossEntropy", "embed", "quantise"] as const)(
    "loses to a challenger who plays by himself: the lie is of the kind %s",
    async (kind) => {
      const lie = lieIn(kind);
      const claimId = await f.claim(claimOf(model, lie));
      const before = await f.owedWei(f.challenger);
      const moves = await playOut([playerOf(f.challenger, honest, true), playerOf(f.owner, lie)]);
      expect(moves.map(({ what }) => what)).toEqual([
        "challenge",
        "answer",
        "choose",
        "reveal",
        ...moves.slice(4, -1).map(({ what }) => what),
        "show",
      ]);
      expect(await f.isRefuted(claimId)).toBe(true);
      expect((await f.owedWei(f.challenger)) - before).toBe(BOND_WEI / 2n + STAKE_WEI);
    },
  );

  test("loses with other numbers of the model: their root is compared", async () => {
    const [parameters, ...others] = model.inputs;
    const changed = parameters!.map((value) => value / 2);
    const lie = tracedQuery(text, honest.program, [
      ...traceSteps(honest.program, text, [changed, ...others], kernels),
    ]);
    const claimId = await f.claim(claimOf(model, lie));
    const moves = await playOut([playerOf(f.challenger, honest, true), playerOf(f.owner, lie)]);
    expect(moves.at(-1)!.what).toBe("choose");
    expect(await f.isRefuted(claimId)).toBe(true);
  });

  test("loses who does not move: also where the query is not of his own trace", async () => {
    const lie = lieIn("quantise");
    const claimId = await f.claim(claimOf(model, lie));
    const challenger = playerOf(f.challenger, honest, true);
    await playOut([challenger]);
    expect(await f.isRefuted(claimId)).toBe(false);
    // With his honest trace he has no answer: the query's root is not in it.
    const data = ownersMove(await gameOf(claimId), claimOf(model, lie).statement, honest);
    expect(await f.refusal(f.owner, data)).toBe("TracePathInvalid");
    await f.passTime(36n * HOUR_SECONDS + 1n);
    expect((await playOut([challenger])).map(({ what }) => what)).toEqual(["endByTime"]);
    expect(await f.isRefuted(claimId)).toBe(true);
  });
});

describe("a lying challenger", () => {
  test("finds no number that L1 computes otherwise, and loses by time", async () => {
    const claimId = await f.claim(claimOf(model, honest));
    const gameId = await challenge(claimId, f.challenger);
    const owner = playerOf(f.owner, honest);
    const liar = playerOf(f.challenger, lieIn("chain"));
    await expect(playOut([owner, liar])).rejects.toThrow();
    // What he cannot play keeps nobody from another game.
    const otherId = await challenge(await f.claim(claimOf(model, honest)), f.challenger);
    expect((await owner.playOnce()).moves).toMatchObject([{ gameId: otherId, what: "answer" }]);
    const played = await liar.playOnce();
    expect(played.failures).toMatchObject([{ claimId, gameId }]);
    expect(played.moves).toMatchObject([{ gameId: otherId, what: "choose" }]);
    const game = await gameOf(claimId);
    expect(game.turn).toBe("show");
    const { statement } = claimOf(model, honest);
    const data = challengersMove(game, statement, lieIn("chain"));
    expect(await f.refusal(f.challenger, data)).toBe("TraceNothingWrong");
    await f.passTime(36n * HOUR_SECONDS + 1n);
    const before = await f.owedWei(f.owner);
    expect((await playOut([owner])).map(({ what }) => what)).toEqual(["endByTime"]);
    expect((await f.owedWei(f.owner)) - before).toBe(STAKE_WEI);
    expect(await f.isRefuted(claimId)).toBe(false);
  });
});

test("moves that are not one's own, not in time or not in the tree are refused", async () => {
  const lie = lieIn("chain");
  const { path, statement } = claimOf(model, lie);
  const claimId = await f.claim({ path, statement });
  const gameId = await challenge(claimId, f.challenger);
  const gameNow = () => gameOf(claimId);
  const answer = ownersMove(await gameNow(), statement, lie);
  expect(await f.refusal(f.challenger, answer)).toBe("TraceNotYourTurn");
  const other = ownersMove(await gameNow(), { ...statement, promptCount: 3n }, lie);
  expect(await f.refusal(f.owner, other)).toBe("TraceOtherStatement");
  expect(await f.refusal(f.owner, gameCall("endByTime", [gameId]))).toBe("TraceTooEarly");
  await f.accountOf(f.owner).send({ data: answer, valueWei: 0n });
  const { revealed } = await gameNow();
  const nodes = revealed[0]!;
  const turned = [...nodes].reverse();
  const choose = (shown: readonly `0x${string}`[], child: number) =>
    gameCall("choose", [gameId, shown, BigInt(child)]);
  expect(await f.refusal(f.challenger, choose(turned, 0))).toBe("TraceNodesInvalid");
  expect(await f.refusal(f.challenger, choose(nodes, nodes.length))).toBe("TraceNodesInvalid");
  expect(await f.refusal(f.owner, choose(nodes, 0))).toBe("TraceNotYourTurn");
  await f.accountOf(f.challenger).send({ data: choose(nodes, 0), valueWei: 0n });
  const reveal = gameCall("reveal", [gameId, nodes]);
  expect(await f.refusal(f.owner, reveal)).toBe("TraceNodesInvalid");
  await f.passTime(36n * HOUR_SECONDS + 1n);
  const late = ownersMove(await gameNow(), statement, lie);
  expect(await f.refusal(f.owner, late)).toBe("TraceTooLate");
  expect(await f.refusal(f.stranger, gameCall("endByTime", [gameId]))).toBeNull();
});
