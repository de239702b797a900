/** Signed records of a Datanet that a host lists: each is checked as it comes, page after page. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import {
  type BodyOf,
  checkRecords,
  type RecordKind,
  type SignedRecord,
  signedRecordSchema,
} from "@openledger/datanets/records/record";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { z } from "zod";
import { hostFalse } from "./host-false.ts";
import { askAsReader, type HostAccess, type HostedDatanetPlace } from "./host-request.ts";
import { recordsPageSchema } from "./host-schemas.ts";

const RECORDS_A_PAGE = 1_000;

/**
 * A signed record of one kind.
 * @internal
 */
export type RecordOf<Kind extends RecordKind> = SignedRecord & { readonly body: BodyOf<Kind> };

interface Listed<Kind extends RecordKind> {
  readonly datanetId: number;
  /** Name of a record of the list, in errors. */
  readonly what: string;
  /** Kind of all records of the list; absent: of any. */
  readonly kind?: Kind;
}

/**
 * Checks records that a host shows: their form, signatures, Datanet and kind. Whose key has signed is the caller's to compare.
 * Needs `initPoseidon`.
 * @param first place of the first one in its list, for errors
 * @throws CLI_DATANET_HOST_FALSE
 * @internal
 */
export function requireRecords<Kind extends RecordKind>(
  domain: bigint,
  values: readonly unknown[],
  { datanetId, first = 0, kind, what }: Listed<Kind> & { readonly first?: number },
): RecordOf<Kind>[] {
  const parsed = z.array(signedRecordSchema).safeParse(values);
  const isSound = parsed.success ? checkRecords(domain, parsed.data) : [];
  return (parsed.data ?? [null]).map((record, i) => {
    const body = record?.body;
    const isOne = body?.datanetId === datanetId && (kind === undefined || body.kind === kind);
    if (!isOne || !isSound[i]) throw hostFalse("record", `${what} ${first + i}`, { index: first + i });
    return record as RecordOf<Kind>;
  });
}

const pagePath = (datanetId: number, route: string, from: number) =>
  `/v1/datanets/${datanetId}/${route}?limit=${RECORDS_A_PAGE}&from=${from}`;

/**
 * Paths of the pages in which `readRecords` reads so many records, for who signs the requests beforehand.
 * @internal
 */
export const recordPaths = (datanetId: number, recordCount: number): string[] =>
  Array.from({ length: Math.max(1, Math.ceil(recordCount / RECORDS_A_PAGE)) }, (_, page) =>
    pagePath(datanetId, "records", page * RECORDS_A_PAGE),
  );

/**
 * Reads all records of a list, checked by `requireRecords`.
 * @param route last part of the list's path
 * @param query further fields of the query, each behind an `&`
 * @param isLater true for a list that hosts of earlier releases do not have: it is empty there
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @internal
 */
export async function readRecordPages<Kind extends RecordKind>(
  client: HostAccess,
  {
    hostUrl,
    isLater = false,
    query = "",
    route,
    ...listed
  }: Pick<HostedDatanetPlace, "hostUrl"> &
    Listed<Kind> & { readonly route: string; readonly query?: string; readonly isLater?: boolean },
): Promise<RecordOf<Kind>[]> {
  await initPoseidon();
  const records: RecordOf<Kind>[] = [];
  for (let from: number | null = 0; from !== null; ) {
    const path = `${pagePath(listed.datanetId, route, from)}${query}`;
    const page: z.output<typeof recordsPageSchema> = await askAsReader(
      client,
      { hostUrl, datanetId: listed.datanetId },
      { path },
      recordsPageSchema,
    ).catch((error: unknown) => {
      if (isLater && isRollupError(error, "SRV_UNKNOWN_ROUTE"))
        return { records: [], total: 0, nextFrom: null };
      throw error;
    });
    records.push(...requireRecords(client.domain, page.records, { ...listed, first: records.length }));
    from = page.nextFrom;
  }
  return records;
}
