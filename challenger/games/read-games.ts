/** Claims and games of a contract: where each of them is, and what it says when it is looked at. */

import { l1Call } from "@openledger/bridge/l1/l1-client";
import type { Address, Hex, PublicClient } from "viem";
import { REREAD_BLOCKS, untoldError, untoldOf } from "../events/event-log.ts";
import { readGame } from "../events/read-contracts.ts";
import type { TracedTuple } from "./claims/ledger-claims.ts";
import type { LedgerModel, TraceStatement } from "./claims/traced-model.ts";
import {
  type FactOf,
  type GameFact,
  type GameLog,
  type GameScope,
  gameLogOf,
  readClaimed,
  readRegistered,
  readRevealed,
} from "./game-events.ts";
import { type GameState, TURNS } from "./trace-moves.ts";

/** What the contract has of a claim. */
export interface ClaimState {
  readonly claimId: bigint;
  /** Of a posted row the real features are claimed; else a query. */
  readonly isRow: boolean;
  readonly owner: Address;
  readonly endsAt: bigint;
  /** It, or the model commitment whose row it is about: nothing more is played. */
  readonly isRefuted: boolean;
  readonly bondWei: bigint;
  /** Of a query what the ledger has; of a row its model commitment and its place. */
  readonly key: Hex;
  /** The same number says something else where L1 has taken this block back. */
  readonly blockHash: Hex;
}

/** With what it says. */
export interface ShownClaim extends ClaimState {
  readonly statement: TraceStatement;
  /** Of its prompt; null where it is of no ledger's receipt. */
  readonly shown: { readonly prompt: Hex; readonly lengths: Hex } | null;
}

/** A claim or a game that could not be read or played: others are all the same. */
export interface FailedRead {
  readonly claimId: bigint;
  /** null for the claim itself. */
  readonly gameId: bigint | null;
  readonly error: unknown;
}

export interface RegisteredTraced extends LedgerModel {
  readonly statics: bigint;
  readonly terms: TracedTuple;
}

/** Model commitment and row of a claim about one. */
export const rowOfKey = (key: Hex) => ({
  modelCommitment: BigInt(key) >> 128n,
  row: Number(BigInt(key) & (2n ** 128n - 1n)),
});

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_HISTORY_UNREADABLE where there is no contract: from every method */
export class GameReader {
  readonly #client: PublicClient;
  readonly #address: Address;
  readonly #read: ReturnType<typeof readGame>;
  readonly #log: GameLog;
  readonly #rollup: Address | undefined;
  readonly #models = new Map<string, RegisteredTraced>();
  /** Claims about which nothing is left to happen, and the block at which that was seen first. */
  readonly #over = new Map<string, bigint>();
  /** Of each claim, as it was read last, how many games L1 has counted that are not over. */
  readonly #counted = new Map<bigint, number>();
  /** Up to this one the node tells of each claim that matters here: of so many of the scope. */
  #known = { upTo: 0n, told: 0 };

  /** @param scope whose claims and games; default: everybody's @param log that has them; default: the client's own */
  constructor(client: PublicClient, address: Address, scope: GameScope = {}, log?: GameLog) {
    this.#client = client;
    this.#address = address;
    this.#read = readGame(client, address);
    this.#rollup = scope.rollup;
    this.#log = log ?? gameLogOf(client, address, scope);
  }

