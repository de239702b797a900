/**
 * Rows in the form in which a host's answers list them: excerpt, label, commit and outcome. row-routes.ts calls it with the
 * numbers that a search has found.
 */
import type { FieldValue } from "@openledger/attribution/rows/table-rows";
import type { Card } from "../card/card.ts";
import { countedLabels, outcomeOf, type RecordState } from "../records/record-state.ts";
import { viewRow } from "../rows/row-view.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";

/**
 * Row in a list. `label` is the contributor's, null until the row has enough labels: before, it would steer who labels it.
 * `labelCount` counts towards the card's `annotatorsPerRow`; `outcome` is the result of labellers and reviewers.
 */
export type ShownRow = Awaited<ReturnType<typeof rowViews>>["rows"][number];

/** Rows by their numbers, in that order, as lists show them, and the state of their records. */
export async function rowViews(
  datanet: HostedDatanet,
  card: Card,
  numbers: readonly number[],
  excerptCharacters: number,
) {
  const [found, recordState] = await Promise.all([
    datanet.database.query<{
      number: number;
      digest: Buffer;
      commit: string;
      place: number;
      contributorId: number;
      content: Buffer | null;
    }>(
      `select rows.number, digest, rows_root as commit, place, contributor_id as "contributorId",
              case when not is_withdrawn then contents.bytes end as content
         from rows left join contents using (digest)
         join commits on commits.datanet_id = rows.datanet_id and commits.number = commit_number
        where rows.datanet_id = $1 and rows.number = any($2)`,
      [datanet.id, numbers],
    ),
    datanet.stateOfRows(numbers),
  ]);
  const byNumber = new Map(found.map((row) => [row.number, row]));
  const rows = numbers.flatMap((number) => {
    const row = byNumber.get(number);
    return row === undefined ? [] : [viewOf(card, row, { recordState, excerptCharacters })];
  });
  return { rows, recordState };
}

/** View of a row whose bytes are erased. */
const NOTHING_SHOWN = { isWellFormed: true, text: "", values: undefined };

/** Minimum characters of each text of a table, however many fields are before it. */
const MIN_CHARACTERS = 60;

/** Values with texts of `maxCharacters` in all, or a little more: each has a beginning. */
function cutValues(values: readonly FieldValue[], maxCharacters: number): FieldValue[] {
  let left = maxCharacters;
  return values.map((value) => {
    if (typeof value !== "string") return value;
    const shown = value.slice(0, Math.max(left, MIN_CHARACTERS));
    left -= shown.length;
    return shown;
  });
}

function viewOf(
  card: Card,
  {
    commit,
    content,
    contributorId,
    digest,
    place,
  }: { digest: Buffer; commit: string; place: number; contributorId: number; content: Buffer | null },
  { excerptCharacters, recordState }: { recordState: RecordState; excerptCharacters: number },
) {
  const name = digest.toString("hex");
  const records = recordState.row(name);
  // Not the columns: a new card may not have described this row yet.
  const view = content === null ? NOTHING_SHOWN : viewRow(card, content);
  const { isWellFormed, values } = view;
  const outcome = outcomeOf(card, records, contributorId);
  // Who labels a picture does not see first what its contributor has called it: a file's name often says the label.
  const text = card.row.kind === "image" && outcome.state === "waiting" ? "" : view.text;
  return {
    digest: name,
    commit,
    index: place,
    contributorId,
    bytes: content?.length ?? 0,
    label: outcome.state === "waiting" ? null : (records.labels.get(contributorId)?.label ?? null),
    isWellFormed,
    excerpt: text.slice(0, excerptCharacters),
    /** Values of a table's fields, in the card's order; null for other rows. */
    values: values === undefined ? null : cutValues(values, excerptCharacters),
    isCut: text.length > excerptCharacters,
    labelCount: countedLabels(card, records.labels, contributorId),
    objectionCount: records.objections.length,
    /** Time at which the contributor has withdrawn the row, which has no bytes since; null if they have not. */
    withdrawnAtMs: records.withdrawals.get(contributorId)?.atMs ?? null,
    outcome,
  };
}
