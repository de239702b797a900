/** Test support: a direct model with random entries, and closed epochs of it, any part of which a test can choose. */

import { countTerms, type DirectQuery } from "../../ledger/direct-query.ts";
import { payeeShards } from "../../ledger/payee-shards.ts";
import type { DirectEpoch } from "../../settlement/divide-epoch.ts";
import {
  answerOf,
  type DirectMatrix,
  MAX_DIRECT_ENTRY,
  rowLength,
} from "../../settlement/scores/direct-matrix.ts";
import type { SettlementSize } from "../../settlement/settlement-size.ts";
import { commitShards } from "../../settlement/shards/shard-link.ts";
import { answeredQuery } from "./direct-instance.ts";
import { closedEpoch, sum, type WorldOptions } from "./settlement-world.ts";

export const SMALL_DIRECT: SettlementSize = {
  rows: 9,
  features: 16,
  payees: 4,
  payments: 4,
  draws: 2,
  isDirect: true,
};

export interface DirectWorldOptions extends Omit<WorldOptions, "query"> {
  /** Labels of the model: 2 by default. */
  readonly labelCount?: number;
  /** The pair of payment i's query: by default the answer's. */
  readonly pair?: (payment: number) => number;
  /** The buckets of payment i's terms; null: its receipt is no opening's. */
  readonly terms?: (payment: number) => readonly number[] | null;
}

/**
 * A closed epoch of a direct model. `entry`'s last row is the logits'; its columns are those of label 1's contrast, with the
 * bias last, then those of the next label's.
 */
export function directEpochOf(options: DirectWorldOptions = {}): DirectEpoch {
  const size = options.size ?? SMALL_DIRECT;
  const bucketCount = size.features;
  return closedEpoch<DirectMatrix, DirectQuery>(
    { ...options, size },
    {
      features: (numbers, rowCounts) => {
        const rowCount = sum(rowCounts);
        const { labelCount = 2 } = options;
        // Contrasts of more than two labels differ by at most twice as much.
        const max = labelCount === 2 ? MAX_DIRECT_ENTRY : Math.floor(MAX_DIRECT_ENTRY / 2);
        const entry = options.entry ?? (() => numbers.below(2 * max + 1) - max);
        const width = rowLength({ bucketCount, labelCount });
        const values = Int16Array.from({ length: (rowCount + 1) * width }, (_, at) =>
          entry(Math.floor(at / width), at % width),
        );
        const matrix = { rowCount, bucketCount, labelCount, values };
        const columns = commitShards(matrix, payeeShards(rowCounts), bucketCount + 1);
        return { matrix, columns, answeringHash: 0xa75e3n };
      },
      query: (numbers, payment, { matrix }) => {
        const random = () =>
          Array.from({ length: 1 + numbers.below(2 * bucketCount) }, () => numbers.below(bucketCount));
        const terms = options.terms === undefined ? random() : options.terms(payment);
        if (terms === null) return null;
        const counts = countTerms(terms, bucketCount);
        return answeredQuery(matrix, counts, options.pair?.(payment) ?? answerOf(matrix, counts).pair);
      },
    },
  );
}

/**
 * Epoch with two payments of the same amount, so that each has one of the two draws; a padding row and an
 * absent payee.
 */
export const TWO_DRAWS = {
  seed: 6,
  rowCounts: [2, 3, 1],
  amountsWei: [10n ** 18n, 10n ** 18n, 1n],
  terms: (payment: number) => [[0, 3, 3, 9], [1, 2, 15], [4]][payment]!,
};
