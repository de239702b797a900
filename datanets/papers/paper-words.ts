/** Words and numbers that all papers write in one way. */
import { counted } from "@openledger/foundation/counted";
import type { Card } from "../card/card.ts";
import { allowsUsage, allowsUser, paymentOf } from "../terms/terms-file.ts";
import type { LeafRows, VersionFacts } from "./version-facts.ts";

/** Said wherever a paper has a place for what neither ledger, card nor records show. */
export const NOT_KNOWN = "Not known to the ledger";

/** Agreement of labellers beyond chance, in a sentence. */
export function agreementText({ labelling: { agreement } }: Pick<VersionFacts, "labelling">): string {
  const { labellerCount, method, rowCount, value } = agreement;
  if (rowCount === 0) return "No row of the version has labels of two people, so agreement is not measured.";
  const name = { cohen: "Cohen's kappa", fleiss: "Fleiss' kappa", krippendorff: "Krippendorff's alpha" }[
    method
  ];
  const over = `over ${counted(rowCount, "row")} with labels of two or more of ${labellerCount} labellers`;
  return value === null ? `${name} is not defined ${over}.` : `${name} ${value.toFixed(3)} ${over}.`;
}

/** Records that are not counted, in a sentence. */
export const keysText = ({ uncountedCount }: VersionFacts): string =>
  `${counted(uncountedCount, "record")} by keys that their accounts do not have now ${uncountedCount === 1 ? "is" : "are"} not counted.`;

/** Sentence of all papers about signed records. How many of a Safe's members there are is L1's, and changes without the ledger. */
export const WHOSE_WORD =
  "A signed record is the word of its leaf's key: where a Safe or another contract owns the leaf, of its delegate.";

/** Terms that contributors have signed for rows of a version. Whoever writes Markdown escapes the licences. */
export function signedTermsText(
  { rowCount, signedTerms }: Pick<VersionFacts, "rowCount" | "signedTerms">,
  escaped: (licence: string) => string = (licence) => licence,
): string {
  const signedCount = signedTerms.reduce((sum, one) => sum + one.rowCount, 0);
  const parts = signedTerms.map((one) => `${escaped(one.licence)} ${one.rowCount}`);
  return `${signedCount} of ${counted(rowCount, "row")}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

/** Licences of a version's rows: those that contributors have signed, and the card's where rows without a signature are left. */
export function rowLicences({
  card,
  facts: { rowCount, signedTerms },
}: {
  readonly card: Pick<Card, "licence">;
  readonly facts: Pick<VersionFacts, "rowCount" | "signedTerms">;
}): { readonly licence: string; readonly isSigned: boolean; readonly rowCount: number }[] {
  const signed = signedTerms.map((one) => ({ ...one, isSigned: true }));
  const left = rowCount - signed.reduce((sum, one) => sum + one.rowCount, 0);
  if (left === 0 && signed.length > 0) return signed;
  return [...signed, { licence: card.licence, isSigned: false, rowCount: left }];
}

/** Licences of a version's rows in a line. Whoever writes Markdown escapes them. */
export const rowLicencesText = (
  described: Parameters<typeof rowLicences>[0],
  escaped: (licence: string) => string = (licence) => licence,
): string =>
  rowLicences(described)
    .map(
      ({ isSigned, licence, rowCount }) =>
        `${escaped(licence)} (${counted(rowCount, "row")}, ${isSigned ? "signed" : "by the card"})`,
    )
    .join(", ");

const ANSWERS = new Map([
  [true, "yes"],
  [false, "no"],
  [null, "not said"],
]);

/** A card's rule for its contributors, and what its terms file lets machines do. */
export function termsText({ terms }: Pick<Card, "terms">): string {
  if (terms === undefined) return "contributors do not sign them";
  const signed = "each contributor signs them with each commit";
  const { file } = terms;
  if (file === undefined) return `${signed}; no terms file`;
  const words = [
    `training ${ANSWERS.get(allowsUsage(file, "ai-train"))}`,
    `input of a trained model ${ANSWERS.get(allowsUsage(file, "ai-input"))}`,
    `search ${ANSWERS.get(allowsUsage(file, "search"))}`,
    `commercial users ${ANSWERS.get(allowsUser(file, ["commercial"]))}`,
    `payment ${paymentOf(file)}`,
  ];
  return `${signed}; terms file: ${words.join(", ")}`;
}

/** Signed reports of bias by their hashes. */
export function reportsText(reports: VersionFacts["reports"]): string {
  if (reports.length === 0) return "none that the Datanet or its reviewers have signed";
  return reports
    .map(
      ({ modelId, sha256, signers }) =>
        `${sha256} of ${modelId === null ? "the version" : `model ${modelId}`}, signed by leaf ${signers.join(", ")}`,
    )
    .join("; ");
}

/** Part of a whole, in percent. */
export const partOf = (part: number, whole: number): string =>
  whole === 0 ? `${part} of 0` : `${((100 * part) / whole).toFixed(1)} % (${part} of ${whole})`;

/** Leaf with most rows, and its share. */
export function leafShare([first]: readonly LeafRows[], rowCount: number): string {
  return first === undefined ? "none" : `leaf ${first.leafId} with ${partOf(first.rowCount, rowCount)}`;
}

/** Batch with the time of its closing. @param none said where there is none */
export const placeText = (
  position: { readonly batchNumber: number; readonly atMs: number | null } | null,
  none: string = NOT_KNOWN,
): string => (position === null ? none : `batch ${position.batchNumber}, closed ${timeText(position.atMs)}`);

/** Time as papers write it, or that it is not known. */
export const timeText = (ms: number | null | undefined): string =>
  ms == null ? NOT_KNOWN : new Date(ms).toISOString();
