/** Tests of the week's notice: what a key or a card that came through L1's queue cannot do at a host. */
import { KIND } from "@openledger/circuits/protocol";
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { bringCard, getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { getKeyNotice } from "@openledger/client/datanets/key-notice";
import {
  bringRecords,
  listAccess,
  sayRecords,
  type UnsignedRecord,
} from "@openledger/client/datanets/signed-records";
import { signTerms } from "@openledger/client/datanets/signed-terms";
import { createRandomKey } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { hex32 } from "@openledger/foundation/hex";
import { queue } from "@openledger/sequencer/testing/test-operator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { nameCard } from "../card/card.ts";
import { KEY_NOTICE_MS, KeyNotices } from "../store/key-notices.ts";
import type { HostOperation } from "../store/ledger-view.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const card = sampleCard({ access: "permissioned" });
let world: HostWorld;
let host: TestHost;
beforeAll(async () => {
  world = await createHostWorld({ card, userCount: 4 });
  // The host compares times of batches with its own.
  Object.defineProperty(world.rollup.clock, "nowMs", { get: () => Date.now() });
  host = await world.host("notice");
  await bringCard(world.owner, { ...location(), card });
});
afterAll(() => world?.close());

const location = () => ({ hostUrl: host.url, datanetId: world.datanetId });
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "taken",
    ({ code }: { code: string }) => code,
  );
const say = async (client: LedgerClient, record: UnsignedRecord) =>
  (await sayRecords(client, { ...location(), records: [record] }))[0]!.error?.code ?? "taken";
const read = (client: LedgerClient) => codeOf(findRows(client, { ...location(), limit: 1, isSigned: true }));
const ask = async (client: LedgerClient): Promise<`0x${string}`> => {
  await say(client, { kind: "accessRequest", purpose: "to read" });
  return (await listAccess(client, location())).requests.find(({ leafId }) => leafId === client.leafId)!
    .id as `0x${string}`;
};
/** The owner's wallet sets the leaf's key through L1, as a thief of the wallet would. */
async function forceKey(client: LedgerClient): Promise<LedgerClient> {
  const l2Key = await createRandomKey();
  const { l1Owner } = await getLeaf(client, client.leafId!);
  await queue(world.rollup, { kind: KIND.forcedSetKey, a: client.leafId!, word1: l2Key.keyX }, l1Owner);
  await world.finalise();
  return { ...client, l2Key };
}
const grant = (request: `0x${string}`): UnsignedRecord => ({
  kind: "accessAnswer",
  request,
  answer: "grant",
  untilMs: Date.now() + 30 * 86_400_000,
  note: "",
});

