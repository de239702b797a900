/**
 * Plays for an owner and for a challenger by itself: it traces each claimed query again, challenges the false ones, and
 * makes the moves of every game that its address is in.
 */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { type Address, encodeFunctionData, type Hex, type PublicClient } from "viem";
import { type ClaimedModel, type ClaimState, GameReader, sameAddress } from "./read-games.ts";
import { challengersMove, differs, type GameState, ownersMove } from "./trace-moves.ts";
import { claimedRoot, type TracedQuery, type TraceStatement } from "./traced-model.ts";

/** Who plays. `send` returns once the transaction is mined. */
export interface PlayerAccount {
  readonly address: Address;
  send(call: { readonly data: Hex; readonly valueWei: bigint }): Promise<{ gasUsed: bigint }>;
}

export interface PlayerOptions {
  readonly publicClient: PublicClient;
  readonly game: Address;
  readonly account: PlayerAccount;
  /** Whose claims he looks at; all where nothing is said. */
  readonly model?: ClaimedModel;
  /** His own trace of a claimed query; null where he does not know the model. */
  readonly traceOf: (claim: ClaimState) => TracedQuery | null;
  /** The transaction that shows a wrong token of a claim's prompt; null where there is none. Default: prompts are not looked at. */
  readonly refutePrompt?: (claim: ClaimState, warn: (why: string) => void) => Hex | null;
  /**
   * Of an answer that the trace says is another than the model's: the move that shows it, where the owner's trace is the same.
   * null where it is the model's. Default: answers are not looked at.
   */
  readonly answerMove?: (query: TracedQuery) => ((gameId: bigint, statement: TraceStatement) => Hex) | null;
  /** Whether he challenges claims of others. */
  readonly challenges: boolean;
  /** New claims that one look traces at most: what a game's move needs comes on top. Default: 4. */
  readonly mostTraced?: number;
  /** What he gives for one challenge. Default: eight times the stake that the contract was deployed with. */
  readonly mostStakeWei?: bigint;
}

/** Of 224 games that are open against an owner, the next costs so much. */
const MOST_STAKES = 8n;

/** What one challenge may cost where nobody says it. @throws BRG_L1_* */
export async function mostStakeFor(client: PublicClient, game: Address): Promise<bigint> {
  const stakeWei = { address: game, abi: traceGameAbi, functionName: "stakeWei" } as const;
  return MOST_STAKES * (await l1Call("read stakeWei of the games", () => client.readContract(stakeWei)));
}

/** A trace takes up to some minutes, in which no game's move is made. */
const MOST_TRACED = 4;
/** A trace takes 4.25 bytes a number, besides the model's own: up to some GB. A third is made beside these. Beyond them it is made again for each move. */
const MOST_KEPT = 2;

export interface PlayedMove {
  readonly what:
    | "prompt"
    | "challenge"
    | "answer"
    | "reveal"
    | "choose"
    | "show"
    | "showAnswer"
    | "endByTime";
  readonly claimId: bigint;
  /** null for a challenge. */
  readonly gameId: bigint | null;
  readonly gasUsed: bigint;
}

/** What could not be read or played in one look; the next one tries it again. */
interface FailedMove {
  readonly claimId: bigint;
  /** null for a claim, or a challenge. */
  readonly gameId: bigint | null;
  readonly error: unknown;
}

/** What is wrong with a claim, and nothing on L1 shows. */
export interface ClaimWarning {
  readonly claimId: bigint;
  readonly why: string;
}

export interface PlayedRound {
  readonly moves: readonly PlayedMove[];
  readonly failures: readonly FailedMove[];
  /** Claims that were left for the next look. */
  readonly waiting: readonly bigint[];
  readonly warnings: readonly ClaimWarning[];
}

