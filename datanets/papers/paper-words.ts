/** Words and numbers that all papers write in one way. */
import { counted } from "@openledger/foundation/counted";
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
export const keysText = ({ uncountedCount, unsignedCount }: VersionFacts): string =>
  `${counted(uncountedCount, "record")} by keys that their accounts do not have now ${uncountedCount === 1 ? "is" : "are"} not counted; ${counted(unsignedCount, "accepted label")} ${unsignedCount === 1 ? "has" : "have"} no other signature.`;

/** Part of a whole, in percent. */
export const partOf = (part: number, whole: number): string =>
  whole === 0 ? `${part} of 0` : `${((100 * part) / whole).toFixed(1)} % (${part} of ${whole})`;

/** Leaf with most rows, and its share. */
export function leafShare([first]: readonly LeafRows[], rowCount: number): string {
  return first === undefined ? "none" : `leaf ${first.leafId} with ${partOf(first.rowCount, rowCount)}`;
}

/** Time as papers write it, or that it is not known. */
export const timeText = (ms: number | null | undefined): string =>
  ms == null ? NOT_KNOWN : new Date(ms).toISOString();
