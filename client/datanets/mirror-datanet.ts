/** Copies a Datanet from one host to another: `openledger datanet upload --from`. The data go through a local `RowStore`. */
import { storeVersion } from "../actions/data/published-version.ts";
import type { RowStore } from "../actions/data/row-store.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { bringCard, getHostedDatanet } from "./datanet-card.ts";
import { type DownloadVersionErrorCode, downloadCommits, downloadVersionList } from "./download-rows.ts";
import { askHost } from "./host-request.ts";
import { versionsSchema } from "./host-schemas.ts";
import { bringRecords, readRecords } from "./signed-records.ts";
import { listSignedTerms } from "./signed-terms.ts";
import type { DroppedRecord } from "./sound-records.ts";
import {
  bringList,
  bringVersion,
  contributionSource,
  type UploadRowsErrorCode,
  uploadRows,
} from "./upload-rows.ts";
import { readVerified } from "./verified-records.ts";
import { listWithdrawals } from "./withdrawals.ts";

export interface MirrorDatanetParameters {
  datanetId: number;
  fromUrl: string;
  toUrl: string;
  /** Store of the rows on the way; rows in it are not fetched again. */
  store: RowStore;
  /** Leaf that signs on both hosts; default: the client's. */
  from?: number;
  onProgress?: (step: string) => void;
}
export interface MirrorDatanetReturnType {
  commitCount: number;
  /** Commits whose rows the first host does not have whole. */
  incompleteCount: number;
  versionCount: number;
  recordCount: number;
  /** Records that the second host refused, for example about rows that are withdrawn. */
  refusedCount: number;
  /** Records that were not brought: the present key of their leaf has not signed them. */
  dropped: readonly DroppedRecord[];
  /** Rows that their contributors have withdrawn: the second host has their hashes, and erases what it had of them. */
  withdrawnCount: number;
}
export type MirrorDatanetErrorCode =
  | "DNT_CARD_INVALID"
  | "DNT_CARD_EARLIER"
  | "DNT_NOT_ON_LEDGER"
  | DownloadVersionErrorCode
  | UploadRowsErrorCode;

/**
 * Copies everything that a host shows of a datanet to another one: card, commits, versions, records. Signed terms and withdrawals go
 * before the rows, so that none comes to the second host that its contributor has withdrawn. The second host checks all of it against the ledger, as from anybody; it does not trust the first one.
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_ON_LEDGER, DNT_ACCESS_NOT_GRANTED, SRV_QUOTA_USED
 * @example
 * ```ts
 * const { versionCount } = await mirrorDatanet(client, { datanetId: 10, fromUrl: hostUrl, toUrl: otherUrl, store });
 * ```
 */
export async function mirrorDatanet(
  client: LedgerClient,
  { datanetId, from, fromUrl, onProgress, store, toUrl }: MirrorDatanetParameters,
): Promise<MirrorDatanetReturnType> {
  const source = { hostUrl: fromUrl, datanetId };
  const target = { hostUrl: toUrl, datanetId };
  const signer = from === undefined ? {} : { from };
  const { card } = await getHostedDatanet(client, source);
  await bringCard(client, { ...target, card });
  onProgress?.("commits");
  const { commits, passedOver } = await downloadCommits(client, { ...source, ...signer, store });
  const { withdrawals, ...others } = await listWithdrawals(client, source);
  const withdrawn = new Set(withdrawals.map(({ digest }) => digest));
  const sources = await Promise.all(commits.map(({ rowsRoot }) => contributionSource(store, rowsRoot)));
  for (const { digests, rowsRoot } of sources)
    await bringList(client, { ...target, ...signer, digests, rowsRoot });
  // Before the withdrawals: a published row is its contributor's to withdraw, whoever committed the same bytes earlier.
  const path = `/v1/datanets/${datanetId}/versions`;
  const here = (await askHost(client, fromUrl, { path }, versionsSchema)).filter(({ isHere }) => isHere);
  for (const version of here) {
    onProgress?.(`version ${version.version}`);
    const rowsRoot = BigInt(version.rowsRoot);
    await storeVersion(store, {
      rowsRoot,
      storedRows: await downloadVersionList(client, { ...source, ...signer, rowsRoot }),
    });
    await bringVersion(client, { ...target, ...signer, store, rowsRoot });
  }
  await bringRecords(client, { ...target, records: withdrawals.map(({ record }) => record) });
  // Before the rows, which the second host may refuse without.
  const terms = await listSignedTerms(client, source);
  const signedTerms = terms.flatMap(({ isSignedByLeaf, record }) => (isSignedByLeaf ? [record] : []));
  await bringRecords(client, { ...target, records: signedTerms });
  for (const [i, commit] of sources.entries()) {
    onProgress?.(`commit ${i + 1} of ${commits.length}`);
    // Not those either that the store has from before.
    await uploadRows(client, { ...target, ...signer, source: { ...commit, withdrawn } });
  }
  // Attack: a stranger has brought a version's list first, with aliases of its rows' digests: the second host mends them once it has the rows.
  for (const { rowsRoot } of here)
    await bringVersion(client, { ...target, ...signer, store, rowsRoot: BigInt(rowsRoot) });
  onProgress?.("records");
  const [said, verified] = [await readRecords(client, source), await readVerified(client, source)];
  const records = [...said.records, ...verified.records];
  const results = await bringRecords(client, { ...target, records });
  return {
    commitCount: commits.length,
    incompleteCount: passedOver.length,
    versionCount: here.length,
    recordCount: records.length,
    dropped: [...others.dropped, ...said.dropped, ...verified.dropped],
    refusedCount: results.filter(({ error }) => error !== null).length,
    withdrawnCount: withdrawn.size,
  };
}
