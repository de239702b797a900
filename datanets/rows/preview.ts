/**
 * Preview of a contribution before it is signed: which rows will not count, cannot be hosted, or look like secrets. The
 * contribute command and page show it; a host's check (cleaning/check-rows.ts) uses it too.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { openComparison } from "@openledger/attribution/rows/row-comparison";
import type { NearDuplicate } from "@openledger/attribution/rows/row-rules";
import { contentOfRow } from "@openledger/attribution/rows/salted-rows";
import { hasTexts } from "@openledger/attribution/rows/table-rows";
import { rowNumber } from "@openledger/foundation/row-number";
import type { Card } from "../card/card.ts";
import { findSecrets, type SecretFinding } from "./find-secrets.ts";
import { type RowView, viewRow } from "./row-view.ts";

export interface RowFinding {
  /** Place among the rows that were looked at, from 0. */
  readonly row: number;
  readonly kind:
    | "too-large"
    | "empty"
    | "truncated"
    | "malformed"
    | "duplicate"
    | "near-duplicate"
    | SecretFinding["kind"];
  readonly detail: string;
  /** Start in UTF-16 code units of the row's text, if the finding is about a place in it. */
  readonly from?: number;
  readonly to?: number;
}

/** Texts end like this where something has cut them. */
const CUT = /(?:\u2026|\.{3}|\[(?:truncated|cut|more)\]|\ufffd)$/i;

/**
 * Previews rows for a contributor before they sign: finds rows that will not count, cannot be hosted, or contain
 * secrets. Near-duplicates are searched by a version's rules, among these rows. `known` are digests that others have
 * committed.
 */
export async function previewRows(
  card: Card,
  rows: readonly Uint8Array[],
  known: ReadonlySet<string> = new Set(),
): Promise<RowFinding[]> {
  const findings: RowFinding[] = [];
  const seen = new Map<string, number>();
  const fresh: number[] = [];
  for (const [row, content] of rows.entries()) {
    for (const found of showRow(card, content)) findings.push({ row, ...found });
    const digest = bytesToHex(sha256(content));
    // A picture is the same with other notes.
    const said = bytesToHex(sha256(contentOfRow(content)));
    const first = seen.get(said);
    if (first !== undefined)
      findings.push({ row, kind: "duplicate", detail: `it is row ${rowNumber(first)} again` });
    else if (known.has(digest) || known.has(said))
      findings.push({ row, kind: "duplicate", detail: "it was committed before" });
    else fresh.push(row);
    if (first === undefined) seen.set(said, row);
  }
  const comparable = fresh.map((row) => ({ content: rows[row]!, label: null }));
  for (const { earlier, later, similarity } of await findSimilar(card, comparable))
    findings.push({
      row: fresh[later]!,
      kind: "near-duplicate",
      detail: `it is nearly row ${rowNumber(fresh[earlier]!)} (${similarity.toFixed(3)})`,
    });
  return findings.sort((a, b) => a.row - b.row);
}

/** Finds what a row shows by itself. @param view the row's, if it is known already */
export function showRow(
  card: Card,
  bytes: Uint8Array,
  { isWellFormed, text }: RowView = viewRow(card, bytes),
): Omit<RowFinding, "row">[] {
  const content = contentOfRow(bytes);
  const findings: Omit<RowFinding, "row">[] = [];
  const { kind, maxBytes } = card.row;
  const isText = kind !== "image";
  if (content.length === 0 || (isWellFormed && isText && text.trim() === ""))
    findings.push({
      kind: "empty",
      detail: kind === "table" ? "all its fields are missing" : "it has no text",
    });
  else if (!isWellFormed) findings.push({ kind: "malformed", detail: `it is no row of kind ${kind}` });
  if (content.length > maxBytes)
    findings.push({ kind: "too-large", detail: `${content.length} bytes, the card allows ${maxBytes}` });
  if (isText && CUT.test(text.trimEnd()))
    findings.push({ kind: "truncated", detail: "its text seems to be cut off" });
  for (const { from, kind: secret, to } of findSecrets(text))
    findings.push({ kind: secret, detail: shortened(text.slice(from, to)), from, to });
  return findings;
}

/**
 * True if rows of a card have texts, by which they are compared with rows of other Datanets: image files have none, and tables
 * without texts may have the same values and be of different things.
 */
export const hasComparedTexts = ({ row }: Pick<Card, "row">): boolean =>
  row.kind !== "image" && (row.kind !== "table" || hasTexts(row.fields));

/** A row to compare, with the label that it is compared under; null: none. */
export interface SimilarRow {
  readonly content: Uint8Array;
  readonly label: string | null;
}

/** Finds near-duplicates by a version's rules, as the card sets them: only rows of one label are compared. */
export async function findSimilar(
  { rewards, row }: Card,
  rows: readonly SimilarRow[],
): Promise<NearDuplicate[]> {
  const compare = await openComparison(row);
  return compare(
    rows.map(({ content }) => content),
    rows.map(({ label }) => label),
    { image: rewards.imageSimilarityPermille / 1_000, text: rewards.textSimilarityPermille / 1_000 },
  );
}

/** Enough to find it, not enough to use it. */
const shortened = (found: string) => (found.length <= 12 ? found : `${found.slice(0, 6)}…${found.slice(-2)}`);
