/** What opens the receipts of an epoch: from the model's server, or from the file that it once gave. */
import { z } from "zod";
import { attributionError } from "../../attribution/attribution-errors.ts";
import { queryOfBytes } from "../../circuits/ledger/query.ts";
import type { AnswerOpening } from "../../circuits/settlement/settlement-rules.ts";

const element = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform(BigInt);
const pageSchema = z.object({
  openings: z.array(
    z.object({
      index: z.int().nonnegative(),
      receipt: element,
      payerId: z.int(),
      answerHash: element,
      queryBytes: z.base64(),
      salt: element,
    }),
  ),
  nextFrom: z.int().nullable(),
});

/** Openings by receipt. Nothing in them is trusted: a settlement hashes each again. */
export type Openings = ReadonlyMap<bigint, AnswerOpening<Int16Array>>;

export type FetchOpeningsErrorCode = "ATT_SERVER_UNREACHABLE";

/**
 * All openings of an epoch that the model's server has.
 * @throws ATT_SERVER_UNREACHABLE
 * @example
 * ```ts
 * const openings = await fetchOpenings(serverUrl, 1);
 * ```
 */
export async function fetchOpenings(serverUrl: string, epoch: number): Promise<Openings> {
  const openings = new Map<bigint, AnswerOpening<Int16Array>>();
  let from: number | null = 0;
  while (from !== null) {
    const url: string = `${serverUrl.replace(/\/+$/, "")}/v1/openings?epoch=${epoch}&from=${from}`;
    let page: z.output<typeof pageSchema>;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      page = pageSchema.parse(await response.json());
    } catch (cause) {
      throw attributionError("ATT_SERVER_UNREACHABLE", `no openings from ${url}`, { data: { url }, cause });
    }
    for (const { answerHash, queryBytes, receipt, salt } of page.openings) {
      openings.set(receipt, { answerHash, salt, query: queryOfBytes(Buffer.from(queryBytes, "base64")) });
    }
    from = page.nextFrom;
  }
  return openings;
}
