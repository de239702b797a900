/** Watch of a contract LedgerTraces: registrations, claims and games of the language models of a rollup. */

import { join } from "node:path";
import { fetchModel, readModel } from "@openledger/attribution/model/model-directory";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelFamilies, textSetting } from "@openledger/models/registered/model-families";
import type { TextParts } from "@openledger/models/registered/text-family";
import { type Address, type Hex, type PublicClient, zeroAddress } from "viem";
import { requireClaimable } from "../games/claimable.ts";
import { tracingDigest } from "../games/ledger-claims.ts";
import type { PlayerAccount } from "../games/played-moves.ts";
import { type ClaimedModel, GameReader, type RegisteredTraced } from "../games/read-games.ts";
import type { TracePlayer } from "../games/trace-player.ts";
import { tracedPlayer } from "../games/traced-player.ts";
import { describeRound } from "../playing/describe-round.ts";
import { OpenedModels } from "../playing/opened-models.ts";
import { sendingTo } from "../playing/trace-sender.ts";
import type { L1Sender } from "../sending/l1-sender.ts";
import { folderOf, type GameWatchSetting } from "./watch-setting.ts";

export interface Seen {
  readonly lines: readonly string[];
  readonly models: readonly object[];
  /** Models of the rollup whose rows have to be posted before they begin. */
  readonly promising: readonly number[];
  /** False claims that are not challenged: whoever watches has to hear of them. */
  readonly alarms: readonly unknown[];
}

/** Who plays for one model, over queries and rows. */
interface Players {
  readonly player: TracePlayer;
  /** What the statics bind of the trace. */
  readonly digest: Hex;
  readonly promisesRows: boolean;
}

interface Played {
  readonly lines: readonly string[];
  readonly view: object;
  /** Whether there was a move, or one failed. */
  readonly isNews: boolean;
  /** False claims that nobody here challenges. */
  readonly alarms: readonly unknown[];
}

/** They, or why nobody can play. */
type Known = { readonly players: Players } | { readonly fault: string };

export class GameWatch {
  readonly #client: PublicClient;
  readonly #setting: GameWatchSetting;
  readonly #onProgress: (line: string) => void;
  readonly #reader: GameReader | null;
  readonly address: Address;
  /** Whose models are played: anybody can register others, behind contracts that call themselves rollups. */
  readonly rollup: Address | null;
  /** Players alone: what is served wrong now may be right at the next look. */
  readonly #players = new Map<string, { readonly one: RegisteredTraced; readonly players: Players }>();
  readonly #opened: OpenedModels;
  readonly #sender: L1Sender | null;
  /** Why claims of a model's longest texts have no room. Its shorter ones do: it is played all the same. */
  readonly #unclaimable = new Map<string, string>();
  /** Servers that did not answer in this look: one is asked once. */
  readonly #unreachable = new Set<string>();

  constructor(
    game: Address,
    client: PublicClient,
    setting: GameWatchSetting,
    onProgress: (line: string) => void,
    {
      opened = new OpenedModels(setting.places.base, onProgress),
      sender = null,
    }: {
      readonly opened?: OpenedModels;
      /** Of everything that the process sends, one after another (`inOrder`); null where nobody signs. */
      readonly sender?: L1Sender | null;
    } = {},
  ) {
    this.address = game;
    this.#client = client;
    this.#setting = setting;
    this.#onProgress = onProgress;
    this.#opened = opened;
    this.#sender = sender;
    this.rollup = setting.rollup;
    // Attack: registrations of contracts that call themselves rollups, until the memory is full. They are not read.
    const { rollup } = setting;
    this.#reader = rollup && new GameReader(client, game, { rollup }, this.#journal());
  }

  /** One look. A model that cannot be had or read stops it at no other. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
  async once(): Promise<Seen> {
    this.#unreachable.clear();
    const registered = (await this.#reader?.models()) ?? [];
    const none =
      this.#reader === null ? "not played: --rollup names the rollup whose models are" : "none is registered";
    const lines = [`${this.address}, of language models${registered.length === 0 ? `: ${none}` : ""}`];
    const models: object[] = [];
    const alarms: unknown[] = [];
    for (const one of registered) {
      const { modelId, rollup, terms } = one;
      const facts = this.#factsOf(one);
      lines.push(`model ${modelId} of ${rollup}: claims come from ${terms.claimant}`);
      const seen = await this.#look(one);
      alarms.push(...seen.alarms);
      const unclaimable = this.#unclaimable.get(keyOf(one));
      const said = unclaimable === undefined ? seen.lines : [unclaimable, ...seen.lines];
      lines.push(...said.map((line) => `  ${line}`));
      models.push({ ...facts, ...seen.view, ...(unclaimable === undefined ? {} : { unclaimable }) });
    }
    const promising = registered.filter(({ terms }) => terms.rules !== 0n);
    return { lines, models, alarms, promising: promising.map(({ modelId }) => Number(modelId)) };
  }

  /** What the statics of a model bind of the trace, where games over its rows are played here; null where they are not. */
  rowsPlayed(one: ClaimedModel): Hex | null {
    const known = this.#players.get(keyOf(one));
    return known?.players.promisesRows === true ? known.players.digest : null;
  }

