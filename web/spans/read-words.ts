/**
 * Text of an answer, and the search for its verbatim spans in the rows that the model's server publishes. The Ask page and the page
 * of an answer show both.
 */
import type { NoRows, PublishedRows, SpanStage } from "@openledger/attribution/spans/published-spans";
import type { FoundSpans, OwnedSpan } from "@openledger/attribution/spans/verbatim-spans";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { knownFamilies } from "../ledger/known-families.ts";

/** Answer that this page has checked, and the source of its words. */
export interface ServedAnswer {
  readonly serverUrl: string;
  /** Rows roots of the versions that the model's recipe names: 0x and 64 hexadecimal digits each. */
  readonly rowsRoots: readonly string[];
  /** Answer as the receipt hashes it. */
  readonly answer: string;
}

/** Text of an answer; null for a label. */
export function textOf({ answer }: Pick<ServedAnswer, "answer">): string | null {
  const { text } = JSON.parse(answer) as { text?: unknown };
  return typeof text === "string" && text !== "" ? text : null;
}

export type Searched = FoundSpans<OwnedSpan> & { readonly rowCount: number };

interface SearchOptions {
  /** Maximum bytes of rows that are downloaded. */
  readonly maxFileBytes: number;
  readonly onProgress: (stage: SpanStage, share: number) => void;
  readonly signal: AbortSignal;
}

/** Rows of the models searched last. */
const fetched = new RecentAnswers<string, PublishedRows | NoRows>({ maxItems: 2 });
/** Answers are searched one after another. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Searches the published rows for parts of an answer.
 * @throws ATT_SERVER_UNREACHABLE, ATT_ROWS_MISMATCH, ATT_MODEL_FILE_INVALID, ATT_SPANS_TOO_LARGE; the signal's reason
 */
export function searchRows(
  { rowsRoots, serverUrl }: ServedAnswer,
  text: string,
  { maxFileBytes, onProgress, signal }: SearchOptions,
): Promise<Searched | NoRows> {
  const search = async (): Promise<Searched | NoRows> => {
    signal.throwIfAborted();
    const { fetchPublishedRows, findPublishedSpans } = await import(
      "@openledger/attribution/spans/published-spans"
    );
    const rows = await fetched.get([serverUrl, maxFileBytes, ...rowsRoots].join(), async () =>
      fetchPublishedRows(serverUrl, await knownFamilies(serverUrl), rowsRoots, { maxFileBytes, onProgress }),
    );
    if (typeof rows === "string") return rows;
    return { ...(await findPublishedSpans(text, rows, { onProgress, signal })), rowCount: rows.rows.length };
  };
  const searching = last.then(search, search);
  last = searching.catch(() => {});
  return searching;
}

const STORAGE_PREFIX = "openledger.answer.";

/** Stores an answer in this tab, and nowhere else: it belongs to its customer. */
export function storeServedAnswer(receipt: bigint, answer: ServedAnswer): void {
  sessionStorage.setItem(STORAGE_PREFIX + receipt, JSON.stringify(answer));
}

export function storedAnswer(receipt: bigint): ServedAnswer | null {
  const text = sessionStorage.getItem(STORAGE_PREFIX + receipt);
  return text === null ? null : (JSON.parse(text) as ServedAnswer);
}
