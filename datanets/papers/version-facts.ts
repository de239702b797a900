/**
 * Facts of a version for its papers: rows by contributor and label, labels by labeller, what was left out. Counted from the list
 * behind the ledger's root and from signed records, so whoever has both counts the same. Papers and exports say them.
 */
import type { RowTerms } from "@openledger/attribution/model/recipe-fields";
import type { Card } from "../card/card.ts";
import { agreementOf } from "../records/agreement.ts";
import { FLAGS, LEFT_OUT_WHY } from "../records/record.ts";
import type { RecordState } from "../records/record-state.ts";

export interface LeafRows {
  readonly leafId: number;
  readonly rowCount: number;
}

export interface VersionFacts {
  /** Rows of the version, as the ledger counts them. */
  readonly rowCount: number;
  /** Rows of the version that their contributors have withdrawn since. */
  readonly withdrawnCount: number;
  /** Leaves with the number of their rows, most rows first. */
  readonly contributors: readonly LeafRows[];
  readonly validators: readonly LeafRows[];
  /** Rows by accepted label, in the card's order; without those of no label. */
  readonly labels: readonly { readonly name: string; readonly rowCount: number }[];
  /** Signed records by a key that their leaf does not have now: nothing here counts them. */
  readonly uncountedCount: number;
  /** Signed labels of the version's rows. */
  readonly labelling: {
    readonly labelCount: number;
    readonly labellerCount: number;
    /** Fewest and most labels of a row. */
    readonly minPerRow: number;
    readonly maxPerRow: number;
    /** Labels whose labellers had seen a model's suggestion. */
    readonly suggestedCount: number;
    /** Models that suggested labels, as reviewers name them. */
    readonly suggesters: readonly string[];
    readonly agreement: ReturnType<typeof agreementOf>;
  };
  /** Rows of the version by what a labeller noted of them. */
  readonly flags: Readonly<Record<(typeof FLAGS)[number], number>>;
  /** Rows of the Datanet that a reviewer left out of the version, by reason. */
  readonly leftOut: readonly { readonly why: string; readonly rowCount: number }[];
  /** Terms that contributors have signed for rows of the version, most rows first. */
  readonly signedTerms: readonly Pick<RowTerms, "licence" | "rowCount">[];
  /** Reports of bias of the version, by SHA-256, that the Datanet or its reviewers have signed. */
  readonly reports: readonly {
    readonly sha256: string;
    /** Model whose half the report has; null: of the version alone. */
    readonly modelId: number | null;
    readonly signers: readonly number[];
  }[];
  /** Times of the first and the last commit before the version, in Unix milliseconds; null if the sequencer does not know them. */
  readonly collected: { readonly fromMs: number; readonly toMs: number } | null;
}

export interface CountedVersion {
  readonly card: Pick<Card, "labels">;
  /** All rows of the version, in its order. */
  readonly rows: readonly {
    readonly digest: string;
    readonly contributorId: number;
    readonly validatorId: number;
  }[];
  /** Accepted labels in the order of the rows; null for none. */
  readonly labels: readonly (string | null)[];
  /** State of the records that count: a host could make up others. */
  readonly recordState: Pick<RecordState, "row" | "rows">;
  readonly uncountedCount: number;
  /** SHA-256 of withdrawn rows. */
  readonly withdrawn: ReadonlySet<string>;
  /** Terms of the rows, signed or by the card. */
  readonly terms: readonly RowTerms[];
  readonly reports: VersionFacts["reports"];
  readonly collected: VersionFacts["collected"];
}

/** Counts a version's facts. */
export function versionFactsOf(version: CountedVersion): VersionFacts {
  const { card, collected, labels, recordState, reports, rows, terms, withdrawn } = version;
  const byLabel = new Map<string, number>(card.labels.map(({ name }) => [name, 0]));
  for (const label of labels) if (label !== null) byLabel.set(label, (byLabel.get(label) ?? 0) + 1);
  return {
    rowCount: rows.length,
    withdrawnCount: rows.filter(({ digest }) => withdrawn.has(digest)).length,
    contributors: countLeaves(rows.map(({ contributorId }) => contributorId)),
    validators: countLeaves(rows.map(({ validatorId }) => validatorId)),
    labels: [...byLabel].map(([name, rowCount]) => ({ name, rowCount })),
    uncountedCount: version.uncountedCount,
    labelling: labellingOf(version),
    flags: flagsOf(version),
    leftOut: leftOutOf(recordState, new Set(rows.map(({ digest }) => digest))),
    signedTerms: signedTermsOf(terms),
    reports,
    collected,
  };
}

