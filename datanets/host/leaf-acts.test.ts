/** Tests of the acts of a leaf, by which members of a Safe follow their delegate: a real sequencer, a real host, no key to read them. */
import { KIND } from "@openledger/circuits/protocol";
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { listAccess, sayRecords } from "@openledger/client/datanets/signed-records";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { queue as queueOn } from "@openledger/sequencer/testing/test-operator";
import { DOMParser } from "@xmldom/xmldom";
import { parseEther } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LeafAct } from "../notices/leaf-acts.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard } from "../testing/sample-card.ts";
import type { TestHost } from "../testing/test-host.ts";

const card = sampleCard({ access: "permissioned" });
const [ANN, BOB] = [3, 4];
let world: HostWorld;
let host: TestHost;
beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("acts");
  await bringCard(world.owner, { hostUrl: host.url, datanetId: world.datanetId, card });
});
afterAll(() => world.close());

const actsOf = async (leafId: number): Promise<LeafAct[]> =>
  ((await (await fetch(`${host.url}/v1/leaves/${leafId}/acts`)).json()) as { acts: LeafAct[] }).acts;

it("lists what a key signed and what the owner had executed, and nothing of others", async () => {
  const ann = await world.user(1);
  const bob = await world.user(2);
  const { hash } = await transfer(ann, { to: BOB, amountWei: parseEther("1.5") });
  const setKey = { kind: KIND.forcedSetKey, a: ANN, word1: 77n };
  // An entry of a stranger has no effect, and is no act of the leaf's owner.
  await queueOn(world.rollup, setKey, (await getLeaf(bob, BOB)).l1Owner);
  const queueIndex = await queueOn(world.rollup, setKey, (await getLeaf(ann, ANN)).l1Owner);
  await world.finalise();
  await expect
    .poll(async () =>
      (await actsOf(ANN)).map(({ by, hash: name, queueIndex: index, text }) => [by, name ?? index, text]),
    )
    .toEqual([
      [
        "owner",
        queueIndex,
        `The owner of leaf ${ANN} had it executed by entry ${queueIndex} of Ethereum's queue: forced set key.`,
      ],
      ["key", hash, `The key of leaf ${ANN} signed: transfer, 1.5 OPEN, with leaf ${BOB}.`],
    ]);
  // Who is paid has not acted.
  expect((await actsOf(BOB)).map(({ kind }) => kind)).toEqual([]);
});

it("lists a Datanet's own records, and is a feed whose entries keep their names", async () => {
  const { datanetId, owner } = world;
  const location = { hostUrl: host.url, datanetId };
  const bob = await world.user(2);
  await sayRecords(bob, { ...location, records: [{ kind: "accessRequest", purpose: "weather" }] });
  const [request] = (await listAccess(owner, location)).requests;
  const answer = {
    kind: "accessAnswer",
    request: request!.id,
    answer: "grant",
    untilMs: 9e12,
    note: "",
  } as const;
  expect((await sayRecords(owner, { ...location, records: [answer] }))[0]!.error).toBeNull();
  const kinds = async () => (await actsOf(datanetId)).map(({ kind }) => kind);
  await expect.poll(async () => (await kinds())[0]).toBe("record.accessAnswer");
  expect(await kinds()).toContain("publishVersion");
  expect(await kinds()).not.toContain("record.accessRequest");

  const response = await fetch(`${host.url}/v1/leaves/${datanetId}/acts/feed`);
  expect(response.headers.get("content-type")).toBe("application/atom+xml; charset=utf-8");
  const { documentElement: feed } = new DOMParser().parseFromString(await response.text(), "application/xml");
  const ids = Array.from(feed.getElementsByTagName("id"))
    .slice(1)
    .map(({ textContent }) => textContent!.split(":").at(-1));
  expect(ids).toEqual((await actsOf(datanetId)).map(({ uid }) => uid));
  expect(new Set(ids).size).toBe(ids.length);
  expect(await actsOf(999_999)).toEqual([]);
});

it.each(["/acts", "/acts/feed", "/events", "/feed", "/key-notice"])(
  "takes a number that no leaf has for no fault of its own: %s",
  async (path) => {
    for (const leafId of [2 ** 24, 2 ** 31, 9_999_999_999_999])
      expect((await fetch(`${host.url}/v1/leaves/${leafId}${path}`)).status).toBeLessThan(500);
  },
);
