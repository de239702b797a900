/** Games over rows of G, with the contracts that they decide for (docs/explanation/fault-proofs.md). */

import { activationHash } from "@openledger/circuits/ledger/rewards";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { encodeFunctionData, type Hex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CommittedModel } from "../statements/committed-model.ts";
import { wordsOf } from "../trace/word-tree.ts";
import { falseTrace, placeOf, playOut } from "./testing/played-games.ts";
import {
  BOND_WEI,
  columnsOf,
  honestRows,
  type RowFixture,
  SIDE_SECONDS,
  startRows,
  statementOf,
  WINDOW_SECONDS,
  withLeaf,
} from "./testing/row-fixture.ts";
import { STAKE_WEI } from "./testing/trace-fixture.ts";
import { TracePlayer } from "./trace-player.ts";
import { asRow, type TracedQuery } from "./traced-model.ts";

const CAP = 16n;
const ROW = 1;

let f: RowFixture;
beforeAll(async () => {
  f = await startRows();
});
afterAll(() => f?.stop());
revertEachTest(() => f);

const call = (functionName: string, args: readonly unknown[]) =>
  encodeFunctionData({ abi: f.abi, functionName, args } as never);
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

test("real features that no pass ends with are refuted where the owner has no pass to show", async () => {
  const given = f.posted.leaves.map[ROW]!.slice();
  given.set(wordsOf(Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0)), 0);
  const posted = withLeaf(f.posted, "map", ROW, given);
  const id = await f.post(posted);
  await f.send(f.watcher, f.games, f.rowCall(id, posted, ROW), STAKE_WEI);
  // The owner's own trace ends in other numbers than he posted: the contract takes no answer of it.
  const { failures } = await playerOf(f.owner, f.honest[ROW]!).playOnce();
  expect(failures).toHaveLength(1);
  await f.passTime(SIDE_SECONDS + 1n);
  await playOut([playerOf(f.watcher, f.honest[ROW]!)]);
  expect(await owedWei(f.disputes, f.watcher)).toBe(BOND_WEI / 2n);
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
