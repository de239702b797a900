/** A rollup whose gate has a contract of disputes for each kind of models, a datanet of e-mails on it, and the people who meet there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, getAddress, parseEther } from "viem";
import { trainDirect } from "../../../attribution/model/direct-training.ts";
import { earnerTable, type OwnedRow } from "../../../attribution/model/owned-rows.ts";
import type { Recipe } from "../../../attribution/model/recipe.ts";
import { trainModel } from "../../../attribution/model/trained-model.ts";
import { encodeRow } from "../../../attribution/rows/row-content.ts";
import { directRecipeFor } from "../../../attribution/testing/direct-rows.ts";
import { recipeFor, sampleInputs } from "../../../attribution/testing/sample-rows.ts";
import { earnerRoot, ownersCommitment } from "../../../circuits/ledger/rewards.ts";
import type { SettlementSize } from "../../../circuits/settlement/settlement-size.ts";
import { freePort } from "../../../circuits/testing/free-port.ts";
import { createDatanet } from "../../../client/actions/ledger/create-datanet.ts";
import { publishVersion } from "../../../client/actions/ledger/publish-version.ts";
import { registeredDirect } from "../../../client/disputing/testing/direct-case.ts";
import { registered } from "../../../client/disputing/testing/dispute-fixture.ts";
import { deriveKey, type L2Key } from "../../../client/l2-key.ts";
import { createLedgerClient, type LedgerClient } from "../../../client/ledger-client.ts";
import { waitFor } from "../../../client/sequencer/wait-for.ts";
import type { BackendName } from "../../../prover/backends.ts";
import { type DrillAccountName, drillAccount, drillPrivateKey } from "../drill-accounts.ts";
import { SEQUENTIAL_DRILL_SHAPE } from "../drill-circuit.ts";
import { DrillProcess } from "../drill-process.ts";
import { DrillWorld } from "../drill-world.ts";
import { buildModelCircuits, SETTLEMENT_INDEX, TABLE_INDEX } from "../model-circuits.ts";
import { openAccount } from "../open-account.ts";
import { allPosted, patiently } from "../world-steps.ts";
import { type HonestModel, MODEL_KINDS, type ModelKind } from "./falsehood.ts";
import { type CommandRunner, commandRunner } from "./openledger-process.ts";

export type DisputeWorld = Awaited<ReturnType<typeof startDisputeWorld>>;

/** What there is of a kind of models. */
export interface DisputeSide {
  /** The contract that judges its postings. */
  readonly disputes: Address;
  readonly honest: HonestModel;
  /** Of the circuit that settles it, and that circuit's place on L1. */
  readonly size: SettlementSize;
  readonly settlingIndex: number;
}

/** Who has an account on the ledger. The watcher needs none. */
const PEOPLE = ["hostile", "builder", "customer"] as const;
const FEATURES_OF_CLASSIFIER = 16;

export interface DisputeWorldOptions {
  readonly sizes: Readonly<Record<ModelKind, SettlementSize>>;
  readonly backend: BackendName;
  readonly keepIn: string | null;
  readonly tell: (text: string) => void;
}

