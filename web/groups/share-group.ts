/** Opens a group by a member's share: pages then propose with `asGroup`, as commands do. Loaded where a share is read. */
import { type GroupMember, groupKeyX } from "@openledger/client/groups/group-charter";
import { asGroup } from "@openledger/client/groups/group-client";
import { proposalLeaf, proposalSession } from "@openledger/client/groups/group-proposal";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { type OpenGroup, openGroups, waitingProposals } from "./open-group.ts";

/** Time that the other members have to sign a proposal, in milliseconds. */
const SIGNING_MS = 3_600_000;
const POLL_MS = 1_000;

export interface Share {
  readonly member: GroupMember;
  /** Folder of the group's messages, or URL of the host that has them. */
  readonly place: string;
}

/** Host of a group's messages. A folder is no place for a page: such a group meets at the site's host, if its members agree. */
export const mailHostOf = ({ place }: Pick<Share, "place">, siteHostUrl: string): string =>
  /^https?:/.test(place) ? place : siteHostUrl;

/** Remembers a share while the page is open. */
export function openGroup(share: Share, siteHostUrl: string): OpenGroup {
  const { member } = share;
  const { charter } = member.group;
  const hostUrl = mailHostOf(share, siteHostUrl);
  // One object for each client and leaf: hosts' sessions are remembered by it.
  const acting = new WeakMap<LedgerClient, Map<number, LedgerClient>>();
  const group: OpenGroup = {
    keyX: BigInt(groupKeyX(member.keys)),
    name: charter.name,
    threshold: charter.threshold,
    memberCount: charter.members.length,
    memberKeyX: BigInt(member.keyX),
    clientFor(client, leafId) {
      const known = acting.get(client) ?? new Map<number, LedgerClient>();
      acting.set(client, known);
      const made =
        known.get(leafId) ?? tracked(asGroup(client, leafId, signingOf(client, member, hostUrl)), leafId);
      known.set(leafId, made);
      return made;
    },
  };
  openGroups.value = [...openGroups.value.filter((one) => one.keyX !== group.keyX), group];
  return group;
}

const signingOf = (client: LedgerClient, member: GroupMember, hostUrl: string) => ({
  member,
  mailbox: hostMailbox(client, { hostUrl, members: takingPart(member.group.charter) }),
  timeoutMs: SIGNING_MS,
  pollMs: POLL_MS,
  onProposal: (proposal: Parameters<typeof proposalLeaf>[0]) => {
    const { untilMs } = proposal;
    const one = { session: proposalSession(proposal), leafId: proposalLeaf(proposal), untilMs };
    waitingProposals.value = [...waitingProposals.value, one];
  },
});

/** The client, whose proposals are no longer shown once they are signed, or have failed. */
function tracked(client: LedgerClient, leafId: number): LedgerClient {
  const signer = client.operationSigner!;
  const untilOver = async <Signed>(work: Promise<Signed>): Promise<Signed> => {
    try {
      return await work;
    } finally {
      waitingProposals.value = waitingProposals.value.filter((one) => one.leafId !== leafId);
    }
  };
  return {
    ...client,
    operationSigner: {
      keyX: signer.keyX,
      sign: (operation, context) => untilOver(signer.sign(operation, context)),
      signRecord: (body) => untilOver(signer.signRecord(body)),
    },
  };
}
