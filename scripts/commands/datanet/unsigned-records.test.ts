/**
 * Commands before a host that signs labels and approvals in other people's names: those that publish, train and verify stop, and go
 * on without these records where that is said; those that read count them.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setKey } from "@openledger/client/actions/ledger/account-operations";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { readRecords, sayRecords } from "@openledger/client/datanets/signed-records";
import { createRandomKey, type L2Key } from "@openledger/client/l2-key";
import { ledgerDomain } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount, anvilPrivateKey } from "@openledger/contracts/testing/anvil-account";
import { type RecordBody, signRecord } from "@openledger/datanets/records/record";
import { createLabelledWorld, type LabelledWorld } from "@openledger/datanets/testing/lying-host";
import { TEST_ROLLUP } from "@openledger/sequencer/testing/test-rollup";
import { pad, toHex } from "viem";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

/** Home of the commands, which read it as they are loaded. */
const home = await vi.hoisted(async () => {
  const [{ mkdtempSync: make }, { tmpdir: temporary }] = await Promise.all([
    import("node:fs"),
    import("node:os"),
  ]);
  process.env.OPENLEDGER_HOME = make(`${temporary()}/unsigned-home-`);
  return process.env.OPENLEDGER_HOME;
});

const labelOf = (row: number) => (row % 2 === 0 ? "good" : "bad");
let here: LabelledWorld;
let node: Server;
let key: L2Key;

