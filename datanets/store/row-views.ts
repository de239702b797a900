/**
 * Rows in the form in which a host's answers list them: excerpt, label, commit and outcome. row-routes.ts calls it with the
 * numbers that a search has found.
 */
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
      content: Buffer;
    }>(
      `select rows.number, digest, rows_root as commit, place, contributor_id as "contributorId", contents.bytes as content
         from rows join contents using (digest)
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

function viewOf(
  card: Card,
  {
    commit,
    content,
    contributorId,
    digest,
    place,
  }: { digest: Buffer; commit: string; place: number; contributorId: number; content: Buffer },
  { excerptCharacters, recordState }: { recordState: RecordState; excerptCharacters: number },
) {
  const name = digest.toString("hex");
  const records = recordState.row(name);
  // Not the columns: a new card may not have described this row yet.
  const { isWellFormed, text } = viewRow(card, content);
  const outcome = outcomeOf(card, records, contributorId);
  return {
    digest: name,
    commit,
    index: place,
    contributorId,
    bytes: content.length,
    label: outcome.state === "waiting" ? null : (records.labels.get(contributorId)?.label ?? null),
    isWellFormed,
    excerpt: text.slice(0, excerptCharacters),
    isCut: text.length > excerptCharacters,
    labelCount: countedLabels(card, records.labels, contributorId),
    objectionCount: records.objections.length,
    outcome,
  };
}
