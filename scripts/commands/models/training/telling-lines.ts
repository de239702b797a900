/** Lines of `models train` and `factory train` about columns that number the rows or tell the label by themselves, with what to do about them. */
import { inputFieldsOf, isIgnored } from "@openledger/attribution/inputs/model-inputs";
import { isSuspect, sayTelling, type TellingColumn } from "@openledger/attribution/model/telling-words";

/** A line a column, and one that says what to do. No line without such a column. @param counted names of the table's fields that count */
export function tellingLines(telling: readonly TellingColumn[], counted: readonly string[]): string[] {
  if (telling.length === 0) return [];
  const suspects = telling.filter(isSuspect);
  const named = new Set(suspects.map(({ field }) => field));
  const kept = counted.filter((name) => !named.has(name));
  const lines = telling.map((column) => `${isSuspect(column) ? "⚠ " : ""}${sayTelling(column)}`);
  if (suspects.length === 0)
    return [...lines, "To choose the fields yourself, name each that counts: --field NAME"];
  if (named.has(null))
    return [...lines, "Look at the rows before you sell its answers: write them without that word."];
  if (kept.length === 0) return [...lines, "Without it no field is left that counts: the rows need another."];
  return [...lines, `To leave it out: ${kept.map((name) => `--field ${quotedInShell(name)}`).join(" ")}`];
}

/** Names of a table's fields that count by a recipe; none for a recipe of other rows. */
export const countedFieldsOf = (recipe: object): string[] =>
  (inputFieldsOf(recipe) ?? []).flatMap((field) => (isIgnored(field) ? [] : [field.name]));

const quotedInShell = (name: string) =>
  /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
