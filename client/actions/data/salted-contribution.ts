/**
 * Salts of a contributor's rows, for Datanets whose cards ask for them. Each follows from a secret of the row store, the Datanet and
 * the content: the same row again has the same salt, so a contribution that was interrupted is begun again with the same root.
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { isSalted, SALT_BYTES, saltRow } from "@openledger/attribution/rows/salted-rows";
import type { Card } from "@openledger/datanets/card/card";
import { clientError } from "../../client-errors.ts";
import { readRowFile, writeRowFile } from "./row-files.ts";
import type { RowStore } from "./row-store.ts";

const SECRET_FILE = "salts.key";
const TAG = utf8ToBytes("OpenLedger row salt v1");

export interface SaltByCardParameters {
  datanetId: number;
  /** Domain of the rollup. */
  domain: bigint;
  /** Card of the Datanet: its `row.digests` says whether rows have salts. */
  card: Pick<Card, "row">;
  store: RowStore;
  /** Contents, without salts. */
  rows: readonly Uint8Array[];
}
export type SaltByCardErrorCode = "CLI_INPUT_INVALID";

/**
 * Writes contents as a Datanet's rows: with salts if its card asks for them, else as they are.
 * @throws CLI_INPUT_INVALID for a content that begins as a salted row does, and for a store whose secret is damaged
 * @example
 * ```ts
 * const salted = await saltByCard({ card, datanetId: 10, domain: client.domain, store, rows });
 * await contributeRows(client, { datanetId: 10, store, rows: salted });
 * ```
 */
export async function saltByCard({
  card,
  datanetId,
  domain,
  rows,
  store,
}: SaltByCardParameters): Promise<readonly Uint8Array[]> {
  const salted = rows.findIndex(isSalted);
  if (salted >= 0)
    throw clientError("CLI_INPUT_INVALID", `row ${salted + 1} has a salt already`, {
      data: { reason: "row-salted", index: salted },
    });
  if (card.row.digests !== "salted") return rows;
  const secret = await secretOf(store);
  const position = utf8ToBytes(`${domain}/${datanetId}/`);
  return rows.map((content) =>
    saltRow(content, hmac(sha256, secret, concatBytes(TAG, position, sha256(content)))),
  );
}

/** The store's secret, made where there is none. Of two that are made at once one stays. */
async function secretOf({ folder }: RowStore): Promise<Uint8Array> {
  const read = () => readRowFile(folder, SECRET_FILE).catch(() => null);
  let secret = await read();
  if (secret === null) {
    await writeRowFile(folder, SECRET_FILE, randomBytes(SALT_BYTES));
    secret = await read();
  }
  if (secret?.length === SALT_BYTES) return new Uint8Array(secret);
  throw clientError(
    "CLI_INPUT_INVALID",
    `${folder}/${SECRET_FILE} is no secret of ${SALT_BYTES} bytes: put it back from a copy`,
    {
      data: { reason: "salts-key", folder },
    },
  );
}
