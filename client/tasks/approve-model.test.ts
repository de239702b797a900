/**
 * Approval of a model: every refusal with its code, that nothing is signed by any, and that page and command have words for each; then
 * what passes. A real sequencer and a real host.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attributionError } from "@openledger/attribution/attribution-errors";
import type { ModelTerms } from "@openledger/attribution/model/recipe-fields";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { packBinding } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import { createHostWorld, type HostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import type { TestHost } from "@openledger/datanets/testing/test-host";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { settlementDeployment } from "@openledger/sequencer/testing/test-model";
import { head } from "@openledger/sequencer/testing/test-operator";
import { L1_TIMESTAMP, ONE_OPEN_WEI, testUser } from "@openledger/sequencer/testing/test-rollup";
import { getAddress, numberToHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRowStore } from "../actions/data/row-store.ts";
import { createDatanet } from "../actions/ledger/datanet-operations.ts";
import { signAndSend } from "../actions/ledger/send-operation.ts";
import { contributeRows } from "../datanets/contribute-rows.ts";
import { bringCard } from "../datanets/datanet-card.ts";
import { sayRecords, type UnsignedRecord } from "../datanets/signed-records.ts";
import { contributionSource, uploadRows } from "../datanets/upload-rows.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getLeaf, getOperation } from "../sequencer/ledger-reads.ts";
import { getModel, staticsOf } from "../sequencer/model-reads.ts";
import { codesWithoutWords } from "../testing/refusal-words.ts";
import {
  type ApprovalGroundsParameters,
  checkApproval,
  type PublishedRecipe,
  revokeApproval,
  signApproval,
} from "./approve-model.ts";
import { prepareVersion, publishPrepared } from "./publish-version.ts";

const LICENCE = "CC-BY-SA-4.0";
const card = sampleCard({ licence: LICENCE, terms: { contributors: "sign" } });
const contents = sampleRows(6);
/** Card first, then the rows. */
const VERSION = 2;
const ALICE = 3;
const folder = mkdtempSync(join(tmpdir(), "approve-model-"));
let world: HostWorld;
let host: TestHost;
/** Owner of the models; carol and dave recompute. */
let bob: LedgerClient;
let carol: LedgerClient;
let dave: LedgerClient;
let modelId: number;
let published: PublishedRecipe;

const ids = () => ({ datanetId: world.datanetId, modelId });
const approval = (changes: Partial<ApprovalGroundsParameters> = {}): ApprovalGroundsParameters => ({
  ...ids(),
  askHost: (ask) => ask(host.url),
  hostUrls: [host.url],
  readPublished: async () => published,
  ...changes,
});

/** A model of bob's, of these Datanets. @returns its leaf's id */
async function register(version: number, furtherDatanets: readonly number[] = []): Promise<number> {
  const { datanet } = await getLeaf(bob, world.datanetId);
  const binding = packBinding({
    datanetId: BigInt(world.datanetId),
    version: BigInt(version),
    rowCount: BigInt(contents.length),
    predecessorId: 0n,
    drawBits: 2n,
    featureCount: 16n,
    furtherDatanets: [...furtherDatanets],
  });
  const { ownersCommitment, payeeRoot } = datanet!;
  const split = packSplit({ ownerParts: 6_554n, validatorParts: 16_384n });
  const { keyX } = bob.l2Key!;
  const words = [testUser(2).l1Owner, keyX, 1n, ownersCommitment, payeeRoot, binding, 5n | (split << 96n)];
  const amountCode = encodeAmount(ONE_OPEN_WEI);
  const { hash } = await signAndSend(bob, { kind: "createModel", amountCode, words }, {});
  return (await getOperation(bob, hash))!.createdId!;
}

/** Signs what somebody found who trained the model again. */
async function sign(client: LedgerClient, difference: { file: string; row: number | null } | null) {
  const { datanetId } = world;
  const record: UnsignedRecord = {
    ...{ kind: "verified", modelId, version: VERSION, epoch: null, difference },
    modelRoot: hex32(staticsOf(await getModel(client, modelId)).hash),
    versionRoot: hex32((await getLeaf(client, datanetId)).datanet!.rowsRoot),
  };
  const [result] = await sayRecords(client, { hostUrl: host.url, datanetId, records: [record] });
  expect(result!.error).toBe(null);
}

