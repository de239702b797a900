/**
 * Opening of a Datanet, another card for it, and contribution to it: every refusal with its code, and that nothing is signed by any; then both, cut off between
 * their steps and repeated. A real sequencer and a real host.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recoverPublicKey } from "@openledger/circuits/field/curve/eddsa";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { ONE_OPEN_WEI } from "@openledger/sequencer/testing/test-rollup";
import { zeroAddress } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listCommits } from "../actions/data/list-commits.ts";
import { openRowStore, type RowStore } from "../actions/data/row-store.ts";
import { bringCard, getHostedDatanet } from "../datanets/datanet-card.ts";
import { createRandomKey } from "../l2-key.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf, getStatus } from "../sequencer/ledger-reads.ts";
import {
  bringContribution,
  commitContribution,
  findCommit,
  planContribution,
  storeContributed,
} from "./contribute.ts";
import { type BegunDatanet, type OpenDatanetParameters, openDatanet } from "./open-datanet.ts";
import { type SetCardParameters, setCard } from "./publish-card.ts";

const AWAY = "http://127.0.0.1:1";
const card = sampleCard({ name: "Opened by a task" });
const folder = mkdtempSync(join(tmpdir(), "open-datanet-"));
let world: HostWorld;
let host: TestHost;
let alice: LedgerClient;
let store: RowStore;
/** Datanet that the second test opens, and the third gives another card. */
let openedId: number;

