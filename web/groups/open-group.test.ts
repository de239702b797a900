/** A Datanet's page whose key is a group's: with a member's share open, what it signs is a proposal, and no other visitor's is. */
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { bringCard, getHostedDatanet, publishCard } from "@openledger/client/datanets/datanet-card";
import { type Charter, drawSalt, type GroupMember, groupKeyX } from "@openledger/client/groups/group-charter";
import { cosign } from "@openledger/client/groups/group-client";
import { findGroupProposal } from "@openledger/client/groups/group-proposal";
import { setUpGroup } from "@openledger/client/groups/group-setup";
import { hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { createHostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { hex32 } from "@openledger/foundation/hex";
import { expect, it, onTestFinished } from "vitest";
import { ownClient } from "../hosts/tab-props.ts";
import { closeGroup, waitingProposals } from "./open-group.ts";
import { openGroup } from "./share-group.ts";

it("proposes a card to the group, sends what two have signed, and forgets the share when told", async () => {
  const card = sampleCard();
  const world = await createHostWorld({ card, userCount: 4 });
  onTestFinished(() => world.close());
  const host = await world.host("pages");
  const place = { hostUrl: host.url, datanetId: world.datanetId };
  await bringCard(world.owner, { ...place, card });
  const people = await Promise.all([1, 2].map(world.user));
  const charter: Charter = {
    format: "openledger.group.v1",
    domain: hex32(people[0]!.domain),
    name: "weather",
    threshold: 2,
    members: people.map(({ l2Key, leafId }) => ({ leafId: leafId!, keyX: hex32(l2Key!.keyX) })),
    untilMs: Date.now() + 60_000,
    salt: drawSalt(),
    previous: null,
  };
  const mailboxOf = (client: LedgerClient) =>
    hostMailbox(client, { hostUrl: host.url, members: takingPart(charter) });
  const members = (await Promise.all(
    people.map((client) =>
      setUpGroup({ charter, key: client.l2Key!, mailbox: mailboxOf(client), pollMs: 20 }),
    ),
  )) as GroupMember[];
  await setKey(world.owner, { keyX: BigInt(groupKeyX(members[0]!.keys)) });

  const facts = await getHostedDatanet(world.owner, place);
  const actingOf = (client: LedgerClient | null) =>
    ownClient({ facts, visitor: { client } } as unknown as Parameters<typeof ownClient>[0]);
  const [alice, bob] = people as [LedgerClient, LedgerClient];
  expect(actingOf(alice)).toBeNull();
  const group = openGroup({ member: members[0]!, place: host.url }, "https://elsewhere.example");
  // The share is one account's: another visitor of the same page does not sign with it.
  expect([actingOf(bob), actingOf(null)]).toEqual([null, null]);
  const acting = actingOf(alice)!;
  expect(actingOf(alice)).toBe(acting);

  const changed = { ...card, contact: "all of us" };
  const publishing = publishCard(acting, { datanetId: world.datanetId, card: changed });
  await expect.poll(() => waitingProposals.value.map(({ leafId }) => leafId)).toEqual([world.datanetId]);
  const { session } = waitingProposals.value[0]!;
  const mailbox = mailboxOf(bob);
  await expect.poll(() => mailbox.sessions()).toContain(session);
  const proposal = await findGroupProposal(members[1]!, mailbox, session as `0x${string}`);
  await cosign(bob, { member: members[1]!, mailbox, pollMs: 20 }, proposal);
  await publishing;
  expect(waitingProposals.value).toEqual([]);
  await expect
    .poll(async () => (await getLeaf(alice, world.datanetId)).datanet?.version)
    .toBe(facts.ledger.version + 1);
  closeGroup(group);
  expect(actingOf(alice)).toBeNull();
}, 60_000);
