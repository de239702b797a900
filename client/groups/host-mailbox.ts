/**
 * A mailbox at a Datanet host, for members who share no folder. Requests to post are signed by the member's account and use its quota;
 * the host deletes messages after eight days.
 */
import { word } from "@openledger/datanets/records/group-message";
import type { Hex } from "viem";
import { z } from "zod";
import { askHost, type HostAccess } from "../datanets/host-request.ts";
import { groupInvalid } from "./frost-suite.ts";
import { type Charter, charterSession, dealersOf, membersOf, readCharter } from "./group-charter.ts";
import type { ListingMailbox } from "./group-messages.ts";

const messagesSchema = z.object({ messages: z.array(z.unknown()) });
const sessionsSchema = z.object({ sessions: z.array(word) });

/** Everyone who takes part in a setup: new members, and old ones who deal. */
export const takingPart = (charter: Charter): Hex[] => [
  ...new Set([...membersOf(charter), ...dealersOf(charter)]),
];

/**
 * Opens a mailbox at a host. The client has the key of a member's account.
 * @param place.members keys whose messages are read: strangers' are left out
 */
export function hostMailbox(
  client: HostAccess,
  { hostUrl, members }: { readonly hostUrl: string; readonly members: readonly Hex[] },
): ListingMailbox {
  const from = members.join();
  return {
    post: async (message) => {
      const call = { method: "PUT" as const, path: "/v1/group-messages", body: message, isSigned: true };
      await askHost(client, hostUrl, call, z.object({ session: word }));
    },
    read: async (session) => {
      const path = `/v1/group-messages?session=${session}&from=${from}`;
      return (await askHost(client, hostUrl, { path }, messagesSchema)).messages;
    },
    sessions: async () => {
      const path = `/v1/group-sessions?from=${from}`;
      return (await askHost(client, hostUrl, { path }, sessionsSchema)).sessions;
    },
  };
}

/**
 * Reads the charter of a setup from a host, by the setup's name, which stands for the whole charter.
 * @throws CLI_GROUP_INVALID if it is not there
 */
export async function findCharter(client: HostAccess, hostUrl: string, session: Hex): Promise<Charter> {
  const path = `/v1/group-messages?session=${session}`;
  const { messages } = await askHost(client, hostUrl, { path }, messagesSchema);
  const inviteSchema = z.object({ step: z.literal("invite"), body: z.unknown() });
  for (const message of messages) {
    const invite = inviteSchema.safeParse(message);
    if (!invite.success) continue;
    try {
      const charter = readCharter(client.domain, invite.data.body);
      if (charterSession(charter) === session) return charter;
    } catch {
      // Somebody else's: anyone can post under any name.
    }
  }
  throw groupInvalid("no-charter", `the host has no charter ${session}`);
}
