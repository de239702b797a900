/**
 * A finding: one thing that the check of a Datanet's rows has noticed about a row. Kinds and form, for the host, its clients
 * and pages. A finding decides nothing: reviewers do, by signed records (docs/explanation/datanets.md).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

export const FINDING_KINDS = [
  /** The same bytes, committed before: here by somebody else, or to another Datanet of the host. */
  "copy",
  /** Nearly the text or the picture of an earlier row. */
  "near-duplicate",
  /** The row's own label differs from the accepted one, or from that of a model of other rows. */
  "contradicted-label",
  "outlier",
  "empty",
  "truncated",
  "malformed",
  "too-large",
  /** Looks like a secret or a personal number. */
  "personal",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** The row that another one repeats. */
interface EarlierRow {
  readonly datanetId: number;
  readonly row: string;
  readonly contributorId: number;
}

interface Evidence {
  readonly earlier: EarlierRow | null;
  /** Jaccard similarity or correlation to the earlier row, in thousandths; null for a row of another Datanet. */
  readonly similarityPermille: number | null;
  /** The row's own label, and the label that contradicts it. */
  readonly label: string | null;
  readonly said: string | null;
  /** Source of `said`: labellers whose label was accepted, or a model. */
  readonly by: "labellers" | "model" | null;
  /** What that model was not trained on: any row of the contributor, or only this row. Null: no model; absent in earlier releases' findings. */
  readonly without?: "contributor" | "row" | null;
  /** Rank of how unlike the others, or how doubtful, the row is: the share of all rows that are less so, in thousandths. */
  readonly rankPermille: number | null;
  /** Rank of a label's influence: the share of rows that lower their own loss less, in a model of all rows, in thousandths. */
  readonly influencePermille: number | null;
  /** Explanation in one sentence. */
  readonly detail: string;
}

export interface Finding {
  /** 32 hexadecimal digits: the same finding has the same name on every host. */
  readonly id: string;
  readonly kind: FindingKind;
  /** SHA-256 of the row's bytes. */
  readonly row: string;
  /** Contributor of the row; of a copy, the later one. */
  readonly contributorId: number;
  readonly evidence: Evidence;
}

const NO_EVIDENCE: Omit<Evidence, "detail"> = {
  earlier: null,
  similarityPermille: null,
  label: null,
  said: null,
  by: null,
  without: null,
  rankPermille: null,
  influencePermille: null,
};

export function makeFinding(
  kind: FindingKind,
  { contributorId, row }: { readonly row: string; readonly contributorId: number },
  evidence: Partial<Evidence> & { readonly detail: string },
): Finding {
  const { by = "", earlier } = evidence;
  const name = [kind, row, contributorId, by ?? "", earlier?.datanetId ?? "", earlier?.row ?? ""].join("/");
  return {
    id: bytesToHex(sha256(utf8ToBytes(name))).slice(0, 32),
    kind,
    row,
    contributorId,
    evidence: { ...NO_EVIDENCE, ...evidence },
  };
}
