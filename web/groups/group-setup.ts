/** Setup of a group in a page: the charter, the invitation, and the part that this member takes. */

import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { groupInvalid } from "@openledger/client/groups/frost-suite";
import type { GroupMember } from "@openledger/client/groups/group-charter";
import {
  type Charter,
  charterSession,
  dealersOf,
  drawSalt,
  readCharter,
} from "@openledger/client/groups/group-charter";
import type { GroupMailbox } from "@openledger/client/groups/group-messages";
import { setUpGroup } from "@openledger/client/groups/group-setup";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import { type LedgerClient, requireL2Key } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { signMessage } from "@openledger/datanets/records/group-message";
import { hex32 } from "@openledger/foundation/hex";
import type { Hex } from "viem";

/** Time that members have to join, in milliseconds. */
const JOINING_MS = 3_600_000;

interface CharterForm {
  readonly name: string;
  /** Numbers of accounts, with anything between them. */
  readonly members: string;
  readonly threshold: string;
  readonly previous: Charter["previous"];
}

/** Makes a charter of a form. @throws CLI_GROUP_INVALID, CLI_LEAF_NOT_FOUND */
export async function makeCharter(
  client: LedgerClient,
  { members, name, previous, threshold }: CharterForm,
): Promise<Charter> {
  await initPoseidon();
  return readCharter(client.domain, {
    format: "openledger.group.v1",
    domain: hex32(client.domain),
    name: name.trim(),
    threshold: Number(threshold),
    members: await keysOfLeaves(client, members),
    untilMs: Date.now() + JOINING_MS,
    salt: drawSalt(),
    previous,
  });
}

/** Leaves named in a text, with their keys. @throws CLI_LEAF_NOT_FOUND */
export function keysOfLeaves(client: LedgerClient, text: string): Promise<{ leafId: number; keyX: Hex }[]> {
  const ids = (text.match(/\d+/g) ?? []).slice(0, 32).map(Number);
  return Promise.all(
    ids.map(async (leafId) => ({ leafId, keyX: hex32((await getLeaf(client, leafId)).keyX) })),
  );
}

/** Compares a charter that somebody else has made with the ledger. @throws CLI_GROUP_INVALID */
export async function checkMembers(client: LedgerClient, charter: Charter): Promise<void> {
  for (const { keyX, leafId } of charter.members)
    if (hex32((await getLeaf(client, leafId)).keyX) !== keyX)
      throw groupInvalid("member-key", `leaf ${leafId} has another key than the charter says`);
}

/** Puts a charter where the others find it by its name. */
export async function invite(client: LedgerClient, hostUrl: string, charter: Charter): Promise<void> {
  const content = { session: charterSession(charter), step: "invite" as const, body: charter };
  const mailbox = hostMailbox(client, { hostUrl, members: takingPart(charter) });
  await mailbox.post(signMessage(client.domain, requireL2Key(client), content));
}

/** True if this client's share goes to the charter's members. */
export const isDealer = (client: LedgerClient, charter: Charter): boolean =>
  charter.previous !== null && dealersOf(charter).includes(hex32(requireL2Key(client).keyX));

/** What this page has seen of the others: messages of each key. */
export type Seen = ReadonlyMap<string, number>;

interface PartOptions {
  readonly charter: Charter;
  readonly hostUrl: string;
  readonly old: GroupMember | null;
  readonly onSeen: (seen: Seen) => void;
  /** Resolves once the member has stored the share. */
  readonly onShare: (member: GroupMember) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Takes part until the group stands. Returns null for a dealer who is no member of the new set. */
export function takePart(
  client: LedgerClient,
  { charter, hostUrl, old, onSeen, onShare, signal }: PartOptions,
): Promise<GroupMember | null> {
  const mailbox = hostMailbox(client, { hostUrl, members: takingPart(charter) });
  const watched: GroupMailbox = {
    post: (message) => mailbox.post(message),
    read: async (session) => {
      const messages = await mailbox.read(session);
      const seen = new Map<string, number>();
      for (const message of messages) {
        const { from, step } = message as { from?: unknown; step?: unknown };
        if (typeof from === "string" && step !== "invite") seen.set(from, (seen.get(from) ?? 0) + 1);
      }
      onSeen(seen);
      return messages;
    },
  };
  return setUpGroup({
    charter,
    key: requireL2Key(client),
    mailbox: watched,
    ...(old !== null && isDealer(client, charter) && { old }),
    onShare,
    pollMs: 1_000,
    signal,
  });
}
