/**
 * Rows that a validator looks at before they vouch for a commit: those that nearly repeat an earlier one, and
 * labels that a model of everybody else's rows contradicts. Input is public data, and the list is the same on
 * every machine. `openledger datanet check` prints it.
 */
import { rowNumber } from "@openledger/foundation/row-number";
import { attributionError } from "../attribution-errors.ts";
import { type ComparedShape, openComparison } from "../rows/row-comparison.ts";
import { inputOf } from "../rows/row-content.ts";
import type { RowKind } from "../rows/row-kinds.ts";
import { hasFewWords, type NearDuplicate } from "../rows/row-rules.ts";
import { decodeTableRow } from "../rows/table-rows.ts";
import { decodeTextRow, isTextRow } from "../rows/text-rows.ts";
import { logisticModel } from "./direct/logistic-model.ts";
import { heldOut } from "./held-out-odds.ts";
import { judgedRows } from "./judged-rows.ts";
import { type JudgedLabel, refusedCommits } from "./refused-commits.ts";

/** Rows that one contributor has committed at once. */
export interface CommittedRows {
  readonly contributorId: number;
  /** Rows' contents as they lie in the store. */
  readonly contents: readonly Uint8Array[];
  /** Label beside each row, as its contributor has signed it; null: none. Absent: no row has one. */
  readonly labels?: readonly (string | null)[];
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
   * Number of contradicted labels; null where no model can judge: rows have no labels, or the others have too few rows,
   * or none of one label that this commit has.
   */
  readonly contradictedCount: number | null;
  /** True where more labels are contradicted than an honest commit of this Datanet would have (refused-commits.ts): nobody should vouch for it. */
  readonly isRefused: boolean;
}

export interface DatanetCheck {
  readonly kind: RowKind;
  readonly rowCount: number;
  /** Near-duplicates among the rows of commits that are not refused; places as in `contradicted`. */
  readonly nearDuplicates: readonly NearDuplicate[];
  readonly contradicted: readonly ContradictedLabel[];
  /** Texts with a label and fewer words than ROW_RULES asks for. */
  readonly fewWords: readonly number[];
  readonly commits: readonly CheckedCommit[];
}

/** Minimum rows of other contributors: a model of fewer says little. Guess. */
export const MIN_OTHER_ROWS = 8;
const DECAY = 0.001;
const TOLERANCE = 1e-4;

/** A row with the position of its commit. */
interface ComparedRow {
  readonly commit: number;
  readonly label: string | null;
  readonly content: Uint8Array;
}

/**
 * Checks commits. Pictures that no model reads are neither compared nor judged.
 * @param commits in the ledger's order @param shape of the rows, as the card says; default: as the first row looks
 * @throws ATT_ROW_INVALID naming commit and row of the first that is no row of the datanet's kind
 */
export async function checkDatanet(
  commits: readonly CommittedRows[],
  shape: ComparedShape = shapeOf(commits),
): Promise<DatanetCheck> {
  const { kind } = shape;
  const rows = commits.flatMap(({ contents, labels = [] }, commit) =>
    contents.map((content, rowIndex): ComparedRow => {
      decodeAt(() => requireRow(shape, content), { commitIndex: commit, rowIndex });
      return { commit, label: labels[rowIndex] ?? null, content };
    }),
  );
  const classes = [...new Set(rows.flatMap(({ label }) => (label === null ? [] : [label])))].sort();
  const predicted = classes.length > 1 ? await predictWithoutOwn(commits, shape, rows, classes) : [];
  const isContradicted = (row: number) => predicted[row] != null && predicted[row] !== rows[row]!.label;
  const judged = [...rows.keys()].flatMap((row): JudgedLabel[] => {
    const { commit, label } = rows[row]!;
    return predicted[row] == null ? [] : [{ commit, label: label!, isContradicted: isContradicted(row) }];
  });
  const refused = refusedCommits(judged, commits.length);
  const hasFew = ({ content, label }: ComparedRow) =>
    kind === "text" && label !== null && hasFewWords(inputOf("text", content));
  const fewWords = [...rows.keys()].filter((row) => hasFew(rows[row]!));
  const few = new Set(fewWords);
  const included = [...rows.keys()].filter((row) => !refused[rows[row]!.commit]! && !few.has(row));
  const duplicates = await findDuplicates(shape, rows, included);
  return {
    kind,
    rowCount: rows.length,
    nearDuplicates: duplicates,
    fewWords,
    contradicted: [...rows.keys()]
      .filter(isContradicted)
      .map((row) => ({ row, label: rows[row]!.label!, predictedLabel: predicted[row]! })),
    commits: commits.map(
      ({ contents: own, contributorId }, c): CheckedCommit => ({
        contributorId,
        rowCount: own.length,
        nearDuplicateCount: duplicates.filter(({ later }) => rows[later]!.commit === c).length,
        contradictedCount: contradictedIn(judged.filter(({ commit }) => commit === c)),
        isRefused: refused[c]!,
      }),
    ),
  };
}

