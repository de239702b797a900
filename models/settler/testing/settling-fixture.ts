/**
 * A model on a rollup for tests of settling: a node with the contract, a sequencer with LevelDB behind HTTP, the bridge's
 * parts, and settlement circuits with keys. Batches have proofs of known trapdoors; settlements are really proven.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
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
import { createBridgeMetrics } from "../../../bridge/metrics.ts";
import { openBridgeStore } from "../../../bridge/operator/bridge-store.ts";
import { createOperatorClient } from "../../../bridge/operator/operator-client.ts";
import { RandomnessWatcher } from "../../../bridge/operator/randomness-watcher.ts";
import { silentLogger } from "../../../bridge/testing/bridge-fixture.ts";
import { type HistoryFixtureOptions, startHistoryFixture } from "../../../bridge/testing/history-fixture.ts";
import { compileCircuit } from "../../../circuits/compiler/compile.ts";
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
import { deriveKey } from "../../../client/l2-key.ts";
import { createLedgerClient, type LedgerClient } from "../../../client/ledger-client.ts";
import { getOperation } from "../../../client/sequencer/ledger-reads.ts";
import { getModel } from "../../../client/sequencer/model-reads.ts";
import type { CircuitConfig } from "../../../contracts/build/verifying-key.ts";
import { anvilAccount } from "../../../contracts/testing/anvil-account.ts";
import { OPEN } from "../../../contracts/testing/rollup-fixture.ts";
import { hex32 } from "../../../foundation/hex.ts";
import { toSolidityKey } from "../../../prover/formats/verification-key.ts";
import { developmentSecrets } from "../../../prover/keys/development-secrets.ts";
import { developmentSetup } from "../../../prover/keys/development-setup.ts";
import {
  deploymentOn,
  depositFor,
  FINALITY_DEPTH_BLOCKS,
  startL1World,
} from "../../../sequencer/testing/l1-world.ts";
import { close } from "../../../sequencer/testing/test-operator.ts";
import { OPERATOR_TOKEN } from "../../../sequencer/testing/test-rollup.ts";
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
  const sorts = [
    { sort: CIRCUIT_SORT.settlement, size0: SIZE.payments, size1: SIZE.earners },
    { sort: CIRCUIT_SORT.earnerTable, size0: 0, size1: SIZE.earners },
  ];
  const proving = [];
  for (const spec of [settlementCircuitSpec(SIZE), earnerTableCircuitSpec(SIZE.earners)])
    proving.push(await developmentSetup(await compileCircuit(spec)));
  const configs = proving.map(
    ({ verificationKey }, i): CircuitConfig => ({
      ...sorts[i]!,
      isDevelopment: true,
      key: toSolidityKey(verificationKey),
    }),
  );
  const f = await startHistoryFixture({
    real: { configs, shared: developmentSecrets("") },
    ...(gateOn && { gateOn }),
  });
  const simulated = await deploymentOn(f);
  const registered = await f.rollup.circuits();
  const deployment = {
    ...simulated,
    circuits: [
      ...simulated.circuits,
      ...proving.map(({ contentHash, name, wasmPath, zkeyPath }, i) => ({
        ...sorts[i]!,
        name,
        contentHash,
        wasmPath,
        zkeyPath,
        isDevelopment: true,
        circuitId: registered[simulated.circuits.length + i]!.circuitId,
        verificationKeyPath: join(zkeyPath, "..", "verification-key.json"),
      })),
    ],
  };
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "deployment.json"), encodeDeployment(deployment));
  const [aliceWallet, bobWallet] = [anvilAccount(ALICE_ACCOUNT), anvilAccount(BOB_ACCOUNT)];
  for (const [name, wallet] of Object.entries({ alice: aliceWallet, bob: bobWallet }))
    writeFileSync(join(home, `${name}-key`), toHex(wallet.getHdKey().privateKey!));
  const rollupAddress = f.rollup.address;
  const keyOf = (wallet: typeof aliceWallet) => deriveKey({ wallet, chainId: 31337, rollupAddress });
  const keys = { alice: await keyOf(aliceWallet), bob: await keyOf(bobWallet) };
  await depositFor(f, { alice: keys.alice.keyX, bob: keys.bob.keyX }, 90n * OPEN);
  const w = await startL1World(f, deployment, join(folder, "operator"), changes(f.rpcUrl));
  const sequencerUrl = w.rollup.app.listeningOrigin;
  const clientOf = (l2Key: typeof keys.alice, leafId: number): Promise<LedgerClient> =>
    createLedgerClient({ rpcUrl: f.rpcUrl, rollupAddress, sequencerUrl, l2Key, leafId });
  const [alice, bob] = [await clientOf(keys.alice, 2), await clientOf(keys.bob, 3)];

  const store = await openBridgeStore(join(folder, "randomness"));
  const watcher = new RandomnessWatcher(
    {
      deployedAtBlock: deployment.deployedAtBlock,
      confirmations: 1,
      finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
      maxChunkBlocks: 1_000,
    },
    {
      rollup: f.rollup,
      sequencer: createOperatorClient({ sequencerUrl, operatorToken: OPERATOR_TOKEN.replaceAll(" ", "-") }),
      store: store.randomness,
      logger: silentLogger,
      metrics: createBridgeMetrics(new Registry()),
    },
  );

  /** What operator and bridge do again and again: seal what is open, prove it, post it, record randomness. */
  const turn = async () => {
    await w.watch();
    if ((w.rollup.sequencer.line.head.openBatch?.operationCount ?? 0) > 0) await close(w.rollup);
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
        l1Owner: aliceWallet.address,
        keyX: keys.alice.keyX,
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
        l1Owner: aliceWallet.address,
        keyX: keys.alice.keyX,
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

    async stop() {
      await w.stop();
      await store.close();
      await f.stop();
    },
  };
}