  /** All claims that were ever made for a model; `isOpen` leaves out those about which nothing is left to happen. */
  async claims(of?: LedgerModel, isOpen = false): Promise<{ claims: ClaimState[]; failures: FailedRead[] }> {
    const now = await l1Call("read the latest block", () => this.#client.getBlock());
    const asked = (await this.#facts("claim")).filter(
      (fact) =>
        (of === undefined || (BigInt(fact.modelId) === of.modelId && sameAddress(fact.rollup, of.rollup))) &&
        !(isOpen && this.#isOver(fact, now.number)),
    );
    const placeOf = ({ id }: FactOf<"claim">) => ({ claimId: BigInt(id), gameId: null });
    const { failures, found } = await eachRead(asked, placeOf, (fact) => this.#claim(fact));
    const claims: ClaimState[] = [];
    for (const [fact, { bondWei, isRefuted, openGames }] of found) {
      const { blockHash, endsAt, id, isRow, key, owner } = fact;
      const claimId = BigInt(id);
      this.#counted.set(claimId, openGames);
      if (openGames === 0 && (isRefuted || now.timestamp >= BigInt(endsAt)))
        this.#over.set(nameOf(fact), this.#over.get(nameOf(fact)) ?? now.number);
      else this.#over.delete(nameOf(fact));
      const facts = { claimId, isRow, owner, key, blockHash, endsAt: BigInt(endsAt) };
      claims.push({ ...facts, isRefuted, bondWei });
    }
    return { claims, failures };
  }

  /** What a claim says. */
  async show(claim: ClaimState): Promise<ShownClaim> {
    const fact = (await this.#facts("claim")).find(
      ({ blockHash, id }) => BigInt(id) === claim.claimId && blockHash === claim.blockHash,
    );
    const said = fact && (await readClaimed(this.#log, this.#address, fact));
    if (said?.claimed === undefined) throw new RangeError(`L1 has taken claim ${claim.claimId} back`);
    const { receipt } = said;
    const shown = receipt === undefined ? null : { prompt: receipt.prompt, lengths: receipt.lengths };
    return { ...claim, statement: said.claimed.statement, shown };
  }

  /** Models that were registered, with what their statics bind: each once. */
  async models(): Promise<RegisteredTraced[]> {
    const found = new Map((await this.#facts("model")).map((one) => [`${one.rollup}/${one.modelId}`, one]));
    const models: RegisteredTraced[] = [];
    for (const [key, fact] of found) {
      const name = `${key}/${fact.block}`;
      const known = this.#models.get(name) ?? (await this.#modelOf(fact));
      this.#models.set(name, known);
      models.push(known);
    }
    return models;
  }

  /** Those that this account has claims of, or games about. */
  async modelsOf(who: Address): Promise<LedgerModel[]> {
    const own = new Set(
      (await this.#facts("game")).flatMap((fact) =>
        sameAddress(fact.challenger, who) ? [fact.claimId] : [],
      ),
    );
    return (await this.#facts("claim"))
      .filter(({ id, owner }) => sameAddress(owner, who) || own.has(id))
      .map(({ modelId, rollup }) => ({ modelId: BigInt(modelId), rollup }));
  }

  /**
   * Claims of receipts, by what the contract calls them, in their order. Attack: a claim that a node leaves out would be made
   * again. @throws BRG_HISTORY_INCOMPLETE
   */
  async claimsOfKeys(keys: readonly Hex[]): Promise<{ readonly claimId: bigint; readonly key: Hex }[]> {
    const sought = new Set(keys);
    const untold = await untoldOf(this.#log, () => this.#untoldClaims());
    if (untold.length > 0) throw untoldError(`of ${untold.join(", ")}`);
    return (await this.#facts("claim"))
      .filter(({ isRow, key }) => !isRow && sought.has(key))
      .map(({ id, key }) => ({ claimId: BigInt(id), key }));
  }

  /**
   * The games about these claims. Default: all. Attack: a node that leaves out an event, once: an owner who never hears of a
   * game loses it by time.
   */
  async games(claimIds?: readonly bigint[]): Promise<{ games: GameState[]; failures: FailedRead[] }> {
    if (claimIds?.length === 0) return { games: [], failures: [] };
    let read: Awaited<ReturnType<GameReader["games"]>> = { games: [], failures: [] };
    const untold = await untoldOf(this.#log, async () => {
      read = await this.#games(claimIds);
      const missing = this.#untold(claimIds ?? [], read);
      for (const claimId of missing) {
        const [, , , , openGames] = await this.#read("claims", [claimId]);
        this.#counted.set(claimId, openGames);
      }
      return missing;
    });
    const failed = untold.map((claimId) => {
      return { claimId, gameId: null, error: untoldError(`of all games about claim ${claimId}`) };
    });
    return { ...read, failures: [...read.failures, ...failed] };
  }

  /**
   * Claims of the scope's rollup that L1 has, and registrations of its models, of which the node tells nothing.
   * Attack: a false claim or row would be nobody's, and an owner never hears of a game.
   * @param modelIds of models that L1 may have, beside those of claims
   */
  untold(modelIds: readonly number[]): Promise<readonly string[]> {
    return untoldOf(this.#log, async () => [
      ...(await this.#untoldClaims()),
      ...(await this.#untoldModels(modelIds)),
    ]);
  }

  async #untoldModels(modelIds: readonly number[]): Promise<readonly string[]> {
    const rollup = this.#rollup;
    if (rollup === undefined) return [];
    const told = new Set((await this.#facts("model")).map(({ modelId }) => modelId));
    const claimed = (await this.#facts("claim")).map(({ modelId }) => modelId);
    const missing = [...new Set([...modelIds, ...claimed])].filter((modelId) => !told.has(modelId));
    const read = missing.map((modelId) => this.#read("models", [rollup, BigInt(modelId)]));
    const statics = (await Promise.all(read)).map(([hash]) => hash);
    return missing
      .filter((_, i) => statics[i] !== 0n)
      .map((modelId) => `the registration of model ${modelId}`);
  }

  async #untoldClaims(): Promise<readonly string[]> {
    const rollup = this.#rollup;
    if (rollup === undefined) return [];
    // Before the events: none is missing for being new.
    const count = await this.#read("claimCount", []);
    const now = await l1Call("read the latest block", () => this.#client.getBlock());
    const told = new Set((await this.#facts("claim")).map(({ id }) => BigInt(id)));
    const toldUpTo = (upTo: bigint) => Array.from(told).filter((id) => id <= upTo).length;
    // All was read again meanwhile, and something else is left out.
    if (count < this.#known.upTo || toldUpTo(this.#known.upTo) !== this.#known.told)
      this.#known = { upTo: 0n, told: 0 };
    const { upTo } = this.#known;
    const untold: bigint[] = [];
    // The newest first: below a page that is over for long there is no open claim, and none with a game.
    for (let end = count, isOver = false; end > upTo && !isOver; end -= PAGE) {
      const length = Number(end - upTo < PAGE ? end - upTo : PAGE);
      const ids = Array.from({ length }, (_, i) => end - BigInt(i)).filter((id) => !told.has(id));
      const read = await Promise.all(ids.map((id) => this.#read("claims", [id])));
      isOver =
        ids.length === length && read.every(([, endsAt]) => now.timestamp > BigInt(endsAt) + LONG_SECONDS);
      for (const [i, [, , , isRefuted, , , of]] of read.entries())
        if (!isRefuted && sameAddress(of, rollup)) untold.push(ids[i]!);
    }
    if (untold.length === 0) this.#known = { upTo: count, told: toldUpTo(count) };
    return untold.map((id) => `claim ${id}`);
  }

  #untold(claimIds: readonly bigint[], { failures, games }: Awaited<ReturnType<GameReader["games"]>>) {
    const told = new Map<bigint, number>();
    const running = games.filter(({ turn }) => turn !== "over");
    for (const { claimId } of [...running, ...failures]) told.set(claimId, (told.get(claimId) ?? 0) + 1);
    return claimIds.filter((claimId) => (told.get(claimId) ?? 0) < (this.#counted.get(claimId) ?? 0));
  }

  async #games(claimIds?: readonly bigint[]): Promise<{ games: GameState[]; failures: FailedRead[] }> {
    const wanted = claimIds && new Set(claimIds.map(Number));
    const asked = (await this.#facts("game")).filter(({ claimId }) => wanted?.has(claimId) !== false);
    const placeOf = ({ claimId, id }: FactOf<"game">) => ({ claimId: BigInt(claimId), gameId: BigInt(id) });
    const { failures, found } = await eachRead(asked, placeOf, ({ id }) => this.#read("games", [BigInt(id)]));
    const games = found.map(([fact, said]): GameState => {
      const [challenger, deadline, turn, depth, , hasOp, , , , op, place, , , node] = said;
      return {
        ...{ ...placeOf(fact), deadline, challenger, depth, node, block: fact.block },
        turn: TURNS[turn]!,
        op: hasOp ? Number(op) : null,
        place: Number(place),
      };
    });
    return { games, failures };
  }

  /** All that a game's owner has shown, move by move: for its challenger. */
  revealed({ block, gameId }: GameState): Promise<(readonly Hex[])[]> {
    return readRevealed(this.#log, this.#address, { id: Number(gameId), block });
  }

  async #modelOf(fact: FactOf<"model">): Promise<RegisteredTraced> {
    const { modelId, rollup, statics, traced } = await readRegistered(this.#log, this.#address, fact);
    return { rollup, modelId, statics, terms: traced };
  }

  async #facts<What extends GameFact["what"]>(what: What): Promise<FactOf<What>[]> {
    return (await this.#log.read()).filter((fact) => fact.what === what) as FactOf<What>[];
  }

  /** Seen as over so long ago that L1 takes it back no more. */
  #isOver(fact: FactOf<"claim">, now: bigint): boolean {
    const since = this.#over.get(nameOf(fact));
    return since !== undefined && now - since > REREAD_BLOCKS;
  }

  async #claim({ id, isRow }: FactOf<"claim">) {
    const [, , , isRefuted, openGames, , , bondWei] = await this.#read("claims", [BigInt(id)]);
    return {
      bondWei,
      isRefuted: isRow ? await this.#read("isDecided", [BigInt(id)]) : isRefuted,
      openGames,
    };
  }
}

/** One that cannot be read keeps none from being read. */
async function eachRead<Fact, Said>(
  asked: readonly Fact[],
  placeOf: (fact: Fact) => Omit<FailedRead, "error">,
  read: (fact: Fact) => Promise<Said>,
) {
  const answers = await Promise.allSettled(asked.map(read));
  const failures: FailedRead[] = [];
  const found: [Fact, Said][] = [];
  for (const [i, answer] of answers.entries())
    if (answer.status === "fulfilled") found.push([asked[i]!, answer.value]);
    else failures.push({ ...placeOf(asked[i]!), error: answer.reason });
  return { failures, found };
}

/** Claims that are read at once. */
const PAGE = 256n;
/** More than windows differ, and any game takes behind one. */
const LONG_SECONDS = 30n * 86_400n;

const nameOf = ({ blockHash, id }: FactOf<"claim">) => `${id}/${blockHash}`;

export const sameAddress = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
