/**
 * Makes the report of a version from its rows, its labels and what is known of a model: the same bytes from the same facts, in
 * whatever order they come. Client and models/report/ collect the facts.
 */
import { hex32 } from "@openledger/foundation/hex";
import type { Card } from "../card/card.ts";
import { krippendorffAlpha } from "../records/agreement.ts";
import { meanInterval, roundedMean, roundedRatio, wilsonInterval } from "./intervals.ts";
import {
  type NamedReport,
  nameReport,
  REPORT_FORMAT,
  type ReportAgreement,
  type ReportError,
  type ReportModel,
  type UNITS,
  type Unknown,
} from "./report.ts";
import { type SlicedRow, sliceRows } from "./row-slices.ts";

/** A row of the version that is not withdrawn. */
export interface ReportedRow extends SlicedRow {
  /** SHA-256 of the content, 64 hexadecimal digits. */
  readonly digest: string;
  /** Labels by leaf, each signed with the key that the leaf has now. */
  readonly labels: ReadonlyMap<number, string>;
}

export interface ReportedVersion {
  readonly domain: bigint;
  readonly datanetId: number;
  readonly number: number;
  readonly rowsRoot: bigint;
  /** Rows with the withdrawn ones. */
  readonly rowCount: number;
  readonly withdrawnCount: number;
  /** Hash of the card. */
  readonly policy: bigint;
  readonly card: Card;
  readonly rows: readonly ReportedRow[];
  readonly labels: {
    readonly untilMs: number;
    readonly root: bigint;
    readonly unsignedCount: number;
    readonly otherKeyCount: number;
  };
}

/** Errors of a model on rows that it has not learned from. */
export interface JudgedRows {
  /** Errors count 0 or 1 a row; losses are millionths of a nat a token. */
  readonly unit: (typeof UNITS)[number];
  readonly how: string;
  /** Values of rows, by digest. */
  readonly values: ReadonlyMap<string, number>;
}

export interface ReportedModel extends Omit<ReportModel, "root" | "error"> {
  readonly root: bigint;
  readonly error: JudgedRows | Unknown;
}

/**
 * @param model null for a report of the version alone
 * @throws DNT_REPORT_INVALID where the report is longer than one may be
 */
export function makeReport(version: ReportedVersion, model: ReportedModel | null): NamedReport {
  const { card, labels } = version;
  const rows = version.rows.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  const judged = model === null || "why" in model.error ? null : model.error;
  const agreement = agreementOf(rows);
  return nameReport({
    format: REPORT_FORMAT,
    domain: hex32(version.domain),
    datanetId: version.datanetId,
    version: {
      number: version.number,
      rowsRoot: hex32(version.rowsRoot),
      rowCount: version.rowCount,
      withdrawnCount: version.withdrawnCount,
    },
    card: hex32(version.policy),
    labels: {
      untilMs: labels.untilMs,
      root: hex32(labels.root),
      unsignedCount: labels.unsignedCount,
      labelCount: rows.reduce((sum, row) => sum + row.labels.size, 0),
      otherKeyCount: labels.otherKeyCount,
    },
    languages: {
      declared: card.languages,
      rows: {
        why: "rows do not say their language, and it is not guessed; the slices by script say what they are written in",
      },
    },
    agreement: agreement ?? {
      why: card.labels.length === 0 ? "the card has no labels" : "no row has labels of two leaves",
    },
    slices: sliceRows(card, rows).map(({ rows: positions, ...slice }) => {
      const own = positions.map((position) => rows[position]!);
      return {
        ...slice,
        rowCount: own.length,
        agreement: agreementOf(own),
        error: judged === null ? null : errorOf(judged, own),
      };
    }),
    model:
      model === null
        ? null
        : {
            ...model,
            root: hex32(model.root),
            error: judged === null ? model.error : wholeError(judged, rows),
          },
  });
}

/** Agreement of rows, which are in the order of their digests; null if none has two labels. */
function agreementOf(rows: readonly ReportedRow[]): ReportAgreement | null {
  const labelled = rows.filter(({ labels }) => labels.size >= 2);
  if (labelled.length === 0) return null;
  // The order of the sums is part of the number.
  const counts = labelled.map(({ labels }) => {
    const ofRow = new Map<string, number>();
    for (const label of [...labels.values()].sort()) ofRow.set(label, (ofRow.get(label) ?? 0) + 1);
    return ofRow;
  });
  const unanimousCount = counts.filter(({ size }) => size === 1).length;
  const { high, low } = wilsonInterval(unanimousCount, labelled.length);
  const alpha = krippendorffAlpha(counts);
  return {
    rowCount: labelled.length,
    unanimousCount,
    lowPpm: low,
    highPpm: high,
    // Adding 0 leaves no sign to a zero.
    alphaPpm: alpha === null ? null : Math.round(1e6 * alpha) + 0,
  };
}

/** Error on the judged rows among these; null if there is none. */
function errorOf({ unit, values }: JudgedRows, rows: readonly ReportedRow[]): ReportError | null {
  const own = rows.flatMap(({ digest }) => values.get(digest) ?? []);
  if (own.length === 0) return null;
  const rowCount = own.length;
  if (unit === "micronats a token") {
    const { high, low } = meanInterval(own) ?? { low: null, high: null };
    return { rowCount, errorCount: null, value: roundedMean(own), low, high };
  }
  const errorCount = own.reduce((sum, value) => sum + value, 0);
  const value = roundedRatio(1_000_000n * BigInt(errorCount), BigInt(rowCount));
  return { rowCount, errorCount, value, ...wilsonInterval(errorCount, rowCount) };
}

function wholeError(judged: JudgedRows, rows: readonly ReportedRow[]) {
  const error = errorOf(judged, rows);
  return error === null
    ? { why: "the judged rows are withdrawn" }
    : { ...error, unit: judged.unit, how: judged.how };
}
