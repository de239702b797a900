/** `openledger watch` of a contract LedgerTraces: registrations, claims and games of every language model behind it. */
import { join } from "node:path";
import { type Address, getAddress, type PublicClient, zeroAddress } from "viem";
import { fetchModel, readModel } from "../../../attribution/model/model-directory.ts";
import { isRollupError } from "../../../circuits/rollup-error.ts";
import { tracingDigest } from "../../../models/disputing/ledger-claims.ts";
import { GameReader, type RegisteredTraced } from "../../../models/disputing/read-games.ts";
import type { TracePlayer } from "../../../models/disputing/trace-player.ts";
import { tracedPlayer } from "../../../models/disputing/traced-player.ts";
import { tracedOf } from "../../../models/disputing/traced-recipe.ts";
import { openTracedText } from "../../../models/disputing/traced-text.ts";
import type { TextParts } from "../../../models/registered/text-family.ts";
import { type GlobalOptions, modelServerOf } from "../../cli/context.ts";
import { modelFamilies, textSetting } from "../../cli/model-families.ts";
import { describeRound } from "../disputes/query-disputes.ts";
import { traceSenderOf } from "../disputes/trace-sender.ts";

export interface GameWatchOptions extends GlobalOptions {
  model?: string;
  models?: string;
  server?: string;
  base?: string;
}

interface Seen {
  readonly lines: readonly string[];
  readonly models: readonly object[];
}

/** Who plays for one model, or why nobody can. */
type Known = { readonly player: TracePlayer } | { readonly fault: string };

export class GameWatch {
  readonly #game: Address;
  readonly #client: PublicClient;
  readonly #options: GameWatchOptions;
  readonly #onProgress: (line: string) => void;
  readonly #reader: GameReader;
  /** A model's roots take some seconds: they are computed once. */
  readonly #known = new Map<string, Known>();

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
  }

  /** One look. A model that cannot be had or read stops it at no other. @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED */
  async once(): Promise<Seen> {
    const registered = await this.#reader.models();
    const lines = [
      `${this.#game}, of language models${registered.length === 0 ? ": none is registered" : ""}`,
    ];
    const models: object[] = [];
    for (const one of registered) {
      const { modelId, rollup, terms } = one;
      const facts = { game: this.#game, rollup, modelId, claimant: terms.claimant };
      lines.push(`model ${modelId} of ${rollup}: claims come from ${terms.claimant}`);
      try {
        const known = await this.#knownOf(one);
        if ("fault" in known) {
          lines.push(`  ${known.fault}`);
          models.push({ ...facts, fault: known.fault });
          continue;
        }
        const round = describeRound(await known.player.playOnce());
        lines.push(...round.lines.map((line) => `  ${line}`));
        models.push({ ...facts, ...round.view });
      } catch (error) {
        const fault = error instanceof Error ? error.message : String(error);
        lines.push(`  cannot be played: ${fault.split("\n")[0]}`);
        models.push({ ...facts, fault });
      }
    }
    return { lines, models };
  }

  async #knownOf(one: RegisteredTraced): Promise<Known> {
    const key = `${one.rollup}/${one.modelId}`;
    const known = this.#known.get(key) ?? (await this.#open(one));
    if (known === null) return { fault: "its files are not to be had: --models FOLDER or --server" };
    this.#known.set(key, known);
    return known;
  }

  /** null where its files are not to be had, this time. */
  async #open({ modelId, rollup, terms }: RegisteredTraced): Promise<Known | null> {
    const model = await this.#filesOf(Number(modelId));
    if (model === null) return null;
    const { tracing } = model.recipe;
    if (model.family.name !== "text" || tracing === undefined)
      return { fault: "what is served under its number is another model: it promises no claims" };
    this.#onProgress(`reading model ${modelId}, and the roots of its numbers`);
    const setting = await textSetting({ base: this.#options.base });
    const traced = await openTracedText({ rollup, modelId }, model, setting);
    const own = tracedOf(traced, model.recipe, getAddress(tracing.claimant));
    if (tracingDigest(own) !== tracingDigest(terms))
      return {
        fault: "its registered roots are not those of the files that are served: do not approve or pay it",
      };
    const { account, game } = await this.#account();
    return {
      player: tracedPlayer({
        ...{ publicClient: this.#client, game, account, challenges: true, traced, terms },
        ...{ kernels: setting.kernels, onProgress: this.#onProgress },
      }),
    };
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
    try {
      if (folder !== undefined) return (await readModel(folder, families)) as never;
      return (await fetchModel(modelServerOf(modelId, server), {}, families)) as never;
    } catch (error) {
      if (isRollupError(error, "ATT_SERVER_UNREACHABLE") || isRollupError(error, "CMD_NO_MODEL_SERVER"))
        return null;
      throw error;
    }
  }
}