it("holds up who was granted access, and the Datanet itself; whose old key signed goes on", async () => {
  const [ann, bob, carl] = [await world.user(1), await world.user(2), await world.user(3)];
  for (const client of [ann, bob]) expect(await say(world.owner, grant(await ask(client)))).toBe("taken");
  expect(await Promise.all([read(ann), read(bob)])).toEqual(["taken", "taken"]);
  const next = await createRandomKey();
  await setKey(bob, { keyX: next.keyX });
  expect(await read({ ...bob, l2Key: next })).toBe("taken");
  let stolen = await forceKey(ann);
  expect(await read(stolen)).toBe("DNT_KEY_NOTICE");
  // Attack: the new key signs a SetKey, which is then signed by the key before it.
  const washed = await createRandomKey();
  await setKey(stolen, { keyX: washed.keyX });
  stolen = { ...stolen, l2Key: washed };
  expect(await read(stolen)).toBe("DNT_KEY_NOTICE");
  // Terms that are signed stay so, and a stranger's word binds nobody.
  const terms = await signTerms(stolen, { datanetId: world.datanetId, rowsRoot: 7n, card });
  const [refused] = await bringRecords(stolen, { ...location(), records: [terms] });
  expect(refused!.error?.code).toBe("DNT_KEY_NOTICE");

  const request = await ask(carl);
  const datanet = await forceKey(world.owner);
  expect(await getKeyNotice(carl, { ...location(), leafId: world.datanetId })).toMatchObject({
    leafId: world.datanetId,
    queueIndex: expect.any(Number),
  });
  expect(await read(datanet)).toBe("DNT_KEY_NOTICE");
  expect(await say(datanet, grant(request))).toBe("DNT_KEY_NOTICE");
  // What can be undone is not held up.
  expect(await say(datanet, { ...grant(request), answer: "refuse" } as UnsignedRecord)).toBe("taken");

  // Attack: a card opens the rows, published through the queue by the owner's wallet, or by the new key.
  const open = sampleCard({ access: "public" });
  const { l1Owner } = await getLeaf(carl, world.datanetId);
  const publication = { kind: KIND.forcedPublishVersion, a: world.datanetId, word4: nameCard(open).policy };
  await queue(world.rollup, publication, l1Owner);
  await world.finalise();
  expect(await codeOf(bringCard(carl, { ...location(), card: open }))).toBe("DNT_KEY_NOTICE");
  expect((await getHostedDatanet(carl, location())).card.access).toBe("permissioned");
  host.clock.aheadMs = KEY_NOTICE_MS + 60_000;
  expect(await codeOf(bringCard(carl, { ...location(), card: open }))).toBe("taken");
  host.clock.aheadMs = 0;

  // Attack: the rows are closed again, and an earlier card that the host has opens them, which nobody has to bring.
  const publish = async ({ policy }: { policy: bigint }) => {
    await queue(world.rollup, { ...publication, word4: policy }, l1Owner);
    await world.finalise();
  };
  await publish(nameCard(card));
  expect(await codeOf(bringCard(carl, { ...location(), card }))).toBe("taken");
  await publish(nameCard(open));
  expect(await getHostedDatanet(carl, location())).toMatchObject({
    policy: hex32(nameCard(card).policy),
    isCardCurrent: false,
    card: { access: "permissioned" },
  });
  expect(await read(carl)).toBe("DNT_ACCESS_NOT_GRANTED");
}, 60_000);

it("reads a long list of operations in parts, and says so until a week is read", async () => {
  const question: unknown[] = [];
  const pages = 60;
  const ledger = {
    operationsPage: async (_id: number, before?: string | number) => {
      question.push(before);
      const location = Number(before ?? 0);
      const entry = { kind: "transfer", a: 9, b: 2, status: "final", hash: `0x${location}` as const };
      return {
        operations: [{ ...entry, acknowledgedAtMs: 1, amountCode: 1n, words: [] }],
        nextBefore: location + 1 === pages ? null : location + 1,
        isComplete: location + 1 === pages,
        prunedBeforeMs: null,
      };
    },
  };
  let nowMs = 1_000;
  const notices = new KeyNotices(ledger, () => nowMs);
  const leaf = { id: 9, keyX: 5n };
  const looks: unknown[] = [];
  for (let i = 0; i < 3; i++) looks.push(await notices.of(leaf).catch(({ code }: { code: string }) => code));
  expect(looks).toEqual(["DNT_KEY_NOTICE", "DNT_KEY_NOTICE", null]);
  expect(question).toHaveLength(pages);
  await notices.of(leaf);
  expect(question).toHaveLength(pages);
  nowMs += 60_000;
  await notices.of(leaf);
  expect(question).toHaveLength(pages + 1);
});

it("finds a former key that came again through L1's queue, though a look has found nothing before", async () => {
  const signed = (n: number) => ({
    ...{ kind: "transfer", a: 9, b: 2, status: "final", hash: `0x0${n}` as const, acknowledgedAtMs: 1 },
    ...{ amountCode: 1n, words: [] },
  });
  const forced = {
    ...{ kind: "forcedSetKey", a: 9, b: 0, status: "final", hash: null, queueIndex: 4, acknowledgedAtMs: 2 },
    ...{ amountWei: 0n, word1: 5n, word2: 0n, word4: 0n },
  };
  let operations: HostOperation[] = [signed(1)];
  let nowMs = 1_000;
  const notices = new KeyNotices(
    {
      operationsPage: async () => ({ operations, nextBefore: null, isComplete: true, prunedBeforeMs: null }),
    },
    () => nowMs,
  );
  const leaf = { id: 9, keyX: 5n };
  expect(await notices.of(leaf)).toBeNull();
  operations = [signed(2), forced, signed(1)];
  nowMs += 60_000;
  expect(await notices.of(leaf)).toMatchObject({ queueIndex: 4 });
  operations = [signed(3), ...operations];
  nowMs += 60_000;
  expect(await notices.of(leaf)).toMatchObject({ queueIndex: 4 });
});
