/**
 * Plays for an owner and for a challenger by itself: it traces each claimed query again, challenges the false ones, and
 * makes the moves of every game that its address is in, over queries and over rows.
 */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, encodeFunctionData, type Hex, type PublicClient } from "viem";
import type { LedgerModel } from "./claims/traced-model.ts";
import { KeptTraces, type TracingOptions } from "./kept-traces.ts";
import type { PlayedMove, PlayerAccount } from "./played-moves.ts";
import { type DueMove, sendMoves } from "./played-moves.ts";
import { type ClaimState, type FailedRead, GameReader, type ShownClaim, sameAddress } from "./read-games.ts";
import { stakeFor } from "./trace-contracts.ts";
import {
  challengeCall,
  challengersMove,
  differs,
  type GameState,
  ownersMove,
  statementHash,
} from "./trace-moves.ts";

export interface PlayerOptions extends TracingOptions {
  readonly publicClient: PublicClient;
  readonly game: Address;
  readonly account: PlayerAccount;
  /** Whose claims he looks at; all where nothing is said. */
  readonly model?: LedgerModel | undefined;
  /** Who reads claims and games; default: a reader of his own. */
  readonly reader?: GameReader | undefined;
  /** Claims that were found right before; default: none. */
  readonly right?: RightClaims | undefined;
  /** The transaction that shows a wrong token of a claim's prompt; null where there is none. Default: prompts are not looked at. */
  readonly refutePrompt?:
    | ((claim: ShownClaim, warn: (why: string) => void) => Hex | null | Promise<Hex | null>)
    | undefined;
  /** Whether he challenges others' claims of queries. Which rows are false, the model commitment's watch knows. */
  readonly challenges: boolean;
  /** New claims that one look traces at most: what a game's move needs comes on top. Default: 4. */
  readonly mostTraced?: number | undefined;
  /** What he gives for one challenge. Default: eight times the stake that the contract was deployed with. */
  readonly mostStakeWei?: bigint | undefined;
}

/** What is kept of claims that need no second trace. */
export interface RightClaims {
  has(claim: ClaimState): boolean;
  keep(claim: ClaimState): Promise<void>;
}

/** A trace takes up to some minutes, in which no game's move is made. */
const MOST_TRACED = 4;

export interface PlayedRound {
  readonly moves: readonly PlayedMove[];
  /** What could not be read or played; the next look tries it again. */
  readonly failures: readonly FailedRead[];
  /** Claims that were left for the next look. */
  readonly waiting: readonly bigint[];
  /** What is wrong with a claim, and nothing on L1 shows. */
  readonly warnings: readonly { readonly claimId: bigint; readonly why: string }[];
}

/** What is known of a claim of others that he has compared. */
interface Compared {
  /** Of its prompt; null before that was compared. */
  promptWarnings: readonly string[] | null;
  query: "unknown" | "untraceable" | "right" | "false" | "another model's";
  /** Of the statement that was compared; null before that. */
  statementHash: Hex | null;
}

export class TracePlayer {
  readonly #options: PlayerOptions;
  readonly #reader: GameReader;
  readonly #traces: KeptTraces;
  readonly #compared = new Map<bigint, Compared>();
  /** The block of each claim: L1 may take one back, and give its number to another. */
  readonly #blocks = new Map<bigint, Hex>();

  constructor(options: PlayerOptions) {
    const { game, model, publicClient, reader } = options;
    this.#options = options;
    this.#reader = reader ?? new GameReader(publicClient, game, model && { rollup: model.rollup });
    this.#traces = new KeptTraces(options);
  }

