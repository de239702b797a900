/**
 * Matches prompts to rows with an answer, for models that say that answer word for word (find-rows.ts): BM25 over the stems of
 * words, where a row's prompt counts twice as much as its answer. A row has a random code in G, by which it alone is paid.
 */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { idleEntry } from "./citation-columns.ts";
import { bm25Rarity, SATURATION, saturated, type WordStatistics } from "./lexical-embedding.ts";
import { stemCounts } from "./word-stems.ts";

/** Prompt and answer of a row. */
export interface RowTurn {
  readonly prompt: string;
  readonly answer: string;
}

/** Weight of a stem in a row's prompt; one in its answer weighs 1. */
const PROMPT_WEIGHT = 2;

/** Stems of a row, with their weighed counts; none of a row without an answer. */
export function turnStems(turn: RowTurn | null): Map<number, number> {
  const counts = new Map<number, number>();
  if (turn === null) return counts;
  for (const [stem, count] of stemCounts(turn.prompt)) counts.set(stem, PROMPT_WEIGHT * count);
  for (const [stem, count] of stemCounts(turn.answer)) counts.set(stem, (counts.get(stem) ?? 0) + count);
  return counts;
}

/**
 * Returns how well a row matches a prompt: 0 … 1, its BM25 score as a part of the highest that a row could have. The same
 * bits on every machine.
 */
export function rowMatcher(rows: readonly ReadonlyMap<number, number>[], statistics: WordStatistics) {
  const lengths = rows.map((stems) => [...stems.values()].reduce((sum, count) => sum + count, 0));
  return (prompt: string): ((row: number) => number) => {
    const asked = [...stemCounts(prompt).keys()].map((stem) => ({
      stem,
      rarity: bm25Rarity(stem, statistics),
    }));
    const max = asked.reduce((sum, { rarity }) => sum + rarity, 0) * (SATURATION + 1);
    return (row) => {
      let score = 0;
      for (const { rarity, stem } of asked) {
        const count = rows[row]!.get(stem);
        if (count !== undefined) score += rarity * saturated(count, lengths[row]!, statistics);
      }
      return max === 0 ? 0 : score / max;
    };
  };
}

/** Magnitude of a code's entries: half of a feature's, so that balancing has room. */
const CODE_ENTRY = 64;
/** Draws of a code before one is taken that another row has, too. */
const MAX_DRAWS = 64;

/** Codes of rows: d entries each, nearly balanced under `idleEntry`, different while there are as many. */
export function rowCodes(rowCount: number, dimensions: number, firstColumn: number, seed: string): Int8Array {
  const random = new SeededRandom(`${seed}/codes`);
  const values = new Int8Array(rowCount * dimensions);
  const drawn = new Set<string>();
  for (let row = 0; row < rowCount; row++) {
    let places = random.permutation(dimensions);
    for (let draws = 1; draws < MAX_DRAWS && drawn.has(keyOf(places)); draws++)
      places = random.permutation(dimensions);
    drawn.add(keyOf(places));
    for (let k = 0; k < dimensions; k++)
      values[row * dimensions + k] =
        CODE_ENTRY * idleEntry(firstColumn + k) * (isUp(places[k]!, dimensions) ? 1 : -1);
  }
  return values;
}

/** Half of the places have the sign of the idle entry, the others its opposite. */
const isUp = (place: number, dimensions: number): boolean => 2 * place < dimensions;
const keyOf = (places: Int32Array): string =>
  Array.from(places, (place) => Number(isUp(place, places.length))).join("");

/** Query that a row's own code scores highest by: signs of its entries. */
export const codeQuery = (code: ArrayLike<number>): Int16Array =>
  Int16Array.from(code, (entry) => (entry < 0 ? -1 : 1));
