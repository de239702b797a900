/**
 * Audits a language model by leaving rows out, for `openledger rewards what-if`: the same training run, in which they weigh
 * nothing at their steps. Registered scores are held against it: they are of a run in which all rows weigh half
 * (docs/adr/0013-tangents-of-the-run.md).
 */
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { ModelParts, TrainedModel } from "@openledger/attribution/model/model-family";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { checkRowsRoot } from "@openledger/attribution/model/rows-root";
import type { OnProgress } from "@openledger/attribution/progress";
import { estimateAttribution } from "@openledger/attribution/scores/attribution-estimate";
import { rowNumber } from "@openledger/foundation/row-number";
import { type TokenRow, wantedOf } from "../../engine/architecture/loss-gradient.ts";
import { NONE } from "../../engine/kernels/kernels.ts";
import { modelError } from "../../model-errors.ts";
import { tuningBlocks } from "../training/tune-adapter.ts";
import { askedText } from "./chat-prompt.ts";
import { checkQueryMap, mapAdapter, mapGradient, mapLength } from "./query-map.ts";
import { openQuestionEncoder } from "./question-encoder.ts";
import { promptReader } from "./read-prompt.ts";
import { addedRow } from "./shared-text.ts";
import type { TextParts } from "./text-family.ts";
import { answerTokens, questionRow } from "./text-tokens.ts";
import {
  baseLosses,
  decodeAll,
  rowWeights,
  splitRows,
  type TrainingSetting,
  type TuningRun,
  tune,
  wantedBytes,
  withRows,
} from "./text-training.ts";

export interface WhatIfLoss {
  /**
   * Texts of the loss. "added": the answer's tokens that the base would not have said, by which `answers.weigh` "added"
   * pays.
   */
  readonly of: "answer" | "added" | "left-out rows" | "other rows" | "held-out rows";
  /** Prompt of the answer; null for rows. */
  readonly prompt: string | null;
  /** Nats a token, by the published adapter and by the one without the rows. */
  readonly tuned: number;
  readonly without: number;
  /** Difference `without` − `tuned` that the registered scores predict; null by EK-FAC, whose scores have no unit. */
  readonly predicted: number | null;
  readonly bitsPerByte: { readonly tuned: number; readonly without: number } | null;
}

export interface WhatIf {
  /** Ascending indices in the version. */
  readonly without: readonly number[];
  /** Held-out rows among these: no step took them anyway. */
  readonly heldOut: readonly number[];
  readonly losses: readonly WhatIfLoss[];
  readonly answers: readonly {
    readonly prompt: string;
    readonly text: string;
    readonly textWithout: string;
    /** Part of these rows in what this answer pays to rows, if it is drawn. */
    readonly share: number;
  }[];
}

/** Model that is published, or only trained. */
type Audited<Parts extends ModelParts> = Omit<TrainedModel<Parts>, "rows" | "accuracy">;

/** Sum of some texts' losses, each times its factor. */
interface Measure extends Pick<WhatIfLoss, "of" | "prompt"> {
  readonly terms: readonly (readonly [text: number, factor: number])[];
  /** Bits a byte of one nat a token; null for a text that spells nothing. */
  readonly bits: number | null;
}

/**
 * Tunes the model again without each group of rows. All else is as published: seed, steps, the other rows' order, and which
 * are held out. Needs `initPoseidon`. Stages "answers", "features", and "train" of each group.
 * @param model that its adapter is what its recipe makes of the rows, `verifyModel` says. @param rows the version's
 * @throws ATT_RECIPE_INVALID for another family, MOD_INPUT_INVALID for a row out of range, ATT_ROWS_MISMATCH,
 *   ATT_ROW_INVALID for a prompt, MOD_BASE_MISSING
 */
