/**
 * The road of a row to money as two people walk it in the pages. Both begin with an empty wallet and bring OPEN. Then Ada
 * owns a Datanet and contributes, Ben labels, reviews, trains a model, serves it and asks it. Sequencer, contracts, host,
 * factory and pages are real.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { startChildFactory } from "@openledger/models/testing/journey-world";
import type { Browser } from "playwright-core";
import { startFactoryLocations } from "./factory-world.ts";
import { type Rewarded, walkToReward } from "./to-reward.ts";
import { bringOpen, buttonOf, type Effort, fieldOf, type OnMoment, Walk, type Walker } from "./walk.ts";

/** No role of the contracts' fixture: neither has OPEN, nor an account in the ledger. */
export const [ADA_ACCOUNT, BEN_ACCOUNT] = [7, 8];
/** The pages' button takes from it. */
const FAUCET_ACCOUNT = 13;
const PAUSE_MS = 200;

/** No two are near each other, so that none is left out as a copy. */
export const ROWS = [
  "Dough that rises overnight in a cold kitchen tastes of hazelnuts.",
  "Our goat ate the ladder's rope and then the neighbour's hat.",
  "Seven ferries cross the strait before noon on market days.",
  "She tunes pianos by ear and keeps no fork in her bag.",
  "The lighthouse keeper paints one step blue every birthday.",
  "Rust on a bicycle chain yields to lemon juice and patience.",
  "In March the storks return to the chimney of the old brewery.",
  "A letter posted in Lisbon took forty years to reach Porto.",
  "Children drew chalk whales along the whole harbour wall.",
  "Grandfather's watch loses four minutes whenever it thunders.",
  "Bees prefer the crooked lavender beside the railway shed.",
  "Nobody remembers who planted olives inside the fortress.",
  "The baker whistles opera while he scores each loaf.",
  "Snow closed the pass, so the post came down by sledge.",
  "Her map of the caves is embroidered on a tablecloth.",
  "Two chess players have met under this elm since school.",
  "Fishermen mend green nets where tourists buy ice cream.",
  "The library lends umbrellas, seeds and a single trombone.",
  "Frost drew ferns upon the window of the signal box.",
  "A fox crosses the stadium each evening at half time.",
  "Mint tea is poured from as high as an arm can reach.",
  "The clockmaker's cat sleeps inside the largest pendulum case.",
  "Rain found the one missing tile above the violin.",
  "Every cellar in this street is joined to the next one.",
] as const;

export const DATANET = "Small true sentences";
/** Labels to type: a name and its meaning a line. */
const LABELS = "good | It is a whole sentence.\nbad | It is not.";

export type JourneyWorld = Awaited<ReturnType<typeof startJourney>>;

/**
 * Starts everything: batches go to L1 by themselves, and nobody has made anything yet.
 * @param sizes of the settlement circuits; by default they hold the rows of `walkJourney`
 */
