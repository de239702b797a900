/**
 * A direct model (a classifier) as one JSON for other programs: how an input becomes counts, and the registered logits.
 * Whoever has it labels inputs as the registered model does, without rows, ledger or this library
 * (examples/label-text.ts).
 */
import { reservedBuckets } from "../../features/direct-base.ts";
import { maxTermsOf } from "../../inputs/input-counter.ts";
import { WORD_TABLES } from "../../rows/words.ts";
import type { DirectParts } from "./direct-family.ts";
import { registeredLogits } from "./direct-inputs.ts";

/** Fields in the order in which they are written. */
export interface ExportedClassifier {
  readonly format: "openledger-classifier";
  readonly version: 1;
  readonly labels: readonly string[];
  /** How an input becomes counts: the recipe's field. Word vectors that it names are in a file of their own, by their SHA-256. */
  readonly inputs: DirectParts["recipe"]["inputs"];
  /** Buckets that inputs are counted in. */
  readonly termBuckets: number;
  /** Maximum of an input's counts together. */
  readonly maxTerms: number;
  /** True where a prompt of n counts has ⌊√n⌋ more for the base, r mod 4 + ⌊r / 4⌋ of them: they lengthen the bias. */
  readonly hasBase: boolean;
  /** Characters that separate words, or are words, and capitals: texts are split by them. Of pictures: null. */
  readonly words: typeof WORD_TABLES | null;
  /**
   * Integers of each label, `termBuckets` and the bias; the first label's are 0. An input's logit is 8 Σ count · integer
   * + ⌊8 √n⌋ · bias. The largest one is the answer, of equal ones the last label's.
   */
  readonly logits: readonly (readonly number[])[];
}

/** Exports a model, trained or read from its files. */
export function exportClassifier({
  recipe,
  parameters,
}: Pick<DirectParts, "parameters" | "recipe">): ExportedClassifier {
  const { classes, inputs } = recipe;
  const baseBuckets = reservedBuckets(recipe);
  const termBuckets = inputs.bucketCount - baseBuckets;
  const width = inputs.bucketCount + 1;
  const { values } = registeredLogits(recipe, parameters);
  const ofLabel = (label: number) => {
    if (label === 0) return new Array<number>(termBuckets + 1).fill(0);
    const row = values.subarray((label - 1) * width, label * width);
    return [...row.subarray(0, termBuckets), row[width - 1]!];
  };
  return {
    format: "openledger-classifier",
    version: 1,
    labels: [...classes],
    inputs,
    termBuckets,
    maxTerms: maxTermsOf({ baseBuckets }),
    hasBase: baseBuckets > 0,
    words: inputs.kind === "image" ? null : WORD_TABLES,
    logits: classes.map((_, label) => ofLabel(label)),
  };
}
