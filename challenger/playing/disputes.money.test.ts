/** Bonds, stakes and fees, by a second set of books: what the registry and its games hold, whatever is done with both. */

import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { encodeFunctionData, type Hex, parseEther } from "viem";
import { expect, test } from "vitest";
import { claimReceiptCall } from "../games/claims/ledger-claims.ts";
import { claimOf, type TracedQuery, traceQuery } from "../games/claims/traced-model.ts";
import { textChallengeData } from "../games/rows/text-calls.ts";
import { BOND_WEI, startRows, statementOf, withLeaf } from "../games/testing/row-fixture.ts";
import { HOUR_SECONDS, STAKE_WEI } from "../games/testing/trace-fixture.ts";
import { challengeCall, ownersMove, statementHash } from "../games/trace-moves.ts";
import { factBytes } from "../statements/committed-model.ts";
import { readFact } from "../statements/leaf-bytes.ts";
import { shownLeaf } from "../statements/model-commitment-calls.ts";

const STEPS = 400;
const ROWS = 3;
/** Tree.Tokens, and what is paid for one of its leaves. */
const [TOKENS, FEE_WEI] = [1, parseEther("0.01")];
const f = started(startRows);

/** In a game about a claim of a query, or about a row of a model commitment. */
interface Stake {
  readonly about: string;
  readonly own: TracedQuery;
  readonly who: Hex;
  turn: "owner" | "challenger";
}

