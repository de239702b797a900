/**
 * Games over rows of G, with the contracts that they decide for (docs/explanation/fault-proofs.md): how they end, their money by second
 * books, and what they are refused for.
 */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { activationHash } from "@openledger/circuits/ledger/rewards";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { decodeFunctionData, encodeFunctionData, type Hex } from "viem";
import { describe, expect, test } from "vitest";
import type { CommittedModel } from "../../statements/committed-model.ts";
import { asRow, claimOf, type TracedQuery } from "../claims/traced-model.ts";
import { rowOfKey } from "../read-games.ts";
import { falseTrace, placeOf, playOut } from "../testing/played-games.ts";
import {
  BOND_WEI,
  columnsOf,
  honestRows,
  SIDE_SECONDS,
  startRows,
  statementOf,
  WINDOW_SECONDS,
  withLeaf,
} from "../testing/row-fixture.ts";
import { HOUR_SECONDS, STAKE_WEI } from "../testing/trace-fixture.ts";
import { ownersMove } from "../trace-moves.ts";
import { TracePlayer } from "../trace-player.ts";

const STEPS = 240;
const CALLS = ["commitModel", "challengeRow", "answer", "endByTime", "returnBond", "withdraw", "returnStake"];
const ROWS = 3;
const ROW = 1;
const CAP = 16n;

const f = started(startRows);
revertEachTest(() => f);

const call = (functionName: string, args: readonly unknown[]) =>
  encodeFunctionData({ abi: f.abi, functionName, args } as never);
const sum = (all: Iterable<bigint>) => [...all].reduce((total, wei) => total + wei, 0n);

interface Stake {
  readonly modelCommitment: bigint;
  readonly claimId: bigint;
  readonly who: Hex;
  turn: "owner" | "challenger";
}

