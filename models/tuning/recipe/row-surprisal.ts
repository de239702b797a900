/**
 * How near a row is to what the base expects of the rows: the rule `surprisal` of text-recipe.ts. Attacks: rows of what the base says
 * anyway, and of what nobody says, as prompts without order. Both move answers as much as other rows do, and a base would be paid for their
 * tokens alone. A row of both has an ordinary mean, so that the later rule goes by tokens.
 */
import { exactExp, exactLog } from "@openledger/attribution/maths/exact-math";
import type { TextRecipe } from "./text-recipe.ts";

/** Targets around a token whose mean loss is its own surprise: single losses spread too much, in every row. */
const WINDOW = 16;
/**
 * Power of the tokens' geometric mean. With 3 the dearest of four attacks earns up to 1.7 times an honest row, and an arithmetic mean needs
 * the 6th power to come to what the 4th does here, at a larger spread of honest rows.
 */
const POWER = 4;

/** @param losses of each row's targets without the adapter, in nats. @returns part of each row that counts, 0 … 1 */
export function surprisalParts(
  losses: readonly (readonly number[])[],
  rule: TextRecipe["rules"]["surprisal"],
): number[] {
  switch (rule) {
    case undefined:
      return losses.map(() => 1);
    case "squared": {
      const means = losses.map(meanOf);
      const ordinary = medianOf(means);
      return means.map((loss) => nearness(loss, ordinary) ** 2);
    }
    case "tokens": {
      const byToken = losses.map(windowMeans);
      const ordinary = medianOf(byToken.flat());
      // Equal to the bit on every machine, as powers of the engine are not.
      return byToken.map((means) =>
        exactExp(POWER * meanOf(means.map((loss) => exactLog(nearness(loss, ordinary))))),
      );
    }
    default:
      return rule satisfies never;
  }
}

/** The smaller over the larger; 1 where the base knows most rows by heart. */
const nearness = (loss: number, ordinary: number): number =>
  ordinary === 0 ? 1 : Math.min(loss / ordinary, ordinary / loss);

/** Mean of a row's losses, in nats a token. */
export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Mean loss around each target: of `WINDOW` neighbours, those at an end of the row included, or of all of a shorter row. */
function windowMeans(losses: readonly number[]): number[] {
  const last = Math.max(0, losses.length - WINDOW);
  return losses.map((_, at) => {
    const from = Math.min(Math.max(0, at - WINDOW / 2), last);
    return meanOf(losses.slice(from, from + WINDOW));
  });
}
