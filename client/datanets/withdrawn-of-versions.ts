/**
 * Withdrawn rows by the versions that have them: owners see that a version waits to be published, and models name the rows that
 * they were trained on. Pages call it.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { readHistory } from "../actions/data/list-commits.ts";
import { downloadVersionList } from "./download-rows.ts";
import { hostFalse } from "./host-false.ts";
import type { HostAccess, HostErrorCode, HostedDatanetPlace } from "./host-request.ts";
import { listHostVersions } from "./hosted-history.ts";
import {
  type ListWithdrawalsErrorCode,
  type ListWithdrawalsReturnType,
  listWithdrawals,
  type Withdrawal,
} from "./withdrawals.ts";

export interface ListWithdrawnOfVersionsParameters extends HostedDatanetPlace {
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
 * version. Versions whose lists the host does not have are not in the answer.
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
  const history = (await readHistory(client, place.datanetId)).versions;
  for (const { isHere, version } of await listHostVersions(client, place)) {
    if (!isHere || !versions.includes(version)) continue;
    const rowsRoot = history[version - 1]?.rowsRoot;
    if (rowsRoot === undefined) throw hostFalse("list", `version ${version}`, { version });
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
