/** Rows that somebody should look at, each with why. The page finds some itself; a host may know further kinds. */
import { fetchRowContents, findRows } from "../../client/datanets/browse-rows.ts";
import type { HostAccess, ReadablePlace } from "../../client/datanets/host-request.ts";
import type { HostedRow } from "../../client/datanets/row-schemas.ts";
import type { UnsignedRecord } from "../../client/datanets/signed-records.ts";
import type { RowFinding } from "../../datanets/rows/preview.ts";
import { lookThrough, type RowRules } from "./look-through.ts";

export type LeaveOutWhy = Extract<UnsignedRecord, { kind: "leaveOut" }>["why"];

/** A doubt, of whatever kind: what is shown is its words alone, so that a new kind needs no new page. */
export interface Doubt {
  readonly kind: string;
  readonly row: HostedRow;
  /** The row that it is held against, shown beside it. */
  readonly other: HostedRow | null;
  readonly detail: string;
  /** What the record says, if it is left out. */
  readonly why: LeaveOutWhy;
}

/** Compared in a browser within some seconds. Guess, revisit. */
export const MAX_LOOKED_ROWS = 20_000;
const PAGE_ROWS = 200;

const WHY: Readonly<Partial<Record<RowFinding["kind"], LeaveOutWhy>>> = {
  "near-duplicate": "near-duplicate",
  duplicate: "near-duplicate",
  empty: "empty",
  malformed: "other",
  truncated: "truncated",
  "private-key": "personal",
  "api-key": "personal",
  password: "personal",
  card: "personal",
  iban: "personal",
  phone: "personal",
};

export interface Looked {
  readonly doubts: readonly Doubt[];
  readonly lookedCount: number;
  readonly total: number;
}

/** Fetches the rows that are not left out, checks each against its hash, and looks through them in a worker. */
export async function findDoubtful(
  reader: HostAccess,
  place: ReadablePlace,
  rules: RowRules,
  onProgress: (done: number, total: number) => void,
): Promise<Looked> {
  const rows: HostedRow[] = [];
  let total = 0;
  for (let after: number | null | undefined; after !== null && rows.length < MAX_LOOKED_ROWS; ) {
    const page = await findRows(reader, {
      ...place,
      limit: PAGE_ROWS,
      ...(after === undefined ? {} : { after }),
    });
    total = page.total;
    rows.push(...page.rows.filter(({ outcome }) => outcome.state !== "leftOut"));
    onProgress(rows.length, total);
    after = page.next;
  }
  const contents: Uint8Array[] = [];
  while (contents.length < rows.length) {
    const digests = rows.slice(contents.length, contents.length + 2_000).map(({ digest }) => digest);
    contents.push(
      ...(await fetchRowContents(reader, { ...place, digests, maxRowBytes: rules.row.maxBytes })),
    );
    onProgress(contents.length, rows.length);
  }
  const { findings } = await lookThrough({ kind: "rows", rules, rows: contents });
  const doubts = findings.flatMap(({ detail, kind, row }) => {
    const why = WHY[kind];
    if (why === undefined) return [];
    return [{ kind, row: rows[row]!, other: otherOf(detail, kind, rows), detail, why }];
  });
  return { doubts, lookedCount: rows.length, total };
}

/** The row that a copy is held against stands in the finding's words: "it is nearly row 3 (0.912)". */
function otherOf(detail: string, kind: string, rows: readonly HostedRow[]): HostedRow | null {
  if (kind !== "near-duplicate" && kind !== "duplicate") return null;
  const place = /row (\d+)/.exec(detail)?.[1];
  return place === undefined ? null : (rows[Number(place)] ?? null);
}
