/** Games of a contract LedgerTraces: registrations, claims and games of the language models of a rollup. */

import { claimantOf, type RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelFamilies } from "@openledger/models/registered/model-families";
import type { TextParts } from "@openledger/models/registered/text-family";
import { type Address, type Hex, type PublicClient, zeroAddress } from "viem";
import { challengerError } from "../challenger-errors.ts";
import type { Role } from "../challenger-setting.ts";
import { untoldError } from "../events/event-log.ts";
import { tracingDigest } from "../games/claims/ledger-claims.ts";
import type { ClaimingModel } from "../games/claims/receipt-claim.ts";
import type { LedgerModel } from "../games/claims/traced-model.ts";
import type { PlayedMove, PlayerAccount } from "../games/played-moves.ts";
import { type GameReader, type RegisteredTraced, sameAddress } from "../games/read-games.ts";
import type { PlayedRound, RightClaims, TracePlayer } from "../games/trace-player.ts";
import { tracedPlayer } from "../games/traced-player.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { describeRound, messageOf } from "./describe-round.ts";
import type { KeptFiles } from "./kept-files.ts";
import type { OpenedModel, OpenedModels } from "./opened-models.ts";
import { answeringOf, faultOfClaims, type ModelPlace, type ModelPlaces, placeOf } from "./published-files.ts";
import { sendingTo } from "./trace-sender.ts";

/** What was seen and done, for people and for programs. */
export interface SeenGames {
  readonly lines: readonly string[];
  readonly models: readonly object[];
  /** Models of the rollup whose rows have to be posted before they begin. */
  readonly promising: readonly number[];
  /** Moves that could not be made; of a watcher false claims that are not challenged. */
  readonly failures: readonly unknown[];
  readonly moves: readonly (PlayedMove & { readonly modelId: number })[];
  /** Whether claims were left for the next look. */
  readonly isWaiting: boolean;
}

interface Players {
  readonly one: RegisteredTraced;
  readonly player: TracePlayer;
}

interface Played {
  readonly lines: readonly string[];
  readonly view: object;
  /** Whether there was a move, or one failed. */
  readonly isNews: boolean;
  readonly moves: readonly PlayedMove[];
  readonly failures: readonly unknown[];
  readonly isWaiting: boolean;
}

/** They, or why nobody can play. */
type Known = Players | { readonly fault: string };

export interface GamePlaying {
  readonly client: PublicClient;
  readonly game: Address;
  /** Of the rollup whose models are played; null plays none. */
  readonly reader: GameReader | null;
  /** Models of the rollup that L1 may have registered, beside those of claims. Default: none. */
  readonly named?: () => Promise<readonly number[]>;
  readonly roles: ReadonlySet<Role>;
  readonly places: ModelPlaces;
  readonly opened: OpenedModels;
  /** Files that were played with before; null keeps none. */
  readonly kept: KeptFiles | null;
  /** Of everything that the process sends, one after another; null only looks. */
  readonly sender: Pick<L1Sender, "address" | "publicClient" | "send"> | null;
  /** By the digest of the model that a claim was compared with. */
  readonly rightClaims: (digest: Hex) => RightClaims;
  readonly mostStakeWei: bigint | undefined;
  /** Whether there is no next look, which would try again, or trace what is left. */
  readonly looksOnce: boolean;
  readonly onProgress: (line: string) => void;
}

export class GamePlayers {
  readonly game: Address;
  readonly #of: GamePlaying;
  readonly #isWatching: boolean;
  /** Players alone: what is served wrong now may be right at the next look. */
  readonly #players = new Map<string, Players>();
  /** Of these, models with own games whose files were not looked at yet. */
  readonly #unopened = new Set<string>();
  /** Moves that were made between two models of a look, and are told later. */
  readonly #between = new Map<string, PlayedRound[]>();
  #movedAtMs = 0;
  /** Why claims of a model's longest texts have no room. Its shorter ones do: it is played all the same. */
  readonly #unclaimable = new Map<string, string>();
  #statics: ReadonlyMap<string, Hex> = new Map();
  /** Servers that did not answer in this look, and what others gave: one is asked once. */
  readonly #unreachable = new Set<string>();
  readonly #promised = new Map<string, Hex | null>();
  /** Until when a server, or a copy, is not asked that has given what nobody can play with, and for which model that was. */
  readonly #waits = new Map<string, { readonly digest: Hex; readonly untilMs: number }>();
  /** In how many looks, one after another, a move has failed. */
  readonly #failed = new Map<string, number>();

