/**
 * Rows that a validator looks at before they vouch for a commit: those that nearly repeat an earlier one, and
 * labels that a model of everybody else's rows contradicts. Input is public data, and the list is the same on
 * every machine. `openledger datanet check` prints it.
 */
import { attributionError } from "../attribution-errors.ts";
import { PIXEL_COUNT, POOLED_DIGIT_SIDE } from "../rows/digit-pixels.ts";
import { nearDuplicates } from "../rows/near-duplicates.ts";
import { decodeRow, type InputOptions, inputRows, labelsOf, type RowKind } from "../rows/row-content.ts";
import { hasFewWords, type NearDuplicate, ROW_RULES } from "../rows/row-rules.ts";
import { decodeTextRow, isTextRow, wholeText } from "../rows/text-rows.ts";
import { logisticModel } from "./direct/logistic-model.ts";
import { heldOut } from "./held-out-odds.ts";
import type { PromptKind } from "./model-family.ts";

/** Rows that one contributor has committed at once. */
export interface CommittedRows {
  readonly contributorId: number;
  /** Rows' contents as they lie in the store. */
  readonly contents: readonly Uint8Array[];
}

/** A row whose label a model of the other contributors' rows contradicts. `row` counts all rows of all commits. */
export interface ContradictedLabel {
  readonly row: number;
  readonly label: string;
  readonly predictedLabel: string;
}

export interface CheckedCommit {
  readonly contributorId: number;
  readonly rowCount: number;
  readonly nearDuplicateCount: number;
  /**
   * Number of contradicted labels; null where no model can judge: the others have too few rows, or none of one label
   * that this commit has.
   */
  readonly contradictedCount: number | null;
  /** True where so many labels are contradicted that nobody should vouch for the commit. */
  readonly isRefused: boolean;
}

export interface DatanetCheck {
  readonly kind: PromptKind;
  readonly rowCount: number;
  /** Near-duplicates among the rows of commits that are not refused; places as in `contradicted`. */
  readonly nearDuplicates: readonly NearDuplicate[];
  readonly contradicted: readonly ContradictedLabel[];
  /** E-mails with fewer words than ROW_RULES asks for. */
  readonly fewWords: readonly number[];
  readonly commits: readonly CheckedCommit[];
}

/** Minimum rows of other contributors: a model of fewer says little. Guess. */
export const MIN_OTHER_ROWS = 8;
const DECAY = 0.001;
const TOLERANCE = 1e-4;
const EMAIL_BUCKETS = 512;

/**
 * Checks commits. @param commits in the ledger's order
 * @throws ATT_ROW_INVALID naming commit and row of the first that is no row of the datanet's kind
 */
export function checkDatanet(
  commits: readonly CommittedRows[],
  options: { readonly inputs?: InputOptions } = {},
): DatanetCheck {
  const contents = commits.flatMap((commit) => commit.contents);
  if (options.inputs === undefined && contents[0] !== undefined && isTextRow(contents[0]))
    return checkTexts(commits);
  const kind = options.inputs?.kind ?? kindOf(contents[0]);
  const inputs: InputOptions =
    options.inputs ??
    (kind === "email" ? { kind, bucketCount: EMAIL_BUCKETS } : { kind, side: POOLED_DIGIT_SIDE });
  const rows = commits.flatMap((commit, commitIndex) =>
    commit.contents.map((content, rowIndex) => decodeIn(kind, content, { commitIndex, rowIndex })),
  );
  const labels = Int32Array.from(rows, ({ label }) => label);
  const predicted = predictWithoutOwn(commits, inputs, rows, labels);
  const commitOf = commits.flatMap((commit, c) => commit.contents.map(() => c));
  const isContradicted = (row: number) => predicted[row] !== null && predicted[row] !== rows[row]!.label;
  const judged = commits.map((_, c) => {
    const own = commitOf.flatMap((commit, row) => (commit === c && predicted[row] !== null ? [row] : []));
    return { count: own.length, contradictedCount: own.filter(isContradicted).length };
  });
  const refused = judged.map(
    ({ contradictedCount, count }) => count > 0 && contradictedCount > ROW_RULES.maxContradicted * count,
  );
  const fewWords = kind === "email" ? [...rows.keys()].filter((row) => hasFewWords(rows[row]!.input)) : [];
  const few = new Set(fewWords);
  const included = [...rows.keys()].filter((row) => !refused[commitOf[row]!] && !few.has(row));
  const duplicates = findDuplicates(kind, rows, included);
  return {
    kind,
    rowCount: rows.length,
    nearDuplicates: duplicates,
    fewWords,
    contradicted: [...rows.keys()].filter(isContradicted).map((row) => ({
      row,
      label: labelsOf(kind)[rows[row]!.label]!,
      predictedLabel: labelsOf(kind)[predicted[row]!]!,
    })),
    commits: commits.map(
      ({ contents: own, contributorId }, c): CheckedCommit => ({
        contributorId,
        rowCount: own.length,
        nearDuplicateCount: duplicates.filter(({ later }) => commitOf[later] === c).length,
        contradictedCount: judged[c]!.count === 0 ? null : judged[c]!.contradictedCount,
        isRefused: refused[c]!,
      }),
    ),
  };
}

