/**
 * Contribution of rows to a Datanet: as its card says them, under the terms that it demands, committed before anybody sees them. The
 * command, the page and the MCP tool draw it; `uploadRows` brings the rows to a host once the commit is final.
 */
import type { Card } from "@openledger/datanets/card/card";
import { datanetError } from "@openledger/datanets/datanet-errors";
import type { RowStore } from "../actions/data/row-store.ts";
import { saltByCard } from "../actions/data/salted-contribution.ts";
import type { SigningOptions } from "../actions/ledger/send-operation.ts";
import {
  type ContributeRowsErrorCode,
  type ContributeRowsReturnType,
  contributeRows,
} from "../datanets/contribute-rows.ts";
import type { LedgerClient } from "../ledger-client.ts";

export interface PlanContributionParameters {
  datanetId: number;
  store: RowStore;
  /** Card of the Datanet; null if nobody knows it: the rows are committed as they are, under no terms. */
  card: Card | null;
  rows: readonly Uint8Array[];
  /** Contributor's label of each row; null for none. */
  labels?: readonly (string | null)[];
  /** Licence whose terms the contributor agrees to sign: the card's. */
  agreedLicence?: string | undefined;
}
export interface PlannedContribution {
  readonly datanetId: number;
  readonly store: RowStore;
  /** Rows as the card says them. */
  readonly rows: readonly Uint8Array[];
  readonly labels?: readonly (string | null)[];
  /** Card whose terms are signed; absent: the card demands none. */
  readonly givenUnder?: Card;
}
export type PlanContributionErrorCode = "DNT_TERMS_UNSIGNED";

/**
 * Makes the rows what the card says, and requires the contributor's word for the terms that it demands: a host takes no row without,
 * and the fee of the commit would be lost.
 * @throws DNT_TERMS_UNSIGNED where the card has contributors sign, and the agreed licence is missing or another one
 * @example
 * ```ts
 * const planned = await planContribution(client, { datanetId: 10, store, card, rows, agreedLicence: card.licence });
 * const { hash, contribution } = await commitContribution(client, { ...planned });
 * ```
 */
export async function planContribution(
  { domain }: Pick<LedgerClient, "domain">,
  { agreedLicence, card, datanetId, labels, rows, store }: PlanContributionParameters,
): Promise<PlannedContribution> {
  if (card?.terms !== undefined && agreedLicence !== card.licence)
    throw datanetError(
      "DNT_TERMS_UNSIGNED",
      agreedLicence === undefined
        ? `datanet ${datanetId} has contributors sign its terms, ${card.licence}`
        : `"${agreedLicence}" is another licence than the card's, ${card.licence}`,
      { data: { datanetId, licence: card.licence } },
    );
  return {
    ...{ datanetId, store },
    rows: card === null ? rows : await saltByCard({ card, datanetId, domain, store, rows }),
    ...(labels && { labels }),
    ...(card?.terms !== undefined && { givenUnder: card }),
  };
}

export type CommitContributionErrorCode = ContributeRowsErrorCode;

/**
 * Stores the planned rows with labels and signed terms, and commits their root.
 * @throws CLI_INPUT_INVALID and the errors of `commitData`
 * @example
 * ```ts
 * const planned = await planContribution(client, { datanetId: 10, store, card: null, rows });
 * const { contribution } = await commitContribution(client, { ...planned, from: 7 });
 * ```
 */
export function commitContribution(
  client: LedgerClient,
  planned: PlannedContribution & Pick<SigningOptions, "from" | "onSigned">,
): Promise<ContributeRowsReturnType> {
  return contributeRows(client, planned);
}
