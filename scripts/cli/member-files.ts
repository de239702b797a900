/**
 * Files of an account's shares of groups, beside the devnet's files (mode 600): the share, the group, and the folder or host that its
 * members use as their mailbox. Commands that sign for a group's leaf find the share here.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { clientError } from "@openledger/client/client-errors";
import type { HostAccess } from "@openledger/client/datanets/host-request";
import { folderMailbox } from "@openledger/client/groups/folder-mailbox";
import {
  type Charter,
  charterSession,
  type GroupMember,
  groupKeyX,
  readCharter,
  readMember,
} from "@openledger/client/groups/group-charter";
import { asGroup } from "@openledger/client/groups/group-client";
import type { ListingMailbox } from "@openledger/client/groups/group-messages";
import { type GroupProposal, proposalSession } from "@openledger/client/groups/group-proposal";
import { completeSetup } from "@openledger/client/groups/group-setup";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import { openShare } from "@openledger/client/groups/open-share";
import { decodeShareFile, encodeShareFile, type ShareFile } from "@openledger/client/groups/share-file";
import type { L2Key } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { workspaceDir } from "./workspace.ts";

/** Time that the other members have to sign a proposal of a command. */
const SIGNING_MS = 3_600_000;

const groupsFolder = () => join(workspaceDir(), "groups");
/** A member's share with where it lies. */
export interface StoredMember {
  readonly member: GroupMember;
  /** Folder of the group's messages, or URL of the host that has them. */
  readonly place: string;
  readonly path: string;
}

/** A file that holds no usable share of this account. */
interface DamagedFile {
  readonly path: string;
  readonly why: string;
}

export interface StoredMembers {
  readonly members: readonly StoredMember[];
  /** Shares of sets that another of the account's sets replaces: they sign no more here, and should be deleted. */
  readonly replaced: readonly StoredMember[];
  /** Files that cannot be read: a share may be lost. */
  readonly damaged: readonly DamagedFile[];
  /** Setups that not every member has confirmed. */
  readonly unconfirmed: readonly DamagedFile[];
}

/** The mailbox at a place: a folder, or a host's URL. @param client with the member's key */
export const mailboxAt = (client: HostAccess, place: string, charter: Charter): ListingMailbox =>
  isUrl(place) ? hostMailbox(client, { hostUrl: place, members: takingPart(charter) }) : folderMailbox(place);

export const isUrl = (place: string): boolean => /^https?:\/\//.test(place);

const pathOf = ({ group, keyX }: GroupMember) =>
  join(groupsFolder(), `${charterSession(group.charter).slice(2, 18)}-${keyX.slice(2, 10)}.json`);
const unconfirmedPath = (path: string) => path.replace(/\.json$/, ".unconfirmed");

async function write(path: string, { member, place }: Omit<StoredMember, "path">): Promise<void> {
  await writeFileWhole(path, encodeShareFile(member, place), { mode: 0o600 });
}

/** Stores a share before its member confirms it; a kill after that loses nothing. */
export const storeUnconfirmed = (stored: Omit<StoredMember, "path">): Promise<void> =>
  write(unconfirmedPath(pathOf(stored.member)), stored);

/** Stores the share of a group that stands. @returns the file's path */
export async function storeMember(stored: Omit<StoredMember, "path">): Promise<string> {
  const path = pathOf(stored.member);
  await write(path, stored);
  rmSync(unconfirmedPath(path), { force: true });
  return path;
}

/**
 * Stores a copy of a share's file that a page or another machine has saved.
 * @throws CLI_GROUP_INVALID as `openShare`
 */
export async function importShare(client: HostAccess, key: L2Key, text: string): Promise<StoredMember> {
  const mailboxOf = (charter: Charter, place: string) => mailboxAt(client, place, charter);
  const share = await openShare(client, text, { key, mailboxOf });
  return { ...share, path: await storeMember(share) };
}

/** Deletes the file of a share that was dealt out to a set that stands. */
export const deleteShare = ({ path }: StoredMember): void => rmSync(path, { force: true });

/**
 * The shares of this rollup's groups that the client's key is a member of. A set that another of them replaces is not among `members`:
 * it may sign no more, whatever times its charter says.
 */
export async function storedMembers(
  client: HostAccess,
  { keyX }: Pick<L2Key, "keyX">,
): Promise<StoredMembers> {
  const found: StoredMember[] = [];
  const damaged: DamagedFile[] = [];
  const unconfirmed: DamagedFile[] = [];
  for (const name of namesIn(groupsFolder())) {
    const path = join(groupsFolder(), name);
    const text = readIfPresent(path);
    if (text === null) continue;
    const file = decodeShareFile(text);
    if (file === null) {
      damaged.push({ path, why: "it is no file of a share, or is cut off" });
      continue;
    }
    const { member } = file;
    if (member.keyX !== hex32(keyX) || member.group.charter.domain !== hex32(client.domain)) continue;
    const isUnconfirmed = name.endsWith(".unconfirmed");
    try {
      const read = isUnconfirmed ? await complete(client, file) : readMember(client.domain, member);
      found.push({ member: read, place: file.mailbox, path: pathOf(read) });
    } catch (error) {
      // A host that is away leaves its setup as it is.
      if (!isRollupError(error)) throw error;
      const isWaiting = isUnconfirmed && (error.data as { reason?: string }).reason !== "share-wrong";
      (isWaiting ? unconfirmed : damaged).push({ path, why: error.message });
    }
  }
  const sessions = new Set(found.map(({ member }) => member.group.charter.previous?.session));
  const isReplaced = ({ member }: StoredMember) => sessions.has(charterSession(member.group.charter));
  return {
    members: found
      .filter((one) => !isReplaced(one))
      .sort((a, b) => b.member.group.charter.untilMs - a.member.group.charter.untilMs),
    replaced: found.filter(isReplaced),
    damaged,
    unconfirmed,
  };
}

async function complete(client: HostAccess, { mailbox, member }: ShareFile): Promise<GroupMember> {
  const charter = readCharter(client.domain, member.group.charter);
  const completed = await completeSetup(client.domain, member, mailboxAt(client, mailbox, charter));
  await storeMember({ member: completed, place: mailbox });
  return completed;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /\.(json|unconfirmed)$/.test(name));
  } catch {
    return [];
  }
}

/**
 * A client that signs for a group's leaf with the group, if the account is one of its members; else null.
 * @throws CLI_GROUP_INVALID if a damaged file may hold the share
 */
export async function groupClient(
  client: LedgerClient,
  key: L2Key,
  leaf: LedgerLeaf,
): Promise<LedgerClient | null> {
  const withKey = { ...client, l2Key: key };
  const { damaged, members } = await storedMembers(withKey, key);
  const own = members.find((one) => groupKeyX(one.member.keys) === hex32(leaf.keyX));
  if (own === undefined && damaged.length > 0)
    throw clientError(
      "CLI_GROUP_INVALID",
      `no share signs for leaf ${leaf.id}, and ${damaged[0]!.path} is damaged: ${damaged[0]!.why}`,
      { data: { reason: "share-damaged" } },
    );
  if (own === undefined) return null;
  const { member, place } = own;
  const onProposal = (proposal: GroupProposal) => {
    const { threshold } = member.group.charter;
    process.stderr.write(
      `experimental: waits until ${threshold - 1} more of ${member.group.charter.name} sign:\n  openledger group sign ${proposalSession(proposal)}\n`,
    );
  };
  const mailbox = mailboxAt(withKey, place, member.group.charter);
  return asGroup(withKey, leaf.id, { member, mailbox, timeoutMs: SIGNING_MS, onProposal });
}
