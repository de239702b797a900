/** Games over rows of G, with the contracts that they decide for (docs/explanation/fault-proofs.md): how they end, and what they are refused for. */

import { activationHash } from "@openledger/circuits/ledger/rewards";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { decodeFunctionData, encodeFunctionData, type Hex, zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import type { CommittedModel } from "../../statements/committed-model.ts";
import { asRow, claimOf, type TracedQuery } from "../claims/traced-model.ts";
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
import { STAKE_WEI } from "../testing/trace-fixture.ts";
import { ownersMove } from "../trace-moves.ts";

const ROW = 1;
const CAP = 16n;

const f = started(startRows);
revertEachTest(() => f);

const call = (functionName: string, args: readonly unknown[]) =>
  encodeFunctionData({ abi: f.abi, functionName, args } as never);
describe("a game over a row", () => {
  /** The honest challenge with one argument changed, or a part of it. */
  const changed = (id: bigint, place: readonly [number, string?] | null, value?: unknown) => {
    const { args } = decodeFunctionData({ abi: f.abi, data: f.rowCall(id, f.posted, ROW) });
    const copy = structuredClone(args) as never as Record<string, unknown>[];
    if (place !== null) {
      const [arg, part] = place;
      const own = copy[arg] as Record<string, unknown>;
      const given = typeof value === "function" ? value(own[part!]) : value;
      copy[arg] = part === undefined ? given : { ...own, [part]: given };
    }
    return call("challengeRow", copy);
  };
  const refusalOf = (data: Hex) => f.refusal(f.watcher, f.games, data, STAKE_WEI);
  const OTHER = "LedgerTracesOtherModelCommitment";

  test.each<[string, readonly [number, string?], unknown, string]>([
    ["another model commitment's number", [0], 9n, OTHER],
    ["another row", [1], 0n, "DisputesOpeningInvalid"],
    ["a row that there is not", [1], 3n, "DisputesOpeningInvalid"],
    ["another statement", [2, "rowsRoot"], 1n, OTHER],
    ["other terms", [3, "rest"], 255, "DisputesOpeningInvalid"],
    ["a rollup that is another", [4, "rollup"], zeroAddress, OTHER],
    ["another model", [4, "modelId"], 4n, "LedgerTracesRowInvalid"],
    ["other inputs", [4, "inputs"], (own: Hex[]) => own.toReversed(), "LedgerTracesRowInvalid"],
    ["other tokens", [4, "tokens"], `0x${"00000001".repeat(4)}`, "LedgerTracesRowInvalid"],
    ["another place of the first wanted token", [4, "promptCount"], 1n, "LedgerTracesRowInvalid"],
    ["other numbers than were posted", [4, "query"], `0x${"12".repeat(32)}`, "LedgerTracesRowInvalid"],
    ["a program that is none of the model's", [4, "opCount"], 7n, "TraceStatementInvalid"],
  ])("is not opened with %s", async (_, place, value, error) => {
    const id = await f.post();
    expect(await refusalOf(changed(id, place, value))).toBe(error);
    expect(await refusalOf(changed(id, null))).toBeNull();
  });

  test("is about one statement: nobody else stakes on another than he shows", async () => {
    const id = await f.post();
    await f.send(f.stranger, f.games, f.rowCall(id, f.posted, ROW), STAKE_WEI);
    const other = changed(id, [4, "program"], `0x${"12".repeat(32)}`);
    expect(await refusalOf(other)).toBe("TraceOtherStatement");
    expect(await refusalOf(changed(id, null))).toBeNull();
  });

  test("is not opened with another row's leaves, nor with leaves of another length", async () => {
    const id = await f.post();
    const args = (row: number) =>
      decodeFunctionData({ abi: f.abi, data: f.rowCall(id, f.posted, row) }).args!;
    expect(await refusalOf(changed(id, [6], args(0)[6]))).toBe("DisputesOpeningInvalid");
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
  const moves = await playOut([f.playerOf(f.watcher, f.honest[ROW]!), f.playerOf(f.owner, own)]);
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
  const player = f.playerOf(f.watcher, liar);
  for (let round = 0; round < 12; round++) {
    const { failures, moves } = await player.playOnce();
    const answered = await f.playerOf(f.owner, f.honest[ROW]!).playOnce();
    if (moves.length + answered.moves.length === 0 || failures.length > 0) break;
  }
  // Nobody but the games says that a row is lost.
  const says = call("refuteRow", [id, BigInt(ROW), f.stranger]);
  expect(await f.refusal(f.stranger, f.disputes, says)).toBe("DisputesGamesInvalid");
  await f.passTime(SIDE_SECONDS + 1n);
  await playOut([f.playerOf(f.owner, f.honest[ROW]!)]);
  expect(await owedWei(f.games, f.owner)).toBe(STAKE_WEI);
  expect(await counts(id)).toBe(true);
  await f.send(f.stranger, f.disputes, admission(f.posted, id));
  const { payeeRoot, modelId, staticsHash: statics } = f.posted.statement;
  const word = activationHash({ modelId, statics, cap: Number(CAP), payeeRoot });
  expect(await f.read(f.disputes, "admissions", [f.rollup, modelId, word])).toBe(id);
  await f.send(f.owner, f.disputes, call("returnBond", [id]));
  expect(await owedWei(f.disputes, f.owner)).toBe(BOND_WEI);
});