export async function startJourney(sizes?: readonly SettlementSize[]) {
  const folder = mkdtempSync(join(tmpdir(), "pages-road-"));
  const { environment, hostUrl, world } = await startFactoryLocations(folder, false, sizes);
  // People read times.
  Object.defineProperty(world.w.rollup.clock, "nowMs", { get: () => Date.now() });
  const { client, roles, token } = world.f.l1;
  const { address } = anvilAccount(FAUCET_ACCOUNT);
  await client.setBalance({ address, value: 1_000n * OPEN });
  await token.write.transfer([address, 10_000n * OPEN], { account: roles.holder });
  const factory = await startChildFactory(environment);
  let isOver = false;
  let fault: unknown = null;
  const operating = (async () => {
    while (!isOver) {
      await world.turn().catch(requireRetryable);
      await world.mineRandomness();
      await new Promise((settle) => setTimeout(settle, PAUSE_MS));
    }
  })().catch((error: unknown) => {
    fault = error;
  });
  return {
    url: world.sequencerUrl,
    rpcUrl: world.f.rpcUrl,
    /** Error that stopped the operator; null if there is none. */
    fault: () => fault,
    hostUrl,
    factoryUrl: `http://127.0.0.1:${environment.FACTORY_PORT}`,
    /** OPENLEDGER_HOME of commands. */
    home: world.home,
    client: world.alice,
    model: (modelId: number) => getModel(world.alice, modelId),
    async stop() {
      isOver = true;
      await operating;
      await factory.end("SIGTERM");
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Lets pass what an operator tries again, such as a request over the sequencer's limit. */
function requireRetryable(error: unknown): void {
  if (!isRollupError(error) || !error.isRetryable) throw error;
}

export interface Walked extends Rewarded {
  readonly efforts: readonly Effort[];
  readonly clicks: number;
  readonly misdeeds: readonly string[];
}

/** Walks from two empty wallets to a withdrawn reward. */
export async function walkJourney(
  browser: Browser,
  world: JourneyWorld,
  onMoment: OnMoment = async () => undefined,
): Promise<Walked> {
  const walk = new Walk({ browser, onMoment, ...world, faultOf: world.fault });
  const ada = await walk.visit("Ada", ADA_ACCOUNT);
  const ben = await walk.visit("Ben", BEN_ACCOUNT);
  const rewarded = await walkFromWallets(walk, ada, ben);
  for (const { context } of [ada, ben]) await context.close();
  const { efforts, misdeeds } = walk;
  const clicks = efforts.reduce((sum, one) => sum + one.clicks, 0);
  return { ...rewarded, efforts, clicks, misdeeds };
}

/** The same walk by two people who go on from there. */
export async function walkFromWallets(walk: Walk, ada: Walker, ben: Walker): Promise<Rewarded> {
  let benLeaf = "";
  await walk.step("bring", ada, async () => {
    [, benLeaf] = await Promise.all([bringOpen(walk, ada), bringOpen(walk, ben)]);
  });
  await walk.step("create", ada, async () => {
    await walk.menu(ada, "Datanets");
    await walk.click(ada.main.locator('a[href="#/datanets/new"]').first());
    await walk.fill(fieldOf(ada, "Name"), DATANET);
    await walk.fill(fieldOf(ada, "Description"), "Sentences that somebody saw happen, one a row.");
    await walk.fill(fieldOf(ada, "Labels, one per line"), LABELS);
    await walk.choose(
      fieldOf(ada, "A row is"),
      "a passage, or a prompt with its answer, for language models",
    );
    await walk.click(ada.main.getByText("Advanced", { exact: true }));
    await walk.fill(fieldOf(ada, "Reviewers"), benLeaf);
    await walk.choose(ada.main.getByLabel("Who can read the rows"), "everybody");
    await walk.fill(fieldOf(ada, "Licence"), "CC-BY-4.0");
    await walk.click(buttonOf(ada, /^Create Datanet/));
    await ada.page.getByRole("heading", { name: DATANET }).waitFor();
  });
  await walk.step("contribute", ada, async () => {
    await walk.tab(ada, "Contribute");
    await walk.fill(ada.main.getByLabel("Or type or paste rows"), ROWS.join("\n"));
    await walk.click(buttonOf(ada, "Preview these rows"));
    await walk.click(buttonOf(ada, /^Contribute \d/));
    const way = ada.page.getByRole("article", { name: /^Contribution of/ });
    await way.waitFor();
    await way.waitFor({ state: "detached" });
    await ada.main.getByText(`${ROWS.length} rows were contributed.`).waitFor();
  });
  await walk.step("label", ben, async () => {
    await walk.menu(ben, "Datanets");
    await walk.click(ben.main.getByRole("link", { name: DATANET }));
    await walk.tab(ben, "Label");
    const row = ben.page.getByRole("region", { name: "The row's text" });
    for (let i = 0; i < ROWS.length; i++) {
      await row.waitFor();
      const text = (await row.textContent())!;
      await walk.press(ben, "1");
      await row.filter({ hasText: text }).waitFor({ state: "hidden" });
    }
  });
  await walk.step("review", ben, async () => {
    await walk.tab(ben, "Versions");
    await walk.click(buttonOf(ben, "Approve"));
    await ben.main.getByText("approved", { exact: true }).waitFor();
  });
  await walk.step("publish", ada, async () => {
    await walk.tab(ada, "Versions");
    await walk.click(buttonOf(ada, /^Sign version/));
    await ada.main.getByText("Published.").waitFor();
  });
  return walkToReward(
    walk,
    { owner: ada, builder: ben },
    {
      datanet: DATANET,
      model: "Sentence maker",
      doesWrite: true,
      ask: ({ main }) => walk.fill(main.getByLabel("Your text"), "The lighthouse keeper paints"),
      withdraw: "0.05",
    },
  );
}
