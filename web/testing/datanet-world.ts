/**
 * A rollup on a real chain, a Datanet on its ledger, a host, and wallets of six people: what the pages of Datanets need.
 * Batches have proofs of known trapdoors, which the contract verifies.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { contributeRows } from "@openledger/client/actions/data/contribute-rows";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { createDatanet } from "@openledger/client/actions/ledger/create-datanet";
import { bringCard, publishCard } from "@openledger/client/datanets/datanet-card";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import { deriveKey } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { ANY_FEE, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import type { Card } from "@openledger/datanets/card/card";
import { loadHostConfig } from "@openledger/datanets/host/config";
import { createHostProcess, type HostProcess } from "@openledger/datanets/internal/host/host-process";
import { freePort } from "@openledger/foundation/testing/free-port";
import { deploymentOn, FINALITY_DEPTH_BLOCKS, startL1World } from "@openledger/sequencer/testing/l1-world";
import { close } from "@openledger/sequencer/testing/test-operator";
import pino from "pino";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { buildPages } from "../build/build-pages.ts";
import { announceWallet, walletOfKey } from "./announced-wallet.ts";
import { type Looks, openProfile } from "./browser.ts";

/** Leaves 2 to 7, in this order; their accounts are anvil's from the fifth on. */
const PEOPLE = ["alice", "bob", "carol", "dave", "erin", "frank"] as const;
export type Person = (typeof PEOPLE)[number];
const FIRST_ACCOUNT = 4;
const FIRST_LEAF = 2;

export const leafOf = (person: Person) => FIRST_LEAF + PEOPLE.indexOf(person);
const walletOf = (person: Person) => anvilAccount(FIRST_ACCOUNT + PEOPLE.indexOf(person));

export interface DatanetWorld {
  readonly url: string;
  readonly hostUrl: string;
  readonly rpcUrl: string;
  readonly host: HostProcess;
  readonly store: RowStore;
  client(person: Person): LedgerClient;
  /** A Datanet of alice's wallet key with a card, at the host. */
  makeDatanet(card: Card): Promise<{ datanetId: number; owner: LedgerClient }>;
  /** Commits rows, makes that final, and brings them to the host. @returns the commit's root and the rows' digests */
  contribute(
    person: Person,
    datanetId: number,
    rows: readonly Uint8Array[],
  ): Promise<{ rowsRoot: bigint; digests: readonly string[] }>;
  /** Closes what is open, and makes it final on L1. */
  finalise(): Promise<void>;
  /** A browser's profile with a person's wallet, and a page on an address; null: a stranger's. */
  visit(
    browser: Browser,
    person: Person | null,
    path: string,
    looks?: Looks,
  ): Promise<{ context: BrowserContext; misdeeds: string[]; page: Page }>;
  stop(): Promise<void>;
}

export async function startDatanetWorld(): Promise<DatanetWorld> {
  const folder = mkdtempSync(join(tmpdir(), "pages-datanets-"));
  const f = await startHistoryFixture();
  const deployment = await deploymentOn(f);
  const rollupAddress = f.rollup.address;
  const keyOf = (person: Person) => deriveKey({ wallet: walletOf(person), chainId: 31337, rollupAddress });
  for (const person of PEOPLE) {
    const { keyX } = await keyOf(person);
    const { address } = walletOf(person);
    const account = f.l1.roles.alice;
    const hash = await f.l1.rollup.write.depositNew([90n * OPEN, address, keyX, ANY_FEE], { account });
    await f.l1.client.waitForTransactionReceipt({ hash });
  }
  const port = await freePort();
  const hostUrl = `http://127.0.0.1:${port}`;
  const { path } = await buildPages({ circuits: [], exits: [] });
  const w = await startL1World(f, deployment, join(folder, "operator"), {
    SEQUENCER_PAGES_PATH: path,
    SEQUENCER_PAGES_L1_URL: f.rpcUrl,
    SEQUENCER_PAGES_DATANET_HOSTS: hostUrl,
  });
  // People read these times.
  Object.defineProperty(w.rollup.clock, "nowMs", { get: () => Date.now() });
  const { sequencerUrl } = w;
  const finalise = async () => {
    await w.watch();
    if ((w.rollup.sequencer.line.head.openBatch?.operationCount ?? 0) > 0) await close(w.rollup);
    for (;;) {
      await w.publish();
      const { batches } = (await w.rollup.get("/v1/status")).body;
      if (batches.final === batches.closed) return;
      await f.l1.client.mine({ blocks: FINALITY_DEPTH_BLOCKS });
    }
  };
  await w.watch();
  const clients = new Map<Person, LedgerClient>();
  for (const person of PEOPLE) {
    const options = { rpcUrl: f.rpcUrl, rollupAddress, sequencerUrl, l2Key: await keyOf(person) };
    clients.set(person, await createLedgerClient({ ...options, leafId: leafOf(person) }));
  }
  await finalise();
  const host = await createHostProcess(
    loadHostConfig({
      DATANET_SEQUENCER_URL: sequencerUrl,
      DATANET_DATA_PATH: join(folder, "host"),
      DATANET_PORT: String(port),
      DATANET_LEDGER_CACHE_MS: "0",
      DATANET_RATE_LIMIT_PER_MINUTE: "10000000",
    }),
    deployment,
    { logger: pino({ level: "silent" }), onFatal: (error) => console.error(error) },
  );
  await host.listen();
  const store = await openRowStore(join(folder, "rows"));
  const alice = clients.get("alice")!;
  return {
    url: sequencerUrl,
    rpcUrl: f.rpcUrl,
    hostUrl,
    host,
    store,
    client: (person) => clients.get(person)!,
    finalise,
    async makeDatanet(card) {
      const { keyX } = alice.l2Key!;
      const created = await createDatanet(alice, {
        l1Owner: walletOf("alice").address,
        keyX,
        amountWei: 3n * OPEN,
      });
      const datanetId = (await getOperation(alice, created.hash))!.createdId!;
      const owner = { ...alice, leafId: datanetId };
      await publishCard(owner, { datanetId, card });
      await bringCard(owner, { hostUrl, datanetId, card });
      return { datanetId, owner };
    },
    async contribute(person, datanetId, rows) {
      const client = clients.get(person)!;
      const { contribution } = await contributeRows(client, { datanetId, store, rows });
      await finalise();
      const { digests, rowsRoot } = contribution;
      await uploadRows(client, { hostUrl, datanetId, source: await contributionSource(store, rowsRoot) });
      return { rowsRoot, digests };
    },
    async visit(browser, person, pagePath, looks = {}) {
      const { context, misdeeds } = await openProfile(browser, looks);
      if (person !== null)
        await announceWallet(context, `${person}'s wallet`, walletOfKey(walletOf(person), f.rpcUrl));
      const page = await context.newPage();
      await page.goto(`${sequencerUrl}/#/${pagePath}`);
      return { context, misdeeds, page };
    },
    async stop() {
      await host.stop();
      await w.stop();
      await f.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