beforeAll(async () => {
  const { deployment } = await settlementDeployment(folder);
  world = await createHostWorld({ card, deployment });
  host = await world.host("one");
  const { datanetId, owner } = world;
  const location = { hostUrl: host.url, datanetId };
  const store = await openRowStore(join(folder, "rows"));
  const alice = await world.user(1);
  [bob, carol, dave] = await Promise.all([world.user(2), world.user(3), world.user(4)]);
  await bringCard(alice, { ...location, card });
  const input = { datanetId, store, rows: contents, givenUnder: card };
  const { rowsRoot } = (await contributeRows(alice, input)).contribution;
  await world.finalise();
  await uploadRows(alice, { ...location, source: await contributionSource(store, rowsRoot) });
  const rule = { by: "validators", validatorId: 4 } as const;
  const prepared = await prepareVersion(owner, { datanetId, store, rule });
  await publishPrepared(owner, { ...location, store, prepared });
  modelId = await register(VERSION);
  // The time of a version is that of its batch.
  await world.finalise();
  const { hash: staticsHash } = staticsOf(await getModel(bob, modelId));
  const versionRoot = hex32(prepared.version.rowsRoot);
  const terms: ModelTerms = { use: "paid", licence: LICENCE, rows: [] };
  published = {
    staticsHash,
    recipe: { datanet: { id: datanetId, version: VERSION, rowsRoot: versionRoot }, terms },
  };
}, 60_000);
afterAll(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly data?: object;
  /** Steps before the approval. */
  readonly before?: () => Promise<void>;
  readonly changes?: () => Partial<ApprovalGroundsParameters> | Promise<Partial<ApprovalGroundsParameters>>;
}

/** In the order in which they are met: what one row does, the next ones find. */
const REFUSALS: readonly Refusal[] = [
  { name: "a leaf that is no Datanet", code: "OP_WRONG_LEAF_KIND", changes: () => ({ datanetId: ALICE }) },
  {
    name: "a Datanet without a version",
    code: "OP_DATANET_NOT_PUBLISHED",
    changes: async () => {
      const l1Owner = getAddress(numberToHex(testUser(2).l1Owner, { size: 20 }));
      const { hash } = await createDatanet(bob, { l1Owner, keyX: bob.l2Key!.keyX });
      return { datanetId: (await getOperation(bob, hash))!.createdId! };
    },
  },
  {
    name: "a model of another Datanet",
    code: "OP_MODEL_NOT_OF_DATANET",
    data: { field: "datanet" },
    changes: async () => ({ datanetId: (await world.datanet(bob, sampleCard())).id }),
  },
  {
    name: "a model of an earlier version",
    code: "OP_MODEL_NOT_OF_DATANET",
    data: { field: "version" },
    changes: async () => ({ modelId: await register(1) }),
  },
  {
    name: "a model of several Datanets before its activation",
    code: "OP_MODEL_NOT_READY",
    changes: async () => {
      const { id } = await world.datanet(bob, sampleCard());
      return { modelId: await register(VERSION, [id]) };
    },
  },
  { name: "the day after the publication", code: "CLI_TOO_EARLY", data: { reason: "too-early" } },
  {
    name: "the recipe of another model",
    code: "ATT_MODEL_MISMATCH",
    data: { what: "statics" },
    before: async () => {
      await head(world.rollup, L1_TIMESTAMP + APPROVAL_DELAY_SECONDS + 60);
    },
    changes: () => ({ readPublished: async () => ({ ...published, staticsHash: 7n }) }),
  },
  {
    name: "the recipe of another model before the training, though nobody asks for records",
    code: "ATT_MODEL_MISMATCH",
    data: { what: "statics" },
    changes: () => ({
      recompute: async (onPublished) => {
        await onPublished({ ...published, staticsHash: 7n });
        throw new Error("it was trained");
      },
    }),
  },
  {
    name: "a licence that the rows' terms forbid",
    code: "DNT_TERMS_FORBID",
    changes: () => ({
      readPublished: async () => ({ ...published, recipe: { datanet: published.recipe.datanet } }),
    }),
  },
  { name: "nobody's recomputation", code: "ATT_NOT_RECOMPUTED", data: { reason: "nobody" } },
  {
    name: "a recomputation by the model's owner alone",
    code: "ATT_NOT_RECOMPUTED",
    data: { reason: "nobody" },
    before: () => sign(bob, null),
  },
  {
    name: "a recomputation that nobody of the given hosts shows",
    code: "ATT_NOT_RECOMPUTED",
    data: { reason: "nobody" },
    before: () => sign(carol, null),
    changes: () => ({ hostUrls: ["http://127.0.0.1:1"] }),
  },
  {
    name: "a recomputation that gave other bytes, whoever found the same",
    code: "ATT_NOT_RECOMPUTED",
    data: { reason: "differs", leafIds: [6] },
    before: () => sign(dave, { file: "features.bin", row: 17 }),
  },
  {
    name: "the approver's own recomputation that gave other bytes",
    code: "ATT_MODEL_MISMATCH",
    data: { what: "features" },
    changes: () => ({
      recompute: async (onPublished) => {
        await onPublished(published);
        throw attributionError("ATT_MODEL_MISMATCH", "features differ", { data: { what: "features" } });
      },
    }),
  },
];

