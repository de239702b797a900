/** `openledger watch` of a contract LedgerTraces: registrations, claims and games of every language model behind it. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Address, getAddress, type PublicClient, zeroAddress } from "viem";
import { fetchModel, readModel } from "../../../attribution/model/model-directory.ts";
import { isRollupError } from "../../../circuits/rollup-error.ts";
import { tracingDigest } from "../../../models/disputing/ledger-claims.ts";
import { GameReader, type RegisteredTraced, sameAddress } from "../../../models/disputing/read-games.ts";
import type { TracePlayer } from "../../../models/disputing/trace-player.ts";
import type { LedgerModel } from "../../../models/disputing/traced-model.ts";
import { tracedPlayer } from "../../../models/disputing/traced-player.ts";
import { tracedOf } from "../../../models/disputing/traced-recipe.ts";
import { openTracedText, type TracedTextModel } from "../../../models/disputing/traced-text.ts";
import type { TextParts } from "../../../models/registered/text-family.ts";
import type { TextSetting } from "../../../models/registered/text-model.ts";
import { requireClaimable } from "../../../models/registered/text-tokens.ts";
import { type GlobalOptions, modelServerOf, resolveEndpoints } from "../../cli/context.ts";
import { modelFamilies, textSetting } from "../../cli/model-families.ts";
import { describeRound, mostStakeOf } from "../disputes/query-disputes.ts";
import { traceSenderOf } from "../disputes/trace-sender.ts";

export interface GameWatchOptions extends GlobalOptions {
  model?: string;
  models?: string;
  server?: string;
  base?: string;
  every?: string;
  mostStake?: string;
}

interface Seen {
  readonly lines: readonly string[];
  readonly models: readonly object[];
}

/** Who plays for one model, or why nobody can. */
type Known = { readonly player: TracePlayer } | { readonly fault: string };

/** A model's numbers, whatever it is registered as. */
interface Opened {
  readonly traced: TracedTextModel;
  readonly kernels: TextSetting["kernels"];
}

export class GameWatch {
  readonly #game: Address;
  readonly #client: PublicClient;
  readonly #options: GameWatchOptions;
  readonly #onProgress: (line: string) => void;
  readonly #reader: GameReader;
  /** Whose models are played: anybody can register others, behind contracts that call themselves rollups. */
  readonly #rollup: Address | null;
  /** Players alone: what is served wrong now may be right at the next look. */
  readonly #players = new Map<string, TracePlayer>();
  /**
   * By recipe and numbers; null where the recipe promises another digest than theirs. A model's roots take some
   * minutes: they are computed once, whoever registers it again, or serves it with another's promise.
   */
  readonly #opened = new Map<string, Opened | null>();
  /** Why claims of a model's longest texts have no room. Its shorter ones do: it is played all the same. */
  readonly #unclaimable = new Map<string, string>();
  /** Servers that did not answer in this look: one is asked once. */
  readonly #unreachable = new Set<string>();

  constructor(
    game: Address,
    client: PublicClient,
    options: GameWatchOptions,
    onProgress: (line: string) => void,
  ) {
    this.#game = game;
    this.#client = client;
    this.#options = options;
    this.#onProgress = onProgress;
    this.#reader = new GameReader(client, game);
    this.#rollup = rollupOf(options);
  }

