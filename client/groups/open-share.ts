/** Opens the file of a member's share, wherever it comes from: pages read it into memory, `group import` stores it. */
import { hex32 } from "@openledger/foundation/hex";
import type { HostAccess } from "../datanets/host-request.ts";
import type { L2Key } from "../l2-key.ts";
import { groupInvalid } from "./frost-suite.ts";
import { type Charter, type GroupMember, readCharter, readMember } from "./group-charter.ts";
import type { GroupMailbox } from "./group-messages.ts";
import { completeSetup } from "./group-setup.ts";
import { decodeShareFile } from "./share-file.ts";

interface OpenShareOptions {
  /** The account's key. */
  readonly key: Pick<L2Key, "keyX">;
  /** Mailbox with the confirmations of a setup, where the file was saved before all had confirmed. */
  mailboxOf(charter: Charter, place: string): GroupMailbox;
}

/**
 * Reads a share of the account's. Needs `initPoseidon`.
 * @throws CLI_GROUP_INVALID for no share, another account's, or a setup that not every member has confirmed
 * @internal
 */
export async function openShare(
  client: Pick<HostAccess, "domain">,
  text: string,
  { key, mailboxOf }: OpenShareOptions,
): Promise<{ member: GroupMember; place: string }> {
  const file = decodeShareFile(text);
  if (file === null) throw groupInvalid("share-damaged", "the file holds no share, or is cut off");
  const { mailbox: place, member: content } = file;
  if (content.keyX !== hex32(key.keyX)) throw groupInvalid("other-key", "the share is another account's");
  const isFinished = (content.group["confirmations"] as unknown[] | undefined)?.length !== 0;
  if (isFinished) return { member: readMember(client.domain, content), place };
  const mailbox = mailboxOf(readCharter(client.domain, content.group.charter), place);
  return { member: await completeSetup(client.domain, content, mailbox), place };
}
