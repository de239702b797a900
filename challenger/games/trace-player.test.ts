/** What would stop a player, fill its memory or make it pay: each was once so. */

import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { clientOfLogs, clientWithout } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { HttpRequestError, type PublicClient } from "viem";
import { describe, expect, test } from "vitest";
import { REREAD_BLOCKS } from "../events/event-log.ts";
import { claimOf, traceQuery } from "./claims/traced-model.ts";
import { GameReader } from "./read-games.ts";
import { blindChallenge, falseTrace, placeOf } from "./testing/played-games.ts";
import { HOUR_SECONDS, STAKE_WEI, startTraceGame, tinyTraced } from "./testing/trace-fixture.ts";
import { type PlayerOptions, TracePlayer } from "./trace-player.ts";

const f = started(() => startTraceGame());
const { kernels, model } = await tinyTraced();
const honest = traceQuery(model, { tokens: [3, 14, 15, 9, 26, 5], promptCount: 2 }, kernels);
const lie = falseTrace(model, honest, kernels, placeOf(honest, "quantise"));
/** A claim of each. */
const claimHonest = () => f.claim(claimOf(model, honest));
const claimLie = () => f.claim(claimOf(model, lie));

/** Looks at these claims alone: others are of other tests. Counts what it traces. */
function playerOf(who: `0x${string}`, ids: readonly bigint[], changed: Partial<PlayerOptions> = {}) {
  const traced: bigint[] = [];
  const player = new TracePlayer({
    ...{ publicClient: f.publicClient, game: f.game, account: f.accountOf(who), challenges: true },
    mostTraced: Number.POSITIVE_INFINITY,
    traceOf: ({ claimId }) => {
      if (!ids.includes(claimId)) return null;
      traced.push(claimId);
      return honest;
    },
    ...changed,
  });
  const look = async () => {
    const { failures, moves, warnings } = await player.playOnce();
    const isOfThese = ({ claimId }: { readonly claimId: bigint }) => ids.includes(claimId);
    return {
      failures: failures.filter(isOfThese),
      moves: moves.filter(isOfThese).map(({ what }) => what),
      warnings: warnings.filter(isOfThese).map(({ why }) => why),
    };
  };
  return { traced, look };
}

type Read = Parameters<PublicClient["readContract"]>[0];

/** The node, but for one of its methods. */
const nodeWith = (changed: Partial<PublicClient>) =>
  Object.assign(Object.create(f.publicClient), changed) as PublicClient;

/** The node, but for reads that are answered otherwise. @param answer null asks it */
const readingOtherwise = (answer: (asked: Read) => Promise<unknown> | null) => {
  const readContract = (asked: Read) => answer(asked) ?? (f.publicClient as PublicClient).readContract(asked);
  return { readContract: readContract as never };
};

const challenge = async (claimId: bigint) =>
  f.accountOf(f.stranger).send({
    data: await blindChallenge(f.publicClient, f.game, claimId),
    valueWei: STAKE_WEI,
  });

describe("a node", () => {
  test("that takes few topics at a place tells of all claims, however many there are", async () => {
    const ids = [await claimHonest(), await claimHonest()];
    // As geth beyond 1,000.
    const publicClient = nodeWith({
      request: ((asked: { method: string; params: readonly [{ topics: readonly unknown[] }] }) =>
        asked.method === "eth_getLogs" &&
        asked.params[0].topics.slice(1).some((one) => Array.isArray(one) && one.length > 1)
          ? Promise.reject(new Error("exceed max topics"))
          : (f.publicClient as PublicClient).request(asked as never)) as never,
    });
    const { claims } = await new GameReader(publicClient, f.game).claims();
    expect(claims.map(({ claimId }) => claimId)).toEqual(expect.arrayContaining(ids));
  });

  test("that answers about few blocks tells of them all, from the contract's own on", async () => {
    const claimId = await claimHonest();
    await challenge(claimId);
    const MOST_BLOCKS = 8;
    await f.client.mine({ blocks: 2 * MOST_BLOCKS });
    const firsts: number[] = [];
    const publicClient = clientOfLogs(f.client, async ({ fromBlock, toBlock }, ask) => {
      if (Number(toBlock) - Number(fromBlock) >= MOST_BLOCKS)
        throw Object.assign(new Error("query exceeds max block range"), { code: -32_005 });
      firsts.push(Number(fromBlock));
      return ask();
    });
    const reader = new GameReader(publicClient, f.game);
    expect((await reader.claims()).claims.at(-1)).toMatchObject({ claimId });
    expect((await reader.games([claimId])).games).toMatchObject([{ claimId, turn: "answer" }]);
    const codeBefore = { address: f.game, blockNumber: BigInt(Math.min(...firsts) - 1) };
    expect(await f.client.getCode(codeBefore)).toBeUndefined();
  });

  test("that does not tell of a claim's games is no reason to challenge it again", async () => {
    const claimId = await claimLie();
    const { look } = playerOf(f.challenger, [claimId], {
      publicClient: nodeWith(
        readingOtherwise(({ functionName }) =>
          functionName === "games" ? Promise.reject(new Error("too many requests")) : null,
        ),
      ),
    });
    expect((await look()).moves).toEqual(["challenge"]);
    const { failures, moves } = await look();
    expect({ moves, failed: failures.length }).toEqual({ moves: [], failed: 1 });
  });
});