const contradictedIn = (judged: readonly JudgedLabel[]): number | null =>
  judged.length === 0 ? null : judged.filter(({ isContradicted }) => isContradicted).length;

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

/** Near-duplicates among the rows at these positions: a row that stays out anyway takes no later row with it. */
async function findDuplicates(
  shape: ComparedShape,
  rows: readonly ComparedRow[],
  positions: readonly number[],
): Promise<NearDuplicate[]> {
  const compare = await openComparison(shape);
  const found = compare(
    positions.map((row) => rows[row]!.content),
    positions.map((row) => rows[row]!.label),
  );
  return found.map(({ earlier, later, similarity }) => ({
    earlier: positions[earlier]!,
    later: positions[later]!,
    similarity,
  }));
}

/** Label that a model of all other contributors' rows predicts for each row; null where there is no such model. */
async function predictWithoutOwn(
  commits: readonly CommittedRows[],
  shape: ComparedShape,
  rows: readonly ComparedRow[],
  classes: readonly string[],
): Promise<(string | null)[]> {
  const labelled = [...rows.keys()].filter((row) => rows[row]!.label !== null);
  const { inputs, positions: read } = await judgedRows(
    shape,
    labelled.map((row) => rows[row]!.content),
  );
  const positions = read.map((i) => labelled[i]!);
  const owners = positions.map((row) => commits[rows[row]!.commit]!.contributorId);
  const names = [...new Set(owners)];
  const model = logisticModel({
    inputCount: inputs.columnCount,
    classCount: classes.length,
    decay: DECAY,
    tolerance: TOLERANCE,
  });
  const held = heldOut(
    model,
    {
      inputs,
      labels: Int32Array.from(positions, (row) => classes.indexOf(rows[row]!.label!)),
    },
    {
      folds: Int32Array.from(owners, (owner) => names.indexOf(owner)),
      foldCount: names.length,
      classCount: classes.length,
      minOthers: MIN_OTHER_ROWS,
    },
  );
  const predicted = Array<string | null>(rows.length).fill(null);
  for (const [i, row] of positions.entries())
    if (held.isJudged[i] === 1) predicted[row] = classes[held.predicted[i]!]!;
  return predicted;
}

/** Requires a row of the kind; pictures may be of types that no model reads. @throws ATT_ROW_INVALID */
function requireRow({ fields, kind }: ComparedShape, content: Uint8Array): void {
  if (kind === "passage") decodeTextRow(content);
  else if (kind === "table") decodeTableRow(fields, content);
  else if (kind === "text") inputOf(kind, content);
}

function shapeOf(commits: readonly CommittedRows[]): ComparedShape {
  const first = commits.flatMap(({ contents }) => contents)[0];
  if (first === undefined) throw attributionError("ATT_ROW_INVALID", "the datanet has no rows");
  return { kind: kindOf(first), fields: [] };
}

function kindOf(row: Uint8Array): RowKind {
  if (isTextRow(row)) return "passage";
  try {
    inputOf("text", row);
    return "text";
  } catch {
    return "image";
  }
}

interface RowPosition {
  readonly commitIndex: number;
  readonly rowIndex: number;
}

/** Decodes a row. The error names its position. */
function decodeAt<Result>(decode: () => Result, at: RowPosition): Result {
  try {
    return decode();
  } catch (cause) {
    const { commitIndex, rowIndex } = at;
    throw attributionError(
      "ATT_ROW_INVALID",
      `commit ${commitIndex}, row ${rowNumber(rowIndex)} is ${(cause as Error).message}`,
      { data: at, cause },
    );
  }
}