/** Accepted labels of a version, all together. */
export const labelledCount = ({ labels }: Pick<VersionFacts, "labels">): number =>
  labels.reduce((sum, { rowCount }) => sum + rowCount, 0);

const countLeaves = (ids: readonly number[]): LeafRows[] =>
  sumLeaves(ids.map((leafId) => ({ leafId, rowCount: 1 })));

/** Adds up rows by leaf, most rows first. */
export function sumLeaves(parts: readonly LeafRows[]): LeafRows[] {
  const counts = new Map<number, number>();
  for (const { leafId, rowCount } of parts) counts.set(leafId, (counts.get(leafId) ?? 0) + rowCount);
  return [...counts]
    .map(([leafId, rowCount]) => ({ leafId, rowCount }))
    .sort((a, b) => b.rowCount - a.rowCount || a.leafId - b.leafId);
}

function signedTermsOf(terms: readonly RowTerms[]): VersionFacts["signedTerms"] {
  const counts = new Map<string, number>();
  for (const { isSigned, licence, rowCount } of terms)
    if (isSigned) counts.set(licence, (counts.get(licence) ?? 0) + rowCount);
  return [...counts]
    .map(([licence, rowCount]) => ({ licence, rowCount }))
    .sort((a, b) => b.rowCount - a.rowCount || (a.licence < b.licence ? -1 : 1));
}

function labellingOf({ recordState, rows }: CountedVersion): VersionFacts["labelling"] {
  const labellers = new Set<number>();
  const suggesters = new Set<string>();
  let [labelCount, suggestedCount, maxPerRow] = [0, 0, 0];
  let minPerRow = Number.POSITIVE_INFINITY;
  const input: Map<number, string>[] = [];
  for (const { digest } of rows) {
    const { labels, suggestion } = recordState.row(digest);
    if (suggestion !== null) suggesters.add(suggestion.model);
    for (const [leafId, { sawSuggestion }] of labels) {
      labellers.add(leafId);
      if (sawSuggestion === true) suggestedCount += 1;
    }
    labelCount += labels.size;
    minPerRow = Math.min(minPerRow, labels.size);
    maxPerRow = Math.max(maxPerRow, labels.size);
    input.push(new Map([...labels].map(([leafId, { label }]) => [leafId, label])));
  }
  return {
    labelCount,
    labellerCount: labellers.size,
    minPerRow: rows.length === 0 ? 0 : minPerRow,
    maxPerRow,
    suggestedCount,
    suggesters: [...suggesters].sort(),
    agreement: agreementOf(input),
  };
}

function flagsOf({ recordState, rows }: CountedVersion): VersionFacts["flags"] {
  const counts = Object.fromEntries(FLAGS.map((flag) => [flag, 0])) as Record<(typeof FLAGS)[number], number>;
  for (const { digest } of rows) {
    const flags = new Set([...recordState.row(digest).labels.values()].flatMap((label) => label.flags));
    for (const flag of flags) counts[flag] += 1;
  }
  return counts;
}

/** Rows that a reviewer left out, in the order of the reasons. */
function leftOutOf(recordState: CountedVersion["recordState"], inVersion: ReadonlySet<string>) {
  const counts = new Map<string, number>();
  for (const [digest, { leaveOut }] of recordState.rows())
    if (leaveOut?.isLeftOut === true && !inVersion.has(digest))
      counts.set(leaveOut.why, (counts.get(leaveOut.why) ?? 0) + 1);
  return LEFT_OUT_WHY.flatMap((why) => {
    const rowCount = counts.get(why);
    return rowCount === undefined ? [] : [{ why, rowCount }];
  });
}