test("a node that leaves out a challenge once is asked again, and the owner answers in time", async () => {
  const claimId = await claimHonest();
  await challenge(claimId);
  await f.client.mine({ blocks: Number(REREAD_BLOCKS) + 1 });
  const playing = (forgets: () => boolean) => {
    const publicClient = clientWithout(f.client, traceGameAbi, "Challenged", forgets);
    return playerOf(f.owner, [claimId], { publicClient });
  };
  const incomplete = { claimId, error: { code: "BRG_HISTORY_INCOMPLETE" } };
  let isForgetful = true;
  const flapping = playing(() => isForgetful);
  expect(await flapping.look()).toMatchObject({ moves: [], failures: [incomplete] });
  isForgetful = false;
  expect(await flapping.look()).toMatchObject({ moves: ["answer"], failures: [] });
});

test("a node that does not answer is said by a code, whatever it was asked", async () => {
  const down = () => Promise.reject(new HttpRequestError({ url: "http://node" }));
  const unreachable = { code: "BRG_L1_UNREACHABLE" };
  const silent = playerOf(f.challenger, [], { publicClient: nodeWith({ getBlock: down as never }) });
  await expect(silent.look()).rejects.toMatchObject(unreachable);
  const claimId = await claimLie();
  // What the challenge takes, and what the first one would.
  for (const refused of [claimId, 0n]) {
    const publicClient = nodeWith(
      readingOtherwise(({ args, functionName }) =>
        functionName === "stakeFor" && args?.[0] === refused ? down() : null,
      ),
    );
    const { failures } = await playerOf(f.challenger, [claimId], { publicClient }).look();
    expect(failures).toMatchObject([{ claimId, error: unreachable }]);
  }
});

test("traces of running games have their roots kept, however many there are, and none of a game that is over", async () => {
  const ids = [await claimHonest(), await claimHonest(), await claimHonest()];
  const ofTwo = playerOf(f.owner, ids.slice(0, 2));
  const ofThree = playerOf(f.owner, ids);
  for (const id of ids) await challenge(id);
  // Nobody hears of what they send, so it is the same moves in every look.
  const send = async () => ({ gasUsed: 0n });
  const deaf = { account: { address: f.owner, send } };
  const [two, three] = [playerOf(f.owner, ids.slice(0, 2), deaf), playerOf(f.owner, ids, deaf)];
  for (const { look } of [two, two, three, three]) expect((await look()).moves).toContain("answer");
  expect(two.traced).toEqual(ids.slice(0, 2));
  expect(three.traced).toEqual(ids);
  expect((await ofThree.look()).moves).toEqual(["answer", "answer", "answer"]);
  await f.passTime(37n * HOUR_SECONDS);
  expect((await ofTwo.look()).moves).toEqual(["endByTime", "endByTime"]);
  expect((await two.look()).moves).toEqual([]);
  await challenge(ids[0]!);
  expect((await two.look()).moves).toEqual(["answer"]);
  expect(two.traced).toEqual([...ids.slice(0, 2), ids[0]]);
});

