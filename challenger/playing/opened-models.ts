/** Language models with claims, opened once: their roots take some minutes, whoever registers, posts or serves them again. */
import { createHash } from "node:crypto";
import { RecentValues } from "@openledger/foundation/recent-values";
import { textSetting } from "@openledger/models/registered/model-families";
import type { TextParts } from "@openledger/models/registered/text-family";
import type { TrainingSetting } from "@openledger/models/registered/text-training";
import { getAddress, type Hex } from "viem";
import { challengerError } from "../challenger-errors.ts";
import type { TracedTuple } from "../games/claims/ledger-claims.ts";
import type { DescribedModel, LedgerModel } from "../games/claims/traced-model.ts";
import { openTracedText, type TracedTextModel } from "../games/claims/traced-text.ts";
import { isTracedBy, tracedOf } from "../games/rows/traced-recipe.ts";
import { sizeOf } from "../trace/trace-op.ts";

/** A model's numbers, whatever it is registered as. */
export interface OpenedModel {
  readonly traced: TracedTextModel;
  readonly terms: TracedTuple;
  readonly setting: TrainingSetting;
}

type Numbers = Pick<TextParts, "adapter" | "queryMap" | "recipe">;

/** Of models that are held open at once; the last one is, whatever it takes. */
const MOST_BYTES = 2 ** 31;
/** A number of a trace with its trees, 4.25, and programs. */
const BYTES_PER_NUMBER = 5;
/** Of a model at once: one that is made, and as much as two of them that a player keeps of operations in games. */
const TRACES = 3;

export class OpenedModels {
  readonly #base: string | undefined;
  readonly #onProgress: (line: string) => void;
  /** By recipe and numbers; null where the recipe promises another digest than theirs. */
  readonly #opened = new RecentValues<string, OpenedModel | null>(MOST_BYTES);
  /** Recipe and numbers, by the digest that they have. */
  readonly #keys = new Map<string, string>();

  constructor(base: string | undefined, onProgress: (line: string) => void) {
    this.#base = base;
    this.#onProgress = onProgress;
  }

  /** One of this digest, where it is held. Attack: an owner who serves no files any more once they were read. */
  held(named: LedgerModel, digest: Hex): OpenedModel | null {
    const opened = this.#opened.peek(this.#keys.get(digest) ?? "") ?? null;
    return opened && { ...opened, traced: ofLedger(opened.traced, named) };
  }

  /** null where the recipe promises no claims, or the digest of other numbers. @throws what `openTracedText` throws */
  async open(named: LedgerModel, model: Numbers): Promise<OpenedModel | null> {
    if (model.recipe.tracing === undefined) return null;
    const key = keyOfNumbers(model);
    const opened = await this.#opened.get(key, () => this.#read(named, model));
    if (opened !== null) this.#keys.set(model.recipe.tracing.digest, key);
    return opened && { ...opened, traced: ofLedger(opened.traced, named) };
  }

  /** @throws CMD_USAGE where `open` gives null; what `openTracedText` throws */
  async require(named: LedgerModel, model: Numbers): Promise<OpenedModel> {
    const opened = await this.open(named, model);
    if (opened !== null) return opened;
    throw challengerError(
      "CMD_USAGE",
      model.recipe.tracing === undefined
        ? "the model's recipe promises no claims: openledger models train --claimant 0x… makes one that does"
        : "the digest in the model's recipe is of other numbers than its own: do not approve or pay it",
    );
  }

  async #read(named: LedgerModel, { recipe, ...numbers }: Numbers) {
    this.#onProgress(`reading model ${named.modelId}, and the roots of its numbers`);
    const setting = await textSetting({ base: this.#base });
    const traced = await openTracedText(named, { recipe, ...numbers }, setting);
    const terms = tracedOf(traced, recipe, getAddress(recipe.tracing!.claimant));
    const value = isTracedBy(traced, recipe) ? { traced, terms, setting } : null;
    return { value, bytes: value === null ? 0 : bytesOf(traced.model) };
  }
}

export function bytesOf({ inputs, programs }: Pick<DescribedModel, "inputs" | "programs">): number {
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0);
  const longest = sum(programs.of(programs.count).map(sizeOf));
  // Inputs, and copies of them with columns as rows, are in every trace, and held once.
  const shared = 2 * sum(inputs.map(({ length }) => length));
  return BYTES_PER_NUMBER * (shared + TRACES * Math.max(0, longest - shared));
}

const ofLedger = (traced: TracedTextModel, { modelId, rollup }: LedgerModel): TracedTextModel => ({
  ...traced,
  model: { ...traced.model, rollup, modelId },
});

/** The recipe names the base by its hash: with adapter and map, those are all numbers of the model. */
function keyOfNumbers({ adapter, queryMap, recipe }: Numbers): string {
  const parts = [new TextEncoder().encode(JSON.stringify(recipe)), adapter, queryMap];
  return parts.map((bytes) => createHash("sha256").update(bytes).digest("hex")).join("/");
}