test("bonds, stakes and what is owed are all that the two contracts hold, whatever is done", async () => {
  const random = new SeededRandom("row money");
  const people = [f.owner, f.watcher, f.stranger];
  const done: Record<string, number> = {};
  const count = (what: string) => {
    done[what] = (done[what] ?? 0) + 1;
  };
  const bonds = new Map<bigint, bigint>();
  const stakes = new Map<bigint, Stake>();
  const refutedModelCommitments = new Set<bigint>();
  const owed = { [f.disputes]: new Map<Hex, bigint>(), [f.games]: new Map<Hex, bigint>() };
  const owe = (where: Hex, who: Hex, wei: bigint) =>
    owed[where]!.set(who, (owed[where]!.get(who) ?? 0n) + wei);
  const tryCall = async (what: string, account: Hex, to: Hex, data: Hex, value = 0n): Promise<boolean> => {
    if ((await f.refusal(account, to, data, value)) !== null) return false;
    await f.send(account, to, data, value);
    count(what);
    return true;
  };
  // In `npm test` the walk ends once it has done everything.
  const isOver = () => !isWhole && CALLS.every((what) => done[what] !== undefined);
  for (let step = 0; step < STEPS && !isOver(); step++) {
    const who = people[random.nextBelow(3)]!;
    const modelCommitments = await f.read<bigint>(f.disputes, "modelCommitmentCount");
    const gameCount = await f.read<bigint>(f.games, "gameCount");
    // Mostly of the newest, so that games of one claim meet.
    const newest = Number(modelCommitments) - random.nextBelow(2);
    const modelCommitment = BigInt(Math.max(1, newest));
    const gameId = BigInt(1 + random.nextBelow(Math.max(1, Number(gameCount))));
    const row = random.nextBelow(2) === 0 ? 0 : random.nextBelow(ROWS);
    switch (random.nextBelow(9)) {
      case 0: {
        const id = await f.post();
        count("commitModel");
        bonds.set(id, BOND_WEI);
        break;
      }
      case 1:
      case 2: {
        const data = f.rowCall(modelCommitment, f.posted, row);
        if (!(await tryCall("challengeRow", who, f.games, data, STAKE_WEI))) break;
        const claimId = await f.read<bigint>(f.games, "claimOf", [modelCommitment, row]);
        stakes.set(gameCount + 1n, { modelCommitment, claimId, who, turn: "owner" });
        break;
      }
      case 3: {
        const stake = stakes.get(gameId);
        if (stake === undefined) break;
        const claimed = await f.read<readonly Hex[]>(f.games, "claims", [stake.claimId]);
        const place = rowOfKey(claimed[9]!).row;
        const own = f.honest[place]!;
        const { statement } = claimOf(f.model, own);
        const data = ownersMove({ gameId, turn: "answer" } as never, statement, own);
        if (await tryCall("answer", f.owner, f.games, data)) stake.turn = "challenger";
        break;
      }
      case 4: {
        const stake = stakes.get(gameId);
        if (!(await tryCall("endByTime", who, f.games, call("endByTime", [gameId])))) break;
        stakes.delete(gameId);
        // Once the model commitment has fallen, nobody wins a game about it.
        expect(refutedModelCommitments.has(stake!.modelCommitment)).toBe(false);
        if (stake!.turn === "challenger") owe(f.games, f.owner, STAKE_WEI);
        else {
          owe(f.games, stake!.who, STAKE_WEI);
          owe(f.disputes, stake!.who, BOND_WEI / 2n);
          bonds.delete(stake!.modelCommitment);
          refutedModelCommitments.add(stake!.modelCommitment);
        }
        break;
      }
      case 5: {
        if (!(await tryCall("returnStake", who, f.games, call("returnStake", [gameId])))) break;
        const stake = stakes.get(gameId)!;
        expect(refutedModelCommitments.has(stake.modelCommitment)).toBe(true);
        stakes.delete(gameId);
        owe(f.games, stake.who, STAKE_WEI);
        break;
      }
      case 6: {
        for (const id of bonds.keys())
          if (await tryCall("returnBond", who, f.disputes, call("returnBond", [id]))) {
            owe(f.disputes, f.owner, BOND_WEI);
            bonds.delete(id);
          }
        break;
      }
      case 7: {
        for (const where of [f.disputes, f.games])
          if (await tryCall("withdraw", f.stranger, where, call("withdraw", [who]))) owed[where]!.delete(who);
        break;
      }
      default: {
        const hours = random.nextBelow(4) === 0 ? 100 : 1 + random.nextBelow(20);
        await f.passTime(HOUR_SECONDS * BigInt(hours) + 61n);
      }
    }
    const heldGames = sum(owed[f.games]!.values()) + BigInt(stakes.size) * STAKE_WEI;
    expect(await f.client.getBalance({ address: f.games }), `step ${step}`).toBe(heldGames);
    const held = sum(bonds.values()) + sum(owed[f.disputes]!.values());
    expect(await f.client.getBalance({ address: f.disputes }), `step ${step}`).toBe(held);
    const open = [...stakes.values()].filter((stake) => stake.modelCommitment === modelCommitment).length;
    expect(await f.read(f.games, "rowGamesOf", [modelCommitment])).toBe(BigInt(open));
    if (open > 0 || refutedModelCommitments.has(modelCommitment))
      expect(await f.read(f.disputes, "counts", [modelCommitment])).toBe(false);
  }
  // A walk that never got somewhere shows nothing.
  expect(CALLS.filter((what) => done[what] === undefined)).toEqual([]);
});