  /** The moves of models that a look has opened: between model commitments, whose training takes hours. Nothing else is said again. */
  async again(): Promise<Omit<Seen, "promising">> {
    const lines: string[] = [];
    const models: object[] = [];
    const alarms: unknown[] = [];
    for (const { one, players } of this.#players.values()) {
      const played = await this.#tried(() => this.#play(players));
      if (!played.isNews) continue;
      alarms.push(...played.alarms);
      lines.push(...played.lines.map((line) => `model ${one.modelId} of ${one.rollup}: ${line}`));
      models.push({ ...this.#factsOf(one), ...played.view });
    }
    return { lines, models, alarms };
  }

  #factsOf({ modelId, rollup, terms }: RegisteredTraced) {
    return { game: this.address, rollup, modelId, claimant: terms.claimant };
  }

  #look(one: RegisteredTraced): Promise<Played> {
    return this.#tried(async () => {
      const known = await this.#knownOf(one);
      if ("players" in known) return this.#play(known.players);
      return { lines: [known.fault], view: { fault: known.fault }, isNews: true, alarms: [] };
    });
  }

  async #play({ player }: Players): Promise<Played> {
    const round = await player.playOnce();
    const errors = round.failures.map(({ error }) => error);
    const alarms = errors.filter((error) => isRollupError(error, "CMD_FALSE_UNCHALLENGED"));
    return { ...describeRound(round), isNews: round.failures.length + round.moves.length > 0, alarms };
  }

  async #tried(play: () => Promise<Played>): Promise<Played> {
    try {
      return await play();
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      const lines = [`cannot be played: ${fault.split("\n")[0]}`];
      return { lines, view: { fault }, isNews: true, alarms: [] };
    }
  }

  async #knownOf(one: RegisteredTraced): Promise<Known> {
    const key = keyOf(one);
    const known = this.#players.get(key);
    if (known !== undefined) return known;
    const opened = await this.#open(one);
    if ("players" in opened) this.#players.set(key, { one, players: opened.players });
    return opened;
  }

  async #open(one: RegisteredTraced): Promise<Known> {
    const { modelId, rollup, terms } = one;
    const model = await this.#filesOf(Number(modelId));
    if (model === null) return { fault: "its files are not to be had: --models FOLDER or --server" };
    const { tracing } = model.recipe;
    if (model.family.name !== "text" || tracing === undefined)
      return { fault: "what is served under its number is another model: it promises no claims" };
    const digest = tracingDigest(terms);
    const other = {
      fault: "its registered roots are not those of the files that are served: do not approve or pay it",
    };
    // A promise costs nothing to compare, roots some minutes.
    if (tracing.digest !== digest) return other;
    const unclaimable = await this.#faultOfClaims(model.recipe);
    if (unclaimable === null) this.#unclaimable.delete(keyOf(one));
    else this.#unclaimable.set(keyOf(one), `do not approve or pay it: ${unclaimable.message}`);
    // Attack: a model that takes all memory of whoever opens it, and with it the games of all others.
    if (unclaimable?.reason === "trace-size")
      return { fault: `do not approve or pay it, it is not played: ${unclaimable.message}` };
    const opened = await this.#opened.open({ modelId, rollup }, model);
    if (opened === null) return other;
    const { setting, traced } = opened;
    const { isRepeated, mostStakeWei } = this.#setting;
    const player = tracedPlayer({
      ...{ publicClient: this.#client, game: this.address, account: this.#account(), traced, terms },
      ...{ kernels: setting.kernels, onProgress: this.#onProgress, challenges: true, mostStakeWei },
      ...{ journal: this.#journal(), mostTraced: isRepeated ? undefined : Number.POSITIVE_INFINITY },
    });
    return { players: { player, digest, promisesRows: terms.rules !== 0n } };
  }

  /** Beside those of other contracts and rollups. */
  #journal(): string | null {
    const { folder, rollup } = this.#setting;
    return folder === undefined ? null : join(folder, `games-${this.address}-${rollup}.jsonl`.toLowerCase());
  }

  /** null where a claim of the longest texts has room, a game shows every number, and a trace can be held. */
  async #faultOfClaims(
    recipe: TextParts["recipe"],
  ): Promise<{ readonly message: string; readonly reason: unknown } | null> {
    const setting = await textSetting({ base: this.#setting.places.base });
    try {
      await requireClaimable(recipe, setting);
      return null;
    } catch (error) {
      if (isRollupError(error, "MOD_CLAIMS_TOO_LARGE"))
        return { message: error.message, reason: (error.data as { reason?: unknown }).reason };
      throw error;
    }
  }

  #account(): PlayerAccount {
    if (this.#sender === null) {
      const why = "it is wrong, and nobody signs: openledger watch --account NAME challenges it";
      return { address: zeroAddress, send: () => Promise.reject(new Error(why)) };
    }
    const { address, send } = sendingTo(this.#sender, this.address);
    return { address, send: (call) => send(call, "a move") };
  }

  async #filesOf(modelId: number): Promise<TextParts | null> {
    const { places } = this.#setting;
    const folder = folderOf(places, modelId);
    const families = await modelFamilies();
    if (folder !== undefined) return (await readModel(folder, families)) as never;
    const url = places.serverOf?.(modelId) ?? null;
    if (url === null || this.#unreachable.has(url)) return null;
    try {
      return (await fetchModel(url, {}, families)) as never;
    } catch (error) {
      if (!isRollupError(error, "ATT_SERVER_UNREACHABLE")) throw error;
      this.#unreachable.add(url);
      return null;
    }
  }
}

const keyOf = ({ modelId, rollup }: ClaimedModel) => `${rollup.toLowerCase()}/${modelId}`;
