/** Columns that number or name records and say nothing of them: a data frame's index, row names, ids. */

/** Names that readers and programs give to a column without one. */
const UNNAMED = /^(?:column 1|unnamed: ?\d+|__index_level_\d+__)$/i;
/** Names of columns of ids, in the words of programs and of forms. */
const ID_NAME =
  /^(?:index|idx|id|#|nr\.?|no\.?|uuid|guid|pk|key|row|row[ _-]?(?:id|index|names?|no|nr|num(?:ber)?)|.*[ _-](?:id|idx|uuid|guid|nr\.?|no\.?)|id[ _-].*|[a-z]+(?:Id|ID))$/i;
const CAMEL_ID = /[a-z](?:Id|ID)$/;

/** Maximum characters of an id. */
const MAX_ID_CHARACTERS = 64;

export type RowNumbering = "index" | "id" | "count";
/** Minimum records among which numbers that go up by one do not do so by chance. */
const MIN_COUNTED = 5;

/**
 * Tells whether a column only numbers or names the records: a data frame's index without a name, or a column that is called as an id.
 * "count": its name says nothing of it, and its whole numbers go up by one from record to record, as order numbers do, or years.
 * @param cells all cells as texts; null for missing
 */
export function rowNumbering(name: string, cells: readonly (string | null)[]): RowNumbering | null {
  if (cells.length < 2 || cells.some((cell) => cell === null)) return null;
  const texts = cells as readonly string[];
  const own = name.trim();
  if (UNNAMED.test(own)) return countsUp(texts) || isIndexLevel(own, texts) ? "index" : null;
  if (!isIdName(own)) return goesUpByOne(texts) ? "count" : null;
  const isEachOther = new Set(texts).size === texts.length;
  const areIds = texts.every((text) => text.length <= MAX_ID_CHARACTERS && !/\s/.test(text));
  return isEachOther && areIds ? "id" : null;
}

// The letters before Id tell "customerId" from "valid".
const isIdName = (name: string) =>
  /(?:id)$/i.test(name) && !/[ _-]/.test(name) && name.length > 2 ? CAMEL_ID.test(name) : ID_NAME.test(name);

const isIndexLevel = (name: string, texts: readonly string[]) =>
  name.startsWith("__index_level_") && new Set(texts).size === texts.length;

function goesUpByOne(texts: readonly string[]): boolean {
  if (texts.length < MIN_COUNTED || texts.some((text) => !/^\d{1,15}$/.test(text))) return false;
  return texts.every((text, i) => Number(text) === Number(texts[0]) + i);
}

/** True for different whole numbers that only grow, or that are shuffled and below twice their count: an index after a filter or a sample. */
function countsUp(texts: readonly string[]): boolean {
  if (texts.some((text) => !/^\d{1,15}$/.test(text))) return false;
  const numbers = texts.map(Number);
  if (new Set(numbers).size < numbers.length) return false;
  const isGrowing = numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
  return isGrowing || numbers.every((number) => number <= 2 * numbers.length);
}