  /** One look. A model that cannot be had or read stops it at no other. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
  async once(): Promise<Seen> {
    this.#unreachable.clear();
    const registered = await this.#reader.models();
    const lines = [
      `${this.#game}, of language models${registered.length === 0 ? ": none is registered" : ""}`,
    ];
    const models: object[] = [];
    for (const one of registered) {
      const { modelId, rollup, terms } = one;
      const facts = { game: this.#game, rollup, modelId, claimant: terms.claimant };
      lines.push(`model ${modelId} of ${rollup}: claims come from ${terms.claimant}`);
      if (this.#rollup === null || !sameAddress(rollup, this.#rollup)) {
        const skipped =
          this.#rollup === null
            ? "not played: --rollup names the rollup whose models are"
            : `not played: it is of another rollup than ${this.#rollup}`;
        lines.push(`  ${skipped}`);
        models.push({ ...facts, skipped });
        continue;
      }
      const seen = await this.#look(one);
      const unclaimable = this.#unclaimable.get(keyOf(one));
      const said = unclaimable === undefined ? seen.lines : [unclaimable, ...seen.lines];
      lines.push(...said.map((line) => `  ${line}`));
      models.push({ ...facts, ...seen.view, ...(unclaimable === undefined ? {} : { unclaimable }) });
    }
    return { lines, models };
  }

  async #look(one: RegisteredTraced): Promise<{ lines: readonly string[]; view: object }> {
    try {
      const known = await this.#knownOf(one);
      if ("fault" in known) return { lines: [known.fault], view: { fault: known.fault } };
      return describeRound(await known.player.playOnce());
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      return { lines: [`cannot be played: ${fault.split("\n")[0]}`], view: { fault } };
    }
  }

  async #knownOf(one: RegisteredTraced): Promise<Known> {
    const key = keyOf(one);
    const known = this.#players.get(key);
    if (known !== undefined) return { player: known };
    const opened = await this.#open(one);
    if ("player" in opened) this.#players.set(key, opened.player);
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
    const unclaimable = faultOfClaims(model.recipe);
    if (unclaimable === null) this.#unclaimable.delete(keyOf(one));
    else this.#unclaimable.set(keyOf(one), `do not approve or pay it: ${unclaimable}`);
    const opened = await this.#openedOf({ modelId, rollup }, model, getAddress(tracing.claimant));
    if (opened === null) return other;
    const { account, game } = await this.#account();
    const traced = { ...opened.traced, model: { ...opened.traced.model, rollup, modelId } };
    return {
      player: tracedPlayer({
        ...{ publicClient: this.#client, game, account, challenges: true, traced, terms },
        ...{ kernels: opened.kernels, onProgress: this.#onProgress },
        ...(this.#options.every === undefined ? { mostTraced: Number.POSITIVE_INFINITY } : {}),
        ...mostStakeOf(this.#options),
      }),
    };
  }

  async #openedOf(named: LedgerModel, model: TextParts, claimant: Address): Promise<Opened | null> {
    const { adapter, queryMap, recipe } = model;
    const key = keyOfNumbers(recipe, adapter, queryMap);
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    this.#onProgress(`reading model ${named.modelId}, and the roots of its numbers`);
    const setting = await textSetting({ base: this.#options.base });
    const traced = await openTracedText(named, model, setting);
    const isKept = recipe.tracing?.digest === tracingDigest(tracedOf(traced, recipe, claimant));
    const opened = isKept ? { traced, kernels: setting.kernels } : null;
    this.#opened.set(key, opened);
    return opened;
  }

  async #account() {
    const { account, privateKeyFile } = this.#options;
    if (account === undefined && privateKeyFile === undefined) {
      const why = "it is wrong, and nobody signs: openledger watch --account NAME challenges it";
      const send = () => Promise.reject(new Error(why));
      return { game: this.#game, account: { address: zeroAddress, send } };
    }
    const { address, game, send } = await traceSenderOf(this.#options, this.#game);
    return {
      game,
      account: { address, send: (call: Parameters<typeof send>[0]) => send(call, "a move") },
    };
  }

  async #filesOf(modelId: number): Promise<TextParts | null> {
    const { model: single, models, server } = this.#options;
    const folder = models === undefined ? single : join(models, String(modelId));
    const families = await modelFamilies();
    if (folder !== undefined) return (await readModel(folder, families)) as never;
    let url: string | null = null;
    try {
      url = modelServerOf(modelId, server);
      if (this.#unreachable.has(url)) return null;
      return (await fetchModel(url, {}, families)) as never;
    } catch (error) {
      if (isRollupError(error, "CMD_NO_MODEL_SERVER")) return null;
      if (!isRollupError(error, "ATT_SERVER_UNREACHABLE")) throw error;
      if (url !== null) this.#unreachable.add(url);
      return null;
    }
  }
}

const keyOf = ({ modelId, rollup }: RegisteredTraced) => `${rollup}/${modelId}`;

/** null where a claim of the longest texts has room. */
function faultOfClaims(recipe: TextParts["recipe"]): string | null {
  try {
    requireClaimable(recipe);
    return null;
  } catch (error) {
    if (isRollupError(error, "MOD_CLAIMS_TOO_LARGE")) return error.message;
    throw error;
  }
}

/** The recipe names the base by its hash: with adapter and map, those are all numbers of the model. */
function keyOfNumbers(recipe: TextParts["recipe"], adapter: Uint8Array, queryMap: Uint8Array): string {
  const parts = [new TextEncoder().encode(JSON.stringify(recipe)), adapter, queryMap];
  return parts.map((bytes) => createHash("sha256").update(bytes).digest("hex")).join("/");
}

/** null where nobody has named one: postings are watched all the same. */
function rollupOf(options: GlobalOptions): Address | null {
  try {
    return resolveEndpoints(options).rollupAddress;
  } catch (error) {
    if (isRollupError(error, "CMD_NO_DEPLOYMENT")) return null;
    throw error;
  }
}
