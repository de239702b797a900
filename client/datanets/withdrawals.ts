/**
 * Withdrawals of rows: their contributor signs that a row no longer counts in a Datanet. Hosts erase it, and the next version
 * leaves it out. Commands and pages sign here; downloads, exports and certificates read.
 */
import type { SignedRecord } from "@openledger/datanets/records/record";
import { RollupError } from "@openledger/foundation/rollup-error";
import type { RowStore } from "../actions/data/row-store.ts";
import { noteWithdrawn, type WithdrawnRow } from "../actions/data/withdrawn-rows.ts";
import type { LedgerClient } from "../ledger-client.ts";
import type { HostAccess, HostErrorCode, HostedDatanetLocation } from "./host-request.ts";
import { sayRecords } from "./signed-records.ts";
import { type DroppedRecord, readSoundRecords } from "./sound-records.ts";

export interface WithdrawRowParameters extends HostedDatanetLocation {
  /** SHA-256 of the row's bytes, 64 hexadecimal digits. */
  row: string;
  /** Reason, which is public; may be empty, the default. */
  note?: string;
  /** The row's contributor; default: the client's leaf. */
  from?: number;
}
export type WithdrawRowErrorCode =
  | "DNT_NOT_HOSTED"
  | "DNT_RECORD_NOT_ALLOWED"
  | "DNT_RECORD_INVALID"
  | HostErrorCode;

/**
 * Withdraws a row of the signer from a Datanet, for good. The host erases its bytes at once and takes them no more; the next
 * version leaves it out. What was earned stays earned. Copies that others have, and hashes and roots on the ledger, stay.
 * @throws DNT_NOT_HOSTED, DNT_RECORD_NOT_ALLOWED unless the signer is the row's contributor
 * @example
 * ```ts
 * await withdrawRow(client, { hostUrl, datanetId: 10, row: digest, note: "it names a person" });
 * ```
 */
export async function withdrawRow(
  client: LedgerClient,
  { note = "", row, ...place }: WithdrawRowParameters,
): Promise<void> {
  const [result] = await sayRecords(client, { ...place, records: [{ kind: "withdrawal", row, note }] });
  const { error } = result!;
  if (error !== null) throw new RollupError(error.code, error.message);
}

export interface ListWithdrawalsParameters extends HostedDatanetLocation {
  /** Only the withdrawal of this row; default: all. */
  row?: string;
}
export type ListWithdrawalsErrorCode = "CLI_DATANET_HOST_FALSE" | HostErrorCode;

/** A withdrawn row with the withdrawal, which the ledger's key of the contributor's leaf has signed. */
export interface Withdrawal extends WithdrawnRow {
  readonly record: SignedRecord;
}
export interface ListWithdrawalsReturnType {
  withdrawals: readonly Withdrawal[];
  /** Withdrawals by the host's word alone: the present key of their leaf has not signed them. */
  dropped: readonly DroppedRecord[];
}

/**
 * Lists the rows of a Datanet that a host names as withdrawn. Each signature is checked; whether the signer is the row's first
 * contributor shows in the ledger's commits, or in a version's list. A host may leave some out, and cannot make one.
 * @throws CLI_DATANET_HOST_FALSE where one is not signed, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { withdrawals } = await listWithdrawals(client, { hostUrl, datanetId: 10 });
 * for (const { contributorId, digest, note } of withdrawals) console.log(digest, contributorId, note);
 * ```
 */
export async function listWithdrawals(
  client: HostAccess,
  { datanetId, hostUrl, row }: ListWithdrawalsParameters,
): Promise<ListWithdrawalsReturnType> {
  const { dropped, records } = await readSoundRecords(client, {
    ...{ datanetId, hostUrl, route: "withdrawals", kind: "withdrawal", what: "withdrawal", isLater: true },
    query: row === undefined ? "" : `&row=${row}`,
  });
  const withdrawals = records.map((record) => {
    const { atMs, leafId, note, row: digest } = record.body;
    return { digest, datanetId, contributorId: leafId, atMs, note, record };
  });
  return { withdrawals, dropped };
}

export interface FoundWithdrawn {
  /** Rows that their own contributors have withdrawn. */
  readonly withdrawn: readonly Withdrawal[];
  /**
   * Rows whose withdrawal a former or unknown key of their contributor has signed. The host does not give them; that they are
   * withdrawn is its word.
   */
  readonly refused: readonly string[];
}

/**
 * Finds which of these rows are withdrawn by their own contributors, and notes them in the store.
 * @param contributors leaves that may have withdrawn each row, by digest: what a version's list or the ledger's commits say
 * @internal
 */
export async function findWithdrawn(
  client: HostAccess,
  { store, ...place }: HostedDatanetLocation & { store: RowStore },
  contributors: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<FoundWithdrawn> {
  const { dropped, withdrawals } = await listWithdrawals(client, place);
  const withdrawn = withdrawals.filter(({ contributorId, digest }) =>
    contributors.get(digest)?.has(contributorId),
  );
  await noteWithdrawn(store, withdrawn);
  const refused = dropped.flatMap(({ record: { body }, why }) =>
    why !== "foreign" && body.kind === "withdrawal" && contributors.get(body.row)?.has(body.leafId) === true
      ? [body.row]
      : [],
  );
  return { withdrawn, refused };
}
