/**
 * Pages in which a model's server gives the openings of an epoch, as far as they go on and end. Settling and verification read them by
 * model-openings.ts, pages of the site by web/answer/answer-rows.ts.
 */
import { attributionError } from "@openledger/attribution/attribution-errors";

/** Maximum payments of an epoch: the ledger's cap of a model has 16 bits. */
const MAX_PAYMENTS = 2 ** 16;
/** Maximum pages: of a full epoch a server sends 256, and some more where drawn prompts are long. */
const MAX_PAGES = 1_024;
/** Time that a server has for all pages, in milliseconds. */
const ALL_TIMEOUT_MS = 300_000;

/** A page, with its position in the list. */
export interface OpeningsPage {
  readonly openings: readonly { readonly index: number }[];
  /** Place from which the next page goes on; null for the last one. */
  readonly nextFrom: number | null;
}

/**
 * Reads pages until the last one.
 * @param ask a page from this place among the epoch's payments
 * @param maxMs time for all pages, in milliseconds
 * @throws ATT_SERVER_UNREACHABLE for a list that does not end; what `ask` throws
 * @internal
 */
export async function* openingPages<Page extends OpeningsPage>(
  ask: (from: number) => Promise<Page>,
  { maxMs = ALL_TIMEOUT_MS, url }: { url: string; maxMs?: number },
): AsyncGenerator<Page> {
  const endsAtMs = performance.now() + maxMs;
  let pageCount = 0;
  for (let from: number | null = 0; from !== null; ) {
    const page = await ask(from);
    const { nextFrom, openings }: OpeningsPage = page;
    pageCount += 1;
    const end = nextFrom ?? MAX_PAYMENTS;
    const isWithin = openings.every(({ index }) => index >= from! && index < end);
    // Attack: a list without an end: its pages go round, have nothing in them, or come so slowly that nobody sees the last one.
    const goesOn = nextFrom === null || (openings.length > 0 && nextFrom > from && pageCount < MAX_PAGES);
    if (!isWithin || !goesOn || end > MAX_PAYMENTS || openings.length > MAX_PAYMENTS)
      throw endless(url, `page ${from} of the openings is not as documented`);
    if (performance.now() > endsAtMs) throw endless(url, `the openings did not end within ${maxMs} ms`);
    yield page;
    from = nextFrom;
  }
}

const endless = (url: string, why: string) =>
  attributionError("ATT_SERVER_UNREACHABLE", `${why}, from ${url}`, { data: { url } });
