/**
 * A model on a rollup for tests of settling: a node with the contract, a sequencer with LevelDB behind HTTP, the bridge's
 * parts, and settlement circuits with keys. Batches have proofs of known trapdoors; settlements are really proven.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDirect } from "@openledger/attribution/features/direct-rows";
import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import { writeModel } from "@openledger/attribution/model/model-directory";
import type { TrainedModel } from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import { joinVersions, type OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import { registerModel } from "@openledger/attribution/model/registration";
import { labelledRow, recipeFor, sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { RANDOMNESS_DELAY_BLOCKS } from "@openledger/bridge/l1/settlement-times";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { settlingNames, sizesOfName } from "@openledger/circuits/registry/circuit-sizes";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { modelShape, type SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { SMALL_DIRECT } from "@openledger/circuits/testing/settlement/direct-world";
import { readVersionRows, storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { nameVersionLabels, storeVersionLabels } from "@openledger/client/actions/data/stored-labels";
import { encodeSettlementBody, sendSettlement } from "@openledger/client/actions/l1/send-settlement";
import { signSettlement } from "@openledger/client/actions/l1/sign-settlement";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { approveModel, createModel } from "@openledger/client/actions/ledger/model-operations";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { type BuiltCircuit, buildCircuit } from "@openledger/e2e/world/circuits";
import { configOf, recordOf } from "@openledger/e2e/world/deploy-ledger";
import { hex32 } from "@openledger/foundation/hex";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { developmentSecrets } from "@openledger/prover/keys/development-secrets";
import { deploymentOn, FINALITY_DEPTH_BLOCKS } from "@openledger/sequencer/testing/l1-world";
import {
  openProvingCircuits,
  readRollupCircuits,
  settlementCircuitFor,
} from "@openledger/verifier/circuits/rollup-circuits";
import { type Hex, toHex } from "viem";
import { prepareActivation } from "../settling/prepare-settlement.ts";
import { proveSettlement } from "../settling/prove-settlement.ts";

const SMALLEST = { rows: 8, features: 32, payees: 4, payments: 4, draws: 2 } as const;
export const CAP = SMALLEST.payments;
export const PRICE_WEI = OPEN / 2n;
const ALICE_ACCOUNT = 4;
export const BOB_ACCOUNT = 5;

/** A row to contribute, with its accepted label if it has one. */
export type LabelledContent = Pick<OwnedRow, "content" | "label">;

/** Trains a model on a version's rows: mails. */
export type ModelMaker = (
  rows: readonly OwnedRow[],
  ledger: Pick<RecipeBase, "datanet" | "furtherDatanets" | "columnCount">,
) => Promise<TrainedModel>;

const makeDirect: ModelMaker = async (rows, { columnCount: _, ...datanets }) =>
  trainDirect(rows, recipeFor(rows, SMALL_DIRECT.features, datanets)) as never;

export type SettlingWorld = Awaited<ReturnType<typeof startSettlingWorld>>;

/**
 * alice (leaf 2) owns the datanet, the model and its rows; bob (leaf 3) asks and pays.
 * @param changes of the sequencer's environment, by L1's address
 * @param size of the settlement circuit, or several; one for direct models and one for others if not given
 */
