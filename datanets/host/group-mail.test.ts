/** Tests of a host as a group's mailbox: members found a group and sign a Datanet's records by it, and nobody else fills it. */
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { listAccess, sayRecords } from "@openledger/client/datanets/signed-records";
import {
  type Charter,
  charterSession,
  drawSalt,
  type GroupMember,
  groupKeyX,
} from "@openledger/client/groups/group-charter";
import { asGroup, cosign } from "@openledger/client/groups/group-client";
import { type GroupProposal, proposalSession } from "@openledger/client/groups/group-proposal";
import { setUpGroup } from "@openledger/client/groups/group-setup";
import { findCharter, hostMailbox, takingPart } from "@openledger/client/groups/host-mailbox";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type GroupStep, signMessage } from "../records/group-message.ts";
import { deleteOldMessages } from "../store/group-mail.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const POLL = { pollMs: 20 };
let world: HostWorld;
let host: TestHost;
/** Leaves 3, 4 and 5; a stranger has leaf 6. */
let people: LedgerClient[];
let stranger: LedgerClient;
let charter: Charter;
let members: GroupMember[];

const mailboxOf = (client: LedgerClient) =>
  hostMailbox(client, { hostUrl: host.url, members: takingPart(charter) });
const codeOf = (posting: Promise<unknown>) =>
  posting.then(
    () => "taken",
    (error: unknown) => (isRollupError(error) ? error.code : String(error)),
  );

beforeAll(async () => {
  world = await createHostWorld({ card: sampleCard({ access: "permissioned" }) });
  host = await world.host("mail", { DATANET_QUOTA_BYTES_PER_DAY: "200000" });
  const [alice, bob, carol, dave] = await Promise.all([1, 2, 3, 4].map(world.user));
  people = [alice!, bob!, carol!];
  stranger = dave!;
  charter = {
    format: "openledger.group.v1",
    domain: hex32(alice!.domain),
    name: "weather",
    threshold: 2,
    members: people.map(({ l2Key, leafId }) => ({ leafId: leafId!, keyX: hex32(l2Key!.keyX) })),
    untilMs: Date.now() + 60_000,
    salt: drawSalt(),
    previous: null,
  };
});
afterAll(() => world?.close());

it("carries the charter and the setup of a group, whose members share no folder", async () => {
  const session = charterSession(charter);
  const [alice] = people as [LedgerClient];
  // Strangers post what they like under a name that they know.
  const forged = { ...charter, threshold: 3 };
  const post = (client: LedgerClient, step: GroupStep, body: unknown) =>
    mailboxOf(client).post(signMessage(client.domain, client.l2Key!, { session, step, body }));
  await post(stranger, "invite", forged);
  await post(alice, "invite", charter);
  expect(await findCharter(stranger, host.url, session)).toEqual(charter);
  members = (await Promise.all(
    people.map((client) => setUpGroup({ charter, key: client.l2Key!, mailbox: mailboxOf(client), ...POLL })),
  )) as GroupMember[];
  expect(new Set(members.map(({ keys }) => groupKeyX(keys))).size).toBe(1);
});

it("has a group sign a Datanet's record, by two of three", async () => {
  const [alice, , carol] = people as [LedgerClient, LedgerClient, LedgerClient];
  const { datanetId, owner } = world;
  const place = { hostUrl: host.url, datanetId };
  await bringCard(owner, { ...place, card: sampleCard({ access: "permissioned" }) });
  const { hash } = await setKey(owner, { keyX: BigInt(groupKeyX(members[0]!.keys)) });
  await expect.poll(async () => (await getOperation(alice, hash))?.opIndex).toBeTypeOf("number");
  await sayRecords(stranger, { ...place, records: [{ kind: "accessRequest", purpose: "a forecast" }] });
  const [asked] = (await listAccess(alice, place)).requests;
  const proposed: GroupProposal[] = [];
  const group = asGroup({ ...alice, leafId: null }, datanetId, {
    member: members[0]!,
    mailbox: mailboxOf({ ...alice, leafId: null }),
    timeoutMs: 30_000,
    onProposal: (proposal) => void proposed.push(proposal),
    ...POLL,
  });
  const untilMs = Date.now() + 86_400_000;
  const answer = { kind: "accessAnswer" as const, request: asked!.id, answer: "grant" as const, untilMs };
  const saying = sayRecords(group, { ...place, records: [{ ...answer, note: "" }] });
  await expect.poll(() => proposed.length).toBe(1);
  const newest = async () => (await mailboxOf(carol).sessions())[0];
  await expect.poll(newest).toBe(proposalSession(proposed[0]!));
  await cosign(carol, { member: members[2]!, mailbox: mailboxOf(carol), ...POLL }, proposed[0]!);
  expect(await saying).toMatchObject([{ error: null }]);
  expect((await listAccess(alice, place)).requests[0]!.answer).toMatchObject({ answer: "grant" });
  const many = Array.from({ length: 17 }, () => ({ ...answer, note: "" }));
  expect(await codeOf(sayRecords(group, { ...place, records: many }))).toBe("CLI_INPUT_INVALID");
});

it("takes a member's own message alone, one a step, and forgets it after eight days", async () => {
  const [alice, bob] = people as [LedgerClient, LedgerClient];
  const session = hex32(77n);
  const signed = (by: LedgerClient, step: GroupStep, body: unknown) =>
    signMessage(by.domain, by.l2Key!, { session, step, body });
  const put = (by: LedgerClient, message: ReturnType<typeof signed>) => codeOf(mailboxOf(by).post(message));
  expect(await put(bob, signed(alice, "open", 1))).toBe("DNT_RECORD_INVALID");
  expect(await put(alice, { ...signed(alice, "open", 1), body: 2 })).toBe("DNT_RECORD_INVALID");
  expect(await put(alice, signed(alice, "open", 1))).toBe("taken");
  expect(await put(alice, signed(alice, "open", 1))).toBe("taken");
  expect(await put(alice, signed(alice, "open", 2))).toBe("DNT_GROUP_MESSAGE_DIFFERS");
  expect(await put(alice, signed(alice, "shares", "x".repeat(70_000)))).toBe("SRV_TOO_LARGE");
  for (const step of ["shares", "confirm", "commit"] as const)
    expect(await put(bob, signed(bob, step, "x".repeat(60_000)))).toBe("taken");
  expect(await put(bob, signed(bob, "part", "x".repeat(60_000)))).toBe("SRV_QUOTA_USED");
  // Who is no member of the group that asks does not crowd its session.
  expect(await put(stranger, signed(stranger, "open", 1))).toBe("taken");
  expect(await mailboxOf(bob).read(session)).toHaveLength(4);
  const { database } = host.store;
  // Attack: one account posts messages until there is no place for others'.
  const crowd =
    "insert into group_messages select 'x' || n, $1, 'open', $2, '{}' from generate_series(1, 999) as n";
  await database.query(crowd, [hex32(stranger.l2Key!.keyX), Date.now()]);
  expect(await put(stranger, signed(stranger, "commit", 1))).toBe("SRV_QUOTA_USED");
  expect(await put(alice, signed(alice, "commit", 1))).toBe("taken");
  await database.query("delete from group_messages where session like 'x%'");
  await deleteOldMessages(database, Date.now() + 7 * 86_400_000);
  expect(await mailboxOf(bob).read(session)).toHaveLength(5);
  await deleteOldMessages(database, Date.now() + 9 * 86_400_000);
  expect(await mailboxOf(bob).read(session)).toEqual([]);
});
