/** A real sequencer with a Datanet, clients of its users, and hosts: for tests and for the benchmark. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { createDatanet } from "@openledger/client/actions/ledger/create-datanet";
import { publishCard } from "@openledger/client/datanets/datanet-card";
import { keyFromSecret } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { DEFAULT_SPENDING_CAP } from "@openledger/contracts/l1/capped-transaction";
import { batch, close, prove, report } from "@openledger/sequencer/testing/test-operator";
import {
  ONE_OPEN_WEI,
  startTestRollup,
  TEST_DOMAIN,
  type TestRollup,
  testDeployment,
} from "@openledger/sequencer/testing/test-rollup";
import pino from "pino";
import { createPublicClient, custom, defineChain, getAddress, pad, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Card } from "../card/card.ts";
import { loadHostConfig } from "../host/config.ts";
import { createHostProcess, type HostProcess } from "../host/host-process.ts";

/** The sequencer of the tests signs with the first key of every development chain. */
const SEQUENCER = privateKeyToAccount("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
/** Of the Datanet's leaf, not of a user. */
const DATANET_SECRET = 5_000n;

export interface TestHost extends HostProcess {
  readonly url: string;
  readonly dataPath: string;
  readonly fatal: unknown[];
  /** The host's clock, beside the real one. */
  readonly clock: { aheadMs: number };
}

export interface HostWorld {
  readonly folder: string;
  readonly rollup: TestRollup;
  readonly sequencerUrl: string;
  readonly datanetId: number;
  /** Signs for the Datanet's leaf. */
  readonly owner: LedgerClient;
  /** User i has leaf 2 + i. */
  user(index: number): Promise<LedgerClient>;
  /** Closes, proves and posts what is open, and makes it final. */
  finalise(): Promise<void>;
  host(name: string, environment?: Record<string, string>): Promise<TestHost>;
  /** Environment of a host as a process of its own. */
  environment(dataPath: string): Record<string, string>;
  close(): Promise<void>;
}

export async function createHostWorld(options: { userCount?: number; card: Card }): Promise<HostWorld> {
  const folder = mkdtempSync(join(tmpdir(), "datanets-"));
  const userCount = options.userCount ?? 6;
  const rollup = await startTestRollup({ dataPath: join(folder, "sequencer"), userCount });
  const sequencerUrl = await rollup.listen();
  const deployment = await testDeployment();
  const deploymentPath = join(folder, "deployment.json");
  writeFileSync(deploymentPath, encodeDeployment(deployment));
  const rollupAddress = getAddress(deployment.rollupAddress);
  const chain = defineChain({
    id: 31337,
    name: "test",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: ["http://127.0.0.1:1"] } },
  });
  const noL1 = custom({ request: async () => Promise.reject(new Error("this test has no L1")) });
  const clientOf = async (secret: bigint, leafId: number): Promise<LedgerClient> => ({
    sequencerUrl,
    rollupAddress,
    chain,
    l1: createPublicClient({ chain, transport: noL1 }),
    wallet: null,
    spendingCap: DEFAULT_SPENDING_CAP,
    tokenAddress: getAddress(deployment.tokenAddress),
    sequencerAddress: SEQUENCER.address,
    domain: TEST_DOMAIN,
    l2Key: await keyFromSecret(pad(toHex(secret))),
    leafId,
    requestTimeoutMs: 20_000,
  });
  const user = (index: number) => clientOf(1_000n + BigInt(index), 2 + index);
  let finalNumber = 0;
  const finalise = async () => {
    await close(rollup);
    const last = rollup.sequencer.line.book.closedNumber;
    while (finalNumber < last) {
      finalNumber += 1;
      if ((await batch(rollup, finalNumber)).status === "closed") await prove(rollup, finalNumber);
      for (const status of ["submitted", "posted", "final"]) await report(rollup, finalNumber, status);
    }
  };
  const maker = await user(0);
  const { keyX } = (await clientOf(DATANET_SECRET, 0)).l2Key!;
  const { hash } = await createDatanet(maker, {
    l1Owner: SEQUENCER.address,
    keyX,
    amountWei: 100n * ONE_OPEN_WEI,
  });
  const datanetId = (await getOperation(maker, hash))!.createdId!;
  const owner = await clientOf(DATANET_SECRET, datanetId);
  await publishCard(owner, { datanetId, card: options.card });
  await finalise();

  const hosts: TestHost[] = [];
  const environment = (dataPath: string) => ({
    DATANET_DEPLOYMENT_PATH: deploymentPath,
    DATANET_SEQUENCER_URL: sequencerUrl,
    DATANET_DATA_PATH: dataPath,
    DATANET_PORT: "0",
    DATANET_LEDGER_CACHE_MS: "0",
    DATANET_RATE_LIMIT_PER_MINUTE: "10000000",
  });
  const host = async (name: string, more: Record<string, string> = {}): Promise<TestHost> => {
    const dataPath = join(folder, name);
    const clock = { aheadMs: 0 };
    const fatal: unknown[] = [];
    const started = await createHostProcess(
      loadHostConfig({ ...environment(dataPath), ...more }),
      deployment,
      {
        logger: pino({ level: "silent" }),
        onFatal: (error) => fatal.push(error),
        nowMs: () => Date.now() + clock.aheadMs,
      },
    );
    const made = { ...started, url: await started.listen(), dataPath, fatal, clock };
    await started.loaded();
    hosts.push(made);
    return made;
  };
  return {
    ...{ folder, rollup, sequencerUrl, datanetId, owner, user, finalise, host, environment },
    async close() {
      for (const one of hosts) await one.stop().catch(() => {});
      await rollup.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