export async function startSettlingWorld(
  folder: string,
  changes: (rpcUrl: string) => Record<string, string> = () => ({}),
  size: SettlementSize | readonly SettlementSize[] = [SMALL_DIRECT, SMALLEST],
) {
  const sizes = "rows" in size ? [size] : size;
  const { payees: payeeCount, rows, shards = 1 } = sizes.at(-1)!;
  // Of several shards the last has a row less than it could.
  const rowCount = shards * rows - Number(shards > 1);
  const proven: BuiltCircuit[] = [];
  for (const name of [`payee-table-${payeeCount}`, ...sizes.flatMap(settlingNames)])
    proven.push(await buildCircuit(circuitSpec(name), sizesOfName(name)));
  const f = await startHistoryFixture({
    real: { configs: proven.map(configOf), shared: developmentSecrets("") },
  });
  const simulated = await deploymentOn(f);
  const registered = await f.rollup.circuits();
  const circuitIdOf = (i: number) => registered[simulated.circuits.length + i]!.circuitId;
  const behind = proven.map((circuit, i) => ({ ...recordOf(circuit), circuitId: circuitIdOf(i) }));
  const deployment = { ...simulated, circuits: [...simulated.circuits, ...behind] };
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "deployment.json"), encodeDeployment(deployment));
  const people = { alice: anvilAccount(ALICE_ACCOUNT), bob: anvilAccount(BOB_ACCOUNT) };
  for (const [name, wallet] of Object.entries(people))
    writeFileSync(join(home, `${name}-key`), toHex(wallet.getHdKey().privateKey!));
  // For what settles, serves or tunes: one database, as a person has one.
  const database = await createTestDatabase();
  const world = await createWorldHere({
    f,
    folder,
    deployment,
    people,
    environment: changes(f.rpcUrl),
  });
  const { alice, bob } = world.clients;
  const { sequencerUrl, w } = world;
  const rollupAddress = f.rollup.address;
  const watcher = await world.randomness(1);

  /** Does one turn of operator and bridge: close what is open, prove it, post it, record randomness. */
  const turn = async () => {
    await world.closeOpen();
    await w.publish();
    await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    await w.publish();
    await watcher.poll();
    const errand = await watcher.nextErrand();
    if (errand !== null) {
      const account = f.l1.roles.stranger;
      const hash = await f.l1.client.sendTransaction({
        account,
        to: rollupAddress,
        data: errand.input as Hex,
        chain: f.l1.client.chain,
      });
      await f.l1.client.waitForTransactionReceipt({ hash });
    }
  };
  const settle = async (count = 3) => {
    for (let i = 0; i < count; i++) await turn();
  };

  return {
    f,
    w,
    home,
    folder,
    deployment,
    sequencerUrl,
    alice,
    bob,
    turn,
    settle,
    host: world.host,
    passTime: async (seconds: number) => {
      await f.l1.passTime(BigInt(seconds));
      await settle(1);
    },
    /** Mines to the block that gives the randomness of a CloseEpoch that is on L1. */
    mineRandomness: () => f.l1.client.mine({ blocks: RANDOMNESS_DELAY_BLOCKS + FINALITY_DEPTH_BLOCKS }),

    /**
     * Makes a model that takes payments from rows; of another family if a maker of one is given.
     * @param options.bobs rows of a second Datanet, which is bob's and has not approved the model
     */
    async makeModel(
      make: ModelMaker = makeDirect,
      {
        bobs = [],
        alices = sampleInputs("text", rowCount - bobs.length, "settling").map((row) =>
          labelledRow("text", row),
        ),
      }: { readonly bobs?: readonly LabelledContent[]; readonly alices?: readonly LabelledContent[] } = {},
    ): Promise<{ model: PublishedModel; modelId: number; modelFolder: string; datanetIds: number[] }> {
      await settle();
      const store = await openRowStore(join(folder, "rows"));
      const publish = async (owner: typeof alice, rows: readonly LabelledContent[], validatorId: number) => {
        const l1Owner = people[owner === alice ? "alice" : "bob"].address;
        const created = await createDatanet(owner, { l1Owner, keyX: owner.l2Key!.keyX, amountWei: OPEN });
        const id = (await getOperation(owner, created.hash))!.createdId!;
        await contributeRows(owner, { datanetId: id, store, rows: rows.map(({ content }) => content) });
        const version = await collectVersion(owner, { datanetId: id, store, validatorId });
        await storeVersion(store, version);
        await publishVersion(owner, { datanetId: id, version });
        await settle();
        const named = { id, version: 1, rowsRoot: hex32(version.rowsRoot) };
        const contents = await readVersionRows(store, version.rowsRoot);
        if (rows.some(({ label }) => label === undefined)) return { owned: contents, named };
        const labels = contents.map(
          ({ content }) => rows.find((row) => Buffer.compare(row.content, content) === 0)!.label ?? null,
        );
        const stored = nameVersionLabels(version.storedRows, labels);
        await storeVersionLabels(store, stored);
        const owned = contents.map((row, i): OwnedRow => ({ ...row, label: labels[i]! }));
        return { owned, named: { ...named, labels: hex32(stored.root) } };
      };
      const versions = [await publish(alice, alices, 3)];
      if (bobs.length > 0) versions.push(await publish(bob, bobs, 2));
      const [datanet, ...furtherDatanets] = versions.map(({ named }) => named) as [
        RecipeBase["datanet"],
        ...RecipeBase["datanet"][],
      ];
      const trained = await make(joinVersions(versions.map(({ owned }) => owned)), {
        datanet,
        ...(furtherDatanets.length > 0 && { furtherDatanets }),
        columnCount: sizes.at(-1)!.features,
      });
      const position = sizes.findIndex((one) => (one.isDirect === true) === isDirect(trained.features));
      const split = { ownerParts: 13_107n, validatorParts: 8_192n };
      const model = publishedModel(trained, registerModel(trained, { split }, sizes[position]!), {
        publishRows: true,
      });
      const modelFolder = join(folder, `model-${datanet.id}`);
      await writeModel(modelFolder, model);
      const { featuresCommitment, ownersCommitment, payeeRoot, binding } = model.statics;
      const sent = await createModel(alice, {
        l1Owner: people.alice.address,
        keyX: alice.l2Key!.keyX,
        amountWei: 5n * OPEN,
        featuresCommitment,
        ownersCommitment,
        payeeRoot,
        binding: unpackBinding(binding),
        priceWei: PRICE_WEI,
        split,
      });
      const modelId = (await getOperation(alice, sent.hash))!.createdId!;
      const leaf = await getModel(alice, modelId);
      const circuits = await readRollupCircuits({ rpcUrl: f.rpcUrl, rollupAddress, deployment });
      const [table] = circuits.slice(-proven.length) as [(typeof circuits)[0]];
      const settling = settlementCircuitFor(circuits, modelShape(model.statics, model.payees)).circuit;
      const { circuits: tables, prepared } = prepareActivation(leaf, model, { table, settling });
      const proving = await openProvingCircuits(tables, deployment, () => () => {});
      const proved = await proveSettlement(prepared, proving, { backend: "wasm" });
      await sendSettlement(alice, encodeSettlementBody(signSettlement(alice, leaf, proved.settlement)));
      await f.l1.passTime(BigInt(APPROVAL_DELAY_SECONDS + 60));
      await settle();
      await approveModel(alice, { datanetId: datanet.id, modelId, statics: model.statics });
      await settle();
      return { model, modelId, modelFolder, datanetIds: versions.map(({ named }) => named.id) };
    },

    databaseUrl: database.url,
    async stop() {
      await world.stop();
      await database.drop();
    },
  };
}
