/**
 * Signed records about a Datanet's rows (labels, approvals, objections, access): signed by a leaf's L2 key, stored by a host,
 * checked by every reader (sound-records.ts). Times are in Unix milliseconds.
 */
import { type RecordBody, type SignedRecord, signRecord } from "@openledger/datanets/records/record";
import type { RecordState } from "@openledger/datanets/records/record-state";
import type { Hex } from "viem";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { resolveSigner } from "../sequencer/ledger-reads.ts";
import { askHost, type HostAccess, type HostErrorCode, type HostedDatanetLocation } from "./host-request.ts";
import { type RecordResult, recordResultsSchema } from "./host-schemas.ts";
import { type DroppedRecord, type HostRecords, readSoundRecords, recordStateOf } from "./sound-records.ts";

/** Maximum records in one request. */
const MAX_RECORDS_A_REQUEST = 500;

type Said<Body> = Body extends RecordBody ? Omit<Body, "datanetId" | "leafId" | "atMs"> : never;
/** A record without the fields that `sayRecords` adds: Datanet, leaf and time. */
export type UnsignedRecord = Said<RecordBody>;

export interface SayRecordsParameters extends HostedDatanetLocation {
  records: readonly UnsignedRecord[];
  /** Leaf that signs: an account, or the Datanet itself where the client has its key; default: the client's. */
  from?: number;
  /**
   * Time of the records, in milliseconds since 1970; default: now. Of two records about one thing the later one holds.
   */
  atMs?: number;
}
export type SayRecordsErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Signs labels, approvals, objections, requests for access or answers to them, and brings them to a host. Each is taken
 * or refused by itself; the results are in the order of the records.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const [result] = await sayRecords(client, {
 *   hostUrl,
 *   datanetId: 10,
 *   records: [{ kind: "label", row: digest, label: "good", flags: [], note: "" }],
 * });
 * if (result!.error !== null) console.log(result!.error.message);
 * ```
 */
export async function sayRecords(
  client: LedgerClient,
  { atMs = Date.now(), datanetId, from, hostUrl, records }: SayRecordsParameters,
): Promise<RecordResult[]> {
  const { id: leafId } = await resolveSigner(client, from);
  const bodies = records.map((record) => ({ ...record, datanetId, leafId, atMs }) as RecordBody);
  const key = requireL2Key(client);
  const signed = bodies.map((body) => signRecord(client.domain, body, key));
  return bringRecords(client, { hostUrl, datanetId, records: signed });
}

/**
 * Brings records that are signed already, by any leaf.
 * @internal
 */
export async function bringRecords(
  client: LedgerClient,
  { datanetId, hostUrl, records }: HostedDatanetLocation & { records: readonly SignedRecord[] },
): Promise<RecordResult[]> {
  const results: RecordResult[] = [];
  for (let done = 0; done < records.length; done += MAX_RECORDS_A_REQUEST) {
    const body = { records: records.slice(done, done + MAX_RECORDS_A_REQUEST) };
    const path = `/v1/datanets/${datanetId}/records`;
    const answer = await askHost(client, hostUrl, { method: "POST", path, body }, recordResultsSchema);
    if (answer.results.length !== body.records.length)
      throw clientError("CLI_ANSWER_INVALID", "the host has not answered each record", {
        data: { server: "datanet host", path },
      });
    results.push(...answer.results);
  }
  return results;
}

export type ReadRecordsErrorCode = "CLI_DATANET_HOST_FALSE" | HostErrorCode;

export interface ReadRecordsReturnType extends HostRecords {
  /** State that follows from the records. */
  recordState: RecordState;
}

/**
 * Reads all records of a datanet that a host shows, each signature checked. Those that the present key of their leaf has not signed
 * are in `dropped`, and in nothing else. A host may leave records out. Labels and notes tell what rows are: of a permissioned datanet
 * they are read as rows are, by a request that the client signs.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed by the key that it names, DNT_NOT_HOSTED, DNT_REQUEST_UNSIGNED,
 *   DNT_ACCESS_NOT_GRANTED
 * @example
 * ```ts
 * const { dropped, recordState } = await readRecords(client, { hostUrl, datanetId: 10 });
 * console.log(recordState.accessCases().length, dropped.length);
 * ```
 */
export async function readRecords(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
): Promise<ReadRecordsReturnType> {
  const list = { route: "records", what: "record" } as const;
  const { dropped, records } = await readSoundRecords(client, { datanetId, hostUrl, ...list });
  return { records, dropped, recordState: recordStateOf(client.domain, records) };
}

/** A request to read a permissioned Datanet's rows, with the owner's last answer. */
export interface AccessRequest {
  /** Id of the signed request, which an answer names. */
  readonly id: Hex;
  readonly leafId: number;
  readonly purpose: string;
  readonly askedAtMs: number;
  /** null: none yet, that the Datanet's present key has signed. A refusal counts by any key: it opens nothing. */
  readonly answer: {
    readonly answer: "grant" | "refuse";
    readonly untilMs: number;
    readonly note: string;
    readonly answeredAtMs: number;
  } | null;
}
export type AccessList = readonly AccessRequest[];
export interface ListAccessReturnType {
  requests: AccessList;
  /** Records of the host that count for nothing: the present key of their leaf has not signed them. */
  dropped: readonly DroppedRecord[];
}
export type ListAccessErrorCode = ReadRecordsErrorCode;

/**
 * Lists requests for access to a permissioned datanet that the present key of their leaf has signed, with the answers that the
 * Datanet's has. A host may leave some out. It also decides whom it lets read: that is its word.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { requests } = await listAccess(client, { hostUrl, datanetId: 10 });
 * const waiting = requests.filter(({ answer }) => answer === null);
 * ```
 */
export async function listAccess(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
): Promise<ListAccessReturnType> {
  const list = { route: "access", what: "record of access" } as const;
  const { dropped, records } = await readSoundRecords(client, { datanetId, hostUrl, ...list });
  // Attack: somebody else answers for the owner.
  const counted = records.filter(({ body }) => body.kind !== "accessAnswer" || body.leafId === datanetId);
  // Attack: a Datanet has the key again that it had before, and its grants of then come back, which a key in between had taken back.
  // Whoever forges a refusal opens nothing: a host can leave the grant out as well.
  const refusals = dropped.flatMap(({ record: { body } }) =>
    body.kind === "accessAnswer" && body.answer === "refuse" && body.leafId === datanetId ? [body] : [],
  );
  const requests = recordStateOf(client.domain, counted, refusals)
    .accessCases()
    .map(({ answer, id, request }) => ({
      id: id as Hex,
      leafId: request.leafId,
      purpose: request.purpose,
      askedAtMs: request.atMs,
      answer:
        answer === null
          ? null
          : {
              answer: answer.answer,
              untilMs: answer.untilMs,
              note: answer.note,
              answeredAtMs: answer.atMs,
            },
    }));
  return { requests, dropped };
}
