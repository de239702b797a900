/**
 * A model on a rollup for tests of settling: a node with the contract, a sequencer with LevelDB behind HTTP, the bridge's
 * parts, and settlement circuits with keys. Batches have proofs of known trapdoors; settlements are really proven.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Hex, toHex } from "viem";
import { writeModel } from "../../../attribution/model/model-directory.ts";
import type { Trained } from "../../../attribution/model/model-family.ts";
import { type PublishedModel, publishedModel } from "../../../attribution/model/model-files.ts";
import type { OwnedRow } from "../../../attribution/model/owned-rows.ts";
import type { RecipeBase } from "../../../attribution/model/recipe-fields.ts";
import { registerModel } from "../../../attribution/model/registration.ts";
import { trainModel } from "../../../attribution/model/trained-model.ts";
import { encodeRow } from "../../../attribution/rows/row-content.ts";
import { recipeFor, sampleInputs } from "../../../attribution/testing/sample-rows.ts";
import { RANDOMNESS_DELAY_BLOCKS } from "../../../bridge/l1/settlement-times.ts";
import { type HistoryFixtureOptions, startHistoryFixture } from "../../../bridge/testing/history-fixture.ts";
import { unpackBinding } from "../../../circuits/ledger/leaf.ts";
import { APPROVAL_DELAY_SECONDS } from "../../../circuits/protocol.ts";
import {
  earnerTableCircuitSpec,
  settlementCircuitSpec,
} from "../../../circuits/registry/circuit-registry.ts";
import { encodeDeployment } from "../../../circuits/registry/deployment.ts";
import { CIRCUIT_SORT } from "../../../circuits/settlement/settlement-data.ts";
import type { SettlementSize } from "../../../circuits/settlement/settlement-size.ts";
import { collectVersion } from "../../../client/actions/data/collect-version.ts";
import { contributeRows } from "../../../client/actions/data/contribute-rows.ts";
import { readVersionRows, storeVersion } from "../../../client/actions/data/published-version.ts";
import { openRowStore } from "../../../client/actions/data/row-store.ts";
import { encodeSettlementBody, sendSettlement } from "../../../client/actions/l1/send-settlement.ts";
import { approveModel } from "../../../client/actions/ledger/approve-model.ts";
import { createDatanet } from "../../../client/actions/ledger/create-datanet.ts";
import { createModel } from "../../../client/actions/ledger/create-model.ts";
import { publishVersion } from "../../../client/actions/ledger/publish-version.ts";
import { getOperation } from "../../../client/sequencer/ledger-reads.ts";
import { getModel } from "../../../client/sequencer/model-reads.ts";
import { anvilAccount } from "../../../contracts/testing/anvil-account.ts";
import { OPEN } from "../../../contracts/testing/rollup-fixture.ts";
import { buildCircuit } from "../../../e2e/world/circuits.ts";
import { configOf, recordOf } from "../../../e2e/world/deploy-ledger.ts";
import { createWorldHere } from "../../../e2e/world/here.ts";
import { hex32 } from "../../../foundation/hex.ts";
import { developmentSecrets } from "../../../prover/keys/development-secrets.ts";
import { deploymentOn, FINALITY_DEPTH_BLOCKS } from "../../../sequencer/testing/l1-world.ts";
import { openProvingCircuit, readRollupCircuits } from "../../../verifier/circuits/rollup-circuits.ts";
import { prepareGenesis } from "../../settling/prepare-settlement.ts";
import { proveSettlement } from "../../settling/prove-settlement.ts";
import { signSettlement } from "../../settling/sign-settlement.ts";

const SMALLEST = { rows: 8, features: 32, earners: 4, payments: 4, draws: 2 } as const;
/** Of the classifier: the other columns are 0. */
const FEATURES = 4;
export const CAP = SMALLEST.payments;
export const PRICE_WEI = OPEN / 2n;
const ALICE_ACCOUNT = 4;
export const BOB_ACCOUNT = 5;

/** What makes a model of a version's rows: mails. */
export type ModelMaker = (
  rows: readonly OwnedRow[],
  ledger: Pick<RecipeBase, "datanet" | "columnCount">,
) => Promise<Trained>;

const makeClassifier: ModelMaker = async (rows, ledger) =>
  trainModel(
    rows,
    recipeFor(rows, {
      ...ledger,
      method: { kind: "influence", damping: 0.01, featureCount: FEATURES },
    }),
  ) as never;

export type SettlingWorld = Awaited<ReturnType<typeof startSettlingWorld>>;

/**
 * alice (leaf 2) owns the datanet, the model and its rows; bob (leaf 3) asks and pays.
 * @param changes of the sequencer's environment, by L1's address
 * @param SIZE of the settlement circuit @param gateOn deploys what L1 asks before a genesis, and before draws
 */
