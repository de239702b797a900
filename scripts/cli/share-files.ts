/**
 * Files of an account's shares of groups, beside the devnet's files. Groups are withdrawn: the files are read, so that an account sees
 * what it has, and are neither written, deleted nor signed with.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type GroupMember, groupKeyX, readMember } from "@openledger/client/groups/group-charter";
import { decodeShareFile } from "@openledger/client/groups/share-file";
import type { L2Key } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { groupsWithdrawn } from "@openledger/datanets/records/groups-withdrawn";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readIfPresent } from "@openledger/foundation/whole-file";
import { workspaceDir } from "./workspace.ts";

interface StoredShares {
  readonly shares: readonly { readonly member: GroupMember; readonly path: string }[];
  /** Files that hold no share of a finished group: a setup that was never confirmed, or a text that is cut off. */
  readonly others: readonly { readonly path: string; readonly why: string }[];
}

/** The account's shares of this rollup's groups. */
export function storedShares(
  { domain }: Pick<LedgerClient, "domain">,
  { keyX }: Pick<L2Key, "keyX">,
): StoredShares {
  const shares: { member: GroupMember; path: string }[] = [];
  const others: { path: string; why: string }[] = [];
  const folder = join(workspaceDir(), "groups");
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const file = decodeShareFile(readIfPresent(path) ?? "");
    if (file === null) {
      others.push({ path, why: "it is no file of a share, or is cut off" });
      continue;
    }
    const { member } = file;
    if (member.keyX !== hex32(keyX) || member.group.charter.domain !== hex32(domain)) continue;
    try {
      shares.push({ member: readMember(domain, member), path });
    } catch (error) {
      if (!isRollupError(error)) throw error;
      others.push({ path, why: error.message });
    }
  }
  return { shares, others };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /\.(json|unconfirmed)$/.test(name));
  } catch {
    return [];
  }
}

/** Refuses to sign for a leaf that a group of this account has the key of. @throws DNT_GROUPS_WITHDRAWN */
export function refuseGroupLeaf(client: LedgerClient, key: L2Key, leaf: Pick<LedgerLeaf, "keyX">): void {
  const { shares } = storedShares(client, key);
  if (shares.some(({ member }) => groupKeyX(member.keys) === hex32(leaf.keyX))) throw groupsWithdrawn();
}
