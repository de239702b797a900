/**
 * Openings of an epoch's receipts: the hash of the answer, salt and query behind each receipt that was paid. They come
 * from the model's server, or from a file that it once gave. Settling, verification and the status of payments read
 * them.
 */

import { attributionError } from "@openledger/attribution/attribution-errors";
import { isDirect } from "@openledger/attribution/features/direct-rows";
import { fetchModel, readModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { modelQueryOfBytes } from "@openledger/circuits/ledger/model-query";
import type { AnswerOpening } from "@openledger/circuits/settlement/divide-epoch";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { boundedJson } from "@openledger/foundation/wire/bounded-body";
import { z } from "zod";
import { modelFamilies } from "../tuning/recipe/model-families.ts";
import { openingPages } from "./opening-pages.ts";

/** Maximum bytes of a page: of the largest circuits it has a megabyte. */
const MAX_PAGE_BYTES = 2 ** 26;

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
      prompt: z.string().optional(),
    }),
  ),
  nextFrom: z.int().nullable(),
});

/** An opening as the server shows it. */
export interface ShownOpening extends AnswerOpening {
  readonly receipt: bigint;
  /** Place among the epoch's payments. */
  readonly index: number;
  /** Prompt of a direct model's drawn payment, unless the payer asked for privacy. */
  readonly prompt: string | null;
}

/** Openings by receipt. Nothing in them is trusted: a settlement hashes each again. */
export type Openings = ReadonlyMap<bigint, ShownOpening>;

export type FetchOpeningsErrorCode = "ATT_SERVER_UNREACHABLE";

/**
 * All openings of an epoch that the model's server has.
 * @param isOfDirect whether the model is direct, as its binding says: the bytes of a query do not
 * @returns without those whose query is none of such a model: they open nothing, and hide no others
 * @throws ATT_SERVER_UNREACHABLE
 * @example
 * ```ts
 * const openings = await fetchOpenings(serverUrl, 1);
 * ```
 */
export async function fetchOpenings(serverUrl: string, epoch: number, isOfDirect = false): Promise<Openings> {
  const openings = new Map<bigint, ShownOpening>();
  const list = `${serverUrl.replace(/\/+$/, "")}/v1/openings?epoch=${epoch}`;
  const ask = async (from: number) => {
    const url = `${list}&from=${from}`;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return pageSchema.parse(await boundedJson(response, MAX_PAGE_BYTES));
    } catch (cause) {
      throw attributionError("ATT_SERVER_UNREACHABLE", `no openings from ${url}`, { data: { url }, cause });
    }
  };
  for await (const page of openingPages(ask, { url: list }))
    for (const { answerHash, index, prompt = null, queryBytes, receipt, salt } of page.openings) {
      const query = readQuery(queryBytes, isOfDirect);
      if (query !== null) openings.set(receipt, { answerHash, index, prompt, query, receipt, salt });
    }
  return openings;
}

function readQuery(queryBytes: string, isOfDirect: boolean): AnswerOpening["query"] | null {
  try {
    return modelQueryOfBytes(Buffer.from(queryBytes, "base64"), isOfDirect);
  } catch (error) {
    if (isRollupError(error)) return null;
    throw error;
  }
}

export interface PublishedEpoch {
  readonly model: PublishedModel;
  readonly openings: Openings;
}

/**
 * The model from its folder or its server, and what opens an epoch's receipts. @throws ATT_…
 * @internal
 */
export async function fetchPublished(
  { folder, serverUrl }: { readonly serverUrl: string; readonly folder?: string | undefined },
  epoch: number,
  onProgress: (text: string) => void,
): Promise<PublishedEpoch> {
  const families = await modelFamilies({ serverUrl });
  const model =
    folder === undefined
      ? await fetchModel(serverUrl, { onProgress: (file) => onProgress(`fetching ${file}`) }, families)
      : await readModel(folder, families);
  return { model, openings: await fetchOpenings(serverUrl, epoch, isDirect(model.features)) };
}
