/**
 * A report on a Datanet's version: whom it serves, and how biased it is. Rows, agreement of labellers and a model's errors by slice,
 * who is paid, and which rows move answers. It is canonical JSON of whole numbers, so whoever computes it again has the same bytes, and
 * its SHA-256 names it in signed records (docs/explanation/datanets.md, "Reports of bias").
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { isWellFormed, textOfBytes } from "@openledger/foundation/utf8";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { canonicalJson } from "../terms/canonical-json.ts";
import { SLICED_BY } from "./row-slices.ts";

export const REPORT_FORMAT = "openledger-bias-report-1";
/** Maximum size of a report's text, in bytes of UTF-8. */
export const MAX_REPORT_BYTES = 1024 * 1024;

const count = z.int().min(0);
const ppm = z.int().min(0).max(1_000_000);
const text = (max: number) => z.string().max(max).refine(isWellFormed, "has half of a surrogate pair");
const root = z.string().regex(/^0x[0-9a-f]{64}$/);
const leafId = z
  .int()
  .min(0)
  .max(2 ** 24 - 1);
const wei = z.string().regex(/^(?:0|[1-9][0-9]{0,77})$/);

/** Reason why something is not known. */
const unknown = z.strictObject({ why: text(300).min(1) });

/** Rows with labels of two leaves or more, and those of them whose labels are all the same. */
const agreement = z.strictObject({
  rowCount: count.min(1),
  unanimousCount: count,
  /** Wilson's interval of unanimousCount / rowCount. */
  lowPpm: ppm,
  highPpm: ppm,
  /** Krippendorff's α (records/agreement.ts), −1,000,000 … 1,000,000; null where chance alone agrees always. */
  alphaPpm: z.int().min(-1_000_000).max(1_000_000).nullable(),
});

/** A model's error on rows that it has not learned from. */
const error = z.strictObject({
  rowCount: count.min(1),
  /** Rows that the model labels otherwise than was accepted; null for a language model, which has losses. */
  errorCount: count.nullable(),
  /** Errors in a million rows, or the rows' mean loss in millionths of a nat a token. */
  value: count,
  /** Interval of 95 %: Wilson's for errors, Student's for losses; null for a loss of fewer than two rows. */
  low: count.nullable(),
  high: count.nullable(),
});

const slice = z.strictObject({
  by: z.enum(SLICED_BY),
  field: text(60).nullable(),
  kind: z.enum(["value", "missing", "rest"]),
  name: text(130),
  rowCount: count.min(1),
  /** null where the report has none, or no row of the slice has two labels. */
  agreement: agreement.nullable(),
  /** null where the report has none, or no row of the slice was judged. */
  error: error.nullable(),
});

const pay = z.strictObject({
  /** The last settled epoch that is counted. */
  throughEpoch: count.min(1),
  /** Everything that contributors of this Datanet's rows have earned by the model, in wei. */
  totalWei: wei,
  giniPpm: ppm,
  /** Lorenz curve: the `people` who earned least have `ppm` of the whole. */
  lorenz: z.array(z.strictObject({ people: count, ppm })).max(101),
  /** Contributors, by descending earnings. */
  contributors: z.array(z.strictObject({ leafId, rowCount: count, earnedWei: wei })).max(50),
  /** All further contributors together. */
  rest: z.strictObject({ contributorCount: count, rowCount: count, earnedWei: wei }).nullable(),
});

const movers = z.strictObject({
  /** Answers whose rows were looked at. */
  answerCount: count.min(1),
  /** Rows among the ten with the highest scores of most answers, not counting answers to the row itself. */
  rows: z
    .array(
      z.strictObject({
        /** SHA-256 of the row. */
        digest: z.string().regex(/^[0-9a-f]{64}$/),
        contributorId: leafId,
        answerCount: count.min(1),
      }),
    )
    .max(10),
});

export const UNITS = ["errors in a million rows", "micronats a token"] as const;

const model = z.strictObject({
  id: leafId,
  /** Hash of the model's statics. */
  root,
  family: text(60),
  /** Error on all judged rows of this Datanet. `how`: which rows were judged by what. */
  error: z.union([unknown, error.extend({ unit: z.enum(UNITS), how: text(300) })]),
  pay: z.union([unknown, pay]),
  movers: z.union([unknown, movers]),
});