describe("a claim whose query is false", () => {
  test.each([
    [
      "cannot be read",
      () => {
        throw new Error("no text");
      },
    ],
    // No function has this name: L1 refuses it.
    ["has a refutation that L1 refuses", () => "0x12345678" as const],
  ])("is challenged though its prompt %s", async (_, refutePrompt) => {
    const claimId = await claimLie();
    const { look } = playerOf(f.challenger, [claimId], { refutePrompt });
    const { failures, moves, warnings } = await look();
    expect({ failures, moves }).toEqual({ failures: [], moves: ["challenge"] });
    expect(warnings).toEqual([expect.stringMatching(/^its prompt could not be refuted: /)]);
  });

  test("is challenged for eight times the first stake at most, or what was named", async () => {
    const claimId = await claimLie();
    const node = f.publicClient as PublicClient;
    const asking = (stakeWei: bigint, baseFeeWei?: bigint) =>
      nodeWith({
        ...readingOtherwise(({ args, functionName }) =>
          functionName === "stakeFor" && args?.[0] === claimId ? Promise.resolve(stakeWei) : null,
        ),
        getBlock: (async () => {
          const block = await node.getBlock();
          return { ...block, baseFeePerGas: baseFeeWei ?? block.baseFeePerGas };
        }) as never,
      });
    // The first challenge costs four of the least stakes there.
    const dearFeeWei = 10n ** 13n;
    const alarm = [
      { claimId, gameId: null, error: expect.objectContaining({ code: "CMD_FALSE_UNCHALLENGED" }) },
    ];
    for (const changed of [
      { publicClient: asking(8n * STAKE_WEI + 1n) },
      { publicClient: asking(32n * STAKE_WEI + 1n, dearFeeWei) },
      { mostStakeWei: STAKE_WEI - 1n },
      { publicClient: asking(9n * STAKE_WEI), mostStakeWei: 9n * STAKE_WEI - 1n },
    ])
      expect(await playerOf(f.challenger, [claimId], changed).look()).toEqual({
        ...{ failures: alarm, moves: [], warnings: [] },
      });
    const paid: bigint[] = [];
    const send = async ({ valueWei }: { readonly valueWei: bigint }) => {
      paid.push(valueWei);
      return { gasUsed: 0n };
    };
    const account = { address: f.challenger, send };
    for (const changed of [
      { account, publicClient: asking(8n * STAKE_WEI) },
      { account, publicClient: asking(32n * STAKE_WEI, dearFeeWei) },
      { account, publicClient: asking(9n * STAKE_WEI), mostStakeWei: 9n * STAKE_WEI },
    ])
      expect((await playerOf(f.challenger, [claimId], changed).look()).moves).toEqual(["challenge"]);
    expect(paid).toEqual([8n * STAKE_WEI, 32n * STAKE_WEI, 9n * STAKE_WEI]);
  });
});

test.each(["it is compared", "its challenge is on its way"])(
  "a claim that L1 replaces by a right one while %s costs no stake",
  async (when) => {
    const before = await f.client.snapshot();
    const claimId = await claimLie();
    let isReplaced = false;
    const replace = async () => {
      if (isReplaced) return;
      isReplaced = true;
      await f.client.revert({ id: before });
      expect(await claimHonest()).toBe(claimId);
    };
    const account = f.accountOf(f.challenger);
    const refusals: unknown[] = [];
    const send: PlayerOptions["account"]["send"] = async (call) => {
      await replace();
      refusals.push(await f.refusal(f.challenger, call.data, call.valueWei));
      return account.send(call);
    };
    const { look } = playerOf(f.challenger, [claimId], {
      account: { ...account, send },
      async traceOf(claim) {
        if (claim.claimId !== claimId) return null;
        if (when === "it is compared") await replace();
        return honest;
      },
    });
    const { failures, moves } = await look();
    expect({ failed: failures.length, moves, refusals }).toEqual({
      ...{ failed: 1, moves: [], refusals: ["TraceOtherStatement"] },
    });
    // What is there now is compared anew.
    expect(await look()).toEqual({ failures: [], moves: [], warnings: [] });
  },
);

test("a claim of other files than the model's is a warning in every look", async () => {
  const claimId = await claimHonest();
  const { look } = playerOf(f.challenger, [claimId], { traceOf: () => null });
  const warned = [expect.stringMatching(/^it names other files than this model's/)];
  for (let i = 0; i < 2; i++) expect(await look()).toEqual({ failures: [], moves: [], warnings: warned });
});
