/**
 * Computes a model's loss on trained and held-out rows before and after a tuning, and describes it in the same words for
 * commands and jobs. Losses are in nats a token and bits a byte.
 */
import { type TokenRow, wantedOf } from "../../engine/architecture/loss-gradient.ts";

/**
 * Maximum rows held out. One row of ten is held out by default, at least MIN_HELD_OUT, and none if there are fewer
 * than FEW_ROWS rows.
 */
const MAX_HELD_OUT = 32;
const MIN_HELD_OUT = 4;
const FEW_ROWS = 20;
export const heldOutCount = (rowCount: number): number =>
  rowCount < FEW_ROWS ? 0 : Math.min(MAX_HELD_OUT, Math.max(MIN_HELD_OUT, Math.floor(rowCount / 10)));

/** Loss over all wanted tokens of the rows together; the bytes are those that these tokens spell. */
export interface RowsLoss {
  readonly natsPerToken: number;
  readonly bitsPerByte: number;
}

/** Losses of the same rows with the base alone, and with the final adapter. */
export interface LossChange {
  readonly rowCount: number;
  readonly before: RowsLoss;
  readonly after: RowsLoss;
}

export interface TuningLosses {
  readonly steps: number;
  /** The last step, or the one at which the held-out rows did best. */
  readonly keptStep: number;
  readonly trained: LossChange;
  readonly heldOut: LossChange | null;
}

/**
 * Nats a token. @param losses of the rows, each a mean over its wanted tokens: summed in this order, so that the same rows
 * have the same loss on every machine
 */
export function meanLoss(rows: readonly TokenRow[], losses: readonly number[]): number {
  const nats = rows.reduce((sum, row, i) => sum + losses[i]! * wantedOf(row), 0);
  return nats / rows.reduce((sum, row) => sum + wantedOf(row), 0);
}

/** @param byteCount that the wanted tokens spell */
export function rowsLoss(rows: readonly TokenRow[], losses: readonly number[], byteCount: number): RowsLoss {
  const natsPerToken = meanLoss(rows, losses);
  const tokenCount = rows.reduce((sum, row) => sum + wantedOf(row), 0);
  return { natsPerToken, bitsPerByte: (natsPerToken * tokenCount) / byteCount / Math.LN2 };
}

/** Result of a tuning, in a sentence for people. */
export function sayLosses({ heldOut, trained }: TuningLosses): string {
  const [which, { after, before }] =
    heldOut === null ? ["the trained rows", trained] : ["unseen rows", heldOut];
  const change = `loss ${before.natsPerToken.toFixed(2)} → ${after.natsPerToken.toFixed(2)}`;
  if (after.natsPerToken >= before.natsPerToken) return `Not better on ${which}: ${change}.`;
  return heldOut === null
    ? `Better on ${which}: ${change}. No row was held out, so nothing is known of unseen ones.`
    : `Better on ${which}: ${change}.`;
}

/** Sentences without an end. */
export function lossWords({ heldOut, keptStep, steps, trained }: TuningLosses): string[] {
  const change = ({ after, before, rowCount }: LossChange, which: string) =>
    `${rowCount} ${which} ${rowCount === 1 ? "row" : "rows"}: ${before.natsPerToken.toFixed(3)} nats a token before, ${after.natsPerToken.toFixed(3)} after (${before.bitsPerByte.toFixed(3)} and ${after.bitsPerByte.toFixed(3)} bits a byte)`;
  const stepsText =
    keptStep === steps ? `all ${steps} steps are kept` : `step ${keptStep} of ${steps} is kept`;
  if (heldOut === null) return [change(trained, "trained"), `${stepsText}; no row was held out`];
  const isBetter = heldOut.after.natsPerToken < heldOut.before.natsPerToken;
  return [
    change(trained, "trained"),
    change(heldOut, "held-out"),
    isBetter
      ? `${stepsText}: there the held-out rows had their lowest loss`
      : `${stepsText}, but it foretells unseen rows no better than its base`,
  ];
}