  constructor(playing: GamePlaying) {
    this.#of = playing;
    this.game = playing.game;
    this.#isWatching = playing.roles.has("watch");
  }

  /** One look. A model that cannot be had or read stops it at no other. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
  async look(): Promise<SeenGames> {
    this.#unreachable.clear();
    for (const url of this.#promised.keys())
      if ((this.#waits.get(url)?.untilMs ?? 0) <= Date.now()) this.#promised.delete(url);
    const { game, reader } = this.#of;
    const untold = await this.#untold();
    const registered = await this.#registered();
    this.#statics = new Map(registered.map((one) => [keyOf(one), hex32(one.statics)]));
    const none =
      reader === null ? "not played: --rollup names the rollup whose models are" : "none is registered";
    const isTold = this.#isWatching || registered.length > 0;
    const lines = isTold ? [`${game}, of language models${registered.length === 0 ? `: ${none}` : ""}`] : [];
    const [models, failures, moves]: [object[], unknown[], SeenGames["moves"][number][]] = [[], untold, []];
    let isWaiting = false;
    await this.#takePlaces(registered);
    for (const one of registered) {
      const { modelId, rollup, terms } = one;
      await this.#moveAll(registered.length);
      lines.push(`model ${modelId} of ${rollup}: claims come from ${terms.claimant}`);
      const seen = await this.#tried(() => this.#look(one));
      failures.push(...seen.failures);
      if (this.#isWatching && "fault" in seen.view && (await this.#hasOpenClaims(one).catch(() => true)))
        failures.push(untraceable(one, seen.lines[0]!));
      moves.push(...seen.moves.map((move) => ({ ...move, modelId: Number(modelId) })));
      isWaiting ||= seen.isWaiting;
      const unclaimable = this.#unclaimable.get(keyOf(one)) ?? null;
      const said = unclaimable === null ? seen.lines : [unclaimable, ...seen.lines];
      lines.push(...said.map((line) => `  ${line}`));
      models.push({ ...this.#factsOf(one), ...seen.view, ...(unclaimable === null ? {} : { unclaimable }) });
    }
    const late = this.#told();
    lines.push(...late.lines);
    models.push(...late.models);
    failures.push(...late.failures);
    moves.push(...late.moves);
    const promises = registered.filter(({ terms }) => terms.rules !== 0n);
    const promising = promises.map(({ modelId }) => Number(modelId));
    return { lines, models, failures, moves, isWaiting, promising };
  }

  /** The moves of models that a look has opened, while something else takes hours. Nothing else is said again. */
  async again(): Promise<Omit<SeenGames, "promising">> {
    await this.#untold();
    for (const [key, { player }] of this.#players) {
      await this.#moveAll(this.#players.size);
      await this.#playRound(key, player, true);
    }
    return this.#told();
  }

  /**
   * Moves in games of all models, where the last ones were made a while ago.
   * Attack: files and traces of many models, one after another, while somebody's clock runs in a game of the last one.
   */
  async #moveAll(modelCount: number): Promise<void> {
    if (modelCount < 2 || Date.now() - this.#movedAtMs < MOST_BETWEEN_MS) return;
    for (const [key, { player }] of this.#players) await this.#playRound(key, player, false);
    this.#movedAtMs = Date.now();
  }

  async #playRound(key: string, player: TracePlayer, compares: boolean): Promise<void> {
    const round = await player
      .playOnce(compares)
      .catch((error: unknown) => ({ ...NO_ROUND, failures: [{ claimId: 0n, gameId: null, error }] }));
    this.#between.set(key, [...(this.#between.get(key) ?? []), round]);
  }