  /**
   * One look at the claims and their games, with at most one move in each. Games come first, those with the least time before
   * others; what takes no trace goes in one transaction. Attack: one move that L1 refuses, as where somebody else has ended a game
   * meanwhile, and everything after it is never played.
   * @param compares whether claims of others are compared then; default: yes @throws BRG_L1_* where nothing can be read
   */
  async playOnce(compares = true): Promise<PlayedRound> {
    const { account, challenges, model, publicClient } = this.#options;
    const { timestamp } = await l1Call("read the latest block", () => publicClient.getBlock());
    const readClaims = await this.#reader.claims(model, true);
    const claims = readClaims.claims.filter(({ isRefuted }) => !isRefuted);
    this.#forgetReplaced(claims);
    const readGames = await this.#reader.games(claims.map(({ claimId }) => claimId));
    const failures = [...readClaims.failures, ...readGames.failures];
    const round: Round = { moves: [], failures, warnings: [], waiting: [] };
    const isMine = (one: GameState) => sameAddress(one.challenger, account.address);
    const isOwner = (claim: ClaimState) => sameAddress(claim.owner, account.address);
    const running = readGames.games.filter(({ turn }) => turn !== "over");
    const own = claims.flatMap((claim) =>
      running
        .filter((one) => one.claimId === claim.claimId && (isOwner(claim) || isMine(one)))
        .map((one) => ({ claim, game: one, isOwner: isOwner(claim) })),
    );
    await this.#playGames(own, timestamp, round);
    if (!compares) return round;
    const open = claims.filter((claim) => {
      const { claimId, endsAt, isRow } = claim;
      if (timestamp >= endsAt || isOwner(claim) || isRow || !challenges) return false;
      if (readGames.games.some((one) => one.claimId === claimId && isMine(one))) return false;
      // It may be his.
      return !readGames.failures.some((failed) => failed.claimId === claimId);
    });
    await this.#challengeFalse(open, round);
    const idsOf = (all: readonly { readonly claimId: bigint }[]) =>
      new Set(all.map(({ claimId }) => claimId));
    const [played, stillOpen] = [idsOf([...own.map(({ game }) => game), ...round.moves]), idsOf(open)];
    this.#traces.forget((claimId) => !played.has(claimId));
    for (const claimId of this.#compared.keys()) if (!stillOpen.has(claimId)) this.#compared.delete(claimId);
    return round;
  }

  /** Attack: of another text under a known number, what is known would be taken for wrong, and a right claim challenged. */
  #forgetReplaced(claims: readonly ClaimState[]): void {
    const before = new Map(this.#blocks);
    this.#blocks.clear();
    for (const { blockHash, claimId } of claims) {
      this.#blocks.set(claimId, blockHash);
      if (before.get(claimId) === blockHash) continue;
      this.#compared.delete(claimId);
      this.#traces.forget((one) => one === claimId);
    }
  }

  /** First all that needs no trace; then claim by claim, the one with the least time before the others. */
  async #playGames(own: readonly PlayedGame[], now: bigint, round: Round): Promise<void> {
    const isOwners = ({ turn }: GameState) => turn === "answer" || turn === "reveal";
    const due = own.toSorted((a, b) => Number(a.game.deadline - b.game.deadline));
    const late = due.filter(({ game, isOwner }) => isOwners(game) !== isOwner && now > game.deadline);
    const mine = due.filter(({ game, isOwner }) => isOwners(game) === isOwner && now <= game.deadline);
    const needsTrace = ({ game }: PlayedGame) => this.#traces.of(game.claimId, game.op) === undefined;
    const ready = mine.filter((one) => !needsTrace(one));
    await this.#playAll(ready, round);
    const toTrace = mine.filter(needsTrace);
    for (const claim of new Set(toTrace.map((one) => one.claim))) {
      const games = toTrace.filter((one) => one.claim === claim);
      const made = await this.#attempt(round, claim.claimId, games[0]!.game.gameId, async () => {
        const ops = games.flatMap(({ game: { op } }) => (op === null ? [] : [op]));
        return await this.#traces.make(await this.#reader.show(claim), ops);
      });
      if (made !== null) await this.#playAll(games, round);
    }
    // Anyone ends them: one that somebody else has ended may not hold up the others.
    const ending = late.map(({ game: { claimId, gameId } }): DueMove => {
      const data = encodeFunctionData({ abi: traceGameAbi, functionName: "endByTime", args: [gameId] });
      return { what: "endByTime", claimId, gameId, data };
    });
    await this.#send(ending, round);
  }

  async #playAll(games: readonly PlayedGame[], round: Round): Promise<void> {
    const moves: DueMove[] = [];
    for (const { game, isOwner } of games) {
      const { claimId, gameId } = game;
      const move = await this.#attempt(round, claimId, gameId, () => this.#moveIn(game, isOwner));
      if (move !== null) moves.push({ claimId, gameId, ...move });
    }
    await this.#send(moves, round);
  }

  async #moveIn(game: GameState, isOwner: boolean): Promise<Pick<DueMove, "what" | "data">> {
    const { claimId, gameId, op, turn } = game;
    const { answer, statement, trace: own } = this.#traces.of(claimId, op)!;
    const what = turn as DueMove["what"];
    if (isOwner) return { what, data: ownersMove(game, statement, own) };
    const shown = { ...game, revealed: await this.#reader.revealed(game) };
    if (turn === "choose" && answer !== null && !differs(shown, own))
      return { what: "showAnswer", data: answer(gameId, statement) };
    return { what, data: challengersMove(shown, statement, own) };
  }

  async #send(moves: readonly DueMove[], round: Round): Promise<void> {
    const { failures, moves: made } = await sendMoves(this.#options.account, moves);
    round.moves.push(...made);
    round.failures.push(...failures);
  }

  async #challengeFalse(open: readonly ClaimState[], round: Round): Promise<void> {
    const { mostTraced = MOST_TRACED } = this.#options;
    let toTrace = mostTraced;
    const comparedOf = (claim: ClaimState): Compared => {
      const fresh = (): Compared =>
        this.#options.right?.has(claim) === true
          ? { promptWarnings: [], query: "right", statementHash: null }
          : { promptWarnings: null, query: "unknown", statementHash: null };
      const known = this.#compared.get(claim.claimId) ?? fresh();
      this.#compared.set(claim.claimId, known);
      return known;
    };
    // Attack: claims that nobody can trace, ahead of all others in every look.
    const failedBefore = (claim: ClaimState) => Number(comparedOf(claim).query === "untraceable");
    for (const claim of open.toSorted((a, b) => failedBefore(a) - failedBefore(b))) {
      const { claimId } = claim;
      const compared = comparedOf(claim);
      await this.#attempt(round, claimId, null, async () => {
        const isNew = compared.query === "unknown" || compared.query === "untraceable";
        const shown = isNew || compared.promptWarnings === null ? await this.#reader.show(claim) : null;
        if (shown !== null && (await this.#isPromptRefuted(shown, compared, round))) return;
        if (isNew && toTrace === 0) {
          if (compared.query === "unknown") round.waiting.push(claimId);
        } else if (isNew) {
          toTrace--;
          await this.#compare(shown!, compared);
          if (compared.query === "right" && compared.promptWarnings?.length === 0)
            await this.#options.right?.keep(claim);
        }
        for (const why of compared.promptWarnings ?? []) round.warnings.push({ claimId, why });
        const why = "it names other files than this model's: no game here can refute that";
        if (compared.query === "another model's") round.warnings.push({ claimId, why });
        if (compared.query === "false") await this.#challenge(claimId, compared.statementHash!, round);
      });
    }
  }

  /** Of a right claim nothing is kept: a trace is large, and most claims are right. */
  async #compare(claim: ShownClaim, compared: Compared): Promise<void> {
    compared.query = "untraceable";
    compared.statementHash = statementHash(claim.statement);
    const made = await this.#traces.make(claim);
    compared.query = made === null ? "another model's" : made.isRight ? "right" : "false";
    if (compared.query !== "false") this.#traces.forget((one) => one === claim.claimId);
  }

  /**
   * A wrong token of the prompt is shown in one transaction, without a stake; a wrong query takes a game.
   * Attack: a prompt that no tokenizer takes, or whose refutation L1 refuses, beside a false query.
   */
  async #isPromptRefuted(claim: ShownClaim, compared: Compared, round: Round): Promise<boolean> {
    if (compared.promptWarnings !== null) return false;
    const { claimId } = claim;
    const warnings: string[] = [];
    try {
      const data = (await this.#options.refutePrompt?.(claim, (why) => warnings.push(why))) ?? null;
      if (data === null) {
        compared.promptWarnings = warnings;
        return false;
      }
      const { gasUsed } = await this.#options.account.send({ data, valueWei: 0n });
      round.moves.push({ what: "prompt", claimId, gameId: null, gasUsed });
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      round.warnings.push({ claimId, why: `its prompt could not be refuted: ${why}` });
      if (isRollupError(error)) round.failures.push({ claimId, gameId: null, error });
      return false;
    }
  }

  /**
   * Attack: L1 takes the claim back while this is on its way, and another one gets its number. So the hash is of what was compared:
   * what L1 has now is not asked.
   * @throws CMD_FALSE_UNCHALLENGED where that takes a larger stake than he gives
   */
  async #challenge(claimId: bigint, hash: Hex, round: Round): Promise<void> {
    const { account, game, mostStakeWei, publicClient } = this.#options;
    const valueWei = await stakeFor(publicClient, game, { claimId }, mostStakeWei);
    const { gasUsed } = await account.send({ data: challengeCall(claimId, hash), valueWei });
    round.moves.push({ what: "challenge", claimId, gameId: null, gasUsed });
  }

  async #attempt<T>(
    round: Round,
    claimId: bigint,
    gameId: bigint | null,
    play: () => Promise<T>,
  ): Promise<T | null> {
    try {
      return await play();
    } catch (error) {
      round.failures.push({ claimId, gameId, error });
      return null;
    }
  }
}

interface PlayedGame {
  readonly claim: ClaimState;
  readonly game: GameState;
  readonly isOwner: boolean;
}

type Round = { readonly [Part in keyof PlayedRound]: PlayedRound[Part][number][] };
