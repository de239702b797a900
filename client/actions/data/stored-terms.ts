/**
 * Terms that a contributor has signed for a commit, beside the rows in a row store, until they are sent with them. `uploadRows`
 * sends what `contributionSource` finds.
 */
import { type SignedRecord, signedRecordSchema } from "@openledger/datanets/records/record";
import { hex32 } from "@openledger/foundation/hex";
import { textOfBytes } from "@openledger/foundation/utf8";
import { clientError } from "../../client-errors.ts";
import { readRowFile, writeRowFile } from "./row-files.ts";
import type { RowStore } from "./row-store.ts";

const nameOf = (rowsRoot: bigint) => `contributions/terms-${hex32(rowsRoot).slice(2)}.json`;

/**
 * Stores signed terms beside their commit's rows, as `contributeRows` does.
 * @example
 * ```ts
 * await storeSignedTerms(store, rowsRoot, await signTerms(client, { datanetId: 10, rowsRoot, card }));
 * ```
 */
export async function storeSignedTerms(
  { folder }: RowStore,
  rowsRoot: bigint,
  terms: SignedRecord,
): Promise<void> {
  const text = `${JSON.stringify(terms, null, 1)}\n`;
  await writeRowFile(folder, nameOf(rowsRoot), new TextEncoder().encode(text), true);
}

/**
 * Reads the signed terms of a commit; null if none are stored.
 * @throws CLI_ROWS_MISSING if the file is damaged
 * @internal
 */
export async function readSignedTerms({ folder }: RowStore, rowsRoot: bigint): Promise<SignedRecord | null> {
  const file = await readRowFile(folder, nameOf(rowsRoot)).catch(() => null);
  if (file === null) return null;
  try {
    return signedRecordSchema.parse(JSON.parse(textOfBytes(file)));
  } catch (cause) {
    throw clientError("CLI_ROWS_MISSING", `the signed terms of the root ${hex32(rowsRoot)} are damaged`, {
      data: { rowsRoot: hex32(rowsRoot), folder },
      cause,
    });
  }
}