describe("a game over a row", () => {
  /** The honest challenge with one argument changed. */
  const changed = (id: bigint, change: (args: unknown[]) => void) => {
    const { args } = decodeFunctionData({ abi: f.abi, data: f.rowCall(id, f.posted, ROW) });
    const copy = structuredClone(args) as never as unknown[];
    change(copy);
    return call("challengeRow", copy);
  };
  const refusalOf = (data: Hex) => f.refusal(f.watcher, f.games, data, STAKE_WEI);

  test.each<[string, (args: never[]) => void, string]>([
    [
      "another model commitment's number",
      (args: unknown[]) => (args[0] = 9n),
      "LedgerTracesOtherModelCommitment",
    ],
    ["another row", (args: unknown[]) => (args[1] = 0n), "DisputesOpeningInvalid"],
    ["a row that there is not", (args: unknown[]) => (args[1] = 3n), "DisputesOpeningInvalid"],
    [
      "another statement",
      (args: { rowsRoot: bigint }[]) => (args[2]!.rowsRoot = 1n),
      "LedgerTracesOtherModelCommitment",
    ],
    ["other terms", (args: { rest: number }[]) => (args[3]!.rest = 255), "DisputesOpeningInvalid"],
    [
      "a rollup that is another",
      (args: { rollup: Hex }[]) => (args[4]!.rollup = f.owner),
      "LedgerTracesOtherModelCommitment",
    ],
    ["another model", (args: { modelId: bigint }[]) => (args[4]!.modelId = 4n), "LedgerTracesRowInvalid"],
    ["other inputs", (args: { inputs: Hex[] }[]) => args[4]!.inputs.reverse(), "LedgerTracesRowInvalid"],
    [
      "other tokens",
      (args: { tokens: Hex }[]) => (args[4]!.tokens = `0x${"00000001".repeat(4)}`),
      "LedgerTracesRowInvalid",
    ],
    [
      "another place of the first wanted token",
      (args: { promptCount: bigint }[]) => (args[4]!.promptCount = 1n),
      "LedgerTracesRowInvalid",
    ],
    [
      "other numbers than were posted",
      (args: { query: Hex }[]) => (args[4]!.query = `0x${"12".repeat(32)}`),
      "LedgerTracesRowInvalid",
    ],
    [
      "a program that is none of the model's",
      (args: { opCount: bigint }[]) => (args[4]!.opCount = 7n),
      "TraceStatementInvalid",
    ],
  ])("is not opened with %s", async (_, change, error) => {
    const id = await f.post();
    expect(await refusalOf(changed(id, change as never))).toBe(error);
    expect(await refusalOf(changed(id, () => {}))).toBeNull();
  });

  test("is about one statement: nobody else stakes on another than he shows", async () => {
    const id = await f.post();
    await f.send(f.stranger, f.games, f.rowCall(id, f.posted, ROW), STAKE_WEI);
    const other = changed(id, (args) => {
      (args as { program: Hex }[])[4]!.program = `0x${"12".repeat(32)}`;
    });
    expect(await refusalOf(other)).toBe("TraceOtherStatement");
    expect(await refusalOf(changed(id, () => {}))).toBeNull();
  });

  test("is not opened with another row's leaves, nor with leaves of another length", async () => {
    const id = await f.post();
    const args = (row: number) =>
      decodeFunctionData({ abi: f.abi, data: f.rowCall(id, f.posted, row) }).args!;
    expect(await refusalOf(changed(id, (own) => (own[6] = args(0)[6])))).toBe("DisputesOpeningInvalid");
    const short = withLeaf(f.posted, "map", ROW, f.posted.leaves.map[ROW]!.slice(0, 32));
    const shortId = await f.post(short);
    expect(await refusalOf(f.rowCall(shortId, short, ROW))).toBe("LedgerTracesRowInvalid");
  });

  test("is not opened before there is a model commitment, after its window, or once it is refuted", async () => {
    expect(await refusalOf(f.rowCall(1n, f.posted, ROW))).toBe("LedgerTracesOtherModelCommitment");
    const [first, second] = [await f.post(), await f.post()];
    await f.send(f.watcher, f.games, f.rowCall(first, f.posted, ROW), STAKE_WEI);
    await f.passTime(SIDE_SECONDS + 61n);
    await f.send(f.watcher, f.games, call("endByTime", [1n]));
    expect(await refusalOf(f.rowCall(first, f.posted, 0))).toBe("LedgerTracesOtherModelCommitment");
    expect(await refusalOf(f.rowCall(first, f.posted, ROW))).toBe("TraceAlreadyRefuted");
    await f.passTime(WINDOW_SECONDS);
    expect(await refusalOf(f.rowCall(second, f.posted, ROW))).toBe("TraceWindowOver");
  });

  test("is not for sale without its stake, and no claim is made without a challenge", async () => {
    const id = await f.post();
    const data = f.rowCall(id, f.posted, ROW);
    expect(await f.refusal(f.watcher, f.games, data, STAKE_WEI - 1n)).toBe("TraceBondWrong");
    expect(f.abi.some((item) => item.type === "function" && item.name === ("claim" as string))).toBe(false);
  });
});

