/** Language models with claims, opened once: their roots take some minutes, whoever registers, posts or serves them again. */
import { createHash } from "node:crypto";
import { textSetting } from "@openledger/models/registered/model-families";
import type { TextParts } from "@openledger/models/registered/text-family";
import type { TrainingSetting } from "@openledger/models/registered/text-training";
import { getAddress } from "viem";
import { tracingDigest } from "../games/ledger-claims.ts";
import type { LedgerModel } from "../games/traced-model.ts";
import { tracedOf } from "../games/traced-recipe.ts";
import { openTracedText, type TracedTextModel } from "../games/traced-text.ts";

/** A model's numbers, whatever it is registered as. */
export interface OpenedModel {
  readonly traced: TracedTextModel;
  readonly setting: TrainingSetting;
}

type Numbers = Pick<TextParts, "adapter" | "queryMap" | "recipe">;

export class OpenedModels {
  readonly #base: string | undefined;
  readonly #onProgress: (line: string) => void;
  /** By recipe and numbers; null where the recipe promises another digest than theirs. */
  readonly #opened = new Map<string, OpenedModel | null>();

  constructor(base: string | undefined, onProgress: (line: string) => void) {
    this.#base = base;
    this.#onProgress = onProgress;
  }

  /** null where the recipe promises no claims, or the digest of other numbers. @throws what `openTracedText` throws */
  async open(named: LedgerModel, model: Numbers): Promise<OpenedModel | null> {
    const { tracing } = model.recipe;
    if (tracing === undefined) return null;
    const key = keyOfNumbers(model);
    const known = this.#opened.get(key);
    if (known !== undefined) return known && { ...known, traced: ofLedger(known.traced, named) };
    this.#onProgress(`reading model ${named.modelId}, and the roots of its numbers`);
    const setting = await textSetting({ base: this.#base });
    const traced = await openTracedText(named, model, setting);
    const isKept =
      tracing.digest === tracingDigest(tracedOf(traced, model.recipe, getAddress(tracing.claimant)));
    const opened = isKept ? { traced, setting } : null;
    this.#opened.set(key, opened);
    return opened;
  }
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