  /** What was not told of any model yet. */
  #told(): Omit<SeenGames, "promising"> {
    const [lines, models, failures]: [string[], object[], unknown[]] = [[], [], []];
    const moves: SeenGames["moves"][number][] = [];
    for (const key of [...this.#between.keys()]) {
      const { one } = this.#players.get(key)!;
      const played = this.#played(key);
      if (!played.isNews) continue;
      failures.push(...played.failures);
      moves.push(...played.moves.map((move) => ({ ...move, modelId: Number(one.modelId) })));
      lines.push(...played.lines.map((line) => `model ${one.modelId} of ${one.rollup}: ${line}`));
      models.push({ ...this.#factsOf(one), ...played.view });
    }
    return { lines, models, failures, moves, isWaiting: false };
  }

  async #untold(): Promise<unknown[]> {
    const { named, reader, sender } = this.#of;
    if (reader === null || (!this.#isWatching && sender === null)) return [];
    const untold = await reader.untold((await named?.()) ?? []);
    return untold.length === 0 ? [] : [untoldError(`of ${untold.join(", ")}`)];
  }

  /** Own games go on before anybody's files are read. */
  async #takePlaces(registered: readonly RegisteredTraced[]): Promise<void> {
    const { reader, sender } = this.#of;
    if (reader === null || sender === null) return;
    const own = new Set((await reader.modelsOf(sender.address)).map(keyOf));
    for (const one of registered) {
      const key = keyOf(one);
      if (!own.has(key) || this.#players.has(key)) continue;
      this.#players.set(key, { one, player: this.#playerOf(one) });
      this.#unopened.add(key);
    }
  }

  async #hasOpenClaims(one: RegisteredTraced): Promise<boolean> {
    const { client, reader, sender } = this.#of;
    const { timestamp } = await client.getBlock();
    const { claims } = await reader!.claims(one, true);
    return claims.some(
      ({ endsAt, isRefuted, owner }) =>
        !isRefuted && timestamp < endsAt && !sameAddress(owner, sender?.address ?? zeroAddress),
    );
  }

  /** What the statics of a model bind of the trace, where games over its rows are played here; null where they are not. */
  rowsPlayed(model: LedgerModel): Hex | null {
    const key = keyOf(model);
    const terms = this.#players.get(key)?.one.terms;
    return terms === undefined || terms.rules === 0n || this.#unopened.has(key) ? null : tracingDigest(terms);
  }

  /** Statics of any registered model, played or not; null where none is registered under its number. */
  staticsOf(model: LedgerModel): Hex | null {
    return this.#statics.get(keyOf(model)) ?? null;
  }

  /** A registered model, for claims of its queries. @throws CMD_USAGE where its files are not available, or others */
  async opened(modelId: number): Promise<ClaimingModel> {
    const registered = (await this.#of.reader?.models()) ?? [];
    const one = registered.find((other) => Number(other.modelId) === modelId);
    if (one === undefined)
      throw challengerError("CMD_USAGE", `model ${modelId} is not registered for claims`);
    return { ...(await this.#numbersOf(one)), terms: one.terms };
  }

  async #numbersOf(one: RegisteredTraced) {
    const { modelId, rollup } = one;
    const held = this.#of.opened.held({ modelId, rollup }, tracingDigest(one.terms));
    const found = held ?? (await this.#read(one));
    if ("fault" in found) throw challengerError("CMD_USAGE", found.fault);
    return { traced: found.traced, kernels: found.setting.kernels };
  }

  /** The numbers of what is served, else of the own copy, which no owner can withdraw. @throws what files that are served are refused for */
  async #read(one: RegisteredTraced): Promise<OpenedModel | { fault: string }> {
    const digest = tracingDigest(one.terms);
    const { kept } = this.#of;
    const statics = hex32(one.statics);
    const place = placeOf(this.#of.places, Number(one.modelId));
    const url = place !== null && "url" in place ? place.url : null;
    const served = await this.#from(url, digest, () => this.#opened(one, place)).catch((error: unknown) => ({
      error,
    }));
    if ("traced" in served) return served;
    const own = await this.#from(`copy ${statics}`, digest, async () => {
      const copy = (await kept?.read(statics, await modelFamilies())) ?? null;
      if (copy === null) return NOT_AVAILABLE;
      const opened = await this.#numbers(one, copy as unknown as TextParts);
      if (!("traced" in opened)) await kept?.forget(statics);
      return opened;
    });
    if ("traced" in own) return own;
    if ("error" in served) throw served.error;
    return served;
  }

