/**
 * A licence that forbids a model that answers for pay: `models train`, approvals and model servers refuse it with the rows' names,
 * whoever knows the terms, and train what the terms allow.
 */
import { access, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { readModel } from "@openledger/attribution/model/model-directory";
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore, readContribution } from "@openledger/client/actions/data/row-store";
import { nameVersionLabels, storeVersionLabels } from "@openledger/client/actions/data/stored-labels";
import { commitVersion } from "@openledger/client/actions/data/version-commitments";
import { publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { requireApprovable } from "@openledger/client/datanets/signed-terms";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { approvalTerms } from "@openledger/client/tasks/approve-model";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { checkRegistration } from "@openledger/client/tasks/register-model";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { sha256Hex } from "@openledger/datanets/rows/row-digest";
import type { RecipeTerms } from "@openledger/datanets/terms/terms-rule";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { createLogger } from "@openledger/foundation/logger";
import { requireServedTerms } from "@openledger/models/serving/answers/served-terms";
import { serveTested } from "@openledger/models/testing/serving-world";
import { modelFamilies } from "@openledger/models/tuning/recipe/model-families";
import { TEST_ROLLUP } from "@openledger/sequencer/testing/test-rollup";
import { pad, toHex } from "viem";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { GlobalOptions } from "../../../cli/context.ts";
import { approvalWords, askHostOf } from "../../datanet/approval-terms.ts";
import { runInProcess } from "../../testing/run-in-process.ts";
import { citingWords, publicationOf } from "./published-rows.ts";
import { termsToTrain } from "./training-terms.ts";

/** Home of the commands, which read it as they are loaded. */
const home = await vi.hoisted(async () => {
  const [{ mkdtempSync: make }, { tmpdir: temporary }] = await Promise.all([
    import("node:fs"),
    import("node:os"),
  ]);
  process.env.OPENLEDGER_HOME = make(`${temporary()}/terms-home-`);
  return process.env.OPENLEDGER_HOME;
});

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
  const location = { hostUrl: host.url, datanetId };
  const store = await openRowStore(folder);
  const alice = await world.user(1);
  await bringCard(alice, { ...location, card });
  const { contribution } = await contributeRows(alice, { datanetId, store, rows, givenUnder: card });
  expect(contribution.rowsRoot).toBe(contributionRoot(rows.map(hashRow)));
  await world.finalise();
  await uploadRows(alice, { ...location, source: await contributionSource(store, contribution.rowsRoot) });
  const { rowHashes } = await readContribution(store, contribution.rowsRoot);
  const contributorId = alice.leafId!;
  const version = commitVersion(rowHashes.map((rowHash) => ({ rowHash, contributorId, validatorId: 4 })));
  await publishVersion(world.owner, { datanetId, version });
  await world.finalise();
  const storedRows = digests.map((digest) => ({ digest, contributorId, validatorId: 4 }));
  await storeVersion(store, { rowsRoot: version.rowsRoot, storedRows });
  await bringVersion(alice, { ...location, store, rowsRoot: version.rowsRoot });
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
  await rm(home, { recursive: true, force: true });
  await world?.close();
});

/** Lines that the command says about the terms of an approval. */
const termsOfApproval = async (
  client: LedgerClient,
  datanetId: number,
  recipe: RecipeTerms | undefined,
  options: GlobalOptions & { readonly host?: string },
) =>
  approvalWords(datanetId, await approvalTerms(client, { datanetId, recipe, askHost: askHostOf(options) }));

