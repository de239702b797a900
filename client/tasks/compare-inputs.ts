/**
 * Comparison of a model's inputs with those that its rows give. Whoever chooses what counts of each row chooses who is paid, and no figure
 * of accuracy shows it. The command `verify model`, approvals and the page of questions call it; packages of the client do without, since
 * it decodes pictures.
 */
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { InputsFound } from "./inputs-words.ts";

/** @internal */
export interface CompareInputsParameters {
  /** Recipe of a model that was compared with the ledger. */
  recipe: object;
  /** Rows of the model's versions, in their order, with labels; null where the reader may not read them. */
  readRows: () => Promise<readonly OwnedRow[] | null>;
}
/** @internal */
export type CompareInputsErrorCode = "ATT_LABELS_MISMATCH" | "ATT_RECIPE_INVALID" | "ATT_ROWS_MISMATCH";

/**
 * Computes the inputs of a classifier from its rows, and compares them with its recipe's. Rows are read only where they decide: hashed
 * words and a grid are no choice.
 * @returns null for a model whose recipe chooses no inputs: it writes
 * @throws ATT_ROWS_MISMATCH, ATT_LABELS_MISMATCH for rows that are not the recipe's; ATT_RECIPE_INVALID
 * @internal
 */
export async function compareInputs({
  readRows,
  recipe,
}: CompareInputsParameters): Promise<InputsFound | null> {
  const { DIRECT } = await import("@openledger/attribution/model/recipe-fields");
  if ((recipe as { readonly family?: unknown }).family !== DIRECT) return null;
  const [{ areInputsOfRows, areNeutralInputs }, { parseDirectRecipe }, { checkRowsRoot }, { initPoseidon }] =
    await Promise.all([
      import("@openledger/attribution/model/direct/inputs-of-rows"),
      import("@openledger/attribution/model/direct/direct-recipe"),
      import("@openledger/attribution/model/rows-root"),
      import("@openledger/circuits/field/poseidon"),
    ]);
  const parsed = parseDirectRecipe(recipe);
  if (areNeutralInputs(parsed.inputs)) return "of-rows";
  const rows = await readRows();
  if (rows === null) return "not-compared";
  await initPoseidon();
  // Attack: rows of a server's making give whatever inputs it likes.
  checkRowsRoot(rows, parsed);
  return (await areInputsOfRows(rows, parsed)) ? "of-rows" : "others";
}