export async function whatIf(
  model: Audited<ModelParts>,
  rows: readonly OwnedRow[],
  groups: readonly (readonly number[])[],
  setting: TrainingSetting,
  {
    onProgress,
    prompts = [],
  }: { readonly prompts?: readonly string[]; readonly onProgress?: OnProgress } = {},
): Promise<WhatIf[]> {
  if (model.recipe.family !== "text")
    throw attributionError(
      "ATT_RECIPE_INVALID",
      `rows are left out of language models, and the recipe's family is "${model.recipe.family}"`,
      { data: { known: ["text"] } },
    );
  const wrong = groups.flat().find((row) => !Number.isInteger(row) || row < 0 || row >= rows.length);
  if (wrong !== undefined)
    throw modelError(
      "MOD_INPUT_INVALID",
      `there is no row ${rowNumber(wrong)}: rows are 1 to ${rows.length}`,
      {
        data: { field: "without", row: wrong, rowCount: rows.length },
      },
    );
  const parts = model as Audited<TextParts>;
  const { family, features, payees, recipe } = parts;
  checkRowsRoot(rows, recipe);
  const texts = decodeAll(rows);
  const answersBy = async (adapter: Uint8Array) => {
    if (prompts.length === 0) return [];
    const changed: TextParts = { ...parts, adapter };
    onProgress?.({ stage: "answers", done: 0, total: prompts.length });
    const opened = await family.open(changed);
    const question = prompts.map((prompt) => askedText(opened.chat, prompt));
    return question.map((prompt) => ({ prompt, ...opened.answer(prompt) }));
  };
  const modelAnswers = await answersBy(parts.adapter);
  const shares = modelAnswers.map(({ query }) => {
    const { topRows } = estimateAttribution({ features, payees }, query, { topCount: rows.length });
    return new Map(topRows.map(({ row, share }) => [row, share]));
  });
  const { answerTokens: max, promptTokens, weigh } = recipe.answers;
  const maxRows = Math.max(recipe.rowTokens, promptTokens + max);
  const adapterBlocks = tuningBlocks({ ...recipe.tuning, seed: recipe.seed });
  const input = { adapter: parts.adapter, rows: texts, maxRows, rowCount: 1, adapterBlocks };
  return withRows(recipe, setting, input, async (placed, team, tokens) => {
    const split = splitRows(texts.length, recipe);
    // Scores are taken as they are registered: the runs without rows need no tangents.
    const run: TuningRun = { placed: { ...placed, tangents: null }, team, texts, tokens, ...split };
    const all: TokenRow[] = [...tokens];
    const lossOf = (
      of: Measure["of"],
      prompt: string | null,
      offsets: number[],
      byteCount: number,
    ): Measure => {
      const tokenCount = sum(offsets, (i) => wantedOf(all[i]!));
      const bits = byteCount === 0 ? null : tokenCount / byteCount / Math.LN2;
      return { of, prompt, terms: offsets.map((i) => [i, 1 / tokenCount]), bits };
    };
    const encode = await openQuestionEncoder(recipe, setting);
    const reader = promptReader(placed.tokens, parts, placed.options, { encode });
    const question = modelAnswers.flatMap(({ prompt, text }): Measure[] => {
      const { model: tuned } = placed.loaded;
      const own = reader(prompt);
      const answer = answerTokens(placed.tokens, text, recipe, tuned.shape.vocabularySize, own);
      const row = questionRow(own.given, answer, recipe);
      const at = all.push(row) - 1;
      const loss = lossOf("answer", prompt, [at], Buffer.byteLength(placed.tokens.decode(answer)));
      const added = weigh && addedRow({ ...tuned, adapter: null }, row);
      if (added === undefined || wantedOf(added) === 0) return [loss];
      return [loss, lossOf("added", prompt, [all.push(added) - 1], 0)];
    });
    const before = await team.losses(all);
    const slope = recipe.method.kind === "tangent" ? await slopesOf(run, all, parts, onProgress) : null;
    const out: WhatIf[] = [];
    for (const group of groups) {
      const isOut = new Set(group);
      const isLeft = (i: number) => !isOut.has(i);
      const without = [...isOut].sort((a, b) => a - b);
      const less = tokens.map((row, i) => (isOut.has(i) ? { ...row, weight: 0 } : row));
      const { lastStep = recipe.tuning.steps } = recipe.tuning;
      const stopped = { ...recipe, tuning: { ...recipe.tuning, lastStep } };
      const progress = onProgress === undefined ? {} : { onProgress };
      const { adapter } = await tune({ ...run, tokens: less }, stopped, undefined, progress);
      const after = await team.losses(all);
      const ofRows = (of: Measure["of"], offsets: number[]) =>
        offsets.length === 0
          ? []
          : [
              lossOf(
                of,
                null,
                offsets,
                sum(offsets, (i) => wantedBytes(run, i)),
              ),
            ];
      const measures = [
        ...question,
        ...ofRows("left-out rows", without),
        ...ofRows("other rows", run.trained.filter(isLeft)),
        ...ofRows("held-out rows", run.heldOut.filter(isLeft)),
      ];
      const losses = measures.map(({ bits, of, prompt, terms }): WhatIfLoss => {
        const total = (value: (text: number) => number) =>
          sum(terms, ([text, factor]) => factor * value(text));
        const [tuned, changed] = [before, after].map((found) =>
          total((text) => found[text]! * wantedOf(all[text]!)),
        ) as [number, number];
        return {
          of,
          prompt,
          tuned,
          without: changed,
          predicted: slope && total((text) => sum(without, (row) => slope(row, text))),
          bitsPerByte: bits === null ? null : { tuned: bits * tuned, without: bits * changed },
        };
      });
      const saidWithout = await answersBy(adapter);
      const answers = modelAnswers.map(({ prompt, text }, k) => ({
        prompt,
        text: textOf(text),
        textWithout: textOf(saidWithout[k]!.text),
        share: sum(without, (row) => shares[k]!.get(row)!),
      }));
      out.push({ without, heldOut: run.heldOut.filter((i) => isOut.has(i)), losses, answers });
    }
    return out;
  });
}