beforeAll(async () => {
  // Commands compute the domain from chain and contract.
  const domain = ledgerDomain(TEST_ROLLUP.chainId, TEST_ROLLUP.rollupAddress);
  here = await createLabelledWorld({ labelOf, domain });
  key = await createRandomKey();
  // All that these commands ask of L1.
  node = createServer(async (request, response) => {
    const { id, method } = JSON.parse((await request.toArray()).join(""));
    const result = method === "eth_chainId" ? toHex(31337) : pad(anvilAccount(0).address);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  const atMs = Date.now();
  // Carol's labels turned, one more in her name, and an approval in dave's.
  here.liar.falsify = (records, path) => {
    if (!path.includes("/records?")) return records;
    const forge = (body: object) =>
      signRecord(here.dave.domain, { datanetId: here.world.datanetId, atMs, ...body } as RecordBody, key);
    const turned = { kind: "label", leafId: 5, label: "bad", flags: [], note: "" };
    return [
      ...records,
      ...here.digests.map((row) => forge({ ...turned, row })),
      forge({ kind: "verdict", leafId: 6, commit: here.waiting.commit, verdict: "approve", note: "" }),
    ];
  };
});
afterAll(async () => {
  node?.close();
  await rm(home, { recursive: true, force: true });
  await here?.close();
});

const honest = () => here.place.hostUrl;
const lying = () => here.lie.hostUrl;
const run = (...words: readonly string[]) => {
  const rpc = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
  const ledger = [
    "--rpc",
    rpc,
    "--rollup",
    TEST_ROLLUP.rollupAddress,
    "--sequencer",
    here.world.sequencerUrl,
  ];
  return runInProcess(...words, ...ledger);
};
const id = () => String(here.world.datanetId);
const folder = (name: string) => join(here.world.folder, name);
const rows = () => ["--rows", folder("rows")];
const WITHOUT = "--without-unsigned";

/** Stops with the error that names host and records. */
const stops = async (...words: readonly string[]) => {
  const { status, stderr } = await run(...words);
  expect([status, words[1]]).not.toEqual([0, words[1]]);
  expect(stderr).toContain("CLI_RECORDS_UNSIGNED");
  expect(stderr).toContain(`${lying()} shows 6 records of Datanet ${id()}`);
  expect(stderr).toContain(`label of leaf 5 on ${here.digests[0]}`);
};
const goes = async (...words: readonly string[]): Promise<string> => {
  const { status, stderr, stdout } = await run(...words);
  expect([status, stderr]).toEqual([0, expect.not.stringContaining("error")]);
  return stdout;
};

test("models train and verify model stop, and go on by carol's own labels where that is said", async () => {
  const train = (host: string, out: string, ...more: string[]) =>
    ["models", "train", "--datanet", id(), "--recipe", "labels", "--columns", "16"].concat(
      ...[rows(), ["--host", host, "--out", folder(out)], more],
    );
  await goes(...train(honest(), "honest"));
  await stops(...train(lying(), "lying"));
  await goes(...train(lying(), "sound", WITHOUT));
  const recipes = await Promise.all(
    ["honest", "sound"].map((name) => readFile(join(folder(name), "recipe.json"), "utf8")),
  );
  expect(recipes[1]).toBe(recipes[0]);
  const verify = ["verify", "model", folder("honest"), ...rows(), "--host"];
  await stops(...verify, lying());
  expect(await goes(...verify, lying(), WITHOUT)).toContain(
    "its labels are those that the signed records accept",
  );
});

test("datanet download stores no labels, report stops, verify and check say what was left out", async () => {
  const line = "6 records were not signed by their leaves' keys; left out";
  const download = ["datanet", "download", id(), "--host", lying(), "--rows", folder("downloaded")];
  const without = await goes(...download);
  expect(without).toContain(line);
  expect(without).toContain("the labels are not in the store");
  expect(await goes(...download, WITHOUT)).not.toContain("not in the store");
  await stops("datanet", "report", id(), "--host", lying(), ...rows());
  expect(await goes("datanet", "report", id(), "--host", lying(), ...rows(), WITHOUT)).toContain(
    "5 labels were not signed by the present key of their leaf",
  );
  const verified = await goes("datanet", "verify", id(), "--host", lying(), ...rows());
  expect(verified).toContain("5 of 5 rows are signed for by their validators");
  expect(verified).toContain(line);
});

/** The account that owns the Datanet, with this key of its leaf. */
const writeOwner = async (l2Secret: string) => {
  const { address } = anvilAccount(0);
  const owner = { name: "owner", address, privateKey: anvilPrivateKey(0), l2Secret };
  await writeFile(join(home, "accounts.json"), JSON.stringify({ accounts: [owner] }));
};
const AS_OWNER = ["--account", "owner"];

test("datanet publish stops, and publishes what carol and dave have signed where that is said", async () => {
  await writeOwner(pad(toHex(5_000)));
  const publish = ["datanet", "publish", id(), ...rows(), ...AS_OWNER, "--wait", "acknowledged", "--host"];
  await stops(...publish, lying());
  const leaf = () => getLeaf(here.dave, here.world.datanetId);
  const before = (await leaf()).datanet!;
  expect(before.version).toBe(2);
  // A row of the other contribution is approved and labelled by those whom the liar copies.
  const { commit, digests } = here.waiting;
  const verdict = { kind: "verdict" as const, commit, verdict: "approve" as const, note: "" };
  const label = { kind: "label" as const, row: digests[0]!, label: "good", flags: [], note: "" };
  await sayRecords(here.dave, { ...here.place, records: [verdict] });
  await sayRecords(here.carol, { ...here.place, records: [label] });
  // The liar cannot pass on what is signed for its own address, after the version is on the ledger.
  expect((await run(...publish, lying(), WITHOUT)).stderr).toContain("DNT_REQUEST_UNSIGNED");
  const { datanet } = await leaf();
  expect(datanet).toMatchObject({ version: 3, rowCount: 6 });
  // The second call goes on where the first one stopped, and signs nothing.
  expect(await goes(...publish, honest())).toContain("nothing was signed: it is version 3 already");
  expect((await leaf()).datanet).toEqual(datanet);
  expect((await getHostedDatanet(here.dave, here.place)).here.hasVersion).toBe(true);
});

test("datanet sign-again lists what a former key has signed, and signs it where that is said", async () => {
  const { world } = here;
  const { owner } = world;
  const verdict = { kind: "verdict" as const, commit: here.commit, verdict: "approve" as const, note: "" };
  await sayRecords(owner, { ...here.place, records: [verdict] });
  const next = await createRandomKey();
  await setKey(owner, { keyX: next.keyX });
  await world.finalise();
  await writeOwner(next.secret.reveal());
  const again = ["datanet", "sign-again", id(), "--as-datanet", ...AS_OWNER, "--host", honest()];
  const listed = await goes(...again);
  expect(listed).toContain(`1 record of leaf ${id()} on ${honest()} is of a former key`);
  expect(listed).toContain(`verdict  ${here.commit}  approve`);
  expect((await readRecords(owner, here.place)).dropped).toMatchObject([{ why: "former" }]);
  expect(await goes(...again, "--sign")).toContain("1 of 1 record is signed again");
  expect((await readRecords(owner, here.place)).dropped).toEqual([]);
});