export async function startSettlingWorld(
  folder: string,
  changes: (rpcUrl: string) => Record<string, string> = () => ({}),
  SIZE: SettlementSize = SMALLEST,
  gateOn?: HistoryFixtureOptions["gateOn"],
) {
  const earners = { sort: CIRCUIT_SORT.earnerTable, size0: 0, size1: SIZE.earners };
  const settling = { sort: CIRCUIT_SORT.settlement, size0: SIZE.payments, size1: SIZE.earners };
  const proven = [
    await buildCircuit(settlementCircuitSpec(SIZE), settling),
    await buildCircuit(earnerTableCircuitSpec(SIZE.earners), earners),
  ];
  const f = await startHistoryFixture({
    real: { configs: proven.map(configOf), shared: developmentSecrets("") },
    ...(gateOn && { gateOn }),
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
  const world = await createWorldHere({
    ...{ f, folder, deployment, people },
    environment: changes(f.rpcUrl),
  });
  const { alice, bob } = world.clients;
  const { sequencerUrl, w } = world;
  const rollupAddress = f.rollup.address;
  const watcher = await world.randomness(1);

  /** What operator and bridge do again and again: seal what is open, prove it, post it, record randomness. */
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
    ...{ f, w, home, folder, deployment, sequencerUrl, alice, bob, turn, settle },
    host: world.host,
    passTime: async (seconds: number) => {
      await f.l1.passTime(BigInt(seconds));
      await settle(1);
    },
    /** Mines to the block that gives the randomness of a Seal that is on L1. */
    mineRandomness: () => f.l1.client.mine({ blocks: RANDOMNESS_DELAY_BLOCKS + FINALITY_DEPTH_BLOCKS }),

    /** From rows to a model that takes payments; of another family where a maker of one is given. */
    async makeModel(
      make: ModelMaker = makeClassifier,
      {
        contents = sampleInputs("email", SIZE.rows, "settling").map((row) => encodeRow("email", row)),
        beforeGenesis,
      }: {
        readonly contents?: readonly Uint8Array[];
        /** The model is in L1's state, and has not begun. */
        readonly beforeGenesis?: (made: { modelId: number; modelFolder: string }) => Promise<void>;
      } = {},
    ): Promise<{ model: PublishedModel; modelId: number; modelFolder: string }> {
      await settle();
      const created = await createDatanet(alice, {
        l1Owner: people.alice.address,
        keyX: alice.l2Key!.keyX,
        amountWei: OPEN,
      });
      const datanetId = (await getOperation(alice, created.hash))!.createdId!;
      const rows = await openRowStore(join(folder, "rows"));
      await contributeRows(alice, { datanetId, store: rows, rows: [...contents] });
      const version = await collectVersion(alice, { datanetId, store: rows, validatorId: 3 });
      await storeVersion(rows, version);
      await publishVersion(alice, { datanetId, version });
      await settle();
      const owned: OwnedRow[] = await readVersionRows(rows, version.rowsRoot);
      const datanet = { id: datanetId, version: 1, rowsRoot: hex32(version.rowsRoot) };
      const trained = await make(owned, { datanet, columnCount: SIZE.features });
      const split = { ownerParts: 13_107n, validatorParts: 8_192n };
      const model = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
      const modelFolder = join(folder, `model-${datanetId}`);
      await writeModel(modelFolder, model);
      const { featuresCommitment, ownersCommitment, earnerRoot, binding } = model.statics;
      const sent = await createModel(alice, {
        l1Owner: people.alice.address,
        keyX: alice.l2Key!.keyX,
        amountWei: 5n * OPEN,
        featuresCommitment,
        ownersCommitment,
        earnerRoot,
        binding: unpackBinding(binding),
        priceWei: PRICE_WEI,
        split,
      });
      const modelId = (await getOperation(alice, sent.hash))!.createdId!;
      if (beforeGenesis !== undefined) {
        await settle();
        await beforeGenesis({ modelId, modelFolder });
        await settle();
      }
      const leaf = await getModel(alice, modelId);
      const circuits = await readRollupCircuits({ rpcUrl: f.rpcUrl, rollupAddress, deployment });
      const [settling, table] = circuits.slice(-2) as [(typeof circuits)[0], (typeof circuits)[0]];
      const prepared = prepareGenesis(leaf, model, { table, settling });
      const proved = await proveSettlement(
        prepared,
        { circuitId: table.circuitId, proving: await openProvingCircuit(table, deployment, () => {}) },
        { backend: "wasm" },
      );
      await sendSettlement(alice, encodeSettlementBody(signSettlement(alice, leaf, proved.settlement)));
      await f.l1.passTime(BigInt(APPROVAL_DELAY_SECONDS + 60));
      await settle();
      await approveModel(alice, { datanetId, modelId, statics: model.statics });
      await settle();
      return { model, modelId, modelFolder };
    },

    stop: () => world.stop(),
  };
}