/** Rows of texts have no labels that others could contradict: only repetitions are found. */
function checkTexts(commits: readonly CommittedRows[]): DatanetCheck {
  const places = commits.flatMap(({ contents }, commitIndex) =>
    contents.map((content, rowIndex) => ({ content, commitIndex, rowIndex })),
  );
  const texts = places.map(({ content, ...at }) => decodeAt(() => wholeText(decodeTextRow(content)), at));
  const found = nearDuplicates({
    kind: "text",
    contents: texts.map((text) => Buffer.from(text, "utf8")),
    labels: new Int32Array(texts.length),
  });
  return {
    kind: "text",
    rowCount: texts.length,
    nearDuplicates: found,
    contradicted: [],
    fewWords: [],
    commits: commits.map(({ contents, contributorId }, c) => ({
      contributorId,
      rowCount: contents.length,
      nearDuplicateCount: found.filter(({ later }) => places[later]!.commitIndex === c).length,
      contradictedCount: null,
      isRefused: false,
    })),
  };
}

/** Reason to leave a row out of a version. */
export type LeaveOutReason = "near-duplicate" | "few-words" | "contradicted-commit";

/**
 * Rows that the default leaves out of a version, ascending, each once: near-duplicates, rows of few words, and refused
 * commits.
 */
export function rowsToLeaveOut(check: DatanetCheck): { row: number; why: LeaveOutReason }[] {
  const later = new Set(check.nearDuplicates.map((duplicate) => duplicate.later));
  const few = new Set(check.fewWords);
  let first = 0;
  return check.commits.flatMap(({ isRefused, rowCount }) => {
    const rows = Array.from({ length: rowCount }, (_, i) => first + i);
    first += rowCount;
    return rows.flatMap((row): { row: number; why: LeaveOutReason }[] => {
      if (isRefused) return [{ row, why: "contradicted-commit" }];
      if (few.has(row)) return [{ row, why: "few-words" }];
      return later.has(row) ? [{ row, why: "near-duplicate" }] : [];
    });
  });
}

type Row = ReturnType<typeof decodeRow>;

/** Near-duplicates among the rows at these places: a row that stays out anyway takes no later row with it. */
function findDuplicates(kind: RowKind, rows: readonly Row[], places: readonly number[]): NearDuplicate[] {
  const contents = places.map((row) => Buffer.from(rows[row]!.input, kind === "email" ? "utf8" : "base64"));
  const labels = Int32Array.from(places, (row) => rows[row]!.label);
  const side = Math.sqrt(PIXEL_COUNT);
  const found =
    kind === "email"
      ? nearDuplicates({ kind: "text", contents, labels })
      : nearDuplicates({ kind: "image", contents, labels, width: side, height: side });
  return found.map(({ earlier, later, similarity }) => ({
    earlier: places[earlier]!,
    later: places[later]!,
    similarity,
  }));
}

/** Label that a model of all other contributors' rows predicts for each row; null where there is no such model. */
function predictWithoutOwn(
  commits: readonly CommittedRows[],
  options: InputOptions,
  rows: readonly Row[],
  labels: Int32Array,
): (number | null)[] {
  const owners = commits.flatMap(({ contents, contributorId }) => contents.map(() => contributorId));
  const features = inputRows(
    options,
    rows.map(({ input }) => input),
  );
  const model = logisticModel({
    inputCount: options.kind === "email" ? options.bucketCount : options.side ** 2,
    classCount: labelsOf(options.kind).length,
    decay: DECAY,
    tolerance: TOLERANCE,
  });
  const names = [...new Set(owners)];
  const held = heldOut(
    model,
    { inputs: features, labels },
    {
      folds: Int32Array.from(owners, (owner) => names.indexOf(owner)),
      foldCount: names.length,
      classCount: labelsOf(options.kind).length,
      minOthers: MIN_OTHER_ROWS,
    },
  );
  return rows.map((_, i) => (held.isJudged[i] === 1 ? held.predicted[i]! : null));
}

function kindOf(content: Uint8Array | undefined): RowKind {
  if (content === undefined) throw attributionError("ATT_ROW_INVALID", "the datanet has no rows");
  return new TextDecoder().decode(content).includes('"pixels":') ? "digit" : "email";
}

function decodeIn(kind: RowKind, content: Uint8Array, at: RowPlace): Row {
  return decodeAt(() => decodeRow(kind, content), at);
}

interface RowPlace {
  readonly commitIndex: number;
  readonly rowIndex: number;
}

/** Decodes a row. The error names its place. */
function decodeAt<Result>(decode: () => Result, at: RowPlace): Result {
  try {
    return decode();
  } catch (cause) {
    const { commitIndex, rowIndex } = at;
    throw attributionError(
      "ATT_ROW_INVALID",
      `commit ${commitIndex}, row ${rowIndex} is ${(cause as Error).message}`,
      { data: at, cause },
    );
  }
}
