/**
 * Signs a leaf's records again after a change of its key: a record of a former key counts for nobody (signing-keys.ts). Commands call it.
 */
import { type RecordBody, type RecordKind, recordSubject } from "@openledger/datanets/records/record";
import type { LedgerClient } from "../ledger-client.ts";
import { resolveSigner } from "../sequencer/ledger-reads.ts";
import type { HostErrorCode, HostedDatanetLocation } from "./host-request.ts";
import {
  listAccess,
  type ReadRecordsErrorCode,
  readRecords,
  sayRecords,
  type UnsignedRecord,
} from "./signed-records.ts";
import { readSoundRecords } from "./sound-records.ts";

/**
 * Kinds that readers count. Requests for access, consents and recomputations are signed where they are made; a request that is signed
 * anew waits for an answer of its own.
 */
const KINDS: ReadonlySet<RecordKind> = new Set([
  "accessAnswer",
  "label",
  "leaveOut",
  "objection",
  "settle",
  "suggestion",
  "terms",
  "verdict",
  "withdrawal",
]);

export interface ListFormerRecordsParameters extends HostedDatanetLocation {
  /** Leaf; default: the client's. */
  from?: number;
}
export type ListFormerRecordsErrorCode = ReadRecordsErrorCode;

/**
 * Lists the records of a leaf that only a key has signed which the ledger had for it before: of each subject the last one. Whoever had
 * that key can have signed some of them, with any time: look at them before you sign them again.
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const former = await listFormerRecords(client, { hostUrl, datanetId: 10 });
 * console.log(former.map(({ atMs, kind }) => `${kind} ${new Date(atMs).toISOString()}`));
 * ```
 */
export async function listFormerRecords(
  client: LedgerClient,
  { from, ...place }: ListFormerRecordsParameters,
): Promise<RecordBody[]> {
  const { id } = await resolveSigner(client, from);
  const { dropped } = await readRecords(client, place);
  const list = { route: "terms", kind: "terms", what: "signed terms", isLater: true } as const;
  const terms = await readSoundRecords(client, { ...place, ...list });
  const access = await listAccess(client, place);
  const nowMs = Date.now();
  const last = new Map<string, RecordBody>();
  for (const { record, why } of [...dropped, ...terms.dropped, ...access.dropped]) {
    const { body } = record;
    if (body.leafId !== id || why !== "former" || !KINDS.has(body.kind)) continue;
    // A grant that ran out gives nothing.
    if (body.kind === "accessAnswer" && body.answer === "grant" && body.untilMs <= nowMs) continue;
    const subject = recordSubject(body);
    if ((last.get(subject)?.atMs ?? -1) < body.atMs) last.set(subject, body);
  }
  return [...last.values()];
}

export interface SignAgainReturnType {
  signedCount: number;
  /** Records that the host refused, with its reason: it takes no label of a row that was decided since, for example. */
  refused: readonly { readonly body: RecordBody; readonly code: string; readonly message: string }[];
}
export type SignAgainErrorCode = ListFormerRecordsErrorCode | HostErrorCode;

/**
 * Signs the records that `listFormerRecords` lists by the key that the leaf has now, word for word, with the present time.
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { signedCount } = await signAgain(client, { hostUrl, datanetId: 10 });
 * ```
 */
export async function signAgain(
  client: LedgerClient,
  { from, ...place }: ListFormerRecordsParameters,
): Promise<SignAgainReturnType> {
  const signer = from === undefined ? {} : { from };
  const bodies = await listFormerRecords(client, { ...place, ...signer });
  const records = bodies.map(
    ({ atMs: _at, datanetId: _datanet, leafId: _leaf, ...said }) => said as UnsignedRecord,
  );
  const results = await sayRecords(client, { ...place, ...signer, records });
  const refused = results.flatMap(({ error }, i) => (error === null ? [] : [{ body: bodies[i]!, ...error }]));
  return { signedCount: bodies.length - refused.length, refused };
}
