/**
 * Files of an account's shares of groups, beside the devnet's files (mode 600): the share, the group, and the folder that its members
 * use as their mailbox. Commands that sign for a group's leaf find the share here.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { folderMailbox } from "@openledger/client/groups/folder-mailbox";
import {
  charterSession,
  type GroupMember,
  groupKeyX,
  readMember,
  writeMember,
} from "@openledger/client/groups/group-charter";
import { asGroup } from "@openledger/client/groups/group-client";
import { type GroupProposal, proposalSession } from "@openledger/client/groups/group-proposal";
import { completeSetup } from "@openledger/client/groups/group-setup";
import type { L2Key } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { hex32 } from "@openledger/foundation/hex";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { z } from "zod";
import { workspaceDir } from "./workspace.ts";

/** Time that the other members have to sign a proposal of a command. */
const SIGNING_MS = 3_600_000;

const groupsFolder = () => join(workspaceDir, "groups");
const fileSchema = z.object({ warning: z.string(), mailbox: z.string(), member: z.unknown() });

export interface StoredMember {
  readonly member: GroupMember;
  /** Folder of the group's messages. */
  readonly folder: string;
}

const pathOf = ({ group, keyX }: GroupMember) =>
  join(groupsFolder(), `${charterSession(group.charter).slice(2, 18)}-${keyX.slice(2, 10)}.json`);
const unconfirmed = (path: string) => path.replace(/\.json$/, ".unconfirmed");

async function write(path: string, { folder, member }: StoredMember): Promise<void> {
  const warning = "a share of a group's key: who has as many of them as sign has the key";
  const content = { warning, mailbox: folder, member: writeMember(member) };
  await writeFileWhole(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}

/** Stores a share before its member confirms it; a kill after that loses nothing. */
export const storeUnconfirmed = (stored: StoredMember): Promise<void> =>
  write(unconfirmed(pathOf(stored.member)), stored);

/** Stores the share of a group that stands. @returns the file's path */
export async function storeMember(stored: StoredMember): Promise<string> {
  const path = pathOf(stored.member);
  await write(path, stored);
  rmSync(unconfirmed(path), { force: true });
  return path;
}

/**
 * The shares of this rollup's groups that a key is a member of. A set that another of them replaces is not among them: its members
 * may sign no more, whatever times their charters say.
 */
export async function storedMembers(domain: bigint, { keyX }: Pick<L2Key, "keyX">): Promise<StoredMember[]> {
  const found: StoredMember[] = [];
  for (const name of namesIn(groupsFolder())) {
    const text = readIfPresent(join(groupsFolder(), name));
    if (text === null) continue;
    const stored = await readStored(domain, text, name.endsWith(".unconfirmed")).catch(() => null);
    if (stored?.member.keyX === hex32(keyX)) found.push(stored);
  }
  const replaced = new Set(found.map(({ member }) => member.group.charter.previous?.session));
  return found
    .filter(({ member }) => !replaced.has(charterSession(member.group.charter)))
    .sort((a, b) => b.member.group.charter.untilMs - a.member.group.charter.untilMs);
}

async function readStored(domain: bigint, text: string, isUnconfirmed: boolean): Promise<StoredMember> {
  const { mailbox: folder, member } = fileSchema.parse(JSON.parse(text));
  if (!isUnconfirmed) return { member: readMember(domain, member), folder };
  const completed = await completeSetup(domain, member, folderMailbox(folder));
  await storeMember({ member: completed, folder });
  return { member: completed, folder };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /\.(json|unconfirmed)$/.test(name));
  } catch {
    return [];
  }
}

/** A client that signs for a group's leaf with the group, if the account is one of its members; else null. */
export async function groupClient(
  client: LedgerClient,
  key: L2Key,
  leaf: LedgerLeaf,
): Promise<LedgerClient | null> {
  const stored = await storedMembers(client.domain, key);
  const own = stored.find(({ member }) => groupKeyX(member.keys) === hex32(leaf.keyX));
  if (own === undefined) return null;
  const { folder, member } = own;
  const onProposal = (proposal: GroupProposal) => {
    const { threshold } = member.group.charter;
    process.stderr.write(
      `experimental: waits until ${threshold - 1} more of ${member.group.charter.name} sign:\n  openledger group sign ${proposalSession(proposal)}\n`,
    );
  };
  const signing = { member, mailbox: folderMailbox(folder), timeoutMs: SIGNING_MS, onProposal };
  return asGroup({ ...client, l2Key: key }, leaf.id, signing);
}