/** Level of a warning in the log. */
const WARN = 40;
const modelFolder = (name: string) => join(world.folder, name);
const rpc = () => `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
const withCard = () => ["--card", join(world.folder, "card.json")];
const named = () => ["--rollup", TEST_ROLLUP.rollupAddress, "--sequencer", world.sequencerUrl];

function train(name: string, ...more: readonly string[]) {
  const what = ["--datanet", String(world.datanetId), "--columns", "16"];
  const positions = ["--rows", folder, "--out", modelFolder(name), "--rpc", rpc()];
  return runInProcess("models", "train", ...what, ...positions, ...more);
}
const recipeOf = async (name: string): Promise<RecipeBase> =>
  JSON.parse(await readFile(join(modelFolder(name), "recipe.json"), "utf8"));
const labels = ["--recipe", "labels"];
const forbidden = (isSigned: boolean) => ({
  code: "DNT_TERMS_FORBID",
  message: expect.stringContaining(digests.join(", ")),
  data: expect.objectContaining({
    forbidding: [expect.objectContaining({ firstRows: digests, reasons: ["no-pay"], isSigned })],
  }),
});

test("refuses a model that answers for pay, and names the rows that stand in the way", async () => {
  const { status, stderr } = await train("paid", ...labels, ...withCard(), ...named());
  expect(status).not.toBe(0);
  expect(stderr).toContain("DNT_TERMS_FORBID");
  expect(stderr).toContain("a model of them may not answer for pay");
  for (const digest of digests) expect(stderr).toContain(digest);
});

/** Said of the circuits of tests, which draw few payments. */
const FEW_DRAWS =
  "4 draws an epoch are a demonstration: a model that earns should have 16 or more, by a circuit that has them\n";

test("refuses a licence that does not follow from the rows'", async () => {
  const { stderr } = await train(
    "mit",
    ...labels,
    ...withCard(),
    ...named(),
    ...["--use", "shared", "--licence", "MIT"],
  );
  expect(stderr).toContain("DNT_TERMS_FORBID");
  expect(stderr).toContain("a model of them needs another licence");
});

test("trains where the terms allow the model, whose recipe has its licence and its rows' terms", async () => {
  const { status, stderr, stdout } = await train(
    "shared",
    ...labels,
    ...withCard(),
    ...named(),
    ...["--use", "shared"],
  );
  expect([status, stderr]).toEqual([0, FEW_DRAWS]);
  expect(stdout).toContain("use shared, licence CC-BY-NC-4.0");
  const { terms } = await recipeOf("shared");
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

test("takes use and licence of a recipe's file, and overwrites neither", async () => {
  const file = join(modelFolder("shared"), "recipe.json");
  const ofFile = ["--recipe", file, ...withCard(), ...named()];
  for (const [option, value] of [
    ["--use", "paid"],
    ["--licence", "CC-BY-4.0"],
  ] as const) {
    const { stderr } = await train("other", ...ofFile, option, value);
    expect(stderr).toContain("ATT_RECIPE_INVALID");
    expect(stderr).toContain(`"${value}" is asked for`);
  }
  expect(await train("again", ...ofFile)).toMatchObject({ status: 0, stderr: FEW_DRAWS });
  expect((await recipeOf("again")).terms).toEqual((await recipeOf("shared")).terms);
  // Without a host or a card, the file's terms stay.
  const alone = await train("alone", "--recipe", file, ...named(), "--use", "shared");
  expect([alone.status, (await recipeOf("alone")).terms]).toEqual([0, (await recipeOf("shared")).terms]);
});

test("asks the host that this machine knows, if nobody names one", async () => {
  const { datanetId, owner, sequencerUrl } = world;
  const { datanet } = await getLeaf(owner, datanetId);
  const versions = [{ id: datanetId, rowsRoot: datanet!.rowsRoot }];
  const sources = { store: await openRowStore(folder), versions, card: null, inFile: undefined };
  const found = (options: GlobalOptions) => termsToTrain(owner, { ...sources, options });
  expect(await found({})).toBeUndefined();
  await writeFile(join(home, "endpoints.json"), JSON.stringify({ sequencerUrl, datanetHost: host.url }));
  expect(await found({})).toMatchObject({ rows: [{ licence: "CC-BY-NC-4.0", isSigned: true }] });
  // Of another rollup than this machine's, nobody has looked at them.
  expect(await found({ rollup: TEST_ROLLUP.rollupAddress })).toBeUndefined();
  const unknown = await train("unknown", ...labels, ...named());
  expect([unknown.status, (await recipeOf("unknown")).terms]).toEqual([0, undefined]);
  expect(unknown.stdout).toContain("the rows' terms were not looked at");
  expect(unknown.stdout).toContain("--publish-permissioned-rows publishes it");
});

test("publishes the rows where a card says that they are public, and others only by a flag", async () => {
  const isPublished = (name: string) =>
    access(join(modelFolder(name), "rows.jsonl")).then(
      () => true,
      () => false,
    );
  // By the card; and without one.
  expect([await isPublished("shared"), await isPublished("unknown")]).toEqual([true, false]);
  const flagged = await train("flagged", ...labels, ...named(), "--publish-permissioned-rows");
  expect(flagged.stdout).toContain("rows.jsonl is published, though no host or card says");
  expect(await isPublished("flagged")).toBe(true);
  const both = await train("both", ...labels, ...named(), "--publish-permissioned-rows", "--withhold-rows");
  expect(both.stderr).toContain("CMD_USAGE");
});

test("leaves the owner no approval of a model whose rows forbid answers for pay", async () => {
  const { datanetId, owner } = world;
  const question = requireApprovable(owner, { hostUrl: host.url, datanetId });
  await expect(question).rejects.toMatchObject(forbidden(true));
  const [unknown, shared] = [await recipeOf("unknown"), await recipeOf("shared")];
  for (const recipe of [unknown, shared, undefined]) {
    await expect(termsOfApproval(owner, datanetId, recipe, { host: host.url })).rejects.toMatchObject(
      forbidden(true),
    );
    await expect(termsOfApproval(owner, datanetId, recipe, {})).rejects.toMatchObject(forbidden(true));
  }
  // Without any host the recipe's own terms hold, and what was not checked is said.
  const without = { rollup: TEST_ROLLUP.rollupAddress };
  await expect(termsOfApproval(owner, datanetId, shared, without)).rejects.toMatchObject(forbidden(false));
  expect(await termsOfApproval(owner, datanetId, unknown, without)).toEqual([
    expect.stringContaining("were not looked at"),
  ]);
  expect(await termsOfApproval(owner, datanetId, undefined, without)).toEqual([
    expect.stringContaining("were not looked at"),
    expect.stringContaining("recipe was not read"),
  ]);
});

test("registers no model that can never be approved, before anything is paid", async () => {
  const { owner } = world;
  const register = async (name: string, options: { host?: string; rollup?: string }) =>
    checkRegistration(owner, {
      model: await readModel(modelFolder(name), await modelFamilies()),
      ...{ priceWei: 1n, amountWei: 0n, askHost: askHostOf(options) },
      l1Owner: (await getLeaf(owner, owner.leafId!)).l1Owner,
    });
  // By the recipe's own terms, and by a host's, where the recipe has none.
  await expect(register("shared", { rollup: TEST_ROLLUP.rollupAddress })).rejects.toMatchObject(
    forbidden(false),
  );
  await expect(register("unknown", { host: host.url })).rejects.toMatchObject(forbidden(true));
});

test("takes a recipe's word about some rows for a word about no others", async () => {
  const { datanetId, owner } = world;
  const { datanet } = await recipeOf("unknown");
  const row = {
    datanet: datanetId,
    licence: "CC0-1.0",
    isSigned: true,
    rowCount: 1,
    firstRows: [digests[0]!],
  };
  const lying = { ...{ datanet }, terms: { use: "paid", licence: "CC0-1.0", rows: [row] } } as const;
  const lines = await termsOfApproval(owner, datanetId, lying as never, {
    rollup: TEST_ROLLUP.rollupAddress,
  });
  expect(lines).toContainEqual(expect.stringContaining(`the terms of 1 of ${rows.length} rows of Datanet`));
  const served = (datanetHosts: readonly string[]) =>
    requireServedTerms(lying as never, {
      ...{ datanetHosts, domain: owner.domain, sequencerUrl: world.sequencerUrl },
      rowCount: rows.length,
    });
  await expect(served([host.url])).rejects.toMatchObject({ code: "DNT_TERMS_FORBID" });
  expect(await served([])).toEqual({ datanetIds: [datanetId], rowCount: 0 });
});

test("withholds the rows of a Datanet that is permissioned at its host", async () => {
  const { datanetId, owner } = world;
  const location = { hostUrl: host.url, datanetId };
  const decide = (options: object) =>
    publicationOf(owner, {
      options: { host: host.url, ...options } as never,
      datanetIds: [datanetId],
      card: null,
    });
  const saying = { retrieval: { says: "row" } } as const;
  const open = await decide({});
  expect(open).toEqual({ publishRows: true, words: [], why: "" });
  expect(citingWords(saying, open)).toEqual([expect.stringMatching(/prompt and answer.*everybody may read/)]);
  expect(citingWords({}, open)).toEqual([]);
  expect(await decide({ withholdRows: true })).toMatchObject({ publishRows: false });
  const closed = { ...card, access: "permissioned", row: { ...card.row, digests: "salted" } } as const;
  await publishCard(owner, { datanetId, card: closed });
  await bringCard(owner, { ...location, card: closed });
  const withheld = await decide({});
  expect(withheld).toEqual({
    publishRows: false,
    words: [expect.stringContaining(`Datanet ${datanetId} is permissioned`)],
    why: `Datanet ${datanetId} is permissioned`,
  });
  // Its index has the rows' texts all the same.
  expect(citingWords(saying, withheld)).toEqual([expect.stringMatching(/to whom .* has granted access/)]);
  expect(await decide({ publishPermissionedRows: true })).toMatchObject({ publishRows: true });
  await publishCard(owner, { datanetId, card });
});

test("serves no model for pay whose rows forbid that, and says where nobody knows", async () => {
  const { owner, sequencerUrl } = world;
  const logged: Record<string, unknown>[] = [];
  const log = { write: (line: string) => void logged.push(JSON.parse(line)) };
  const serve = (name: string, hosts: string) =>
    serveTested(
      {
        SERVING_DATA_PATH: join(world.folder, `serving-${name}`),
        SERVING_DATANET_HOSTS: hosts,
        SERVING_PORT: "0",
        SERVING_KERNELS: "wasm",
      },
      {
        logger: createLogger("models", "warn", log as never),
        published: {
          ...{ sequencerUrl, domain: owner.domain, rollup: storeRollupOf(owner) },
          locations: [{ modelId: 15, folder: modelFolder(name) }],
        },
      },
    );
  await expect(serve("shared", "")).rejects.toMatchObject(forbidden(false));
  await expect(serve("unknown", host.url)).rejects.toMatchObject(forbidden(true));
  expect(logged).toEqual([]);
  const served = await serve("unknown", "");
  await served.close();
  expect(logged.filter(({ level }) => level === WARN)).toEqual([
    expect.objectContaining({
      modelId: 15,
      datanetIds: [world.datanetId],
      msg: expect.stringContaining("not known"),
    }),
  ]);
});
