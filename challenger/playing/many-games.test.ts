/** What an owner needs who is challenged about many claims at once: traces, transactions, and the order of his moves. */

import { bridgeError } from "@openledger/bridge/bridge-errors";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { http, size, toHex } from "viem";
import { beforeAll, expect, test } from "vitest";
import { readingClient } from "../challenger.ts";
import { type TracedQuery, traceQuery } from "../games/claims/traced-model.ts";
import { type PlayerAccount, sendMoves } from "../games/played-moves.ts";
import { startLedgerTraces, tinyRegistered } from "../games/testing/ledger-fixture.ts";
import { falseTrace, placeOf } from "../games/testing/played-games.ts";
import { HOUR_SECONDS } from "../games/testing/trace-fixture.ts";
import { type PlayerOptions, TracePlayer } from "../games/trace-player.ts";

const CLAIMS = 6;
const END = 5;
const f = started(() => startLedgerTraces());
const ledger = started(() => tinyRegistered(f, { endToken: END }));
let right: TracedQuery;
let lie: TracedQuery;
beforeAll(() => {
  const { kernels, model } = ledger;
  right = traceQuery(model, { tokens: [3, 14, 15, END], promptCount: 2 }, kernels);
  lie = falseTrace(model, right, kernels, placeOf(right, "chain"));
});
revertEachTest(() => f);

const claim = (query: TracedQuery, salt: bigint) => ledger.claim(query, { salt });

/** Counts traces and transactions. */
function playerOf(who: `0x${string}`, own: TracedQuery, changed: Partial<PlayerOptions> = {}) {
  const traced: bigint[] = [];
  const sent: number[] = [];
  const account = f.accountOf(who);
  const player = new TracePlayer({
    ...{ publicClient: readingClient(http(f.url)), game: f.game, challenges: false, mostTraced: 99 },
    account: {
      ...account,
      send: (call) => {
        sent.push(size(call.data));
        return account.send(call);
      },
    } satisfies PlayerAccount,
    traceOf: ({ claimId }) => {
      traced.push(claimId);
      return own;
    },
    ...changed,
  });
  return { player, traced, sent };
}

test("games about six claims take two traces a claim, and a transaction for the moves of a look", async () => {
  for (let salt = 0n; salt < CLAIMS; salt++) await claim(right, salt);
  const owner = playerOf(f.owner, right);
  const attacker = playerOf(f.watcher, lie, { challenges: true });
  let [moves, looks] = [0, 0];
  for (;;) {
    await attacker.player.playOnce();
    const round = await owner.player.playOnce();
    expect(round.failures).toEqual([]);
    if (round.moves.length === 0) break;
    expect(round.moves).toHaveLength(CLAIMS);
    moves += round.moves.length;
    looks++;
  }
  expect(moves).toBeGreaterThanOrEqual(3 * CLAIMS);
  expect(owner.traced.length).toBeLessThanOrEqual(2 * CLAIMS);
  // A claim that takes a trace is played at once; all others of a look together.
  expect(owner.sent.length).toBeLessThanOrEqual(owner.traced.length + looks);
  // The attacker traces each claim to compare it, and once more below an operation.
  expect(attacker.traced.length).toBeLessThanOrEqual(2 * CLAIMS);
});

test("a move that L1 refuses without a reason stops none that is sent with it", async () => {
  const moveOf = (gameId: bigint) => ({ what: "reveal", claimId: 1n, gameId, data: toHex(gameId) }) as const;
  const error = bridgeError("BRG_CONTRACT_REVERTED", "no reason given", { data: {} });
  const send: PlayerAccount["send"] = async ({ data }) => {
    if (data !== toHex(2n)) throw error;
    return { gasUsed: 1n };
  };
  const sent = await sendMoves({ address: f.owner, send }, [moveOf(1n), moveOf(2n)]);
  expect(sent).toMatchObject({ moves: [{ gameId: 2n }], failures: [{ gameId: 1n, error }] });
});

test("the move with the least time comes before the others", async () => {
  await claim(right, 1n);
  await claim(right, 2n);
  const challenge = async (claimId: bigint) => {
    const only = playerOf(claimId === 1n ? f.watcher : f.stranger, lie, {
      challenges: true,
      traceOf: (one) => (one.claimId === claimId ? lie : right),
    });
    await only.player.playOnce();
  };
  await challenge(2n);
  await f.passTime(HOUR_SECONDS);
  await challenge(1n);
  const { moves } = await playerOf(f.owner, right).player.playOnce();
  expect(moves.map(({ claimId }) => claimId)).toEqual([2n, 1n]);
});