  /**
   * Numbers from one source. Where it takes long to give none, it is asked again after nine times as long.
   * Attack: registrations without a bond, and a server that takes minutes for what none of them can be played with: one after
   * another, and again in each look, they would take the time of all others.
   * @param source null for a folder of one's own, which is always read
   */
  async #from(
    source: string | null,
    digest: Hex,
    open: () => Promise<OpenedModel | { fault: string }>,
  ): Promise<OpenedModel | { fault: string }> {
    const waits = this.#waits.get(source ?? "");
    // What it gave last may be this model, where another registration was asked for first.
    const isOthers = waits?.digest !== digest && this.#promised.get(source ?? "") === digest;
    if (waits !== undefined && Date.now() < waits.untilMs && !isOthers)
      return {
        fault: `its server has given nothing to play with, and is asked again ${new Date(waits.untilMs).toISOString()}`,
      };
    const beganAtMs = Date.now();
    const wait = () => {
      const tookMs = Date.now() - beganAtMs;
      if (source !== null && tookMs > QUICK_MS)
        this.#waits.set(source, { digest, untilMs: Date.now() + WAITS * tookMs });
    };
    try {
      const opened = await open();
      if (!("traced" in opened)) wait();
      return opened;
    } catch (error) {
      // Of the files that were given, not of a node or a disk.
      if (isRollupError(error) && /^(ATT|MOD|CMD)_/.test(error.code)) wait();
      throw error;
    }
  }

  async #opened(one: RegisteredTraced, place: ModelPlace): Promise<OpenedModel | { fault: string }> {
    const found = await this.#filesOf(one, place);
    if ("fault" in found) return found;
    const opened = await this.#numbers(one, found.model);
    if (this.#isWatching && "traced" in opened)
      await this.#keeping((kept) => kept.keep(hex32(one.statics), found.files));
    return opened;
  }

  /** A disk that is full, or not its own, keeps nobody from playing. */
  async #keeping(work: (kept: KeptFiles) => Promise<void>): Promise<void> {
    const { kept, onProgress } = this.#of;
    const tell = (error: Error) => onProgress(`copies of files are not kept: ${error.message}`);
    if (kept !== null) await work(kept).catch(tell);
  }

  async #numbers(one: RegisteredTraced, model: TextParts): Promise<OpenedModel | { fault: string }> {
    return (
      (await this.#refusal(one, model.recipe)) ?? (await this.#of.opened.open(one, model)) ?? OTHER_FILES
    );
  }

  /** Why a recipe is not played, whatever its numbers; null where it is. */
  async #refusal(one: RegisteredTraced, recipe: TextParts["recipe"]): Promise<{ fault: string } | null> {
    if (recipe.tracing?.digest !== tracingDigest(one.terms)) return OTHER_FILES;
    const unclaimable = this.#isWatching ? await faultOfClaims(recipe, this.#of.places.base) : null;
    if (unclaimable === null) this.#unclaimable.delete(keyOf(one));
    else this.#unclaimable.set(keyOf(one), `do not approve or pay it: ${unclaimable.message}`);
    // Attack: a model that takes all memory of whoever opens it, and with it the games of all others.
    if (unclaimable?.isTooLarge === true)
      return { fault: `do not approve or pay it, it is not played: ${unclaimable.message}` };
    return null;
  }

  /** A watcher plays all of the rollup, others those that their account has claims or games of. */
  async #registered(): Promise<readonly RegisteredTraced[]> {
    const { reader, sender } = this.#of;
    if (reader === null || (!this.#isWatching && sender === null)) return [];
    const all = await reader.models();
    if (this.#isWatching) return all;
    const own = new Set((await reader.modelsOf(sender!.address)).map(keyOf));
    return all.filter((one) => own.has(keyOf(one)));
  }

  #factsOf({ modelId, rollup, terms }: RegisteredTraced) {
    return { game: this.#of.game, rollup, modelId, claimant: terms.claimant };
  }

  async #look(one: RegisteredTraced): Promise<Played> {
    const key = keyOf(one);
    const before = this.#players.get(key);
    const known = before === undefined || this.#unopened.has(key) ? await this.#open(one) : before;
    if ("player" in known) {
      const { player } = before ?? known;
      this.#players.set(key, { one, player });
      this.#unopened.delete(key);
      return this.#play(key, player);
    }
    const { fault } = known;
    return { ...NOTHING_MADE, lines: [fault], view: { fault }, failures: [] };
  }

  async #play(key: string, player: TracePlayer): Promise<Played> {
    const round = await player.playOnce();
    this.#between.set(key, [...(this.#between.get(key) ?? []), round]);
    return this.#played(key);
  }

  /** What was made in games of a model, and not told yet. */
  #played(key: string): Played {
    const rounds = this.#between.get(key) ?? [];
    this.#between.delete(key);
    const all = <Part extends keyof PlayedRound>(part: Part) =>
      rounds.flatMap((one) => one[part] as readonly unknown[]) as unknown as PlayedRound[Part];
    const { waiting = [], warnings = [] } = rounds.at(-1) ?? {};
    const round: PlayedRound = { moves: all("moves"), failures: all("failures"), waiting, warnings };
    // A watcher's next look tries a move again, some times. Who only defends has nothing else to hear of.
    const isAll = !this.#isWatching || this.#of.looksOnce;
    const heard = round.failures.filter((one) => isAll || this.#isAlarm(key, one));
    const told = (this.#isWatching ? warnings : []).map(({ claimId, why }) => {
      const message = `claim ${claimId} has what no challenge shows, do not approve it: ${why}`;
      return challengerError("CMD_FALSE_UNCHALLENGED", message, { data: { claimId } });
    });
    for (const name of this.#failed.keys())
      if (name.startsWith(`${key} `) && !round.failures.some((one) => nameOf(key, one) === name))
        this.#failed.delete(name);
    const failures = [...heard.map(({ error }) => error), ...told];
    const isNews = round.failures.length + round.moves.length > 0;
    return { ...describeRound(round), isNews, moves: round.moves, failures, isWaiting: waiting.length > 0 };
  }

  #isAlarm(key: string, failure: PlayedRound["failures"][number]): boolean {
    const name = nameOf(key, failure);
    const count = (this.#failed.get(name) ?? 0) + 1;
    this.#failed.set(name, count);
    return count >= MOST_FAILED || (isRollupError(failure.error) && ALARMS.has(failure.error.code));
  }

  async #tried(play: () => Promise<Played>): Promise<Played> {
    try {
      return await play();
    } catch (error) {
      const fault = messageOf(error);
      const failures = this.#isWatching ? [] : [error];
      const lines = [`cannot be played: ${fault.split("\n")[0]}`];
      return { ...NOTHING_MADE, lines, view: { fault }, failures };
    }
  }

  /** A watcher reads the files at once, and says what is wrong with them; others once a move takes a trace. */
  async #open(one: RegisteredTraced): Promise<Known> {
    const found = this.#isWatching ? await this.#read(one) : null;
    return found !== null && "fault" in found ? found : { one, player: this.#playerOf(one) };
  }

  #playerOf(one: RegisteredTraced): TracePlayer {
    const { client, game, looksOnce, mostStakeWei, onProgress, reader, rightClaims } = this.#of;
    const mostTraced = looksOnce ? Number.POSITIVE_INFINITY : undefined;
    const { modelId, rollup, terms } = one;
    return tracedPlayer({
      ...{ publicClient: client, game, account: this.#account(), model: { modelId, rollup }, terms },
      ...{ onProgress, challenges: this.#isWatching, mostStakeWei, mostTraced, reader: reader! },
      right: rightClaims(tracingDigest(terms)),
      // Attack: files that are withdrawn, and strangers' models that take the place of what is held and kept of them.
      open: () =>
        this.#numbersOf(one).catch((error: unknown) => {
          throw this.#isWatching
            ? untraceable(one, error instanceof Error ? error.message : String(error))
            : error;
        }),
    });
  }

  #account(): PlayerAccount {
    const { game, sender } = this.#of;
    if (sender === null) {
      const why = "it is wrong, and no one signs: openledger challenger --account NAME challenges it";
      const send = () => Promise.reject(challengerError("CMD_FALSE_UNCHALLENGED", why));
      return { address: zeroAddress, send };
    }
    const { address, send } = sendingTo(sender, game);
    return { address, send: (call) => send(call, "a move") };
  }

  /** Files that promise what is registered, or why there are none. A promise costs nothing to compare, roots some minutes. */
  async #filesOf(one: RegisteredTraced, place: ModelPlace) {
    const url = place !== null && "url" in place ? place.url : null;
    if (place === null || this.#unreachable.has(url ?? "")) return NOT_AVAILABLE;
    const promised = this.#promised.get(url ?? "");
    if (promised !== undefined && promised !== tracingDigest(one.terms))
      return promised === null ? OTHER_MODEL : OTHER_FILES;
    // Attack: a recipe that nobody registered, before gigabytes of its numbers.
    const found = await answeringOf(place, await modelFamilies(this.#of.places), async (recipe) => {
      if (url !== null)
        this.#promised.set(url, isTraced(recipe) ? ((recipe.tracing?.digest ?? null) as Hex | null) : null);
      const refusal = isTraced(recipe) ? await this.#refusal(one, recipe) : OTHER_MODEL;
      if (refusal !== null) throw challengerError("CMD_USAGE", refusal.fault);
    });
    if (found === null && url !== null) this.#unreachable.add(url);
    if (found === null) return NOT_AVAILABLE;
    if (!isTraced(found.model.recipe)) return OTHER_MODEL;
    return { files: found.files, model: found.model as unknown as TextParts };
  }
}