export async function startDisputeWorld({ backend, keepIn, sizes, tell }: DisputeWorldOptions) {
  const { classifier, direct } = sizes;
  const others = await buildModelCircuits(classifier, [direct]);
  const contracts = {} as Record<ModelKind, Address>;
  let gate!: Address;
  const world = await DrillWorld.start({
    ...{ backend, slots: 2, shape: SEQUENTIAL_DRILL_SHAPE, name: "disputes", keepIn, tell, others },
    gateOn: async (l1Url) => {
      tell("openledger disputes deploy");
      return withOperator(l1Url, async (run, signed) => {
        for (const kind of MODEL_KINDS) {
          const options = [...(kind === "direct" ? ["--direct"] : []), "--rows", String(sizes[kind].rows)];
          const { disputes } = await run<{ disputes: Address }>("disputes", "deploy", ...options, ...signed);
          contracts[kind] = getAddress(disputes);
        }
        gate = (await run<{ gate: Address }>("disputes", "gate", ...Object.values(contracts), ...signed))
          .gate;
        return getAddress(gate);
      });
    },
  });
  try {
    const home = join(world.folder, "home");
    const published = join(world.folder, "published");
    for (const folder of [home, published]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(home, "deployment.json"), world.l1.encoded);
    writeFileSync(join(home, "endpoints.json"), JSON.stringify({ sequencerUrl: world.sequencerUrl }));
    const keyFile = (name: DrillAccountName) => writeKey(home, name);
    const clients = {} as Record<(typeof PEOPLE)[number], LedgerClient>;
    for (const name of PEOPLE) clients[name] = await accountOf(world, name);
    tell("a datanet with a version, posted on L1");
    const { datanetId, rows } = await publishRows(
      world,
      clients.builder,
      clients.customer.leafId!,
      classifier.rows,
    );
    tell("an honest model of each kind");
    const sides: Readonly<Record<ModelKind, DisputeSide>> = {
      classifier: {
        disputes: contracts.classifier,
        honest: { model: honestClassifier(rows, datanetId, classifier), rows, draws: classifier.draws },
        ...{ size: classifier, settlingIndex: SETTLEMENT_INDEX },
      },
      direct: {
        disputes: contracts.direct,
        honest: { model: honestDirect(rows, datanetId, direct), rows, draws: direct.draws },
        ...{ size: direct, settlingIndex: TABLE_INDEX + 1 },
      },
    };
    return {
      world,
      sides,
      /** What the rollup asks: one gate before the contracts of all kinds. Commands take its address. */
      gate,
      datanetId,
      clients,
      /** A folder for each model that somebody publishes, named by its id. */
      published,
      home,
      run: commandRunner(home) as CommandRunner,
      /** The end of a command line that this person signs. */
      as: (name: DrillAccountName): readonly string[] => ["--private-key-file", keyFile(name)],
      /** A command that goes on until it is stopped. */
      async serve(name: string, args: readonly string[], isReady: () => Promise<boolean>) {
        const process = new DrillProcess({
          ...{ name, main: "scripts/openledger.ts", args, isReady, tell },
          env: { OPENLEDGER_HOME: home },
          logFolder: join(world.folder, "logs"),
        });
        await process.start();
        return process;
      },
      freePort,
      stop: () => world.stop(),
    };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

function honestClassifier(rows: readonly OwnedRow[], datanetId: number, size: SettlementSize) {
  const featureCount = Math.min(FEATURES_OF_CLASSIFIER, size.rows / 2);
  const method = { kind: "influence", damping: 0.01, featureCount } as const;
  const { datanet, ...given } = recipeFor(rows, {
    ...{ isChallengeable: true, columnCount: size.features, method },
  } as Partial<Recipe>);
  const trained = trainModel(rows, { ...given, datanet: { ...datanet, id: datanetId } });
  return registered(trained, size.draws);
}

function honestDirect(rows: readonly OwnedRow[], datanetId: number, size: SettlementSize) {
  const { datanet, ...given } = directRecipeFor(rows, size.features, { isChallengeable: true });
  return registeredDirect(trainDirect(rows, { ...given, datanet: { ...datanet, id: datanetId } }));
}

function writeKey(folder: string, name: DrillAccountName): string {
  const path = join(folder, `${name}-key`);
  writeFileSync(path, drillPrivateKey(name), { mode: 0o600 });
  return path;
}

/** Commands as an operator runs them who has no rollup yet. @param act takes the end of a command line that he signs */
async function withOperator<T>(
  l1Url: string,
  act: (run: CommandRunner["run"], signed: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "drill-gate-"));
  try {
    const signed = ["--rpc", l1Url, "--private-key-file", writeKey(folder, "operator")];
    return await act(commandRunner(folder).run, signed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function accountOf(world: DrillWorld, name: DrillAccountName): Promise<LedgerClient> {
  const wallet = drillAccount(name);
  const { deployment, url } = world.l1;
  const { chainId, rollupAddress } = deployment;
  const l2Key: L2Key = await deriveKey({ wallet, chainId, rollupAddress });
  const leafId = await openAccount(world, { keyX: l2Key.keyX, l1Owner: wallet.address });
  const client = await createLedgerClient({
    ...{ sequencerUrl: world.sequencerUrl, rpcUrl: url, rollupAddress, wallet, l2Key },
  });
  return { ...client, leafId };
}

/** Half of the rows are the builder's, half the customer's. */
async function publishRows(world: DrillWorld, builder: LedgerClient, otherId: number, count: number) {
  const ownedBy = { l1Owner: drillAccount("builder").address, keyX: builder.l2Key!.keyX };
  const sent = await patiently(world, () =>
    createDatanet(builder, { ...ownedBy, amountWei: parseEther("100") }),
  );
  const { operation } = await waitFor(builder, { hash: sent.hash }, "acknowledged");
  const datanetId = operation!.createdId!;
  const [first, second] = [builder.leafId!, otherId].sort((a, b) => a - b) as [number, number];
  const rows: OwnedRow[] = sampleInputs("email", count, "hostile owner").map((row, k) => ({
    content: encodeRow("email", row),
    contributorId: k < count / 2 ? first : second,
    validatorId: datanetId,
  }));
  const earners = earnerTable(rows);
  const version = {
    rowsRoot: BigInt(recipeFor(rows).datanet.rowsRoot),
    rowCount: rows.length,
    ownersCommitment: ownersCommitment(earners.map(({ rowCount }) => rowCount)),
    earnerRoot: earnerRoot(earners),
  };
  await patiently(world, () => publishVersion(builder, { datanetId, version }));
  await allPosted(world);
  return { datanetId, rows };
}