export class TracePlayer {
  readonly #options: PlayerOptions;
  readonly #reader: GameReader;
  /** Of claims that he has compared: the query's root as he computes it; null where he does not know the model. */
  readonly #roots = new Map<bigint, Hex | null>();
  /** Of claims that he has compared: those whose answer is another than the model's. */
  readonly #otherAnswers = new Set<bigint>();
  /** Of claims that could not be traced: others come first. */
  readonly #untraceable = new Set<bigint>();
  /** Of claims in whose games he moves; the last used one comes last. */
  readonly #traces = new Map<bigint, TracedQuery>();
  /** What each claim says: L1 may take one back, and give its number to another. */
  readonly #said = new Map<bigint, string>();

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#reader = new GameReader(options.publicClient, options.game);
  }

  /**
   * One look at the claims and their games, with at most one move in each. Games come first: their time runs. Attack: one move
   * that L1 refuses, as where somebody else has ended a game meanwhile, and everything after it is never played.
   * @throws BRG_L1_* where nothing can be read
   */
  async playOnce(): Promise<PlayedRound> {
    const { account, challenges, model, mostTraced = MOST_TRACED, publicClient } = this.#options;
    const { timestamp } = await l1Call("read the latest block", () => publicClient.getBlock());
    const readClaims = await this.#reader.claims(model);
    const claims = readClaims.claims.filter(({ isRefuted }) => !isRefuted);
    this.#forgetReplaced(claims);
    const readGames = await this.#reader.games(claims.map(({ claimId }) => claimId));
    const { games } = readGames;
    const moves: PlayedMove[] = [];
    const failures: FailedMove[] = [...readClaims.failures, ...readGames.failures];
    const attempt = async (
      claimId: bigint,
      gameId: bigint | null,
      play: () => Promise<PlayedMove | null>,
    ) => {
      try {
        const move = await play();
        if (move !== null) moves.push(move);
      } catch (error) {
        failures.push({ claimId, gameId, error });
      }
    };
    const isMine = (one: GameState) => sameAddress(one.challenger, account.address);
    const isOwner = (claim: ClaimState) => sameAddress(claim.owner, account.address);
    const runningOf = (claim: ClaimState) =>
      games.filter(
        (one) => one.claimId === claim.claimId && one.turn !== "over" && (isOwner(claim) || isMine(one)),
      );
    for (const claim of claims)
      for (const one of runningOf(claim))
        await attempt(claim.claimId, one.gameId, async () => {
          const move = this.#moveIn(claim, one, isOwner(claim), timestamp);
          return move && this.#send(move.what, claim.claimId, one.gameId, move.data);
        });
    const open = claims.filter(({ claimId, endsAt, owner }) => {
      if (timestamp >= endsAt || sameAddress(owner, account.address) || !challenges) return false;
      if (games.some((one) => one.claimId === claimId && isMine(one))) return false;
      // It may be his.
      return !readGames.failures.some((failed) => failed.claimId === claimId);
    });
    // Attack: claims that nobody can trace, ahead of all others in every look.
    const failedBefore = (claim: ClaimState) => Number(this.#untraceable.has(claim.claimId));
    const waiting: bigint[] = [];
    const warnings: ClaimWarning[] = [];
    let toTrace = mostTraced;
    for (const claim of open.toSorted((a, b) => failedBefore(a) - failedBefore(b))) {
      const { claimId } = claim;
      await attempt(claimId, null, async () => {
        const warn = (why: string) => warnings.push({ claimId, why });
        const refuted = await this.#refutePrompt(claim, warn);
        if (refuted !== null) return refuted;
        if (!this.#roots.has(claimId)) {
          if (toTrace === 0) {
            if (!this.#untraceable.has(claimId)) waiting.push(claimId);
            return null;
          }
          toTrace--;
        }
        const isFalse = this.#isFalse(claim);
        if (this.#roots.get(claimId) === null)
          warn("it names other files than this model's: no game here can refute that");
        return isFalse ? this.#challenge(claim, warn) : null;
      });
    }
    const isPlayed = (claimId: bigint) =>
      claims.some((claim) => claim.claimId === claimId && runningOf(claim).length > 0);
    const isOpen = (claimId: bigint) => open.some((claim) => claim.claimId === claimId);
    for (const claimId of this.#traces.keys()) if (!isPlayed(claimId)) this.#traces.delete(claimId);
    for (const known of [this.#roots, this.#untraceable, this.#otherAnswers])
      for (const claimId of known.keys()) if (!isOpen(claimId)) known.delete(claimId);
    return { moves, failures, waiting, warnings };
  }

  /** Attack: of another text under a known number, what is known would be taken for wrong, and a right claim challenged. */
  #forgetReplaced(claims: readonly ClaimState[]): void {
    const before = new Map(this.#said);
    this.#said.clear();
    for (const { claimId, owner, statement } of claims) {
      const said = [owner, ...Object.values(statement)].join();
      this.#said.set(claimId, said);
      if (before.get(claimId) === said) continue;
      for (const known of [this.#roots, this.#otherAnswers, this.#untraceable, this.#traces])
        known.delete(claimId);
    }
  }

  /**
   * A wrong token of the prompt is shown in one transaction, without a stake; a wrong query takes a game.
   * Attack: a prompt that no tokenizer takes, or whose refutation L1 refuses, beside a false query.
   */
  async #refutePrompt(claim: ClaimState, warn: (why: string) => void): Promise<PlayedMove | null> {
    try {
      const refutation = this.#options.refutePrompt?.(claim, warn) ?? null;
      return refutation && (await this.#send("prompt", claim.claimId, null, refutation));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      warn(`its prompt could not be refuted: ${why}`);
      return null;
    }
  }

  /** Keeps the root alone: a trace is large, and most claims are right. */
  #isFalse(claim: ClaimState): boolean {
    const { claimId, statement } = claim;
    if (!this.#roots.has(claimId)) {
      this.#untraceable.add(claimId);
      const made = this.#options.traceOf(claim);
      this.#untraceable.delete(claimId);
      this.#roots.set(claimId, made && claimedRoot(made));
      if (made !== null && this.#answerMove(made) !== null) this.#otherAnswers.add(claimId);
    }
    const root = this.#roots.get(claimId)!;
    return root !== null && (statement.query !== root || this.#otherAnswers.has(claimId));
  }

  /** For a game's moves. */
  #traceOf(claim: ClaimState): TracedQuery | null {
    const { claimId } = claim;
    const known = this.#traces.get(claimId);
    const trace = known ?? this.#options.traceOf(claim);
    this.#traces.delete(claimId);
    if (trace === null) return null;
    if (known === undefined && this.#traces.size >= MOST_KEPT)
      this.#traces.delete(this.#traces.keys().next().value!);
    this.#traces.set(claimId, trace);
    return trace;
  }

  async #challenge({ claimId, owner }: ClaimState, warn: (why: string) => void): Promise<PlayedMove | null> {
    const { game, publicClient } = this.#options;
    const contract = { address: game, abi: traceGameAbi } as const;
    const stakeWei = await l1Call("read stakeFor of the games", () =>
      publicClient.readContract({ ...contract, functionName: "stakeFor", args: [owner] }),
    );
    const mostWei = this.#options.mostStakeWei ?? (await mostStakeFor(publicClient, game));
    if (stakeWei > mostWei) {
      warn(
        `its query is false, and not challenged: that takes a stake of ${stakeWei} wei, and at most ${mostWei} are given`,
      );
      return null;
    }
    const data = encodeFunctionData({ abi: traceGameAbi, functionName: "challenge", args: [claimId] });
    return this.#send("challenge", claimId, null, data, stakeWei);
  }

  #moveIn(claim: ClaimState, game: GameState, isOwner: boolean, now: bigint) {
    const isOwnersTurn = game.turn === "answer" || game.turn === "reveal";
    const { gameId, turn } = game;
    if (isOwnersTurn !== isOwner) {
      if (now <= game.deadline) return null;
      const data = encodeFunctionData({ abi: traceGameAbi, functionName: "endByTime", args: [gameId] });
      return { what: "endByTime", data } as const;
    }
    const own = now > game.deadline ? null : this.#traceOf(claim);
    if (own === null) return null;
    if (!isOwner && turn === "choose" && !differs(game, own)) {
      const show = this.#answerMove(own);
      if (show !== null) return { what: "showAnswer", data: show(gameId, claim.statement) } as const;
    }
    const move = isOwner ? ownersMove : challengersMove;
    return { what: turn as PlayedMove["what"], data: move(game, claim.statement, own) };
  }

  #answerMove(query: TracedQuery) {
    return this.#options.answerMove?.(query) ?? null;
  }

  async #send(
    what: PlayedMove["what"],
    claimId: bigint,
    gameId: bigint | null,
    data: Hex,
    valueWei = 0n,
  ): Promise<PlayedMove> {
    const { gasUsed } = await this.#options.account.send({ data, valueWei });
    return { what, claimId, gameId, gasUsed };
  }
}
