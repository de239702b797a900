/** Commands that show records of a Datanet say whose word they are, where a real Safe owns it, and nothing where a person does. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { deploySafe } from "@openledger/client/testing/safe-wallet";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const folder = mkdtempSync(join(tmpdir(), "delegate-word-"));
const ALICE = anvilAccount(4);
let world: Awaited<ReturnType<typeof createWorldHere<"alice">>>;
beforeAll(async () => {
  world = await createWorldHere({
    f: await startHistoryFixture(),
    folder,
    hasWallClock: true,
    people: { alice: ALICE },
  });
  await world.finalise();
});
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("names the Safe beside a card and beside grants, and nobody beside a person's", async () => {
  const { alice } = world.clients;
  const { url: hostUrl } = await world.host();
  const safe = await deploySafe(world.rpcUrl, [6, 7, 8].map(anvilAccount), 2);
  const card = sampleCard({ access: "permissioned" });
  const datanetOf = async (l1Owner: `0x${string}`) => {
    const { keyX } = alice.l2Key!;
    const { hash } = await createDatanet(alice, { l1Owner, keyX, amountWei: 3n * OPEN });
    const datanetId = (await getOperation(alice, hash))!.createdId!;
    await publishCard({ ...alice, leafId: datanetId }, { datanetId, card });
    await bringCard({ ...alice, leafId: datanetId }, { hostUrl, datanetId, card });
    return datanetId;
  };
  const [ofSafe, ofAlice] = [await datanetOf(safe.address), await datanetOf(ALICE.address)];
  const location = [
    "--rpc",
    world.rpcUrl,
    "--rollup",
    world.f.rollup.address,
    "--sequencer",
    world.sequencerUrl,
  ];
  const said = async (...args: string[]) =>
    (await runInProcess("datanet", ...args, "--host", hostUrl, ...location)).stdout;
  for (const what of ["card", "access"]) {
    expect(await said(what, String(ofSafe))).toContain(
      `records of leaf ${ofSafe} are signed by the delegate of a Safe of 2 of 3, ${safe.address}`,
    );
    expect(await said(what, String(ofAlice))).not.toContain("delegate");
  }
});
