/**
 * Lists behind a Datanet's commits, as a host gives them: checked against the ledger's roots. Downloads, terms and certificates of removal
 * read them.
 */
import { contributionRoot } from "@openledger/circuits/ledger/version-rows";
import { rowHashesOf } from "@openledger/datanets/rows/row-wire";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { hostFalse } from "./host-false.ts";
import { askAsReader, type HostAccess, type HostedDatanetLocation } from "./host-request.ts";

/** A commit's list. */
export interface CommitList {
  /** 32 bytes a row. */
  readonly bytes: Uint8Array;
  readonly rowHashes: readonly bigint[];
}

/**
 * Reads the list of a commit; null where the host does not have it: nobody can make a contributor bring it.
 * @param location `from` is the leaf that signs as a reader
 * @throws CLI_DATANET_HOST_FALSE for another list
 * @internal
 */
export async function readCommitList(
  client: HostAccess,
  { datanetId, from, hostUrl }: HostedDatanetLocation & { from?: number | undefined },
  rowsRoot: bigint,
): Promise<CommitList | null> {
  const root = hex32(rowsRoot);
  const path = `/v1/datanets/${datanetId}/commits/${root}/list`;
  const bytes = await askAsReader(client, { datanetId, hostUrl }, { path, from }, "bytes").catch(
    (error: unknown) => {
      if (isRollupError(error, "DNT_LIST_MISSING") || isRollupError(error, "DNT_NOT_HOSTED")) return null;
      throw error;
    },
  );
  if (bytes === null) return null;
  const rowHashes = commitRowHashes(bytes, rowsRoot);
  if (rowHashes === null) throw hostFalse("list", `the list of the commit ${root}`, { rowsRoot: root });
  return { bytes, rowHashes };
}

/**
 * Returns the hashes of a commit's rows, by its list; null if that is the list of another root.
 * @internal
 */
export function commitRowHashes(list: Uint8Array, rowsRoot: bigint): readonly bigint[] | null {
  const hashes = list.length % 32 === 0 ? rowHashesOf(list) : null;
  return hashes !== null && contributionRoot(hashes) === rowsRoot ? hashes : null;
}