const reportSchema = z.strictObject({
  format: z.literal(REPORT_FORMAT),
  /** The rollup's domain. */
  domain: root,
  datanetId: leafId,
  version: z.strictObject({
    number: z.int().min(1).max(0xffff_ffff),
    rowsRoot: root,
    rowCount: count,
    /** Rows that their contributors have withdrawn: they are in no slice. */
    withdrawnCount: count,
  }),
  /** Hash of the card by which rows are read: the Datanet's policy at this version. */
  card: root,
  labels: z.strictObject({
    /** Records that were signed later are not counted. */
    untilMs: z.int().min(0).max(8_640_000_000_000_000),
    /** Root of the accepted labels of the rows. */
    root,
    /** Rows whose accepted label nobody has signed with the key that their leaf has now. */
    unsignedCount: count,
    /** Labels by which agreement is measured, and those left out, since their leaf has another key now. */
    labelCount: count,
    otherKeyCount: count,
  }),
  languages: z.strictObject({
    /** Languages of the card. */
    declared: z.array(z.string().max(40)).max(30),
    /** Rows by language. */
    rows: unknown,
  }),
  agreement: z.union([unknown, agreement]),
  slices: z.array(slice).max(2_000),
  /** null: the report is of the version alone. */
  model: model.nullable(),
});
export type Report = z.output<typeof reportSchema>;
export type ReportSlice = Report["slices"][number];
export type ReportModel = NonNullable<Report["model"]>;
export type ReportError = z.output<typeof error>;
export type ReportAgreement = z.output<typeof agreement>;
export type Unknown = z.output<typeof unknown>;

/** True for a part of a report that is not known. */
export const isUnknown = (part: object): part is Unknown => "why" in part;

/** A report as it travels, with its SHA-256 as 64 hexadecimal digits. */
export interface NamedReport {
  readonly report: Report;
  /** Canonical JSON. */
  readonly text: string;
  readonly sha256: string;
}

/** @throws DNT_REPORT_INVALID naming the field */
export function nameReport(value: unknown): NamedReport {
  const parsed = reportSchema.safeParse(value);
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error).slice(0, 500));
  const canonical = canonicalJson(parsed.data);
  const bytes = new TextEncoder().encode(canonical);
  if (bytes.length > MAX_REPORT_BYTES)
    throw invalid(`${bytes.length} bytes are more than ${MAX_REPORT_BYTES}`);
  return { report: parsed.data, text: canonical, sha256: bytesToHex(sha256(bytes)) };
}

/** A report from exactly its canonical text; one line feed may follow. @throws DNT_REPORT_INVALID */
export function readReport(canonical: string): NamedReport {
  const line = canonical.replace(/\n$/, "");
  if (line.length > MAX_REPORT_BYTES) throw invalid(`it is longer than ${MAX_REPORT_BYTES} characters`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw invalid("it is not JSON", cause);
  }
  const named = nameReport(value);
  if (named.text !== line) throw invalid("it is not written canonically");
  return named;
}

/** Reads a report as `readReport` does, from bytes. @throws DNT_REPORT_INVALID also for bytes that are not UTF-8 */
export function readReportBytes(bytes: Uint8Array): NamedReport {
  let text: string;
  try {
    text = textOfBytes(bytes);
  } catch (cause) {
    throw invalid("it is no UTF-8", cause);
  }
  return readReport(text);
}

const invalid = (why: string, cause?: unknown) =>
  datanetError("DNT_REPORT_INVALID", `not a report of bias: ${why}`, { data: { why }, cause });

/** A slice whose error is more than twice that of all rows. */
export interface Notice {
  readonly slice: ReportSlice;
  readonly error: ReportError;
  readonly whole: ReportError;
}

/**
 * Slices that a model serves badly: the lower bound of their error is more than twice the error of all judged rows. One in forty slices
 * lies above its interval by chance, but seldom that far.
 */
export function noticesOf({ model, slices }: Report): Notice[] {
  if (model === null || isUnknown(model.error)) return [];
  const whole = model.error;
  return slices.flatMap((slice) => {
    const { error } = slice;
    return error !== null && error.low !== null && error.low > 2 * whole.value
      ? [{ slice, error, whole }]
      : [];
  });
}

/** The first field in which two reports differ. */
export interface ReportDifference {
  /** Path of a figure, such as `slices.3.error.rowCount`. */
  readonly path: string;
  /** JSON of the field, at most 200 characters; null where it is absent. */
  readonly stated: string | null;
  readonly computed: string | null;
}

/** Finds the first difference of a stated report and the one that was computed again; null if they are the same. */
export function differenceOf(stated: Report, computed: Report): ReportDifference | null {
  return firstDifference(stated, computed, []);
}

function firstDifference(a: unknown, b: unknown, path: readonly string[]): ReportDifference | null {
  if (typeof a === "object" && a !== null && typeof b === "object" && b !== null) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const [one, other] = [a, b].map((value) => (value as Record<string, unknown>)[key]);
      const found = firstDifference(one, other, [...path, key]);
      if (found !== null) return found;
    }
    return null;
  }
  return a === b ? null : { path: path.join("."), stated: shown(a), computed: shown(b) };
}

const shown = (value: unknown): string | null =>
  value === undefined ? null : canonicalJson(value).slice(0, 200);
