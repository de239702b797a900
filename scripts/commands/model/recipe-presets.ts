import type { BaseRule } from "@openledger/attribution/features/base-column";
import { blockBuckets } from "@openledger/attribution/model/digit-blocks";
import type { DirectRecipe } from "@openledger/attribution/model/direct-recipe";
import { ROW_RULES } from "@openledger/attribution/rows/row-rules";
import { toHex32 } from "@openledger/client/hex";

/** Recipes that can be named instead of a file. `openledger model train --recipe NAME` writes them out in full. */
export const PRESET_NAMES = ["emails", "digits"] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

/** Fewer rows need a smoother model: each weighs more, and a sharp fit to it would make its neighbours worthless. */
const PENALTIES = [
  { rowsBelow: 50, penalty: 0.01 },
  { rowsBelow: 200, penalty: 0.003 },
  { rowsBelow: Number.POSITIVE_INFINITY, penalty: 0.001 },
] as const;
/** Ten labels with 196 inputs each are learned from no fewer numbers than this penalty leaves. */
const LEAST_DIGIT_PENALTY = 0.003;

/** A preset that fits so many rows, in the buckets of a settlement circuit. The same rows give the same recipe. */
export function presetRecipe(
  name: PresetName,
  rowCount: number,
  bucketCount: number,
): Omit<DirectRecipe, "datanet"> {
  const { penalty } = PENALTIES.find(({ rowsBelow }) => rowCount < rowsBelow)!;
  const decay = name === "digits" ? Math.max(penalty, LEAST_DIGIT_PENALTY) : penalty;
  return {
    version: 2,
    family: "direct",
    inputs:
      name === "emails"
        ? { kind: "email", bucketCount }
        : { kind: "digit", side: bucketCount < blockBuckets(14) ? 7 : 14, bucketCount },
    seed: name,
    model: { kind: "logistic", decay, tolerance: 1e-6 },
    method: { kind: "direct", damping: decay },
    // Near-duplicates are left out of the version (`openledger datanet check`), which gives the first one its full reward.
    rules: { normQuantile: ROW_RULES.normQuantile, nearDuplicatesShare: false },
    columnCount: bucketCount + 1,
  };
}

/** The datanet's published version, as a recipe names it. */
export interface RecipeDatanet {
  readonly id: number;
  readonly version: number;
  readonly rowsRoot: bigint;
}

/**
 * A preset or the JSON of a recipe file, completed by what the ledger says of the datanet. A file may leave `datanet` and
 * `columnCount` out; what it does say stays, and is checked against the rows when they are trained on.
 * @param base of the datanet's card; null leaves the rules as they are
 */
export function completeRecipe(
  given: { readonly rules?: unknown },
  datanet: RecipeDatanet,
  columnCount: number,
  base: BaseRule | null = null,
): unknown {
  const { id, version, rowsRoot } = datanet;
  const rules = base === null ? {} : { rules: { ...(given.rules as object), base } };
  return { datanet: { id, version, rowsRoot: toHex32(rowsRoot) }, columnCount, ...given, ...rules };
}
