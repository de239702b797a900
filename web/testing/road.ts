/**
 * The road of a row to money as two people walk it in the pages. Both begin with an empty wallet and bring OPEN. Then Ada
 * owns a Datanet and contributes, Ben labels, reviews, trains a model, serves it and asks it. Sequencer, contracts, host,
 * factory and pages are real.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { startChildFactory } from "@openledger/models/testing/journey-world";
import type { Browser, Locator, Page } from "playwright-core";
import { announceWallet, walletOfKey } from "./announced-wallet.ts";
import { openProfile } from "./browser.ts";
import { A_DAY_SECONDS, startFactoryPlaces } from "./factory-world.ts";

/** No role of the contracts' fixture: neither has OPEN, nor an account in the ledger. */
const [ADA_ACCOUNT, BEN_ACCOUNT] = [7, 8];
/** The pages' button takes from it. */
const FAUCET_ACCOUNT = 13;
const LONG = { timeout: 240_000 };
const PAUSE_MS = 200;

/** No two are near each other, so that none is left out as a copy. */
const ROWS = [
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

/** Kind of model that people walk to: the rows, their labels, and what is asked. */
export interface RoadKind {
  readonly rowKind: "passage" | "text";
  readonly datanet: string;
  /** As typed: a name and its meaning a line. */
  readonly labels: string;
  readonly rows: readonly string[];
  /** Key that labels a row. */
  readonly keyOf: (text: string) => string;
  readonly model: string;
  readonly question: string;
}

/** A language model of sentences. */
const WRITING: RoadKind = {
  rowKind: "passage",
  datanet: "Small true sentences",
  labels: "good | It is a whole sentence.\nbad | It is not.",
  rows: ROWS,
  keyOf: () => "1",
  model: "Sentence maker",
  question: "The lighthouse keeper paints",
};

/** A model that sorts sentences about food and weather. Its circuit holds nine rows. */
export const SORTING: RoadKind = {
  rowKind: "text",
  datanet: "Food or weather",
  labels: "food | One eats or drinks it.\nweather | One looks at the sky.",
  rows: [
    "Fresh bread with salted butter and honey tastes best while it is warm.",
    "She cooks lentil soup with garlic, cumin and a slice of lemon.",
    "Ripe plums, soft cheese and dark bread made our late supper.",
    "A pot of green tea stood beside the bowl of rice and beans.",
    "Thunder rolled across the valley before the heavy rain set in.",
    "Morning fog covered the harbour until a cold wind blew it away.",
    "Snow fell all night, and the frozen lake shone under grey clouds.",
    "After the storm a rainbow stood over the wet northern hills.",
  ],
  keyOf: (text) => (/bread|soup|tea/.test(text) ? "1" : "2"),
  model: "Food sorter",
  question: "Warm soup with bread, garlic and butter makes a good lunch.",
};

export interface RoadStep {
  readonly name: string;
  readonly seconds: number;
  readonly clicks: number;
}

export interface Walked {
  readonly steps: readonly RoadStep[];
  /** Buttons, links, choices and fields that somebody points at. */
  readonly clicks: number;
  /** Seconds of the browser's work alone: a day of Ethereum's time is let pass at once. */
  readonly seconds: number;
  /** Reports of the pages' policy, uncaught errors, and the console's errors. */
  readonly misdeeds: readonly string[];
  /** Errors in red in the console, resources that failed to load as well. */
  readonly consoleErrors: readonly string[];
  /** Seconds from a payment to the contributor's page naming the row. */
  readonly newsSeconds: number;
  /** Amount that the contributor's page shows as claimed. */
  readonly claimedText: string;
  /** The contributor's file of used rows. */
  readonly csv: string;
}

export type RoadWorld = Awaited<ReturnType<typeof startRoad>>;

/** Starts everything: batches go to L1 by themselves, and nobody has made anything yet. */
export async function startRoad() {
  const folder = mkdtempSync(join(tmpdir(), "pages-road-"));
  const { environment, world } = await startFactoryPlaces(folder, false);
  // People read times.
  Object.defineProperty(world.w.rollup.clock, "nowMs", { get: () => Date.now() });
  const { client, roles, token } = world.f.l1;
  const { address } = anvilAccount(FAUCET_ACCOUNT);
  await client.setBalance({ address, value: 1_000n * OPEN });
  await token.write.transfer([address, 10_000n * OPEN], { account: roles.holder });
  const factory = await startChildFactory(environment);
  let isOver = false;
  let secondsToPass = 0;
  let fault: unknown = null;
  const operating = (async () => {
    while (!isOver) {
      const seconds = secondsToPass;
      secondsToPass = 0;
      if (seconds > 0) await world.f.l1.passTime(BigInt(seconds));
      await world.turn();
      await world.mineRandomness();
      await new Promise((settle) => setTimeout(settle, PAUSE_MS));
    }
  })().catch((error: unknown) => {
    fault = error;
  });
  return {
    url: world.sequencerUrl,
    rpcUrl: world.f.rpcUrl,
    /** Ethereum's clock goes on by a day. */
    passDay() {
      secondsToPass += A_DAY_SECONDS;
    },
    /** Error that stopped the operator; null if there is none. */
    fault: () => fault,
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

/** The leaf that a link leads to. */
const numberIn = async (link: Locator): Promise<string> =>
  /\d+$/.exec((await link.getAttribute("href"))!)![0];

/** Called as each step ends, with the page that shows it. */
export type OnStep = (name: string, page: Page) => Promise<void>;

export async function walkRoad(
  browser: Browser,
  world: RoadWorld,
  onStep: OnStep = async () => undefined,
  kind: RoadKind = WRITING,
): Promise<Walked> {
  const { datanet, keyOf, labels, model, question, rows: sentences, rowKind } = kind;
  const steps: RoadStep[] = [];
  const misdeeds: string[] = [];
  const consoleErrors: string[] = [];
  let clicks = 0;
  const click = async (target: Locator) => {
    clicks += 1;
    await target.click(LONG);
  };
  const fill = async (target: Locator, text: string) => {
    clicks += 1;
    await target.fill(text, LONG);
  };
  const visit = async (name: string, account: number) => {
    const opened = await openProfile(browser);
    opened.context.setDefaultTimeout(LONG.timeout);
    opened.context.on("console", (message) => {
      if (message.type() === "error")
        consoleErrors.push(`${name}: ${message.text()} ${message.location().url}`);
    });
    await announceWallet(
      opened.context,
      `${name}'s wallet`,
      walletOfKey(anvilAccount(account), world.rpcUrl),
    );
    const page = await opened.context.newPage();
    await page.goto(`${world.url}/`);
    return { ...opened, main: page.getByRole("main"), name, page };
  };
  type Person = Awaited<ReturnType<typeof visit>>;
  const button = ({ main }: Person, name: string | RegExp) =>
    main.getByRole("button", { name, exact: typeof name === "string" });
  const menu = ({ page }: Person, name: string) =>
    click(page.locator("header").getByRole("link", { name, exact: true }));
  const tab = ({ page }: Person, name: string) =>
    click(
      page
        .getByRole("navigation", { name: "Parts of this Datanet" })
        .getByRole("link", { name, exact: true }),
    );
  /** Walks from the first page to an account in the ledger. @returns its number */
  const bringOpen = async (person: Person): Promise<string> => {
    const { main, name } = person;
    await click(main.getByRole("link", { name: /^Bring OPEN/ }));
    await click(button(person, `${name}'s wallet`));
    await click(button(person, "Get 1,000 test OPEN"));
    await main.getByRole("region", { name: "On Ethereum" }).getByText("1,000", { exact: true }).waitFor();
    await fill(main.getByLabel("Amount"), "90");
    await click(button(person, "Deposit and open an account"));
    const link = main.getByRole("region", { name: "In the ledger" }).getByRole("link");
    await link.waitFor();
    return numberIn(link);
  };
  const step = async (name: string, person: Person, work: () => Promise<void>) => {
    const [before, startedAtMs] = [clicks, performance.now()];
    try {
      await work();
    } catch (error) {
      await onStep(`failed-${name}`, person.page);
      const shown = await person.main.textContent();
      const fault = String(world.fault() ?? "no process has failed");
      throw new Error(`the road ends at "${name}": ${fault}. The page shows:\n${shown}`, { cause: error });
    }
    steps.push({ name, clicks: clicks - before, seconds: (performance.now() - startedAtMs) / 1_000 });
    await onStep(name, person.page);
  };
  const ada = await visit("Ada", ADA_ACCOUNT);
  const ben = await visit("Ben", BEN_ACCOUNT);
  let benLeaf = "";
  let modelId = 0;
  let newsSeconds = Number.POSITIVE_INFINITY;
  let claimedText = "";
  let csv = "";

  await step("bring", ada, async () => {
    [, benLeaf] = await Promise.all([bringOpen(ada), bringOpen(ben)]);
  });
  await step("create", ada, async () => {
    await menu(ada, "Datanets");
    await click(ada.main.locator('a[href="#/datanets/new"]').first());
    const field = (label: string) => ada.main.getByLabel(label, { exact: true });
    await fill(field("Name"), datanet);
    await fill(field("Description"), "Sentences that somebody saw happen, one a row.");
    await fill(field("Labels, one per line"), labels);
    clicks += 1;
    await ada.main.getByLabel("A row is", { exact: true }).selectOption(rowKind);
    await click(ada.main.getByText("Advanced", { exact: true }));
    await fill(field("Reviewers"), benLeaf);
    clicks += 1;
    await ada.main.getByLabel("Who can read the rows").selectOption("public");
    await fill(field("Licence"), "CC-BY-4.0");
    await click(button(ada, /^Create Datanet/));
    await ada.page.getByRole("heading", { name: datanet }).waitFor();
  });
  await step("contribute", ada, async () => {
    await tab(ada, "Contribute");
    await fill(ada.main.getByLabel("Or type or paste rows"), sentences.join("\n"));
    await click(button(ada, "Look at these rows"));
    await click(button(ada, /^Contribute \d/));
    const way = ada.page.getByRole("article", { name: /^Contribution of/ });
    await way.waitFor();
    await way.waitFor({ state: "detached" });
    await ada.main.getByText(`${sentences.length} rows are in.`).waitFor();
  });
  await step("label", ben, async () => {
    await menu(ben, "Datanets");
    await click(ben.main.getByRole("link", { name: datanet }));
    await tab(ben, "Label");
    const row = ben.page.getByRole("region", { name: "The row's text" });
    for (let i = 0; i < sentences.length; i++) {
      await row.waitFor();
      const text = await row.textContent();
      await ben.page.keyboard.press(keyOf(text!));
      await row.filter({ hasText: text! }).waitFor({ state: "hidden" });
    }
  });
  await step("review", ben, async () => {
    await tab(ben, "Versions");
    await click(button(ben, "Approve"));
    await ben.main.getByText("approved", { exact: true }).waitFor();
  });
  await step("publish", ada, async () => {
    await tab(ada, "Versions");
    await click(button(ada, /^Sign version/));
    await ada.main.getByText("Published.").waitFor();
  });
  await step("train", ben, async () => {
    await menu(ben, "Factory");
    await click(ben.main.getByRole("link", { name: /Train on a Datanet/ }));
    await click(ben.main.getByRole("link", { name: new RegExp(datanet) }));
    await click(button(ben, /^Use version/));
    if (rowKind === "passage") await click(ben.main.getByRole("link", { name: /openledger-base/ }));
    await fill(ben.main.getByLabel("Name"), model);
    await click(button(ben, "Start training"));
    await ben.main.getByText("Your model is trained").waitFor();
  });
  await step("register", ben, async () => {
    await click(ben.main.getByRole("link", { name: "Register it" }));
    await click(button(ben, "Register with your wallet"));
    const link = ben.main.getByRole("heading", { name: /^It is model/ }).getByRole("link");
    await link.waitFor();
    // Its text is the number at first, and the model's name once that is known.
    modelId = Number(await numberIn(link));
  });
  world.passDay();
  await step("approve", ada, async () => {
    await tab(ada, "Models");
    await click(button(ada, `Approve model ${modelId}`));
    const preview = ada.page.getByRole("region", { name: "What you approve" });
    await preview.getByText(`The recomputation of model ${modelId} is skipped.`).waitFor();
    await click(button(ada, "Approve without a recomputation"));
    await ada.main.getByText("approved, takes payments").waitFor();
  });
  await step("serve", ben, async () => {
    await click(button(ben, "Serve here"));
    await ben.main.getByRole("region", { name: "Serve" }).getByText("served here").waitFor();
  });
  await step("ask", ben, async () => {
    await click(ben.main.getByRole("region", { name: "Serve" }).getByRole("link", { name: /^ask / }));
    await fill(ben.main.getByLabel("Your text"), question);
    await click(button(ben, "Ask"));
    await ben.main.getByRole("region", { name: "Answer" }).getByText("checked here").waitFor();
  });
  await menu(ada, "Earnings");
  const rows = ada.page.getByRole("region", { name: "Rows at work" });
  await rows.waitFor();
  const paidAtMs = performance.now();
  await step("pay", ben, async () => {
    await click(button(ben, /^Pay [\d.]+ OPEN$/));
    await ben.main.getByText("paid", { exact: true }).waitFor();
  });
  await step("used", ada, async () => {
    await rows.getByText(/Row \d+ was used/).waitFor();
    newsSeconds = (performance.now() - paidAtMs) / 1_000;
    await rows.getByText("estimated").waitFor();
  });
  await step("prove", ada, async () => {
    await menu(ben, "Factory");
    await click(ben.main.getByRole("link", { name: model }));
    await click(ben.main.getByRole("link", { name: "Register", exact: true }));
    await click(button(ben, "Pay it out"));
    await rows.getByText("proven", { exact: true }).waitFor();
    const [download] = await Promise.all([
      ada.page.waitForEvent("download"),
      click(rows.getByRole("button", { name: "Download CSV" })),
    ]);
    const parts: Buffer[] = [];
    for await (const part of await download.createReadStream()) parts.push(part as Buffer);
    csv = Buffer.concat(parts).toString();
  });
  await step("collect", ada, async () => {
    await click(button(ada, "Claim"));
    await ada.main.getByLabel("To claim", { exact: true }).getByText("nothing to claim").waitFor();
    const claimed = ada.main.getByLabel("Claimed", { exact: true }).locator(".amount");
    claimedText = (await claimed.textContent())!;
  });
  await step("take-out", ada, async () => {
    await click(ada.main.getByRole("link", { name: "take it out" }));
    await fill(ada.main.getByLabel("Amount"), "0.05");
    await click(button(ada, "Withdraw"));
    const way = ada.page.getByRole("article", { name: /^Withdrawal of 0\.05/ });
    await click(way.getByRole("button", { name: "Finalize" }));
    await way.getByText("in your wallet").waitFor();
  });
  for (const one of [ada, ben]) {
    misdeeds.push(...one.misdeeds.map((text) => `${one.name}: ${text}`));
    await one.context.close();
  }
  const seconds = steps.reduce((sum, one) => sum + one.seconds, 0);
  return { steps, clicks, seconds, misdeeds, consoleErrors, newsSeconds, claimedText, csv };
}
