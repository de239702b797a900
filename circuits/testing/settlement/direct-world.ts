/** Test support: a direct model with random entries, and closed epochs of it, any part of which a test can choose. */

import { countTerms, type DirectQuery } from "../../ledger/direct-query.ts";
import { payeeShards } from "../../ledger/payee-shards.ts";
import type { DirectEpoch } from "../../settlement/divide-epoch.ts";
import { type DirectMatrix, MAX_DIRECT_ENTRY } from "../../settlement/scores/direct-matrix.ts";
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
  /** The buckets of payment i's terms; null: its receipt is no opening's. */
  readonly terms?: (payment: number) => readonly number[] | null;
}

/** A closed epoch of a direct model. `entry`'s last row is the logit's, its last column the bias'. */
export function directEpochOf(options: DirectWorldOptions = {}): DirectEpoch {
  const size = options.size ?? SMALL_DIRECT;
  const bucketCount = size.features;
  return closedEpoch<DirectMatrix, DirectQuery>(
    { ...options, size },
    {
      features: (numbers, rowCounts) => {
        const rowCount = sum(rowCounts);
        const entry = options.entry ?? (() => numbers.below(2 * MAX_DIRECT_ENTRY + 1) - MAX_DIRECT_ENTRY);
        const values = Int16Array.from({ length: (rowCount + 1) * (bucketCount + 1) }, (_, at) =>
          entry(Math.floor(at / (bucketCount + 1)), at % (bucketCount + 1)),
        );
        const matrix = { rowCount, bucketCount, values };
        const columns = commitShards(matrix, payeeShards(rowCounts), bucketCount + 1);
        return { matrix, columns, answeringHash: 0xa75e3n };
      },
      query: (numbers, payment, { matrix }) => {
        const random = () =>
          Array.from({ length: 1 + numbers.below(2 * bucketCount) }, () => numbers.below(bucketCount));
        const terms = options.terms === undefined ? random() : options.terms(payment);
        return terms === null ? null : answeredQuery(matrix, countTerms(terms, bucketCount));
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
