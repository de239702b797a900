/**
 * Withdrawn rows by the versions that have them: owners see that a version waits to be published, and models name the rows that
 * they were trained on. Pages call it.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readHistory } from "../actions/data/list-commits.ts";
import { getLeaf } from "../sequencer/ledger-reads.ts";
import { downloadVersionList } from "./download-rows.ts";
import type { HostAccess, HostErrorCode, HostedDatanetLocation } from "./host-request.ts";
import { listHostVersions } from "./hosted-history.ts";
import {
  type ListWithdrawalsErrorCode,
  type ListWithdrawalsReturnType,
  listWithdrawals,
  type Withdrawal,
} from "./withdrawals.ts";

export interface ListWithdrawnOfVersionsParameters extends HostedDatanetLocation {
  /** Numbers of the versions that are looked through. */
  versions: readonly number[];
}
export interface ListWithdrawnOfVersionsReturnType extends ListWithdrawalsReturnType {
  /** Withdrawn rows of each version, by its number, with their places in the version's order. */
  byVersion: ReadonlyMap<number, readonly (Withdrawal & { readonly index: number })[]>;
}
export type ListWithdrawnOfVersionsErrorCode =
  | "CLI_DATANET_HOST_FALSE"
  | "DNT_NOT_HOSTED"
  | ListWithdrawalsErrorCode
  | HostErrorCode;

/**
 * Lists the rows of versions that their contributors have withdrawn since. Each list is checked against the ledger's root of the
 * version. Versions are not in the answer whose lists the host does not have, or whose roots the sequencer has pruned.
 * @throws CLI_DATANET_HOST_FALSE, DNT_NOT_HOSTED
 * @example
 * ```ts
 * const { byVersion } = await listWithdrawnOfVersions(client, { hostUrl, datanetId: 10, versions: [2] });
 * console.log(byVersion.get(2)?.length);
 * ```
 */
export async function listWithdrawnOfVersions(
  client: HostAccess,
  { versions, ...place }: ListWithdrawnOfVersionsParameters,
): Promise<ListWithdrawnOfVersionsReturnType> {
  const { dropped, withdrawals } = await listWithdrawals(client, place);
  const byVersion = new Map<number, (Withdrawal & { readonly index: number })[]>();
  if (withdrawals.length === 0) return { withdrawals, dropped, byVersion };
  await initPoseidon();
  const byDigest = new Map(withdrawals.map((withdrawal) => [withdrawal.digest, withdrawal]));
  const roots = await versionRoots(client, place.datanetId);
  for (const { isHere, version } of await listHostVersions(client, place)) {
    const rowsRoot = roots.get(version);
    if (!isHere || !versions.includes(version) || rowsRoot === undefined) continue;
    const rows = await downloadVersionList(client, { ...place, rowsRoot });
    byVersion.set(
      version,
      rows.flatMap(({ contributorId, digest }, index) => {
        const withdrawal = byDigest.get(digest);
        return withdrawal?.contributorId === contributorId ? [{ ...withdrawal, index }] : [];
      }),
    );
  }
  return { withdrawals, dropped, byVersion };
}

/** Roots of a Datanet's versions by the ledger: of all, or, where the sequencer has pruned some, of the present one. */
async function versionRoots(client: HostAccess, datanetId: number): Promise<Map<number, bigint>> {
  const { datanet } = await getLeaf(client, datanetId);
  const { versions } = await readHistory(client, datanetId).catch((error: unknown) => {
    if (isRollupError(error, "SEQ_HISTORY_PRUNED")) return { versions: [] };
    throw error;
  });
  const isWhole = versions.length === datanet?.version;
  const roots = new Map(isWhole ? versions.map(({ rowsRoot }, i) => [i + 1, rowsRoot]) : []);
  return datanet == null ? roots : roots.set(datanet.version, datanet.rowsRoot);
}
