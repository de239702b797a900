/**
 * The one road from an input to what a model takes: an input is a text, a picture or a table's row, and becomes counts of buckets. All
 * that trains, answers, checks and proves takes the counts; only `openInputs` (open-inputs.ts) knows kinds.
 */
import { MAX_TERMS } from "@openledger/circuits/ledger/direct-query";
import { MAX_BASED_TERMS } from "../features/direct-base.ts";
import type { InputKind } from "../rows/row-kinds.ts";

/** Maximum count of a bucket: a circuit gives it two bits. */
export const MAX_COUNT = 3;

/** A recipe's way from inputs to counts, ready to use. Pure functions: the same input gives the same counts on every machine. */
export interface InputCounter {
  readonly kind: InputKind;
  /** Buckets that inputs are counted in; those of a base are behind them. */
  readonly termBuckets: number;
  /** Scale of each of these buckets, by which a model sees its counts (bucket-scales.ts). */
  readonly scales: Float64Array;
  /**
   * Counts of a prompt, `termBuckets` of 0 … 3, 1 to `maxTermsOf` together: no input is without a count.
   * @throws ATT_ROW_INVALID for a prompt that is no input of the kind
   */
  countsOf(prompt: string): Uint8Array;
  /** Prompt that a row's bytes are: a text, a picture's file in base64, a table's row in canonical JSON. @throws ATT_ROW_INVALID */
  promptOf(content: Uint8Array): string;
  /** Bytes of the row that a prompt is. @throws ATT_ROW_INVALID */
  contentOf(prompt: string): Uint8Array;
}

/** Setting that a recipe's counts depend on beside its inputs. */
export interface InputBase {
  /** Buckets that are reserved for a base (`baseBuckets` of features/direct-base.ts); 0 without one. */
  readonly baseBuckets: number;
}

/** Maximum of a prompt's counts together. */
export const maxTermsOf = ({ baseBuckets }: InputBase): number =>
  baseBuckets > 0 ? MAX_BASED_TERMS : MAX_TERMS;
