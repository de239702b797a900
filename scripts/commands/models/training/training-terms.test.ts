/** `models train` with a licence that forbids the model: refused with the rows' names, and allowed where the terms allow it. */
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { contributeRows } from "@openledger/client/actions/data/contribute-rows";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, readContribution } from "@openledger/client/actions/data/row-store";
import { nameVersionLabels, storeVersionLabels } from "@openledger/client/actions/data/stored-labels";
import { commitVersion } from "@openledger/client/actions/data/version-commitments";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { requireApprovable } from "@openledger/client/datanets/signed-terms";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { sha256Hex } from "@openledger/datanets/rows/row-digest";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { TEST_ROLLUP } from "@openledger/sequencer/testing/test-rollup";
import { pad, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInProcess } from "../../testing/run-in-process.ts";

const card = sampleCard({ licence: "CC-BY-NC-4.0", terms: { contributors: "sign" } });
const rows = sampleRows(4);
const digests = rows.map(sha256Hex);
let world: HostWorld;
let host: TestHost;
let node: Server;
let folder: string;

beforeAll(async () => {
  world = await createHostWorld({ card });
  host = await world.host("one");
  folder = join(world.folder, "rows");
  const { datanetId } = world;
  const place = { hostUrl: host.url, datanetId };
  const store = await openRowStore(folder);
  const alice = await world.user(1);
  await bringCard(alice, { ...place, card });
  const { contribution } = await contributeRows(alice, { datanetId, store, rows, givenUnder: card });
  expect(contribution.rowsRoot).toBe(contributionRoot(rows.map(hashRow)));
  await world.finalise();
  await uploadRows(alice, { ...place, source: await contributionSource(store, contribution.rowsRoot) });
  const { rowHashes } = await readContribution(store, contribution.rowsRoot);
  const contributorId = alice.leafId!;
  const version = commitVersion(rowHashes.map((rowHash) => ({ rowHash, contributorId, validatorId: 4 })));
  await publishVersion(world.owner, { datanetId, version });
  await world.finalise();
  const storedRows = digests.map((digest) => ({ digest, contributorId, validatorId: 4 }));
  await storeVersion(store, { rowsRoot: version.rowsRoot, storedRows });
  await bringVersion(alice, { ...place, store, rowsRoot: version.rowsRoot });
  const labels = nameVersionLabels(
    storedRows,
    rows.map((_, i) => (i % 2 === 0 ? "good" : "bad")),
  );
  await storeVersionLabels(store, labels);
  await writeFile(join(world.folder, "card.json"), JSON.stringify(card));
  // All that these commands ask of L1.
  node = createServer(async (request, response) => {
    const { id, method } = JSON.parse((await request.toArray()).join(""));
    const result = method === "eth_chainId" ? toHex(31337) : pad(anvilAccount(0).address);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  node?.close();
  await world?.close();
});

function train(...more: readonly string[]) {
  const rpc = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
  const ledger = ["--rpc", rpc, "--rollup", TEST_ROLLUP.rollupAddress, "--sequencer", world.sequencerUrl];
  const what = ["--datanet", String(world.datanetId), "--recipe", "labels", "--columns", "16"];
  const places = [
    "--card",
    join(world.folder, "card.json"),
    "--rows",
    folder,
    "--out",
    join(world.folder, "model"),
  ];
  return runInProcess("models", "train", ...what, ...places, ...ledger, ...more);
}

test("refuses a model that answers for pay, and names the rows that stand in the way", async () => {
  const { status, stderr } = await train();
  expect(status).not.toBe(0);
  expect(stderr).toContain("DNT_TERMS_FORBID");
  expect(stderr).toContain("a model of them may not answer for pay");
  for (const digest of digests) expect(stderr).toContain(digest);
});

test("refuses a licence that does not follow from the rows'", async () => {
  const { stderr } = await train("--use", "shared", "--licence", "MIT");
  expect(stderr).toContain("DNT_TERMS_FORBID");
  expect(stderr).toContain("a model of them needs another licence");
});

test("trains where the terms allow the model, whose recipe has its licence and its rows' terms", async () => {
  const { status, stderr, stdout } = await train("--use", "shared");
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("use shared, licence CC-BY-NC-4.0");
  const { terms } = JSON.parse(await readFile(join(world.folder, "model", "recipe.json"), "utf8"));
  expect(terms).toEqual({
    use: "shared",
    licence: "CC-BY-NC-4.0",
    rows: [
      {
        datanet: world.datanetId,
        licence: "CC-BY-NC-4.0",
        isSigned: false,
        rowCount: rows.length,
        firstRows: digests,
      },
    ],
  });
});

test("leaves the owner no approval of a model whose rows forbid answers for pay", async () => {
  const asked = requireApprovable(world.owner, { hostUrl: host.url, datanetId: world.datanetId });
  await expect(asked).rejects.toMatchObject({
    code: "DNT_TERMS_FORBID",
    data: { forbidding: [{ firstRows: digests, reasons: ["no-pay"], isSigned: true }] },
  });
});