test("refuses with a code for each reason, and signs nothing", async () => {
  for (const { before, changes, code, data = {}, name } of REFUSALS) {
    await before?.();
    const parameters = approval(await changes?.());
    const refusal = { code, data: expect.objectContaining(data) };
    await expect(checkApproval(world.owner, parameters), name).rejects.toMatchObject(refusal);
    const onSigned = () => expect.unreachable(name);
    await expect(signApproval(world.owner, { ...parameters, onSigned }), name).rejects.toMatchObject(refusal);
    expect((await getModel(bob, modelId)).counters.isApproved, name).toBe(false);
  }
}, 60_000);

test("goes on without a recomputation by choice alone, and says so in its result", async () => {
  const grounds = await checkApproval(world.owner, approval({ skipRecomputation: true }));
  expect(grounds).toMatchObject({
    ...{
      isRecomputed: false,
      recomputation: { by: "nobody" },
      isRecipeRead: true,
      byRecipe: null,
      vectors: null,
    },
    terms: { licence: LICENCE, use: "paid" },
  });
  // Its own recomputation needs no record, and the choice to skip it skips it.
  const recompute = async (onPublished: (one: PublishedRecipe) => Promise<void>) => {
    await onPublished(published);
    return { areInputsOfRows: false };
  };
  expect(await checkApproval(world.owner, approval({ recompute, hostUrls: [] }))).toMatchObject({
    ...{ isRecomputed: true, recomputation: { by: "approver" }, inputs: "others" },
  });
  const unread = approval({ readPublished: async () => null, skipRecomputation: true });
  expect(await checkApproval(world.owner, unread)).toMatchObject({ isRecipeRead: false, inputs: null });
});

test("approves by what others have signed, once, and revokes without grounds", async () => {
  // dave trains again, and finds the same bytes now.
  await sign(dave, null);
  const { grounds, sent } = await signApproval(world.owner, approval());
  expect(grounds.recomputation).toMatchObject({ by: "others" });
  const { records } = grounds.recomputation as { records: readonly { leafId: number }[] };
  expect(records.map(({ leafId }) => leafId).sort()).toEqual([carol.leafId, dave.leafId]);
  expect(sent.from).toBe(world.datanetId);
  expect((await getModel(bob, modelId)).counters.isApproved).toBe(true);
  const again = signApproval(world.owner, approval());
  await expect(again).rejects.toSatisfy((error) => isRollupError(error, "CLI_MODEL_APPROVED"));
  await revokeApproval(world.owner, ids());
  expect((await getModel(bob, modelId)).counters.isApproved).toBe(false);
});

test("has words for each refusal in the command and in the page", () => {
  const codes = [...REFUSALS.map((one) => one.code), "CLI_MODEL_APPROVED"];
  expect(codesWithoutWords(codes)).toEqual([]);
});