beforeAll(async () => {
  world = await createHostWorld({ card: sampleCard() });
  host = await world.host("one");
  alice = await world.user(1);
  store = await openRowStore(join(folder, "rows"));
}, 120_000);
afterAll(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const nonce = async () => (await getLeaf(alice, alice.leafId!)).nextNonce;
const nextId = async () => (await getStatus(alice)).head.nextId;
const impossibleKey = () => {
  let keyX = 2n;
  while (recoverPublicKey(keyX) !== null) keyX += 1n;
  return keyX;
};

test("refuses each of these before a Datanet is opened", async () => {
  const before = [await nonce(), await nextId()];
  const open = (changes: Partial<OpenDatanetParameters>, client = alice) =>
    openDatanet(client, {
      ...{ amountWei: 2n * ONE_OPEN_WEI, card, hostUrl: host.url },
      onBegun: () => expect.unreachable(),
      ...changes,
    });
  const other = await createRandomKey();
  const invalid = (reason: string) => ({ code: "CLI_INPUT_INVALID", data: { reason } });
  const refusals: readonly (readonly [string, () => Promise<unknown>, object])[] = [
    ["a card that is none", () => open({ card: { ...card, name: "" } }), { code: "DNT_CARD_INVALID" }],
    ["a host that is away", () => open({ hostUrl: AWAY }), { code: "CLI_UNREACHABLE" }],
    [
      "another key than the account's",
      () => open({}, { ...alice, l2Key: other }),
      { code: "OP_BAD_SIGNATURE" },
    ],
    ["a key that nobody has", () => open({ keyX: impossibleKey() }), invalid("key-impossible")],
    ["nobody as its owner", () => open({ l1Owner: zeroAddress }), invalid("owner-impossible")],
    ["a card that another key would sign", () => open({ keyX: other.keyX }), invalid("card-key")],
    ["a balance that does not pay for the card", () => open({ amountWei: 0n }), invalid("card-unpaid")],
    [
      "too fine a balance",
      () => open({ amountWei: 10n ** 18n + 1n }),
      { code: "OP_AMOUNT_NOT_REPRESENTABLE" },
    ],
    ["more than the account has", () => open({ amountWei: 10n ** 24n }), { code: "OP_BALANCE_TOO_LOW" }],
  ];
  for (const [what, call, refusal] of refusals) await expect(call(), what).rejects.toMatchObject(refusal);
  expect([await nonce(), await nextId()]).toEqual(before);
});

test("opens one Datanet, wherever the call is cut off and repeated", async () => {
  const before = await nextId();
  let begun: BegunDatanet = {};
  const cutOff: string[] = [];
  const opening = (stopBehind: "signed" | "datanetId" | null, hostUrl = host.url) =>
    openDatanet(alice, {
      ...{ amountWei: 2n * ONE_OPEN_WEI, card, hostUrl, begun },
      onBegun: (now) => {
        begun = now;
        const step = now.datanetId === undefined ? "signed" : "datanetId";
        if (step === stopBehind) {
          cutOff.push(step);
          throw new Error("cut off");
        }
      },
    });
  await expect(opening("signed")).rejects.toThrow("cut off");
  await expect(opening("datanetId")).rejects.toThrow("cut off");
  // The card is on the ledger, and the host went away.
  await host.stop();
  await expect(opening(null)).rejects.toMatchObject({ code: "CLI_UNREACHABLE" });
  host = await world.host("one");
  const { datanetId, sent } = await opening(null);
  expect([cutOff, sent, datanetId, await nextId()]).toEqual([
    ["signed", "datanetId"],
    null,
    before,
    before + 1,
  ]);
  openedId = datanetId;
  const version = async () => (await getLeaf(alice, datanetId)).datanet!.version;
  expect([await version(), (await opening(null)).datanetId, await version()]).toEqual([1, datanetId, 1]);
  await world.finalise();
  const hosted = await getHostedDatanet(alice, { hostUrl: host.url, datanetId });
  expect([hosted.card.name, hosted.isCardCurrent]).toEqual([card.name, true]);
});

test("gives a Datanet another card as one version, and refuses each of these before it is signed", async () => {
  const datanetId = openedId;
  const owner = { ...alice, leafId: datanetId };
  const open = sampleCard({ name: "Another card" });
  const set = (changes: Partial<SetCardParameters>, client: LedgerClient = owner) =>
    setCard(client, { ...{ datanetId, card: open, hostUrl: host.url }, ...changes });
  const version = async () => (await getLeaf(alice, datanetId)).datanet!.version;
  const before = await version();
  const onSigned = () => expect.unreachable("it signs");
  const stranger = { ...owner, l2Key: await createRandomKey() };
  const told = { ...sampleCard(), access: "permissioned" as const };
  const refusals: readonly (readonly [string, () => Promise<unknown>, string])[] = [
    ["a card that is none", () => set({ onSigned, card: { ...open, name: "" } }), "DNT_CARD_INVALID"],
    ["an account", () => set({ onSigned, datanetId: alice.leafId! }, alice), "OP_WRONG_LEAF_KIND"],
    ["another's key", () => set({ onSigned }, stranger), "OP_BAD_SIGNATURE"],
    ["a host that is away", () => set({ onSigned, hostUrl: AWAY }), "CLI_UNREACHABLE"],
    ["digests that tell private rows", () => set({ onSigned, card: told }), "DNT_CARD_DIGESTS"],
    ["the same without a host", () => set({ onSigned, card: told, hostUrl: undefined! }), "DNT_CARD_DIGESTS"],
  ];
  for (const [what, call, code] of refusals) await expect(call(), what).rejects.toMatchObject({ code });
  expect(await version()).toBe(before);
  const steps: string[] = [];
  const first = await set({ onProgress: ({ step }) => steps.push(step) });
  const again = await set({ onSigned, onProgress: ({ step }) => steps.push(step) });
  expect([first.sent === null, again.sent, steps, await version()]).toEqual([
    false,
    null,
    ["card", "host", "host"],
    before + 1,
  ]);
  expect((await getHostedDatanet(alice, { hostUrl: host.url, datanetId })).card).toEqual(open);
});

test("commits rows once, whoever repeats the call, and brings them once they are final", async () => {
  const { datanetId } = world;
  const rows = sampleRows(3);
  const planned = await planContribution(alice, {
    datanetId,
    store,
    card: sampleCard(),
    rows,
    labels: [null, null, null],
  });
  const location = { datanetId, hostUrl: host.url, store };
  await bringCard(world.owner, { datanetId, hostUrl: host.url, card: sampleCard() });
  const before = await nonce();
  const stranger = { ...alice, l2Key: await createRandomKey() };
  const refused = (client: LedgerClient, changes: object) =>
    commitContribution(client, { ...planned, ...changes });
  await expect(refused(alice, { datanetId: alice.leafId! })).rejects.toMatchObject({
    code: "OP_WRONG_LEAF_KIND",
  });
  await expect(refused(alice, { datanetId: 900 })).rejects.toMatchObject({ code: "CLI_LEAF_NOT_FOUND" });
  await expect(refused(stranger, {})).rejects.toMatchObject({ code: "OP_BAD_SIGNATURE" });
  const { rowsRoot } = await storeContributed(alice, planned);
  const which = { datanetId, contributorId: alice.leafId!, rowsRoot };
  expect([await nonce(), await findCommit(alice, which)]).toEqual([before, null]);
  const first = await commitContribution(alice, planned);
  // Cut off behind the commit: neither its answer nor the host's.
  const second = await commitContribution(alice, { ...planned, onSigned: () => expect.unreachable() });
  expect([second.sent, second.target, await nonce()]).toEqual([null, { hash: first.sent!.hash }, before + 1]);
  expect((await listCommits(alice, datanetId)).filter((one) => one.rowsRoot === rowsRoot)).toHaveLength(1);
  expect(await bringContribution(alice, { ...location, rowsRoot })).toBe(null);
  await world.finalise();
  await expect
    .poll(async () => (await bringContribution(alice, { ...location, rowsRoot }))?.rowCount)
    .toBe(3);
  expect(await bringContribution(alice, { ...location, rowsRoot })).toMatchObject({ sentCount: 0 });
});

test("signs a changed card once, and brings it by a second call where the host went away between", async () => {
  const { datanetId, owner } = world;
  const changed = sampleCard({ name: "Changed by a task" });
  const set = (onSigned: () => void | Promise<void>) =>
    setCard(owner, { datanetId, hostUrl: host.url, card: changed, onSigned });
  await expect(set(() => host.stop())).rejects.toMatchObject({ code: "CLI_UNREACHABLE" });
  const version = async () => (await getLeaf(owner, datanetId)).datanet!.version;
  const signed = await version();
  host = await world.host("one");
  expect((await set(() => expect.unreachable())).sent).toBe(null);
  await world.finalise();
  const { card: hosted, isCardCurrent } = await getHostedDatanet(owner, { hostUrl: host.url, datanetId });
  expect([hosted.name, isCardCurrent, await version()]).toEqual([changed.name, true, signed]);
});
