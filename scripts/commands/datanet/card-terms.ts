/**
 * A card's terms in the words of commands: shown to a contributor, who signs them by repeating the licence, and set with a new card.
 */
import { agreedTerms } from "@openledger/client/tasks/contribute";
import { type Card, licenceProblem } from "@openledger/datanets/card/card";
import { TERMS_SENTENCE } from "@openledger/datanets/records/record";
import { conditionsOf } from "@openledger/datanets/terms/licence-conditions";
import { commandError } from "../../cli/cli-errors.ts";
import { defineOptions } from "../../cli/options.ts";

export const TERMS_OPTION = defineOptions({
  "--terms <licence>":
    "sign that you may give the rows under the card's terms, by repeating its licence; needed where the card has contributors sign",
});

/** Terms that a contributor signs; none where the card asks nobody to sign. */
export const termsLines = ({ licence, terms }: Card): string[] =>
  terms === undefined
    ? []
    : [
        `terms of the card: ${licence}`,
        ...[conditionsOf(licence)?.plain, terms.file?.about].flatMap((words) =>
          words === undefined ? [] : [`  ${words}`],
        ),
        `  you sign with --terms "${licence}": ${TERMS_SENTENCE}`,
      ];

/**
 * Returns the card whose terms are signed; undefined where there are none to sign.
 * @throws DNT_TERMS_UNSIGNED as `agreedTerms`; CMD_USAGE for a licence where there is nothing to sign
 */
export function agreedCard(
  datanetId: number,
  card: Card | null,
  licence: string | undefined,
): Card | undefined {
  if (card?.terms === undefined && licence !== undefined)
    throw commandError(
      "CMD_USAGE",
      card === null
        ? "--terms needs the card whose terms you sign: pass --card, or --host"
        : `the card has no terms to sign, and says "${card.licence}"`,
    );
  return agreedTerms({ datanetId, card, agreedLicence: licence });
}

/**
 * A new card has terms that bind, or its maker says that it has none.
 * @throws CMD_USAGE with what to write into the file
 */
export function requireTermsOfNew({ licence, terms }: Card, allowsNone: boolean): void {
  if (terms !== undefined || allowsNone) return;
  const problem = licenceProblem(licence, undefined);
  const what = problem === null ? "" : `an SPDX expression as "licence" (now it ${problem}), and `;
  throw commandError(
    "CMD_USAGE",
    `a new card says what machines may do with its rows: write ${what}"terms": {"contributors": "sign"}; or pass --without-terms, and models of the rows have no licence that anyone can show`,
    { data: { reason: "terms-missing", licence } },
  );
}
