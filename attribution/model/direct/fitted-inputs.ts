/**
 * Chooses among the ways to count rows (inputs/choose-inputs.ts) by what models of them say of rows that they have not seen. Presets of
 * recipes call it. The same rows, labels and ways in the same order give the same choice on every machine.
 */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type InputRoom, type InputShape, inputCandidates } from "../../inputs/choose-inputs.ts";
import { countedRows } from "../../inputs/counted-rows.ts";
import type { InputCounter } from "../../inputs/input-counter.ts";
import type { ModelInputs, VectorsFile } from "../../inputs/model-inputs.ts";
import { openInputs, openVectors, type ReadVectors } from "../../inputs/open-inputs.ts";
import { SeededRandom } from "../../maths/seeded-random.ts";
import { openPictures, readingOnce } from "../../pictures/pictures.ts";
import type { OnProgress } from "../../progress.ts";
import { contentOfRow } from "../../rows/salted-rows.ts";
import { foldsByLabel } from "../folds.ts";
import { heldOut } from "../held-out-odds.ts";
import type { OwnedRow } from "../owned-rows.ts";
import { rootWeights, weightsOf } from "./label-weights.ts";
import { logisticModel } from "./logistic-model.ts";

export interface FittedOptions {
  /** Labels that the model tells apart. */
  readonly classes: readonly string[];
  /** λ of the models that are compared, by the way to count. */
  decayOf(inputs: ModelInputs): number;
  /** Word vectors that texts may be counted by, a language each: the file that knows the most words of the rows. Absent: none. */
  readonly vectors?: readonly VectorsFile[] | undefined;
  readonly readVectors?: ReadVectors | undefined;
  /** Stage "choose", in rows that are counted and ways that are compared. */
  readonly onProgress?: OnProgress | undefined;
}

const FOLDS = 5;
/** Tolerance of their training: a few more steps would change no choice. */
const TOLERANCE = 1e-3;
/**
 * Maximum rows that are compared by, a sample of each label by its part: each way counts each of them, and trains five models. A language
 * is told by as many, the first.
 */
const MAX_ROWS = 1_000;
/** Fewer rows in all choose nothing: the simplest way stays. */
const MIN_ROWS = 20;

/**
 * The way to count whose models label the most rows of other folds right; of equals the first.
 * @param rows of the version, in its order; those without a label of `classes`, and those that no model reads, do not count
 */
export async function fittedInputs(
  shape: InputShape,
  rows: readonly Pick<OwnedRow, "content" | "label">[],
  room: InputRoom,
  options: FittedOptions,
): Promise<ModelInputs> {
  const { classes, onProgress } = options;
  const contents = rows.map(({ content }) => content);
  const vectors = shape.kind === "text" ? await vectorsOfLanguage(contents, options) : undefined;
  const candidates = await inputCandidates(shape, contents, room, vectors);
  const labelled = rows.flatMap(({ content, label }) => {
    const position = label == null ? -1 : classes.indexOf(label);
    return position < 0 ? [] : [{ content, label: position }];
  });
  if (candidates.length === 1 || labelled.length < MIN_ROWS) return candidates[0]!;
  const sample = sampleOf(labelled);
  const progressAt = (done: number) =>
    onProgress?.({ stage: "choose", done, total: sample.length + candidates.length });
  const ways = await countByWays(candidates, sample, room, options, progressAt);
  let best = { right: -1, inputs: candidates[0]! };
  for (const [position, inputs] of candidates.entries()) {
    progressAt(sample.length + position);
    const right = rightUnseen(inputs, ways[position]!, options);
    if (right > best.right) best = { right, inputs };
  }
  progressAt(sample.length + candidates.length);
  return best.inputs;
}

/** The file that knows the most words of the rows, whatever their labels; of equals the first. */
async function vectorsOfLanguage(
  contents: readonly Uint8Array[],
  { readVectors, vectors = [] }: Pick<FittedOptions, "readVectors" | "vectors">,
): Promise<VectorsFile | undefined> {
  if (vectors.length < 2) return vectors[0];
  let best: { readonly file: VectorsFile | undefined; readonly known: number } = {
    file: undefined,
    known: -1,
  };
  const texts = contents.slice(0, MAX_ROWS).map(contentOfRow);
  for (const file of vectors) {
    const { knownWords } = await openVectors(file, readVectors);
    const known = texts.reduce((sum, text) => sum + knownWords(text), 0);
    if (known > best.known) best = { file, known };
  }
  return best.file;
}

interface Labelled {
  readonly content: Uint8Array;
  readonly label: number;
}

/** At most `MAX_ROWS` rows, of each label by its part, in their order. */
function sampleOf(rows: readonly Labelled[]): readonly Labelled[] {
  if (rows.length <= MAX_ROWS) return rows;
  const order = [...new SeededRandom("inner folds").permutation(rows.length)];
  order.sort((a, b) => rows[a]!.label - rows[b]!.label);
  const drawn = Array.from({ length: MAX_ROWS }, (_, k) => order[Math.floor((k * rows.length) / MAX_ROWS)]!);
  return drawn.sort((a, b) => a - b).map((i) => rows[i]!);
}

/** Rows as a way counts them; those that no model reads are left out. */
interface CountedByWay {
  readonly counter: InputCounter;
  readonly rows: { readonly label: number; readonly counts: Uint8Array }[];
}

/** Counts each row by all ways before the next one, so that a picture is decoded once. */
async function countByWays(
  candidates: readonly ModelInputs[],
  rows: readonly Labelled[],
  room: InputRoom,
  { readVectors }: FittedOptions,
  progressAt: (done: number) => void,
): Promise<CountedByWay[]> {
  const read = candidates[0]!.kind === "image" ? readingOnce(await openPictures()) : undefined;
  const readPictures = read === undefined ? undefined : async () => read;
  const ways = await Promise.all(
    candidates.map(
      async (inputs): Promise<CountedByWay> => ({
        counter: await openInputs(inputs, room, readVectors, readPictures),
        rows: [],
      }),
    ),
  );
  for (const [position, { content, label }] of rows.entries()) {
    progressAt(position);
    for (const { counter, rows: counted } of ways)
      try {
        counted.push({ label, counts: counter.countsOf(counter.promptOf(content)) });
      } catch (error) {
        if (!isRollupError(error, "ATT_ROW_INVALID")) throw error;
      }
  }
  return ways;
}

/** Rows that models of the other folds' rows label right. */
function rightUnseen(
  inputs: ModelInputs,
  { counter, rows: counted }: CountedByWay,
  { classes, decayOf }: FittedOptions,
): number {
  const labels = Int32Array.from(counted, ({ label }) => label);
  const { folds } = foldsByLabel(Array.from(labels, String), FOLDS, "inner");
  const counts = classes.map((_, label) => labels.reduce((sum, one) => sum + (one === label ? 1 : 0), 0));
  const classCount = classes.length;
  const model = logisticModel({
    inputCount: counter.termBuckets,
    classCount,
    decay: decayOf(inputs),
    labelWeights: weightsOf(rootWeights(counts)),
    tolerance: TOLERANCE,
  });
  const all = countedRows(
    counter,
    counted.map((one) => one.counts),
  );
  const { predicted } = heldOut(model, { inputs: all, labels }, { folds, foldCount: FOLDS, classCount });
  return predicted.reduce((sum, label, i) => sum + (label === labels[i] ? 1 : 0), 0);
}
