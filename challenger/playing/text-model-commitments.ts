/** Model commitments of language models, for whoever posts, answers or watches (docs/explanation/fault-proofs.md). */

import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { TextParts } from "@openledger/models/registered/text-family";
import { realFeatures } from "@openledger/models/registered/text-training";
import { zeroAddress } from "viem";
import { challengerError } from "../challenger-errors.ts";
import { type ShownFault, textChallengeData } from "../games/text-calls.ts";
import { findTextFaults, type KnownText, type TextFault } from "../games/text-faults.ts";
import { textModelCommitment } from "../games/text-model-commitment.ts";
import { readRowTokens } from "../games/text-row-tokens.ts";
import type { TracedTextModel } from "../games/traced-text.ts";
import type {
  ModelCommitmentKind,
  ShownModelCommitment,
} from "../model-commitments/model-commitment-kind.ts";
import type { CommittedModel } from "../statements/committed-model.ts";
import { wordsOf } from "../trace/word-tree.ts";
import type { OpenedModels } from "./opened-models.ts";

/** One of a large model has some megabytes. */
const MOST_KEPT = 4;

/** Any row: of a version that nobody can train on, no leaf is known. */
const TEXT = new TextEncoder().encode('{"text":"nothing"}');

/** What an honest owner posts, and the model that it was computed with. */
export interface OwnModelCommitment extends KnownText {
  readonly posted: CommittedModel;
  readonly traced: TracedTextModel;
  /** Whether a row of the version is no text: then nobody's real features are known, and that row is refuted by its tokens. */
  readonly isBlind: boolean;
}

export class TextModelCommitments {
  readonly #opened: OpenedModels;
  readonly #onProgress: (line: string) => void;
  /** By number and statics, which commit to all that a model commitment is made of; the last used one comes last. */
  readonly #known = new Map<string, OwnModelCommitment>();

  constructor(opened: OpenedModels, onProgress: (line: string) => void) {
    this.#opened = opened;
    this.#onProgress = onProgress;
  }

  readonly kind: ModelCommitmentKind = {
    family: "text",
    honestModelCommitment: async (model, rows, modelId) => (await this.#own(model, rows, modelId)).posted,
    requirePlayable: (own) => requireSameTrace(this.of(own)),
    faultsOf: (shown) => this.#faultsOf(shown),
    isGame: ({ kind }) => kind === "row",
    refutationData: (id, { own, posted, rows }, fault) => {
      const { terms, traced } = this.of(own);
      return textChallengeData(id, posted, rows, { terms, ...traced }, fault as ShownFault);
    },
    needsContent: new Set(["rowTooLong", "tokens", "duplicate", "versionRow"]),
    isMapTrusted: false,
  };

  /** Attack: a version with a row that is no text. Nobody trains on it, so nobody could compute what is right of the others. */
  *#faultsOf({ own, posted, rows }: ShownModelCommitment): Generator<TextFault> {
    const known = this.of(own);
    try {
      for (const fault of findTextFaults(posted, rows, known))
        if (!known.isBlind || fault.kind !== "row") yield fault;
    } catch (error) {
      if (!known.isBlind || !isRollupError(error, "ATT_ROW_INVALID")) throw error;
    }
  }

  /** What an honest model commitment of this kind was computed with. */
  of(own: CommittedModel): OwnModelCommitment {
    return [...this.#known.values()].find(({ posted }) => posted === own)!;
  }

  async #own(model: PublishedModel, rows: readonly OwnedRow[], modelId: number): Promise<OwnModelCommitment> {
    const key = `${modelId}/${model.staticsHash}`;
    const known = this.#known.get(key);
    const own = known ?? (await this.#make(model as unknown as PublishedModel<TextParts>, rows, modelId));
    this.#known.delete(key);
    if (this.#known.size >= MOST_KEPT) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, own);
    return own;
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
    try {
      const real = await realFeatures(model, rows, setting, { onProgress });
      const posted = textModelCommitment(model, traced, rows, real, modelId);
      return { posted, traced, terms, real, isBlind: false };
    } catch (error) {
      if (!isRollupError(error, "ATT_ROW_INVALID")) throw error;
      const [real, nothing] = [
        new Float64Array(rows.length * model.recipe.method.featureCount),
        [{ content: TEXT }],
      ];
      const none = textModelCommitment(model, traced, nothing, real, modelId);
      return { posted: none, traced, terms, real, isBlind: true };
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