test("a model is not posted before its settlements wait for claims, nor with another trace", async () => {
  const { statement } = f.posted;
  for (const changed of [{ modelId: 2 }, { staticsHash: 5n }])
    await expect(f.post({ ...f.posted, statement: { ...statement, ...changed } })).rejects.toThrow();
  const weights = statement.roots.weights.slice();
  weights[31]! ^= 1;
  const other = { ...f.posted, statement: { ...statement, roots: { ...statement.roots, weights } } };
  await expect(f.post(other)).rejects.toThrow();
  expect(statementOf(f.posted)).not.toEqual(statementOf(other));
  expect(await f.post()).toBe(1n);
});

test("games about one model commitment make no challenge of another dearer, and come back where the model commitment fell otherwise", async () => {
  const [filled, other] = [await f.post(), await f.post()];
  for (let open = 0; open < 32; open++)
    await f.send(f.stranger, f.games, f.rowCall(filled, f.posted, 0), STAKE_WEI);
  expect(await f.read(f.games, "stakeForRow", [filled, 0n])).toBe(2n * STAKE_WEI);
  expect(await f.refusal(f.watcher, f.games, f.rowCall(filled, f.posted, 1), STAKE_WEI)).toBe(
    "TraceBondWrong",
  );
  expect(await f.read(f.games, "stakeForRow", [other, 0n])).toBe(STAKE_WEI);
  await f.send(f.watcher, f.games, f.rowCall(other, f.posted, 1), STAKE_WEI);
  expect(await f.refusal(f.watcher, f.games, call("returnStake", [33n]))).toBe("TraceNotYourTurn");
  const [, row1] = f.honest;
  const { statement } = claimOf(f.model, row1!);
  await f.send(f.owner, f.games, ownersMove({ gameId: 33n, turn: "answer" } as never, statement, row1!));
  // Another row of the model commitment is lost: the game about this one decides nothing any more.
  await f.send(f.stranger, f.games, f.rowCall(other, f.posted, 0), STAKE_WEI);
  await f.passTime(SIDE_SECONDS + 61n);
  await f.send(f.stranger, f.games, call("endByTime", [34n]));
  expect(await f.read(f.games, "isDecided", [await f.read<bigint>(f.games, "claimOf", [other, 1n])])).toBe(
    true,
  );
  // The owner cannot win it from a challenger who has stopped playing, nor anybody stake on it.
  await f.passTime(SIDE_SECONDS);
  expect(await f.refusal(f.owner, f.games, call("endByTime", [33n]))).toBe("TraceAlreadyRefuted");
  expect(await f.refusal(f.watcher, f.games, f.rowCall(other, f.posted, 1), STAKE_WEI)).toBe(
    "TraceAlreadyRefuted",
  );
  await f.send(f.watcher, f.games, call("returnStake", [33n]));
  expect(await f.read(f.games, "owedWei", [f.watcher])).toBe(STAKE_WEI);
});

