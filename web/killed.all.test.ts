/**
 * Actions of the pages that take two steps, such as the ledger and then a host, in Chromium: the tab is closed between the steps, at each
 * place where a person may close it, opened again in the same browser, and the action is finished by what the page then offers. The
 * ledger has each action once. Sequencer, contracts, host, factory and pages are real.
 */
import { listCommits } from "@openledger/client/actions/data/list-commits";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { findDisplayNames } from "@openledger/client/datanets/display-names";
import { listHostCommits } from "@openledger/client/datanets/hosted-history";
import { deriveKey } from "@openledger/client/l2-key";
import { findLeaves, getLeaf, listOperations } from "@openledger/client/sequencer/ledger-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { hex32 } from "@openledger/foundation/hex";
import type { Browser, BrowserContext, Page, Request, Route } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { announceWallet, walletOfKey } from "./testing/announced-wallet.ts";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { ADA_ACCOUNT, DATANET, type JourneyWorld, ROWS, startJourney } from "./testing/journey.ts";
import { walkToTrained } from "./testing/to-reward.ts";
import { bringOpen, buttonOf, fieldOf, LONG, Walk, type Walker } from "./testing/walk.ts";

const ada = anvilAccount(ADA_ACCOUNT);
const newWallet = anvilAccount(15);
const MODEL = "Sentence maker";
/** Time in which a page comes to the place of a kill. */
const REACH_MS = 90_000;

/** Place where the tab is closed: at a request of the page, or of its wallet, whose answer never arrives. */
interface Kill {
  readonly at: string;
  /** Request of the page to a server. */
  readonly request?: (request: Request) => boolean;
  /** Method of the wallet. */
  readonly wallet?: string;
  /** True if the request has reached whom it is for: only the answer is lost. */
  readonly isServed: boolean;
  /** What the page offers behind it, where that is another thing than behind the action's other kills. */
  readonly resume?: Action["resume"];
}

interface Action {
  readonly name: string;
  /** Address on which it is begun and gone on with. */
  readonly path: () => string;
  /** Makes the page able to sign, as after each opening of a tab. */
  readonly unlock: (ada: Walker) => Promise<void>;
  readonly begin: (ada: Walker) => Promise<void>;
  /** What the page offers behind a kill. */
  readonly resume: (ada: Walker) => Promise<void>;
  readonly kills: readonly Kill[];
  /** Waits for the end, and requires that the ledger has the action once. */
  readonly done: (ada: Walker) => Promise<void>;
}

let world: JourneyWorld;
let browser: Browser;
let context: BrowserContext;
let misdeeds: string[];
let leafId: number;
let datanetId: number;
let modelId: number;
let jobPath: string;
/** Account that the wallet has chosen. */
let account = ada;
/** Called before a request of the wallet is answered, and behind its answer. */
let atWallet: (method: string, isServed: boolean) => Promise<void> = async () => undefined;

