/**
 * Inputs of a direct model (a classifier, whose query is the prompt's counts): the counts that a settlement is proven
 * over, the numbers that the model learns from, the queries of its answers, and the answers' texts. Training and
 * answering go through it. What a prompt's counts are, says inputs/open-inputs.ts.
 */
import {
  type DirectQuery,
  pairOf,
  pairPosition,
  TERM_WEIGHT,
  termTotal,
} from "@openledger/circuits/ledger/direct-query";
import {
  answerOf,
  directLogits,
  MAX_DIRECT_ENTRY,
} from "@openledger/circuits/settlement/scores/direct-matrix";
import { attributionError } from "../../attribution-errors.ts";
import { countBase, reservedBuckets } from "../../features/direct-base.ts";
import { quantiseContrasts } from "../../features/direct-rows.ts";
import { bucketScales } from "../../inputs/bucket-scales.ts";
import { countedRows } from "../../inputs/counted-rows.ts";
import type { InputCounter } from "../../inputs/input-counter.ts";
import { openInputs, type ReadVectors } from "../../inputs/open-inputs.ts";
import { softmaxInPlace } from "../../maths/exact-math.ts";
import type { SparseRows } from "../../maths/sparse-rows.ts";
import type { LabelShare } from "../model-family.ts";
import type { DirectRecipe } from "./direct-recipe.ts";

/** Fields of a recipe that inputs depend on. */
export interface InputRecipe extends Pick<DirectRecipe, "inputs" | "classes"> {
  readonly rules?: Pick<DirectRecipe["rules"], "base">;
}

/** Pair of labels that an answer compares, and which of them won. */
type Compared = Pick<DirectQuery, "answeredClass" | "pair">;

/** An answer, with its query and what is shown beside it. */
export interface LabelAnswer {
  readonly label: string;
  /** Text that receipts hash: without shares, which nobody could check by counting alone. */
  readonly text: string;
  readonly query: DirectQuery;
  /** All labels, the likeliest first. */
  readonly labels: readonly LabelShare[];
}

export interface DirectInputs {
  readonly counter: InputCounter;
  readonly labels: readonly string[];
  /** Inputs of the softmax model, without the bias. */
  readonly inputCount: number;
  /** Inputs as the model takes them, without a bias. @throws ATT_ROW_INVALID */
  examples(prompts: readonly string[]): SparseRows;
  /** Answer by the registered logits. @throws ATT_ROW_INVALID */
  answer(logits: RegisteredLogits, prompt: string): LabelAnswer;
  /** The same, to a prompt that has been counted. */
  answerTo(logits: RegisteredLogits, counted: Uint8Array): LabelAnswer;
  /**
   * Query of a given answer, from the prompt alone: needs no parameters.
   * @throws ATT_ROW_INVALID, ATT_ANSWER_INVALID for a text that no such model answers
   */
  queryOf(prompt: string, text: string): DirectQuery;
}

/** The registered logits: contrasts of each label against label 0, and one unit of them in real units. */
export interface RegisteredLogits {
  readonly values: Int16Array;
  readonly scale: number;
}

