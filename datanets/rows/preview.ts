/**
 * Preview of a contribution before it is signed: which rows will not count, cannot be hosted, or look like secrets. The
 * contribute command and page show it; a host's check (cleaning/check-rows.ts) uses it too.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { DIGIT_SIDE, PIXEL_COUNT } from "@openledger/attribution/rows/digit-pixels";
import { type ComparableRows, nearDuplicates } from "@openledger/attribution/rows/near-duplicates";
import { decodeRow } from "@openledger/attribution/rows/row-content";
import { hasTexts } from "@openledger/attribution/rows/table-rows";
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
export function previewRows(
  card: Card,
  rows: readonly Uint8Array[],
  known: ReadonlySet<string> = new Set(),
): RowFinding[] {
  const findings: RowFinding[] = [];
  const seen = new Map<string, number>();
  const fresh: number[] = [];
  for (const [row, content] of rows.entries()) {
    for (const found of lookAtRow(card, content)) findings.push({ row, ...found });
    const digest = bytesToHex(sha256(content));
    const first = seen.get(digest);
    if (first !== undefined)
      findings.push({ row, kind: "duplicate", detail: `it is row ${first + 1} again` });
    else if (known.has(digest)) findings.push({ row, kind: "duplicate", detail: "it was committed before" });
    else fresh.push(row);
    if (first === undefined) seen.set(digest, row);
  }
  for (const { earlier, later, similarity } of similarRows(card, rows, fresh))
    findings.push({
      row: fresh[later]!,
      kind: "near-duplicate",
      detail: `it is nearly row ${fresh[earlier]! + 1} (${similarity.toFixed(3)})`,
    });
  return findings.sort((a, b) => a.row - b.row);
}

/** Finds what a row shows by itself. @param view the row's, if it is known already */
export function lookAtRow(
  card: Card,
  content: Uint8Array,
  { isWellFormed, text }: RowView = viewRow(card, content),
): Omit<RowFinding, "row">[] {
  const findings: Omit<RowFinding, "row">[] = [];
  const { kind, maxBytes } = card.row;
  const isText = kind !== "digit" && kind !== "image";
  if (content.length === 0 || (isWellFormed && isText && text.trim() === ""))
    findings.push({
      kind: "empty",
      detail: kind === "table" ? "all its fields are missing" : "it has no text",
    });
  else if (!isWellFormed) findings.push({ kind: "malformed", detail: `it is no row of kind ${kind}` });
  if (content.length > maxBytes)
    findings.push({ kind: "too-large", detail: `${content.length} bytes, the card allows ${maxBytes}` });
  if (CUT.test(text.trimEnd())) findings.push({ kind: "truncated", detail: "its text seems to be cut off" });
  for (const { from, kind: secret, to } of findSecrets(text))
    findings.push({ kind: secret, detail: shortened(text.slice(from, to)), from, to });
  return findings;
}

/**
 * True if rows of a card are compared for near-duplicates: image files are not, nor are tables without texts, whose rows may
 * have the same values and be of different things.
 */
export const isCompared = ({ row }: Pick<Card, "row">): boolean =>
  row.kind !== "image" && (row.kind !== "table" || hasTexts(row.fields));

/** Finds near-duplicates by a version's rules, as the card sets them: only rows of one label are compared. */
function similarRows(card: Card, rows: readonly Uint8Array[], fresh: readonly number[]) {
  const { kind } = card.row;
  if (!isCompared(card)) return [];
  const views = fresh.map((row) => viewRow(card, rows[row]!));
  const names = [...new Set(views.map(({ label }) => label))];
  const labels = views.map(({ isWellFormed, label }, i) => (isWellFormed ? names.indexOf(label) : -1 - i));
  const { imageSimilarityPermille, textSimilarityPermille } = card.rewards;
  const encoder = new TextEncoder();
  const comparable: ComparableRows =
    kind === "digit"
      ? {
          kind: "image",
          labels,
          width: DIGIT_SIDE,
          height: DIGIT_SIDE,
          threshold: imageSimilarityPermille / 1_000,
          contents: fresh.map((row, i) =>
            labels[i]! < 0 ? new Uint8Array(PIXEL_COUNT) : pixels(rows[row]!),
          ),
        }
      : {
          kind: "text",
          labels,
          contents: views.map(({ text }) => encoder.encode(text)),
          threshold: textSimilarityPermille / 1_000,
        };
  return nearDuplicates(comparable);
}

const pixels = (row: Uint8Array) =>
  Uint8Array.from(atob(decodeRow("digit", row).input), (character) => character.charCodeAt(0));

/** Enough to find it, not enough to use it. */
const shortened = (found: string) => (found.length <= 12 ? found : `${found.slice(0, 6)}…${found.slice(-2)}`);
