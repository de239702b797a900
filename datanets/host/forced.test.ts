import { join } from "node:path";
import { KIND } from "@openledger/circuits/protocol";
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, storeContribution } from "@openledger/client/actions/data/row-store";
import { verifyVersion } from "@openledger/client/actions/data/verify-version";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { downloadCommits, downloadVersion } from "@openledger/client/datanets/download-rows";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { getLeaf, listOperations } from "@openledger/client/sequencer/ledger-reads";
import { hex32 } from "@openledger/foundation/hex";
import { queue as queueOn } from "@openledger/sequencer/testing/test-operator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";

const card = sampleCard();
const [ALICE, BOB] = [3, 4];
let world: HostWorld;
beforeAll(async () => {
  world = await createHostWorld({ card });
});
afterAll(() => world.close());

/** Queues an operation on L1 as the bridge does. @returns the entry's index */
const queue = (question: Parameters<typeof queueOn>[1], sender: string) =>
  queueOn(world.rollup, question, sender);

it("takes rows that were committed and published through L1's queue, whoever else queues what", async () => {
  const { datanetId, owner } = world;
  const host = await world.host("forced");
  const location = { hostUrl: host.url, datanetId };
  await bringCard(owner, { ...location, card });
  const [alice, bob] = [await world.user(1), await world.user(2)];
  const ownerOf = async (id: number) => (await getLeaf(alice, id)).l1Owner;
  const store = await openRowStore(join(world.folder, "forced-rows"));
  const rows = sampleRows(30);
  const { rowsRoot, rowCount } = await storeContribution(store, rows.slice(0, 20));
  const commit = { kind: KIND.forcedCommitData, b: datanetId, amountWei: BigInt(rowCount), word2: rowsRoot };

  await queue({ ...commit, a: ALICE }, await ownerOf(ALICE));
  // Without effect, since the leaf is another's: no reader may count it.
  await queue({ ...commit, a: ALICE }, await ownerOf(BOB));
  const { contribution } = await contributeRows(bob, { datanetId, store, rows: rows.slice(20) });
  await world.finalise();
  expect(await listCommits(alice, datanetId)).toMatchObject([
    { contributorId: ALICE, rowsRoot, rowCount: 20 },
    { contributorId: BOB, rowsRoot: contribution.rowsRoot, rowCount: 10 },
  ]);
  for (const [client, root] of [
    [alice, rowsRoot],
    [bob, contribution.rowsRoot],
  ] as const)
    await uploadRows(client, { ...location, source: await contributionSource(store, root) });

  const version = await collectVersion(owner, { datanetId, store, validatorId: 5 });
  await storeVersion(store, version);
  const { l1Owner, datanet } = await getLeaf(owner, datanetId);
  const { ownersCommitment: word2, payeeRoot: word3, rowsRoot: word1 } = version;
  const published = { kind: KIND.forcedPublishVersion, a: datanetId, amountWei: BigInt(version.rowCount) };
  const words = { word1, word2, word3, word4: datanet!.policy };
  await queue({ ...published, ...words, word1: 5n }, await ownerOf(ALICE));
  const queueIndex = await queue({ ...published, ...words }, l1Owner);
  await world.finalise();
  const [newest] = await listOperations(owner, datanetId, { limit: 1 });
  expect(newest).toMatchObject({ hash: null, queueIndex, kind: "forcedPublishVersion", status: "final" });
  expect((await getLeaf(owner, datanetId)).datanet).toMatchObject({
    rowsRoot: word1,
    policy: datanet!.policy,
  });

  await bringVersion(alice, { ...location, store, rowsRoot: version.rowsRoot });
  const copy = await openRowStore(join(world.folder, "forced-copy"));
  // The card's own publication was the first.
  expect(await downloadVersion(bob, { ...location, store: copy })).toMatchObject({
    version: 2,
    rowsRoot: word1,
    receivedCount: 30,
  });
  await downloadCommits(bob, { ...location, store: copy });
  expect(await verifyVersion(bob, { datanetId, store: copy })).toMatchObject({
    version: 2,
    keptCount: 30,
    firstDifference: null,
  });
  const listed = await (await fetch(`${host.url}/v1/datanets/${datanetId}/versions`)).json();
  expect(listed).toMatchObject([{}, { version: 2, rowsRoot: hex32(word1), isHere: true, isFinal: true }]);
}, 120_000);
