/**
 * A rollup on a real chain, a Datanet on its ledger, a host, and wallets of six people: what the pages of Datanets need.
 * Batches have proofs of known trapdoors, which the contract verifies.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { openRowStore, type RowStore } from "@openledger/client/actions/data/row-store";
import { createDatanet } from "@openledger/client/actions/ledger/datanet-operations";
import { contributeRows } from "@openledger/client/datanets/contribute-rows";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { contributionSource, uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import { publishCard } from "@openledger/client/tasks/publish-card";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import type { Card } from "@openledger/datanets/card/card";
import type { HostProcess } from "@openledger/datanets/host/host-process";
import { createWorldHere } from "@openledger/e2e/testing/here";
import { freePort } from "@openledger/foundation/testing/free-port";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { HDAccount } from "viem/accounts";
import { buildPages } from "../build/build-pages.ts";
import { announceWallet, walletOfKey } from "./announced-wallet.ts";
import { type Looks, openProfile } from "./browser.ts";

/** Leaves 2 to 7, in this order; their accounts are anvil's from the fifth on. */
const PEOPLE = ["alice", "bob", "carol", "dave", "erin", "frank"] as const;
type Person = (typeof PEOPLE)[number];
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

/** Environments are of the sequencer and of the host, beside those that they have here. */
export async function startDatanetWorld(
  environment: Readonly<Record<string, string>> = {},
  ofHost: Readonly<Record<string, string>> = {},
): Promise<DatanetWorld> {
  const folder = mkdtempSync(join(tmpdir(), "pages-datanets-"));
  const f = await startHistoryFixture();
  const port = await freePort();
  const { path } = await buildPages({ circuits: [], exits: [] });
  const world = await createWorldHere({
    f,
    folder,
    hasWallClock: true,
    people: Object.fromEntries(PEOPLE.map((person) => [person, walletOf(person)])) as Record<
      Person,
      HDAccount
    >,
    environment: {
      SEQUENCER_PAGES_PATH: path,
      SEQUENCER_PAGES_L1_URL: f.rpcUrl,
      SEQUENCER_PAGES_DATANET_HOSTS: `http://127.0.0.1:${port}`,
      ...environment,
    },
  });
  const { clients, sequencerUrl } = world;
  await world.finalise();
  const host = await world.host({ DATANET_PORT: String(port), ...ofHost });
  const hostUrl = host.url;
  const store = await openRowStore(join(folder, "rows"));
  const { alice } = clients;
  return {
    url: sequencerUrl,
    rpcUrl: f.rpcUrl,
    hostUrl,
    host,
    store,
    client: (person) => clients[person],
    finalise: () => world.finalise(),
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
      const client = clients[person];
      const { contribution } = await contributeRows(client, { datanetId, store, rows });
      await world.finalise();
      const { digests, rowsRoot } = contribution;
      await uploadRows(client, { hostUrl, datanetId, source: await contributionSource(store, rowsRoot) });
      await host.store.describeAll();
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
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