/** What waits for a human. */
const ALARMS: ReadonlySet<string> = new Set([
  "BRG_HISTORY_INCOMPLETE",
  "CMD_FALSE_UNCHALLENGED",
  "CMD_MODEL_UNSERVED",
  "CMD_NO_ETHER",
  "CON_L1_COST_ABOVE_CAP",
]);
/** Moves are made so often while files are read and traces made. */
const MOST_BETWEEN_MS = 60_000;
/** A server's answer that comes so soon holds nobody up; a later one that is none is waited for nine times as long. */
const QUICK_MS = 1_000;
const WAITS = 9;
/** Looks in which a watcher's move fails before that is told as what waits for a human. */
const MOST_FAILED = 3;
const nameOf = (key: string, { claimId, gameId }: PlayedRound["failures"][number]) =>
  `${key} ${claimId}/${gameId}`;
const NO_ROUND = { moves: [], waiting: [], warnings: [] };

const untraceable = ({ modelId }: RegisteredTraced, why: string) =>
  challengerError(
    "CMD_MODEL_UNSERVED",
    `claims of model ${modelId} are open, and nobody here can trace them: ${why}`,
    { data: { modelId: Number(modelId) } },
  );

const NOTHING_MADE = { isNews: true, moves: [], isWaiting: false } as const;
const isTraced = (recipe: RecipeBase): recipe is TextParts["recipe"] =>
  recipe.family === "text" && claimantOf(recipe) !== null;
const NOT_AVAILABLE = { fault: "its files are not available: --models FOLDER or --server" };
const OTHER_MODEL = { fault: "what is served under its number is another model: it promises no claims" };
const OTHER_FILES = {
  fault: "its registered roots are not those of the files that are served: do not approve or pay it",
};

const keyOf = ({ modelId, rollup }: LedgerModel) => `${rollup.toLowerCase()}/${modelId}`;