test("a random walk moves no wei that the books do not", { timeout: 600_000 }, async () => {
  const random = new SeededRandom("dispute money");
  const people = [f.owner, f.watcher, f.stranger];
  /** By the kind and the number of what it is for. */
  const bonds = new Map<string, bigint>();
  const refuted = new Set<string>();
  const stakes = new Map<bigint, Stake>();
  /** By model commitment and leaf: who has paid. The fee of a leaf that was shown is not yet anybody's. */
  const fees = new Map<string, { readonly who: Hex; isShown: boolean }>();
  const owed = { [f.disputes]: new Map<Hex, bigint>(), [f.games]: new Map<Hex, bigint>() };
  const owe = (where: Hex, who: Hex, wei: bigint) =>
    owed[where]!.set(who, (owed[where]!.get(who) ?? 0n) + wei);
  const contractOf = (about: string) => (about.startsWith("row") ? f.disputes : f.games);
  /** Half of the bond is burned. */
  const refute = (about: string, who: Hex) => {
    owe(contractOf(about), who, bonds.get(about)! / 2n);
    bonds.delete(about);
    refuted.add(about);
  };
  const fact = readFact(f.posted.leaves.facts[0]!)!;
  const wrong = factBytes({ ...fact, residual: fact.residual + 1n });
  const lie = withLeaf(f.posted, "facts", 0, wrong);
  const commitments = [lie, lie, f.posted];
  const posted: (typeof f.posted)[] = [];
  const query = traceQuery(f.model, { tokens: [3, 14, 15, 9, 26], promptCount: 1 }, f.kernels);
  const answer = JSON.stringify({ text: "So.", tokens: query.text.tokens.slice(1) });
  /** Of queries: rows that are challenged have numbers among them. */
  const claimIds: bigint[] = [];
  let who = f.owner;
  const call = (functionName: string, ...args: readonly unknown[]) =>
    encodeFunctionData({ abi: f.abi, functionName, args } as never);
  const isDone = async (where: Hex, data: Hex, valueWei = 0n, account = who): Promise<boolean> => {
    if ((await f.refusal(account, where, data, valueWei)) !== null) return false;
    await f.send(account, where, data, valueWei);
    return true;
  };
  /** Mostly of the newest, so that what is done to one meets. */
  const idOf = (count: number) => BigInt(Math.max(1, count - random.nextBelow(2)));
  const stakeIn = async (about: string, own: TracedQuery, data: Hex) => {
    if (!(await isDone(f.games, data, STAKE_WEI))) return false;
    stakes.set(await f.read<bigint>(f.games, "gameCount"), { about, own, who, turn: "owner" });
    return true;
  };
  const anyOf = <Key, Of>(all: ReadonlyMap<Key, Of>): readonly [Key, Of] | readonly [] =>
    [...all][random.nextBelow(Math.max(1, all.size))] ?? [];
  /** Calls something about any game. @returns its stake where L1 takes that */
  const overGame = async (name: string) => {
    const [gameId, stake] = anyOf(stakes);
    if (stake === undefined || !(await isDone(f.games, call(name, gameId)))) return null;
    stakes.delete(gameId!);
    return stake;
  };
  const done: Record<string, number> = {};
  const count = (what: string) => {
    done[what] = (done[what] ?? 0) + 1;
  };
  const acts: Record<string, () => Promise<boolean>> = {
    async commitModel() {
      if (random.nextBelow(2) > 0) return false;
      const of = commitments[random.nextBelow(commitments.length)]!;
      bonds.set(`row ${await f.post(of)}`, BOND_WEI);
      return posted.push(of) > 0;
    },
    async claim() {
      if (random.nextBelow(2) > 0) return false;
      const receipt = { payerId: 7, salt: BigInt(claimIds.length), prompt: "How?", answer, lengths: [] };
      const bondWei = BOND_WEI + BigInt(random.nextBelow(5));
      const data = claimReceiptCall(f.model, f.traced, query, receipt);
      if (!(await isDone(f.games, data, bondWei, f.owner))) return false;
      const claimId = await f.read<bigint>(f.games, "claimCount");
      bonds.set(`query ${claimId}`, bondWei);
      return claimIds.push(claimId) > 0;
    },
    challenge: () => {
      const claimId = claimIds[Number(idOf(claimIds.length)) - 1] ?? 1n;
      const data = challengeCall(claimId, statementHash(claimOf(f.model, query).statement));
      return stakeIn(`query ${claimId}`, query, data);
    },
    challengeRow: () => {
      const [id, row] = [idOf(posted.length), Math.max(0, random.nextBelow(2 * ROWS) - ROWS)];
      return stakeIn(`row ${id}`, f.honest[row]!, f.rowCall(id, f.posted, row));
    },
    async answerGame() {
      const [gameId, stake] = anyOf(stakes);
      if (stake === undefined) return false;
      const { statement } = claimOf(f.model, stake.own);
      const data = ownersMove({ gameId, turn: "answer" } as never, statement, stake.own);
      if (!(await isDone(f.games, data, 0n, f.owner))) return false;
      stake.turn = "challenger";
      return true;
    },
    async endByTime() {
      const stake = await overGame("endByTime");
      if (stake === null) return false;
      // Once what it is about has fallen, nobody wins a game about it.
      expect(refuted.has(stake.about)).toBe(false);
      owe(f.games, stake.turn === "challenger" ? f.owner : stake.who, STAKE_WEI);
      if (stake.turn === "owner") refute(stake.about, stake.who);
      return true;
    },
    async returnStake() {
      const stake = await overGame("returnStake");
      if (stake === null) return false;
      expect(refuted.has(stake.about)).toBe(true);
      owe(f.games, stake.who, STAKE_WEI);
      return true;
    },
    async refute() {
      const id = idOf(posted.length);
      const of = posted[Number(id) - 1] ?? f.posted;
      const fault = { kind: "peak", row: random.nextBelow(2) } as const;
      if (!(await isDone(f.disputes, textChallengeData(id, of, [], null, fault)))) return false;
      expect([of === lie, fault.row]).toEqual([true, 0]);
      refute(`row ${id}`, who);
      return true;
    },
    async askForLeaf() {
      const [id, index] = [idOf(posted.length), random.nextBelow(ROWS + 2)];
      const data = call("challengeAvailability", id, TOKENS, BigInt(index));
      if (!(await isDone(f.disputes, data, FEE_WEI))) return false;
      fees.set(`${id}/${index}`, { who, isShown: false });
      return true;
    },
    async showLeaf() {
      const [key, fee] = anyOf(fees);
      if (key === undefined) return false;
      const [id, index] = key.split("/").map(Number) as [number, number];
      const of = posted[id - 1]!;
      const leaves = [shownLeaf(of, "tokens", index)];
      if (!(await isDone(f.disputes, call("answer", BigInt(id), statementOf(of), leaves)))) return false;
      fee!.isShown = true;
      return true;
    },
    async challengeUnanswered() {
      const [key, fee] = anyOf(fees);
      if (key === undefined) return false;
      const [id, index] = key.split("/").map(BigInt);
      if (!(await isDone(f.disputes, call("challengeUnanswered", id, TOKENS, index)))) return false;
      const about = `row ${id}`;
      // The fee of a leaf that was shown comes back of a refuted model commitment alone.
      if (fee!.isShown) expect(refuted.has(about)).toBe(true);
      count(fee!.isShown ? "shown leaf's fee" : "hidden leaf's fee");
      fees.delete(key);
      owe(f.disputes, fee!.who, FEE_WEI);
      if (bonds.has(about)) refute(about, fee!.who);
      return true;
    },
    async returnBond() {
      const [about, wei] = anyOf(bonds);
      if (about === undefined) return false;
      const [kind, id] = about.split(" ") as [string, string];
      const where = contractOf(about);
      if (!(await isDone(where, call("returnBond", BigInt(id))))) return false;
      const shown = kind === "row" ? [...fees.keys()].filter((key) => key.startsWith(`${id}/`)) : [];
      for (const key of shown) fees.delete(key);
      owe(where, f.owner, wei! + BigInt(shown.length) * FEE_WEI);
      count(`${kind}'s bond`);
      return bonds.delete(about);
    },
    async withdraw() {
      const where = random.nextBelow(2) === 0 ? f.disputes : f.games;
      return (await isDone(where, call("withdraw", who), 0n, f.stranger)) && owed[where]!.delete(who);
    },
    // Not to the second of a deadline: a block that is mined comes a second after the one that was asked.
    async passTime() {
      const hours = random.nextBelow(4) === 0 ? 100 : 1 + random.nextBelow(30);
      await f.passTime(HOUR_SECONDS * BigInt(hours) + 61n);
      return true;
    },
  };
  // Of some more, so that what they do meets: games of one claim, and leaves of a model commitment that falls.
  const games = ["challenge", "challengeRow", "endByTime", "returnStake", "passTime"];
  const leaves = ["commitModel", "refute", "returnBond", "askForLeaf", "showLeaf", "challengeUnanswered"];
  const names = [...Object.keys(acts), ...games, ...leaves];
  const also = ["shown leaf's fee", "hidden leaf's fee", "query's bond", "row's bond"];
  const left = () => [...names, ...also].filter((what) => done[what] === undefined);
  const sum = (all: Iterable<bigint>) => [...all].reduce((total, wei) => total + wei, 0n);
  // In `npm test` the walk ends once it has done everything.
  for (let step = 0; step < STEPS && (isWhole || left().length > 0); step++) {
    who = people[random.nextBelow(3)]!;
    const name = names[random.nextBelow(names.length)]!;
    if (await acts[name]!()) count(name);
    for (const where of [f.disputes, f.games]) {
      const own = [...bonds].flatMap(([about, wei]) => (contractOf(about) === where ? [wei] : []));
      const besidesWei = where === f.games ? BigInt(stakes.size) * STAKE_WEI : BigInt(fees.size) * FEE_WEI;
      const heldWei = sum(own) + sum(owed[where]!.values()) + besidesWei;
      expect(await f.client.getBalance({ address: where }), `step ${step}, ${name}`).toBe(heldWei);
      for (const person of people)
        expect(await f.read(where, "owedWei", [person])).toBe(owed[where]!.get(person) ?? 0n);
    }
    const id = idOf(posted.length);
    const open = [...stakes.values()].filter(({ about }) => about === `row ${id}`).length;
    expect(await f.read(f.games, "rowGamesOf", [id])).toBe(BigInt(open));
    if (open > 0 || refuted.has(`row ${id}`)) expect(await f.read(f.disputes, "counts", [id])).toBe(false);
  }
  // A walk that never got somewhere shows nothing.
  expect(left()).toEqual([]);
});
