/** A real sequencer with a Datanet, clients of its users, and hosts: for tests and for the benchmark. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Deployment, encodeDeployment } from "@openledger/circuits/registry/deployment";
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import { keyFromSecret } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { clientWithoutL1 } from "@openledger/client/testing/client-without-l1";
import { createTestDatabase, type TestDatabase } from "@openledger/foundation/testing/test-database";
import { batch, close, prove, report } from "@openledger/sequencer/testing/test-operator";
import {
  ONE_OPEN_WEI,
  startTestRollup,
  TEST_DOMAIN,
  type TestRollup,
  testDeployment,
} from "@openledger/sequencer/testing/test-rollup";
import { getAddress, pad, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Card } from "../card/card.ts";
import { hostEnvironment, startTestHost, type TestHost } from "./test-host.ts";

/** The sequencer of the tests signs with the first key of every development chain. */
const SEQUENCER = privateKeyToAccount("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
/** Secret of the Datanet's leaf, not of a user's. */
const DATANET_SECRET = 5_000n;

export interface HostWorld {
  readonly folder: string;
  readonly rollup: TestRollup;
  readonly sequencerUrl: string;
  readonly datanetId: number;
  /** Signs for the Datanet's leaf. */
  readonly owner: LedgerClient;
  /** User i has leaf 2 + i. */
  user(index: number): Promise<LedgerClient>;
  /** Makes another Datanet, of a client's key, with a card on the ledger. The client that comes back signs for it. */
  datanet(owner: LedgerClient, card: Card): Promise<{ id: number; client: LedgerClient }>;
  /** Closes, proves and posts what is open, and makes it final. */
  finalise(): Promise<void>;
  /** @param name of its database: hosts of one name are one host */
  host(name: string, environment?: Record<string, string>): Promise<TestHost>;
  /** Environment of a host as a process of its own. */
  environment(name: string): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function createHostWorld(options: {
  userCount?: number;
  card: Card;
  /** Domain of the rollup, as commands compute it from chain and contract; default: the tests'. */
  domain?: bigint;
  /** Deployment with circuits that settle models; default: none does. */
  deployment?: Deployment;
  /** Settings of the sequencer beside the tests' own. */
  environment?: Record<string, string>;
}): Promise<HostWorld> {
  const folder = mkdtempSync(join(tmpdir(), "datanets-"));
  const { domain = TEST_DOMAIN, userCount = 6 } = options;
  const deployment = { ...(options.deployment ?? (await testDeployment())), domain };
  const dataPath = join(folder, "sequencer");
  const rollup = await startTestRollup({
    ...{ dataPath, userCount, deployment },
    ...(options.environment === undefined ? {} : { environment: options.environment }),
  });
  const sequencerUrl = await rollup.listen();
  const deploymentPath = join(folder, "deployment.json");
  writeFileSync(deploymentPath, encodeDeployment(deployment));
  const rollupAddress = getAddress(deployment.rollupAddress);
  const clientOf = async (secret: bigint, leafId: number): Promise<LedgerClient> =>
    clientWithoutL1({
      sequencerUrl,
      rollupAddress,
      leafId,
      domain,
      tokenAddress: getAddress(deployment.tokenAddress),
      sequencerAddress: SEQUENCER.address,
      l2Key: await keyFromSecret(pad(toHex(secret))),
    });
  const user = (index: number) => clientOf(1_000n + BigInt(index), 2 + index);
  let finalNumber = 0;
  const finalise = async () => {
    await close(rollup);
    const last = rollup.sequencer.pipeline.registry.closedNumber;
    while (finalNumber < last) {
      finalNumber += 1;
      if ((await batch(rollup, finalNumber)).status === "closed") await prove(rollup, finalNumber);
      for (const status of ["submitted", "posted", "final"]) await report(rollup, finalNumber, status);
    }
  };
  const maker = await user(0);
  const datanet: HostWorld["datanet"] = async (signer, card) => {
    const { hash } = await createDatanet(maker, {
      l1Owner: SEQUENCER.address,
      keyX: signer.l2Key!.keyX,
      amountWei: 40n * ONE_OPEN_WEI,
    });
    const id = (await getOperation(maker, hash))!.createdId!;
    const client = { ...signer, leafId: id };
    await publishCard(client, { datanetId: id, card });
    return { id, client };
  };
  const { client: owner, id: datanetId } = await datanet(await clientOf(DATANET_SECRET, 0), options.card);
  await finalise();

  const hosts: TestHost[] = [];
  const databases = new Map<string, Promise<TestDatabase>>();
  const databaseUrl = async (name: string): Promise<string> => {
    const database = databases.get(name) ?? createTestDatabase();
    databases.set(name, database);
    return (await database).url;
  };
  const environment = async (name: string) =>
    hostEnvironment(sequencerUrl, await databaseUrl(name), {
      DATANET_JOURNAL_PATH: join(folder, `journal-${name}`),
      DATANET_DEPLOYMENT_PATH: deploymentPath,
    });
  const host = async (name: string, more: Record<string, string> = {}): Promise<TestHost> => {
    const made = await startTestHost(deployment, sequencerUrl, await databaseUrl(name), {
      DATANET_JOURNAL_PATH: join(folder, `journal-${name}`),
      ...more,
    });
    hosts.push(made);
    return made;
  };
  return {
    folder,
    rollup,
    sequencerUrl,
    datanetId,
    owner,
    user,
    datanet,
    finalise,
    host,
    environment,
    async close() {
      for (const one of hosts) await one.stop().catch(() => {});
      for (const database of databases.values()) await (await database).drop();
      await rollup.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