/** Inputs of a recipe. @throws ATT_VECTORS_MISSING, ATT_VECTORS_INVALID for a recipe that names word vectors */
export async function directInputs(recipe: InputRecipe, readVectors?: ReadVectors): Promise<DirectInputs> {
  const { classes: labels, inputs } = recipe;
  const reserved = reservedBuckets(recipe);
  const counter = await openInputs(inputs, { baseBuckets: reserved }, readVectors);
  const labelCount = labels.length;
  const queryOfCounts = (counted: Uint8Array, compared: Compared): DirectQuery => {
    const counts = new Uint8Array(inputs.bucketCount);
    counts.set(counted);
    if (reserved > 0) countBase(counts, compared, labelCount);
    return { counts, ...compared };
  };
  const answerTo = ({ scale, values }: RegisteredLogits, counted: Uint8Array): LabelAnswer => {
    const matrix = logitMatrix(values, inputs.bucketCount, labelCount);
    // The logits have no base, and each pair's class counts as much of it.
    const { counts } = queryOfCounts(counted, { pair: 0, answeredClass: 0 });
    const { answeredClass, label, pair, runnerUp } = answerOf(matrix, counts);
    const units = scale / (TERM_WEIGHT * Math.sqrt(termTotal(counted)));
    const shares = Float64Array.from(directLogits(matrix, counts), (logit) => logit * units);
    softmaxInPlace(shares, 0, labelCount);
    return {
      label: labels[label]!,
      text: answerText(labels, label, runnerUp),
      query: queryOfCounts(counted, { answeredClass, pair }),
      labels: Array.from(shares, (share, place) => ({ share, place }))
        .sort((x, y) => rankOf(x.place) - rankOf(y.place) || y.share - x.share)
        .map(({ place, share }) => ({ label: labels[place]!, share })),
    };
    function rankOf(position: number): number {
      return position === label ? 0 : position === runnerUp ? 1 : 2;
    }
  };
  return {
    counter,
    labels,
    inputCount: counter.termBuckets,
    examples: (prompts) =>
      countedRows(
        counter,
        prompts.map((prompt) => counter.countsOf(prompt)),
      ),
    answer: (logits, prompt) => answerTo(logits, counter.countsOf(prompt)),
    answerTo,
    queryOf: (prompt, text) => queryOfCounts(counter.countsOf(prompt), comparedIn(labels, text)),
  };
}

/** Text of an answer. Two labels need no runner-up: it is the other one. */
const answerText = (labels: readonly string[], label: number, runnerUp: number): string =>
  JSON.stringify(
    labels.length === 2 ? { label: labels[label]! } : { label: labels[label]!, over: labels[runnerUp]! },
  );

/** The pair and class that an answer's text names. @throws ATT_ANSWER_INVALID */
function comparedIn(labels: readonly string[], text: string): Compared {
  const positions = positionsIn(labels, text);
  if (positions === null || answerText(labels, ...positions) !== text)
    throw attributionError("ATT_ANSWER_INVALID", `a direct model does not answer ${text.slice(0, 80)}`);
  const [label, runnerUp] = positions;
  return label > runnerUp
    ? { pair: pairPosition(runnerUp, label), answeredClass: 1 }
    : { pair: pairPosition(label, runnerUp), answeredClass: 0 };
}

/** Positions of an answer's label and runner-up; null for no answer. */
function positionsIn(labels: readonly string[], text: string): [label: number, runnerUp: number] | null {
  let json: { label?: unknown; over?: unknown } | null;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const label = labels.indexOf(String(json?.label));
  const runnerUp = labels.length === 2 ? 1 - label : labels.indexOf(String(json?.over));
  return label < 0 || runnerUp < 0 || label === runnerUp ? null : [label, runnerUp];
}

/** Text of the answer that a query is of; null for labels that the model does not have. */
export function textOfQuery(labels: readonly string[], { answeredClass, pair }: Compared): string | null {
  const [i, j] = pairOf(pair);
  if (j >= labels.length) return null;
  return answeredClass === 1 ? answerText(labels, j, i) : answerText(labels, i, j);
}

/** Logits of prompts, behind a row of zeros: a matrix has a row at least. */
function logitMatrix(logits: Int16Array, bucketCount: number, labelCount: number) {
  const values = new Int16Array(2 * logits.length);
  values.set(logits, logits.length);
  return { rowCount: 1, bucketCount, labelCount, values };
}

/** Registered logits: the weights of each bucket, times its scale, and of the bias, for each label less those for label 0. */
export function registeredLogits(
  { classes, inputs }: InputRecipe,
  parameters: Float64Array,
): RegisteredLogits {
  const labelCount = classes.length;
  const inputCount = parameters.length / labelCount;
  const scales = bucketScales(inputs, inputCount - 1);
  const values = new Float64Array(parameters.length);
  for (let input = 0; input < inputCount; input++)
    for (let label = 0; label < labelCount; label++)
      values[label * inputCount + input] = (scales[input] ?? 1) * parameters[input * labelCount + label]!;
  const columns = Int32Array.from({ length: inputCount }, (_, input) =>
    input === inputCount - 1 ? inputs.bucketCount : input,
  );
  return quantiseContrasts(
    { values, labelCount, rowCount: 1, columns },
    { factors: [1], featureCount: inputs.bucketCount + 1, max: MAX_DIRECT_ENTRY },
  );
}