const playerOf = (who: Hex, own: TracedQuery) =>
  new TracePlayer({
    ...{ publicClient: f.publicClient, game: f.games, account: f.accountOf(who), challenges: false },
    traceOf: () => own,
  });
const owedWei = (where: Hex, who: Hex) => f.read<bigint>(where, "owedWei", [who]);
const counts = (id: bigint) => f.read<boolean>(f.disputes, "counts", [id]);
const admission = (of: CommittedModel, id: bigint) =>
  call("admit", [id, statementOf(of), CAP, columnsOf(of), 0n]);

/** A row whose pass has a false number in the middle, and G made of it: all else of the model commitment is right. */
function lieInside(): { posted: CommittedModel; own: TracedQuery } {
  const own = asRow(falseTrace(f.model, f.honest[ROW]!, f.kernels, placeOf(f.honest[ROW]!, "chain")));
  const rows = f.honest.map((row, k) => (k === ROW ? own : row));
  const { leaves } = honestRows(rows, f.tracing);
  return { posted: withLeaf(f.posted, "map", ROW, leaves.map[ROW]!), own };
}

test("a false number inside a row's pass is found, and the model commitment with it", async () => {
  const { own, posted } = lieInside();
  const id = await f.post(posted);
  await f.send(f.watcher, f.games, f.rowCall(id, posted, ROW), STAKE_WEI);
  const moves = await playOut([playerOf(f.watcher, f.honest[ROW]!), playerOf(f.owner, own)]);
  expect(moves.at(-1)!.what).toBe("show");
  // The game's last move has refuted the model commitment, too.
  await f.passTime(WINDOW_SECONDS);
  expect(await counts(id)).toBe(false);
  expect(await f.refusal(f.owner, f.disputes, admission(posted, id))).toBe("DisputesNotOver");
  expect(await owedWei(f.disputes, f.watcher)).toBe(BOND_WEI / 2n);
  expect(await owedWei(f.games, f.watcher)).toBe(STAKE_WEI);
  expect(await f.client.getBalance({ address: f.disputes })).toBe(BOND_WEI / 2n);
});

test("a right row survives its challenger, and the activation waits until the game is over", async () => {
  const id = await f.post();
  await f.passTime(WINDOW_SECONDS - 10n);
  await f.send(f.watcher, f.games, f.rowCall(id, f.posted, ROW), STAKE_WEI);
  await f.passTime(10n);
  expect(await counts(id)).toBe(false);
  const liar = asRow(falseTrace(f.model, f.honest[ROW]!, f.kernels, placeOf(f.honest[ROW]!, "chain")));
  const player = playerOf(f.watcher, liar);
  for (let round = 0; round < 12; round++) {
    const { failures, moves } = await player.playOnce();
    const answered = await playerOf(f.owner, f.honest[ROW]!).playOnce();
    if (moves.length + answered.moves.length === 0 || failures.length > 0) break;
  }
  // Nobody but the games says that a row is lost.
  const says = call("refuteRow", [id, BigInt(ROW), f.stranger]);
  expect(await f.refusal(f.stranger, f.disputes, says)).toBe("DisputesGamesInvalid");
  await f.passTime(SIDE_SECONDS + 1n);
  await playOut([playerOf(f.owner, f.honest[ROW]!)]);
  expect(await owedWei(f.games, f.owner)).toBe(STAKE_WEI);
  expect(await counts(id)).toBe(true);
  await f.send(f.stranger, f.disputes, admission(f.posted, id));
  const { payeeRoot, modelId, staticsHash: statics } = f.posted.statement;
  const word = activationHash({ modelId, statics, cap: Number(CAP), payeeRoot });
  expect(await f.read(f.disputes, "admissions", [f.rollup, modelId, word])).toBe(id);
  await f.send(f.owner, f.disputes, call("returnBond", [id]));
  expect(await owedWei(f.disputes, f.owner)).toBe(BOND_WEI);
});
