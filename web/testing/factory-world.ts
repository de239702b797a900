/**
 * Surroundings of a newcomer: a rollup with pages, a host with a permissioned Datanet of texts, a factory as a process
 * of its own, and a place where an answer server will be. L1, database and circuits are those of the settling tests.
 */

import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { SMALL_DIRECT } from "@openledger/circuits/testing/settlement/direct-world";
import { storeVersion } from "@openledger/client/actions/data/published-version";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { saltByCard } from "@openledger/client/actions/data/salted-contribution";
import { createDatanet, publishVersion } from "@openledger/client/actions/ledger/datanet-operations";
import { approveModel } from "@openledger/client/actions/ledger/model-operations";
import { collectVersion, contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { listAccess, sayRecords } from "@openledger/client/datanets/signed-records";
import { bringVersion, contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { getModel, getSettlement, staticsOf } from "@openledger/client/sequencer/model-reads";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import type { Card } from "@openledger/datanets/card/card";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { freePort } from "@openledger/foundation/testing/free-port";
import type { OwnProcess } from "@openledger/foundation/testing/own-process";
import type { ServedModels } from "@openledger/models/serving/serve-models";
import { startHub } from "@openledger/models/testing/hub-server";
import { startChildFactory } from "@openledger/models/testing/journey-world";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { serveTested } from "@openledger/models/testing/serving-world";
import {
  BOB_ACCOUNT,
  type SettlingWorld,
  startSettlingWorld,
} from "@openledger/models/testing/settling-fixture";
import { byteConfig } from "@openledger/models/testing/text-rows";
import { BASE_FOLDER } from "@openledger/models/tuning/base/base-address";
import { KNOWN_BASES } from "@openledger/models/tuning/base/known-bases";
import { buildPages } from "../build/build-pages.ts";
import { logEntries } from "./log-entries.ts";

/** Circuits of models that sort and that write; the factory takes those of four draws for the latter. */
const SIZE = { rows: 48, features: 32, payees: 4, payments: 4, draws: 4 } as const;
const ROW_COUNT = 40;
const GRANT_MS = 30 * 86_400_000;
/** Models are approved a day after their version at the earliest. */
export const A_DAY_SECONDS = 86_400 + 120;

const NEWCOMER_ACCOUNT = BOB_ACCOUNT;
/** Key of the newcomer's wallet, which owns leaf 3 of the ledger. */
export const newcomerWallet = () => anvilAccount(NEWCOMER_ACCOUNT);

export interface FactoryPagesWorld extends SettlingWorld {
  readonly datanetId: number;
  readonly factory: OwnProcess;
  /** Kills the factory, and starts it again on the same disk. */
  killFactory(): Promise<void>;
  /** Answers the newcomer's request for access. */
  grant(note: string): Promise<void>;
  /** Serves a registered model, with its rows' words, at the place where the pages look for adapters. */
  serve(modelId: number, modelFolder: string): Promise<void>;
  approve(modelId: number): Promise<void>;
  /** True if the ledger has a payment for an answer of the model. */
  isPaid(modelId: number): Promise<boolean>;
  /** Goes on with Ethereum; whether the model's first epoch is settled by now. */
  isSettled(modelId: number): Promise<boolean>;
}

/**
 * Starts a rollup with pages, a Datanet host without Datanets, and the inputs of a factory beside them.
 * @param hasAnswerServer whether the pages ask an answer server at `answersPort`, which a test starts
 * @param sizes of the settlement circuits, for models that sort and that write
 */
export async function startFactoryLocations(
  folder: string,
  hasAnswerServer: boolean,
  sizes: readonly SettlementSize[] = [SMALL_DIRECT, SIZE],
) {
  // The pages are told the addresses before anything listens there.
  const [hostPort, factoryPort, answersPort] = [await freePort(), await freePort(), await freePort()];
  const urlOf = (port: number) => `http://127.0.0.1:${port}`;
  const { path } = await buildPages({ circuits: [], exits: [] });
  const world = await startSettlingWorld(
    folder,
    (rpcUrl) => ({
      SEQUENCER_PAGES_PATH: path,
      SEQUENCER_PAGES_L1_URL: rpcUrl,
      // The usual limit: people's pages are not refused by it.
      SEQUENCER_RATE_LIMIT_PER_MINUTE: "6000",
      ...(hasAnswerServer && { SEQUENCER_PAGES_ANSWER_SERVERS: urlOf(answersPort) }),
      SEQUENCER_PAGES_DATANET_HOSTS: urlOf(hostPort),
      SEQUENCER_PAGES_FACTORY: urlOf(factoryPort),
    }),
    sizes,
  );
  const { url: hostUrl } = await world.host({ DATANET_PORT: String(hostPort) });
  const environment = {
    FACTORY_DEPLOYMENT_PATH: join(world.home, "deployment.json"),
    FACTORY_SEQUENCER_URL: world.sequencerUrl,
    FACTORY_RPC_URL: world.f.rpcUrl,
    FACTORY_DATA_PATH: join(folder, "factory"),
    FACTORY_DATABASE_URL: world.databaseUrl,
    FACTORY_PORT: String(factoryPort),
    FACTORY_DATANET_HOSTS: hostUrl,
    FACTORY_RATE_LIMIT_PER_MINUTE: "1000000",
    FACTORY_THREAD_COUNT: "1",
  };
  return { world, hostUrl, answersPort, environment };
}

export async function startFactoryPagesWorld(): Promise<FactoryPagesWorld> {
  const folder = mkdtempSync(join(tmpdir(), "pages-factory-"));
  const { answersPort, environment, hostUrl, world } = await startFactoryLocations(folder, true);
  const { alice } = world;
  const { datanetId } = await publishTexts(world, hostUrl, join(folder, "rows"));
  await world.passTime(A_DAY_SECONDS);
  // A hub with one of the bases that the factory offers, and none of the others.
  const published = join(folder, "hub");
  await writeMadeModel(published, makeModel(byteConfig, "hub"));
  writeFileSync(join(published, "README.md"), "---\nlicense: apache-2.0\n---\n# A base\n");
  const hub = await startHub(KNOWN_BASES[0]!.name, published);
  Object.assign(environment, {
    HF_ENDPOINT: hub.hub,
    FACTORY_BASES: `${join(folder, "bases")}/*`,
    FACTORY_BASE_PLACES: hub.hub,
  });
  let factory = await startChildFactory(environment);
  let served: { close(): Promise<void> } | null = null;
  const datanet: LedgerClient = { ...alice, leafId: datanetId };
  const location = { hostUrl, datanetId };
  return {
    ...world,
    datanetId,
    get factory() {
      return factory;
    },
    async killFactory() {
      await factory.end("SIGKILL");
      factory = await startChildFactory(environment);
    },
    async grant(note) {
      const waiting = (await listAccess(datanet, location)).requests.filter(({ answer }) => answer === null);
      const untilMs = Date.now() + GRANT_MS;
      const records = waiting.map(({ id }) => ({
        kind: "accessAnswer" as const,
        request: id,
        answer: "grant" as const,
        untilMs,
        note,
      }));
      for (const { error } of await sayRecords(datanet, { ...location, records }))
        if (error !== null) throw new Error(error.message);
    },
    async serve(modelId, modelFolder) {
      const published = join(folder, "published");
      cpSync(modelFolder, join(published, String(modelId)), { recursive: true });
      served = await serveRegistered(world, {
        folder,
        published,
        port: answersPort,
      });
    },
    async approve(modelId) {
      const statics = staticsOf(await getModel(alice, modelId));
      await approveModel(alice, { datanetId, modelId, statics });
      await world.settle();
    },
    async isPaid(modelId) {
      return (await getModel(alice, modelId)).counters.paymentCount > 0;
    },
    async isSettled(modelId) {
      await world.settle();
      await world.mineRandomness();
      await world.settle();
      return (await getSettlement(alice, modelId, 1)) !== null;
    },
    async stop() {
      await factory.end("SIGTERM");
      await served?.close();
      await hub.close();
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Alice's Datanet: a card that asks who comes, and a version of texts.
 * @param changes of the card
 */
export async function publishTexts(
  world: SettlingWorld,
  hostUrl: string,
  storePath: string,
  changes: Partial<Card> = {},
  rows: Uint8Array[] = logEntries(ROW_COUNT),
): Promise<{ datanetId: number; rowsRoot: bigint }> {
  const { alice } = world;
  await world.settle();
  const { l1Owner, keyX } = { l1Owner: anvilAccount(4).address, keyX: alice.l2Key!.keyX };
  const { hash } = await createDatanet(alice, { l1Owner, keyX, amountWei: 10n * OPEN });
  const datanetId = (await getOperation(alice, hash))!.createdId!;
  const datanet: LedgerClient = { ...alice, leafId: datanetId };
  const location = { hostUrl, datanetId };
  const card = sampleCard({
    name: "Ship's logs",
    description:
      "Entries of a captain's log, one a day, with the weather, the sea and what was seen from the mast.",
    field: "seafaring",
    tags: ["log", "english"],
    contact: "alice@example.org",
    access: "permissioned",
    labels: [],
    examples: [],
    row: { kind: "passage", fields: [], maxBytes: 1_000, digests: "salted" },
    ...changes,
  });
  await publishCard(datanet, { datanetId, card });
  const store = await openRowStore(storePath);
  const input = card.terms === undefined ? {} : { givenUnder: card };
  const { domain } = alice;
  const salted = await saltByCard({ card, datanetId, domain, store, rows });
  const { contribution } = await contributeRows(alice, { datanetId, store, rows: salted, ...input });
  await world.settle();
  await bringCard(datanet, { ...location, card });
  const source = await contributionSource(store, contribution.rowsRoot);
  await uploadRows(alice, { ...location, source });
  const version = await collectVersion(datanet, { datanetId, store, validatorId: 3 });
  await storeVersion(store, version);
  await publishVersion(datanet, { datanetId, version });
  await world.settle();
  await bringVersion(alice, { ...location, store, rowsRoot: version.rowsRoot });
  return { datanetId, rowsRoot: version.rowsRoot };
}

interface RegisteredLocations {
  readonly folder: string;
  /** Folder of published models. */
  readonly published: string;
  readonly port: number;
}

/** An answer server of registered language models, as `models serve FOLDER --base FOLDER` starts it. */
function serveRegistered(
  { alice, databaseUrl, sequencerUrl }: SettlingWorld,
  { folder, port, published }: RegisteredLocations,
): Promise<ServedModels> {
  const settings = {
    SERVING_BASE_PATH: BASE_FOLDER,
    SERVING_PUBLISHED_PATH: published,
    SERVING_DATA_PATH: join(folder, "serving"),
    SERVING_DATABASE_URL: databaseUrl,
    SERVING_PORT: String(port),
    SERVING_KERNELS: "wasm",
    SERVING_KV_MEGABYTES: "16",
    SERVING_ADAPTER_MEGABYTES: "4",
    SERVING_RATE_LIMIT_PER_MINUTE: "1000000",
    SERVING_LOG_LEVEL: "silent",
  };
  const rollup = storeRollupOf(alice);
  return serveTested(settings, { published: { sequencerUrl, domain: alice.domain, rollup } });
}