/**
 * Slopes by the registered scores: what leaving a row out adds to the sum of a text's losses. The map treats each
 * text's gradient as a query's; G's units and the rows' factors are taken back.
 */
async function slopesOf(
  { placed, team, tokens }: TuningRun,
  texts: readonly TokenRow[],
  { features, queryMap, recipe }: Audited<TextParts>,
  onProgress: OnProgress | undefined,
) {
  const { loaded, map, options } = placed;
  const block = { at: map.gradient, floatCount: options.gradientCount };
  const before = recipe.rules.surprisal === undefined ? [] : await baseLosses({ placed, team, tokens });
  const { factors } = rowWeights(tokens, before, recipe);
  const bytes = queryMap.subarray(0, mapLength(queryMap, options));
  checkQueryMap(bytes, options);
  // The runs without rows start from their own.
  loaded.model.kernels.arena.set(mapAdapter(bytes, options) ?? [], loaded.model.adapter!.at);
  const queries: Float64Array[] = [];
  for (const [done, row] of texts.entries()) {
    onProgress?.({ stage: "features", done, total: texts.length });
    const into = { parameters: NONE, adapter: block.at };
    await team.run([{ row: { ...row, weight: 1 }, block, into }]);
    queries.push(mapGradient(loaded.model.kernels, map, bytes, options));
  }
  return (row: number, text: number): number => {
    const at = row * features.featureCount;
    const score = queries[text]!.reduce((total, x, k) => total + x * features.values[at + k]!, 0);
    // In the middle run a row weighs half.
    return (2 * features.scale * score) / factors[row]!;
  };
}

const sum = <Of>(all: readonly Of[], value: (one: Of) => number): number =>
  all.reduce((total, one) => total + value(one), 0);

const textOf = (answer: string): string => (JSON.parse(answer) as { text: string }).text;
