/**
 * Checks all rows of a Datanet for a host: copies and near-duplicates, also of rows of other Datanets that may be compared, broken
 * rows, secrets and doubtful labels. Pure: it runs in a thread of its own (check-tasks.ts), and finds the same on every host that
 * has the same rows and records.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { ROW_RULES } from "@openledger/attribution/rows/row-rules";
import { contentOfRow, headBytesOf } from "@openledger/attribution/rows/salted-rows";
import { TextIndex } from "@openledger/attribution/rows/similar-texts";
import type { Card } from "../card/card.ts";
import { findSimilar, hasComparedTexts, showRow } from "../rows/preview.ts";
import { type RowView, viewRow } from "../rows/row-view.ts";
import { type Finding, type FindingKind, makeFinding } from "./finding.ts";
import { doubtLabels, knownLabel } from "./label-doubts.ts";
import type { ForeignRow, RowToCheck } from "./row-to-check.ts";

interface RowsToCheck {
  readonly card: Card;
  readonly datanetId: number;
  readonly rows: readonly RowToCheck[];
  readonly foreign: readonly ForeignRow[];
}

export const CHECK_STEPS = ["rows", "near-duplicates", "other Datanets", "labels"] as const;
export type CheckStep = (typeof CHECK_STEPS)[number];

const encoder = new TextEncoder();

export async function checkRows(
  input: RowsToCheck,
  onStep: (step: CheckStep) => void = () => {},
): Promise<Finding[]> {
  const { card, rows } = input;
  onStep("rows");
  const views = rows.map(({ content }) => viewRow(card, content));
  const findings = rows.flatMap((row, i) => findingsOfRow(card, row, views[i]!));
  onStep("near-duplicates");
  findings.push(...findCopies(input), ...(await findNearDuplicates(input)));
  onStep("other Datanets");
  findings.push(...findForeign(input, views));
  onStep("labels");
  findings.push(...findContradictedLabels(rows), ...(await doubtLabels(card, rows)));
  const position = new Map(rows.map(({ row }, i) => [row, i]));
  return findings.sort((a, b) => position.get(a.row)! - position.get(b.row)!);
}

/** Kinds of the preview that are kinds of findings. A secret is named, not repeated. */
const KINDS: Readonly<Record<string, FindingKind>> = {
  empty: "empty",
  truncated: "truncated",
  malformed: "malformed",
  "too-large": "too-large",
};

function findingsOfRow(card: Card, row: RowToCheck, view: RowView): Finding[] {
  const seen = new Set<FindingKind>();
  return showRow(card, row.content, view).flatMap(({ detail, kind: found }) => {
    const kind = KINDS[found] ?? "personal";
    if (seen.has(kind)) return [];
    seen.add(kind);
    return [
      makeFinding(kind, row, { detail: kind === "personal" ? `it has what looks like: ${found}` : detail }),
    ];
  });
}

/** Rows whose content an earlier row of the Datanet has behind another salt, or with other notes: their digests do not show it. */
function findCopies({ datanetId, rows }: RowsToCheck): Finding[] {
  const earliest = new Map<string, RowToCheck>();
  return rows.flatMap((row) => {
    const name = nameOf(row);
    const earlier = earliest.get(name);
    if (earlier === undefined) earliest.set(name, row);
    // One digest twice is one row.
    if (earlier === undefined || earlier.row === row.row) return [];
    const { contributorId } = earlier;
    return [
      makeFinding("copy", row, {
        earlier: { datanetId, row: earlier.row, contributorId },
        similarityPermille: 1_000,
        detail: `leaf ${contributorId} has committed the same content before`,
      }),
    ];
  });
}

/** SHA-256 of what a row says: its digest where it has neither salt nor notes. */
const nameOf = ({ content, row }: RowToCheck) =>
  headBytesOf(content) > 0 ? bytesToHex(sha256(contentOfRow(content))) : row;

/** Finds near-duplicates by a version's rules, as the card sets them: only rows of one label are compared. */
async function findNearDuplicates({ card, datanetId, rows }: RowsToCheck): Promise<Finding[]> {
  const similar = await findSimilar(
    card,
    rows.map((row) => ({ content: row.content, label: knownLabel(row) })),
  );
  return similar.map(({ earlier, later, similarity }) => {
    const { contributorId, row } = rows[earlier]!;
    return makeFinding("near-duplicate", rows[later]!, {
      earlier: { datanetId, row, contributorId },
      similarityPermille: Math.round(1_000 * similarity),
      detail: `it is nearly an earlier row of leaf ${contributorId}`,
    });
  });
}

/**
 * Minimum similarity of a text to one of another Datanet. Attack: a card that asks for a thousandth finds each word of rows that its owner
 * does not have. A card that asks for more than this finds less.
 */
const MIN_FOREIGN_SIMILARITY = ROW_RULES.textSimilarity;

/** The same bytes or nearly the same text in another Datanet of the host, committed earlier; labels may differ there. */
function findForeign({ card, foreign, rows }: RowsToCheck, views: readonly RowView[]): Finding[] {
  const earliest = new Map<string, ForeignRow>();
  const inOrder = foreign.toSorted((a, b) => a.opIndex - b.opIndex);
  for (const one of inOrder) if (!earliest.has(one.row)) earliest.set(one.row, one);
  const texts = inOrder.filter(({ text }) => text !== "");
  const index = new TextIndex(
    [...texts.map(({ text }) => text), ...views.map(({ text }) => text)].map((text) => encoder.encode(text)),
    Math.max(MIN_FOREIGN_SIMILARITY, card.rewards.textSimilarityPermille / 1_000),
  );
  let added = 0;
  // Rows come in the ledger's order.
  return rows.flatMap((row, i) => {
    while (added < texts.length && texts[added]!.opIndex < row.opIndex) index.add(added++);
    const same = earliest.get(nameOf(row));
    if (same !== undefined && same.opIndex < row.opIndex) return [foreignFinding(row, same)];
    const found =
      views[i]!.text === "" || !hasComparedTexts(card) ? undefined : index.maxSimilar(texts.length + i);
    return found === undefined ? [] : [foreignFinding(row, texts[found.earlier]!)];
  });
}

/** Attack: how similar a foreign row is, text by text, tells its words one after the other. */
function foreignFinding(row: RowToCheck, earlier: ForeignRow): Finding {
  const { contributorId, datanetId } = earlier;
  const isCopy = earlier.row === nameOf(row);
  return makeFinding(isCopy ? "copy" : "near-duplicate", row, {
    earlier: { datanetId, row: earlier.row, contributorId },
    detail: `${isCopy ? "the same bytes were" : "nearly the same text was"} committed to Datanet ${datanetId} before, by leaf ${contributorId}`,
  });
}

/** Rows whose contributor gives another label than the accepted one. */
function findContradictedLabels(rows: readonly RowToCheck[]): Finding[] {
  return rows.flatMap((row) => {
    const { acceptedLabel, label } = row;
    if (label === null || acceptedLabel === null || label === acceptedLabel) return [];
    return [
      makeFinding("contradicted-label", row, {
        label,
        said: acceptedLabel,
        by: "labellers",
        detail: `its contributor says ${label}, its labellers say ${acceptedLabel}`,
      }),
    ];
  });
}
