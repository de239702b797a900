/**
 * Plays for an owner and for a challenger by itself: it traces each claimed query again, challenges the false ones, and
 * makes the moves of every game that its address is in.
 */
import { type Address, encodeFunctionData, type Hex, type PublicClient } from "viem";
import { traceGameAbi } from "../../contracts/build/trace-abi.ts";
import { type ClaimedModel, type ClaimState, GameReader, sameAddress } from "./read-games.ts";
import { challengersMove, type GameState, ownersMove } from "./trace-moves.ts";
import type { TracedQuery } from "./traced-model.ts";

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
  readonly refutePrompt?: (claim: ClaimState) => Hex | null;
  /** Whether he challenges claims of others. */
  readonly challenges: boolean;
}

export interface PlayedMove {
  readonly what: "prompt" | "challenge" | "answer" | "reveal" | "choose" | "show" | "endByTime";
  readonly claimId: bigint;
  /** null for a challenge. */
  readonly gameId: bigint | null;
  readonly gasUsed: bigint;
}

/** What could not be read or played in one look; the next one tries it again. */
export interface FailedMove {
  readonly claimId: bigint;
  /** null for a claim, or a challenge. */
  readonly gameId: bigint | null;
  readonly error: unknown;
}

export interface PlayedRound {
  readonly moves: readonly PlayedMove[];
  readonly failures: readonly FailedMove[];
}

export class TracePlayer {
  readonly #options: PlayerOptions;
  readonly #reader: GameReader;
  readonly #traces = new Map<bigint, TracedQuery | null>();

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#reader = new GameReader(options.publicClient, options.game);
  }

  /**
   * One look at the claims and their games, with at most one move in each. Games come first: their time runs. Attack: one move
   * that L1 refuses, as where somebody else has ended a game meanwhile, and everything after it is never played.
   */
  async playOnce(): Promise<PlayedRound> {
    const { account, challenges, model, publicClient } = this.#options;
    const { timestamp } = await publicClient.getBlock();
    const readClaims = await this.#reader.claims(model);
    const claims = readClaims.claims.filter(({ isRefuted }) => !isRefuted);
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
    for (const claim of claims) {
      if (timestamp >= claim.endsAt || isOwner(claim) || !challenges) continue;
      if (games.some((one) => one.claimId === claim.claimId && isMine(one))) continue;
      // It may be his.
      if (readGames.failures.some(({ claimId }) => claimId === claim.claimId)) continue;
      await attempt(claim.claimId, null, async () => this.#object(claim));
    }
    const kept = claims.filter((claim) => timestamp < claim.endsAt || runningOf(claim).length > 0);
    for (const claimId of this.#traces.keys())
      if (!kept.some((claim) => claim.claimId === claimId)) this.#traces.delete(claimId);
    return { moves, failures };
  }

  /** A wrong token of the prompt is shown in one transaction, without a stake; a wrong query takes a game. */
  async #object(claim: ClaimState): Promise<PlayedMove | null> {
    const refutation = this.#options.refutePrompt?.(claim) ?? null;
    if (refutation !== null) return this.#send("prompt", claim.claimId, null, refutation);
    return this.#isFalse(claim) ? this.#challenge(claim) : null;
  }

  #isFalse(claim: ClaimState): boolean {
    const trace = this.#traceOf(claim);
    return trace !== null && claim.statement.query !== rootOf(trace);
  }

  #traceOf(claim: ClaimState): TracedQuery | null {
    const known = this.#traces.get(claim.claimId);
    if (known !== undefined) return known;
    const made = this.#options.traceOf(claim);
    this.#traces.set(claim.claimId, made);
    return made;
  }

  async #challenge({ claimId, owner }: ClaimState): Promise<PlayedMove> {
    const { game, publicClient } = this.#options;
    const stakeWei = await publicClient.readContract({
      address: game,
      abi: traceGameAbi,
      functionName: "stakeFor",
      args: [owner],
    });
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
    const move = isOwner ? ownersMove : challengersMove;
    return { what: turn as PlayedMove["what"], data: move(game, claim.statement, own) };
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

const rootOf = ({ tree }: TracedQuery): Hex => `0x${Buffer.from(tree.ops.at(-1)!.root).toString("hex")}`;
