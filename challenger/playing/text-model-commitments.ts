/** Model commitments of language models, for whoever posts, answers or watches (docs/explanation/fault-proofs.md). */

import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { RecentValues } from "@openledger/foundation/recent-values";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelError } from "@openledger/models/model-errors";
import type { TextParts } from "@openledger/models/registered/text-family";
import type { TextSetting } from "@openledger/models/registered/text-model";
import { realFeatures } from "@openledger/models/registered/text-training";
import { zeroAddress } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { engineFeatures, type TracedTextModel } from "../games/claims/traced-text.ts";
import { type ShownFault, textChallengeData } from "../games/rows/text-calls.ts";
import { findTextFaults, type KnownText } from "../games/rows/text-faults.ts";
import { textModelCommitment } from "../games/rows/text-model-commitment.ts";
import { readRowTokens } from "../games/rows/text-row-tokens.ts";
import type {
  ModelCommitmentKind,
  ShownModelCommitment,
} from "../model-commitments/model-commitment-kind.ts";
import type { CommittedModel } from "../statements/committed-model.ts";
import { wordsOf } from "../trace/word-tree.ts";
import { bytesOf, type OpenedModels } from "./opened-models.ts";

/** Of those that are kept; the last one is, whatever it takes. */
const MOST_BYTES = 2 ** 31;

/** What an honest owner posts, and the model that it was computed with. */
export interface OwnModelCommitment extends KnownText {
  /** null where the engine computes no real features of a row. */
  readonly posted: CommittedModel | null;
  readonly traced: TracedTextModel;
  readonly setting: TextSetting;
  /** Why nothing is posted. */
  readonly refusal: string;
}

const keyOf = ({
  modelId,
  staticsHash,
}: Pick<CommittedModel["statement"], "modelId" | "staticsHash">): string => `${modelId}/${staticsHash}`;

export class TextModelCommitments {
  readonly #opened: OpenedModels;
  readonly #onProgress: (line: string) => void;
  /** By number and statics, which commit to all that a model commitment is made of. Attack: a few models of gigabytes. */
  readonly #known = new RecentValues<string, OwnModelCommitment>(MOST_BYTES);
  /** Of the model that was looked at last: it holds as much as the model. */
  #engine: { readonly key: string; readonly featuresOf: TracedTextModel["featuresOf"] } | null = null;

  constructor(opened: OpenedModels, onProgress: (line: string) => void) {
    this.#opened = opened;
    this.#onProgress = onProgress;
  }

  readonly kind: ModelCommitmentKind = {
    family: "text",
    honestModelCommitment: (model, rows, modelId) => this.#own(model, rows, modelId),
    requirePlayable: (own) =>
      requireSameTrace({ posted: own, traced: this.of({ own, posted: own })!.traced }),
    faultsOf: (shown) => findTextFaults(shown.posted, shown.rows, this.of(shown)),
    gameOf: ({ kind, row }) =>
      kind === "row" ? (["tokens", "map"] as const).map((tree) => ({ tree, index: row! })) : null,
    refutationData: (id, shown, fault) =>
      textChallengeData(id, shown.posted, shown.rows, this.of(shown), fault as ShownFault),
    needsContent: new Set(["rowTooLong", "tokens", "duplicate", "versionRow"]),
    isMapTrusted: false,
  };

  /** What a model commitment is compared by; null where its model could not be opened. */
  of({
    own,
    posted: { statement },
  }: Pick<ShownModelCommitment, "own" | "posted">): OwnModelCommitment | null {
    const key = keyOf((own ?? { statement }).statement);
    const known = this.#known.peek(key);
    return known
      ? { ...known, engineFeaturesOf: this.#engine?.key === key ? this.#engine.featuresOf : undefined }
      : null;
  }

  /**
   * Attack: a version with a row that is no text, or a recipe for which a row is too long. No one could have trained on it, and
   * what is right of the others is computed row by row.
   */
  async #own(model: PublishedModel, rows: readonly OwnedRow[], modelId: number): Promise<CommittedModel> {
    const key = keyOf({ modelId, staticsHash: model.staticsHash });
    if (this.#engine?.key !== key) this.#engine = null;
    const parts = model as unknown as PublishedModel<TextParts>;
    const own = await this.#known.get(key, async () => {
      const value = await this.#make(parts, rows, modelId);
      return { value, bytes: bytesOf(value.traced.model) };
    });
    this.#engine ??= {
      key,
      featuresOf: await engineFeatures(parts, own.setting).catch(() => own.traced.featuresOf),
    };
    if (own.posted !== null) return own.posted;
    throw modelError("MOD_ROWS_NOT_POSTABLE", `the rows cannot be posted: ${own.refusal}`, {
      data: { reason: "rows" },
    });
  }

  async #make(
    model: PublishedModel<TextParts>,
    rows: readonly OwnedRow[],
    modelId: number,
  ): Promise<OwnModelCommitment> {
    const named = { rollup: zeroAddress, modelId: BigInt(modelId) };
    const { setting, terms, traced } = await this.#opened.require(named, model);
    const onProgress = ({ done, stage, total }: { stage: string; done: number; total: number }) =>
      this.#onProgress(
        `${stage} of model ${modelId}: ${10 * Math.floor((10 * done) / Math.max(1, total))} %`,
      );
    // Attack: rows that a recipe holds out, of which L1 knows nothing: victims' rows of zeros, or right ones that look wrong.
    const { heldOut: _, ...recipe } = model.recipe;
    try {
      const real = await realFeatures({ ...model, recipe }, rows, setting, { onProgress });
      const posted = textModelCommitment(model, traced, rows, real, modelId);
      return { posted, traced, terms, real, setting, refusal: "" };
    } catch (error) {
      if (!isRollupError(error)) throw error;
      return { posted: null, traced, terms, real: null, setting, refusal: error.message };
    }
  }
}

/**
 * Traces the longest row: a game over it is played with the trace's numbers, and what is posted comes from the engine.
 *
 * @throws CMD_USAGE where the two differ
 */
export function requireSameTrace({
  posted,
  traced,
}: {
  readonly posted: Pick<CommittedModel, "leaves">;
  readonly traced: Pick<TracedTextModel, "featuresOf">;
}): void {
  const { map, tokens } = posted.leaves;
  const row = tokens.reduce((most, leaf, k) => (leaf.length > tokens[most]!.length ? k : most), 0);
  const own = wordsOf(traced.featuresOf(readRowTokens(tokens[row]!)!));
  if (Buffer.compare(own, map[row]!) !== 0)
    throw challengerError(
      "CMD_USAGE",
      `the trace of row ${row} ends with other real features than the engine's: nobody could defend it, and nothing is posted`,
    );
}