beforeAll(async () => {
  [world, browser] = await Promise.all([startJourney(), openBrowser()]);
  ({ context, misdeeds } = await openProfile(browser));
  context.setDefaultTimeout(LONG.timeout);
  await announceWallet(context, "Ada's wallet", async (request) => {
    await atWallet(request.method, false);
    const answered = await walletOfKey(account, world.rpcUrl)(request);
    await atWallet(request.method, true);
    return answered;
  });
  const walker = await open("");
  leafId = Number(await bringOpen(walkOf(), walker));
  await walker.page.close();
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

const walkOf = () =>
  new Walk({
    ...{ browser, ...world, faultOf: world.fault },
    onMoment: async (name, page) => {
      if (name.startsWith("failed")) await pictureOf(page, `killed-${name}`);
    },
  });
const location = () => ({ hostUrl: world.hostUrl, datanetId });
const never = () => new Promise<never>(() => undefined);

/** Opens a tab of Ada's browser. */
async function open(path: string, prepare: (page: Page) => Promise<unknown> = async () => undefined) {
  const page = await context.newPage();
  await prepare(page);
  await page.goto(`${world.url}/#/${path}`);
  return { name: "Ada", page, main: page.getByRole("main"), context } satisfies Walker;
}

/** Does work in a tab of its own, and closes that at the place of the kill. */
async function killed({ path, unlock }: Action, kill: Kill, work: (ada: Walker) => Promise<void>) {
  let reach = (): void => undefined;
  let held: Route | null = null;
  const reached = new Promise<void>((settle) => {
    reach = settle;
  });
  const walker = await open(path(), (page) =>
    page.route("**/*", async (route) => {
      if (kill.request?.(route.request()) !== true) return route.fallback();
      if (kill.isServed) await route.fetch();
      held = route;
      reach();
      return never();
    }),
  );
  atWallet = async (method, isServed) => {
    if (method !== kill.wallet || isServed !== kill.isServed) return;
    reach();
    await never();
  };
  try {
    await unlock(walker);
    // Behind the place the work never ends: its tab is gone.
    const failed = work(walker).then(never);
    failed.catch(() => undefined);
    await Promise.race([reached, failed, late()]);
  } catch (error) {
    await pictureOf(walker.page, "killed-failed");
    const shown = await walker.main.textContent();
    throw new Error(`"${kill.at}" is not reached: ${world.fault()}. The page shows:\n${shown}`, {
      cause: error,
    });
  } finally {
    atWallet = async () => undefined;
    // Chromium would let go of a request that is held when its tab is closed.
    await Promise.all([(held as Route | null)?.abort().catch(() => undefined), walker.page.close()]);
  }
}

async function late(): Promise<never> {
  await new Promise((settle) => setTimeout(settle, REACH_MS).unref());
  throw new Error("the page has not come there in time");
}

const to =
  (method: string, path: RegExp) =>
  (request: Request): boolean =>
    request.method() === method && path.test(new URL(request.url()).pathname);
const ledger = to("POST", /\/v1\/operations$/);
const unlockKey = async (walker: Walker) => buttonOf(walker, "Unlock with your wallet").click();
const signIn = async (walker: Walker) => buttonOf(walker, "Sign in").click();
const nothing = async () => undefined;
const newKeyX = async () => {
  const { chain, rollupAddress } = world.client;
  return (await deriveKey({ wallet: newWallet, chainId: chain.id, rollupAddress })).keyX;
};
const ownLeaves = async (kind: string) =>
  (await findLeaves(world.client, { owner: ada.address })).filter((leaf) => leaf.kind === kind);

/** Operations of one kind that the ledger has of a leaf. */
const operationsOf = async (id: number, kind: string) =>
  (await listOperations(world.client, id)).filter((one) => one.kind === kind);

const ACTIONS: readonly Action[] = [
  {
    name: "opening a Datanet",
    path: () => "datanets/new",
    unlock: unlockKey,
    async begin(walker) {
      await fieldOf(walker, "Name").fill(DATANET);
      await fieldOf(walker, "Description").fill("Sentences that somebody saw happen, one a row.");
      await fieldOf(walker, "A row is").selectOption({
        label: "a passage, or a prompt with its answer, for language models",
      });
      await fieldOf(walker, "Who can read the rows").selectOption({ label: "everybody" });
      await fieldOf(walker, "Licence").fill("CC-BY-4.0");
      await buttonOf(walker, /^Create Datanet/).click();
    },
    resume: (walker) => buttonOf(walker, /^(Go on with the Datanet|Sign the card of Datanet \d+)$/).click(),
    kills: [
      { at: "the ledger has the opening", request: ledger, isServed: true },
      { at: "the card leaves for its host", request: to("PUT", /\/card$/), isServed: false },
      { at: "the host has the card", request: to("PUT", /\/card$/), isServed: true },
    ],
    async done({ page }) {
      await page.getByRole("heading", { name: DATANET }).waitFor();
      const opened = await ownLeaves("datanet");
      expect(opened).toHaveLength(1);
      datanetId = opened[0]!.id;
      expect(await operationsOf(datanetId, "publishVersion")).toHaveLength(1);
      expect(await getHostedDatanet(world.client, location())).toMatchObject({ isCardCurrent: true });
    },
  },
  {
    name: "contributing",
    path: () => `datanets/${datanetId}/contribute`,
    unlock: unlockKey,
    async begin(walker) {
      await walker.main.getByLabel("Or type or paste rows").fill(ROWS.join("\n"));
      await buttonOf(walker, "Preview these rows").click();
      await buttonOf(walker, /^Contribute \d/).click();
    },
    // It goes on by itself.
    resume: nothing,
    kills: [
      { at: "the ledger has the commit", request: ledger, isServed: true },
      { at: "the rows leave for the host", request: to("PUT", /\/commits\/0x/), isServed: false },
    ],
    async done() {
      await expect
        .poll(async () => (await listHostCommits(world.client, location()))[0]?.isComplete, LONG)
        .toBe(true);
      const commits = await listCommits(world.client, datanetId);
      expect(commits.map(({ contributorId, rowCount }) => [contributorId, rowCount])).toEqual([
        [leafId, ROWS.length],
      ]);
    },
  },
  {
    name: "publishing",
    path: () => `datanets/${datanetId}/versions`,
    unlock: unlockKey,
    async begin(walker) {
      await buttonOf(walker, "Approve").click();
      await walker.main.getByText("approved", { exact: true }).waitFor();
      await walker.main.getByRole("button", { name: /^Sign version/, disabled: false }).click();
    },
    // It goes on by itself.
    resume: nothing,
    kills: [
      { at: "the ledger has the version", request: ledger, isServed: true },
      { at: "the list leaves for the host", request: to("PUT", /\/versions\/0x/), isServed: false },
    ],
    async done() {
      await expect
        .poll(async () => (await getHostedDatanet(world.client, location())).here.hasVersion, LONG)
        .toBe(true);
      // The first publication is the card's.
      expect((await getLeaf(world.client, datanetId)).datanet).toMatchObject({ version: 2 });
      expect(await operationsOf(datanetId, "publishVersion")).toHaveLength(2);
    },
  },
  {
    name: "registering",
    path: () => `${jobPath}/register`,
    unlock: signIn,
    begin: (walker) => buttonOf(walker, "Register with your wallet").click(),
    async resume(walker) {
      const name = buttonOf(walker, "Sign the name");
      const next = buttonOf(walker, "Register with your wallet").or(name);
      await next.click();
    },
    kills: [
      { at: "the ledger has the model", request: ledger, isServed: true },
      { at: "the factory is to prove", request: to("POST", /\/registration$/), isServed: false },
      { at: "the name leaves for the host", request: to("PUT", /\/v1\/names$/), isServed: false },
    ],
    async done(walker) {
      await walker.main.getByRole("heading", { name: /^Registered as model/ }).waitFor();
      const models = await ownLeaves("model");
      expect(models).toHaveLength(1);
      modelId = models[0]!.id;
      await expect
        .poll(() => findDisplayNames(world.client, { hostUrl: world.hostUrl, leafIds: [modelId] }), LONG)
        .toMatchObject([{ name: MODEL }]);
    },
  },
  {
    name: "approving",
    path: () => `datanets/${datanetId}/models`,
    // Nobody is asked for a key where no model waits.
    async unlock(walker) {
      const unlock = buttonOf(walker, "Unlock with your wallet");
      await unlock.or(walker.main.getByText("approved, takes payments")).first().waitFor();
      if (await unlock.isVisible()) await unlock.click();
    },
    async begin(walker) {
      const pass = buttonOf(walker, /^Let .+ pass$/);
      await pass.or(walker.main.getByText("A model trained on it can be approved now.")).first().waitFor();
      if (await pass.isVisible()) await pass.click();
      await buttonOf(walker, `Approve model ${modelId}`).click();
      await walker.main.getByLabel("Approve without a recomputation").check();
      await walker.main.getByText("was not recomputed").waitFor();
      await buttonOf(walker, "Sign the approval").click();
    },
    resume: nothing,
    kills: [{ at: "the ledger has the approval", request: ledger, isServed: true }],
    async done({ main }) {
      await main.getByText("approved, takes payments").waitFor();
      expect(await operationsOf(datanetId, "approveModel")).toHaveLength(1);
    },
  },
  {
    name: "serving",
    path: () => `${jobPath}/register`,
    unlock: signIn,
    begin: (walker) => buttonOf(walker, "Serve here").click(),
    async resume(walker) {
      const serve = buttonOf(walker, "Serve here");
      await serve.or(walker.main.getByText("served here")).first().waitFor();
      if (await serve.isVisible()) await serve.click();
    },
    kills: [
      { at: "the factory is to serve", request: to("POST", /\/served$/), isServed: false },
      { at: "the factory serves", request: to("POST", /\/served$/), isServed: true },
    ],
    done: ({ main }) => main.getByRole("region", { name: "Serve" }).getByText("served here").waitFor(),
  },
  {
    name: "moving an account",
    path: () => "wallet",
    unlock: nothing,
    async begin(walker) {
      await walker.main
        .getByLabel("Code of the new wallet")
        .fill(`${newWallet.address}-${hex32(await newKeyX())}`);
      await buttonOf(walker, "Use the code").click();
      await accountRow(walker).getByRole("button", { name: "Move it" }).click();
    },
    resume: (walker) => accountRow(walker).getByRole("button", { name: "Move it" }).click(),
    kills: [
      { at: "the wallet is to send the new owner", wallet: "eth_sendTransaction", isServed: false },
      {
        at: "the old wallet has sent the new owner, and its key has signed for the new one",
        request: ledger,
        isServed: false,
        async resume({ page }) {
          await expect
            .poll(async () => (await getLeaf(world.client, leafId)).l1Owner, LONG)
            .toBe(newWallet.address);
          await page.reload();
          const walker = { main: page.getByRole("main") };
          await walker.main.getByText("The owner has moved, and the ledger key has not.").waitFor();
          await pictureOf(page, "killed-without-its-key");
          await accountRow(walker).getByRole("button", { name: "Sign for the new key" }).click();
          await expect
            .poll(async () => (await getLeaf(world.client, leafId)).keyX, LONG)
            .toBe(await newKeyX());
        },
      },
    ],
    async done({ main, page }) {
      account = newWallet;
      await page.reload();
      await main.getByText("The account is this wallet's.").waitFor();
      const { keyX, l1Owner } = await getLeaf(world.client, leafId);
      expect([keyX, l1Owner]).toEqual([await newKeyX(), newWallet.address]);
    },
  },
];
const accountRow = ({ main }: Pick<Walker, "main">) =>
  main
    .getByRole("row")
    .filter({ has: main.page().locator(`a[href$="/${leafId}"]`) })
    .first();

const TRAINED_BEFORE = "registering";

test.for(ACTIONS)(
  "$name is finished however often its tab is closed in between",
  {
    timeout: 600_000,
  },
  async (action) => {
    if (action.name === TRAINED_BEFORE) {
      const walker = await open("factory");
      await signIn(walker);
      await walkToTrained(walkOf(), walker, { datanet: DATANET, doesWrite: true, model: MODEL, rounds: "3" });
      jobPath = new URL(walker.page.url()).hash.slice(2);
      await walker.page.close();
    }
    let work = action.begin;
    for (const kill of action.kills) {
      await killed(action, kill, work);
      work = kill.resume ?? action.resume;
    }
    const walker = await open(action.path());
    await action.unlock(walker);
    try {
      await work(walker);
      await action.done(walker);
    } catch (error) {
      await pictureOf(walker.page, "killed-failed");
      throw new Error(`the page shows:\n${await walker.main.textContent()}`, { cause: error });
    }
    expect(await seriousFindings(walker.page)).toEqual([]);
    await pictureOf(walker.page, `killed-${action.name.replaceAll(" ", "-")}`);
    await walker.page.close();
    expect(misdeeds).toEqual([]);
    expect(world.fault()).toBe(null);
  },
);
