/**
 * Trains a classifier or predictor (form "sort") for a job: first cross-validation over the rows' folds, with an event after each
 * part, then the training on all rows. train-task.ts calls it; job-routes.ts and measure-task.ts count its steps.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { TrainedModel } from "@openledger/attribution/model/model-family";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { OnProgress } from "@openledger/attribution/progress";
import type { ModelPlan } from "../../tuning/recipe/plan-model.ts";
import { excerptOf } from "../../tuning/recipe/row-prompts.ts";
import type { FactoryAccuracy, NewJobEvent, SortForm } from "../factory-api.ts";
import { accuracyOf, type JudgedPart, judgeRows, judgingFolds, judgingSteps } from "./judge-rows.ts";
import type { Say, TaskWish } from "./task-messages.ts";

/** Maximum misclassified rows in the event that the page lists. */
const MAX_MISTAKES = 24;

interface SortOptions {
  readonly form: SortForm;
  /** Labels in the order of the card. */
  readonly labels: readonly string[];
  /** Last step whose events are stored. */
  readonly saidStep: number;
  readonly say: Say;
  readonly wish: () => TaskWish | null;
  readonly onProgress: OnProgress;
}

export interface SortedModel {
  readonly trained: TrainedModel;
  readonly accuracy: FactoryAccuracy | null;
}

/** Steps of such a job: its trainings. */
export const sortingSteps = (rowCount: number, { folds }: Pick<SortForm, "folds">): number =>
  judgingSteps(rowCount, folds) + 1;

/**
 * Cross-validates, then trains on all rows. A request to stop ends the cross-validation and goes on to the training.
 * @returns null after a request to pause
 */
export async function trainSorter(
  plan: ModelPlan,
  rows: readonly OwnedRow[],
  { form, labels, onProgress, saidStep, say, wish }: SortOptions,
): Promise<SortedModel | null> {
  let step = 0;
  let last: JudgedPart | null = null;
  // Steps that a killed run has reported are not reported again.
  const sayStep = async (events: NewJobEvent[]) => {
    if (step > saidStep) await say({ kind: "events", step, events });
  };
  const { recipe, training } = plan;
  const foldCount = form.folds;
  const folds = foldCount === 0 ? null : await judgingFolds(plan, rows, foldCount);
  for await (const part of folds === null ? [] : judgeRows(plan, rows, foldCount, folds)) {
    step += 1;
    if (part !== null && part.judged.length > 0) last = part;
    await sayStep(part === null ? [] : judgedOf(part, rows, step));
    // A training blocks the event loop, so requests to pause or stop arrive here.
    await new Promise((resolve) => setImmediate(resolve));
    if (wish() !== null) break;
  }
  if (wish() === "pause") return null;
  step = sortingSteps(rows.length, form);
  const isTable = training.family.promptKind(recipe) === "table";
  await sayStep(last === null ? [] : [mistakesOf(last, rows, { isTable, step })]);
  // Who stops the judging gets a model without the figure that its leaf signs.
  const withHeldOut = folds !== null && wish() === null;
  const trained = await training.train(rows, recipe, {
    onProgress,
    withHeldOut,
    ...(withHeldOut ? { foldCount } : {}),
  });
  if (last === null || folds === null) return { trained, accuracy: null };
  const { heldOut } = trained;
  // The baselines' folds are the same; a row whose label its own fold alone has is judged here, and not there.
  const plain = heldOut?.rowCount === last.judged.length ? heldOut.plain : null;
  const accuracy = await accuracyOf(plan, last.judged, rows, { ...folds, foldCount, labels, plain });
  return { trained, accuracy };
}

function judgedOf(
  { judged, trainedRowCount }: JudgedPart,
  rows: readonly OwnedRow[],
  step: number,
): NewJobEvent[] {
  if (judged.length === 0) return [];
  const rightCount = judged.filter(({ answered, row }) => answered === rows[row]!.label).length;
  return [{ kind: "judged", step, trainedRowCount, judgedCount: judged.length, rightCount }];
}

function mistakesOf(
  { judged }: JudgedPart,
  rows: readonly OwnedRow[],
  { isTable, step }: { isTable: boolean; step: number },
): NewJobEvent {
  const wrong = judged
    .filter(({ answered, row }) => answered !== rows[row]!.label)
    .sort((a, b) => a.row - b.row)
    .slice(0, MAX_MISTAKES)
    .map(({ answered, row }) => ({
      row,
      answered,
      label: rows[row]!.label!,
      excerpt: excerptOf(rows[row]!.content, isTable),
      digest: bytesToHex(sha256(rows[row]!.content)),
      datanet: rows[row]!.datanet ?? 0,
    }));
  return { kind: "mistakes", step, rows: wrong };
}
