/**
 * People who walk through the pages, each in a browser profile of its own with a wallet: everything is pressed, typed, chosen and
 * read as a user does, and counted by steps.
 */
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { announceWallet, walletOfKey } from "./announced-wallet.ts";
import { openProfile } from "./browser.ts";

export const LONG = { timeout: 240_000 };

/** Actions of a person in one step of a walk. */
export interface Effort {
  readonly step: string;
  /** Buttons, links, choices and fields that somebody points at. */
  readonly clicks: number;
  /** Keys that were pressed, outside of fields. */
  readonly keys: number;
  readonly seconds: number;
}

export interface Walker {
  readonly name: string;
  readonly page: Page;
  readonly main: Locator;
  readonly context: BrowserContext;
}

/** Called at each moment that a picture shows. */
export type OnMoment = (name: string, page: Page) => Promise<void>;

interface WalkOptions {
  readonly browser: Browser;
  /** Address of the pages. */
  readonly url: string;
  /** URL of the Ethereum node, which wallets use. */
  readonly rpcUrl: string;
  readonly onMoment?: OnMoment;
  /** Error of what runs behind the pages; null if there is none. */
  readonly faultOf?: () => unknown;
}

/** A walk by people whose steps are counted together. */
export class Walk {
  readonly efforts: Effort[] = [];
  /** Reports of the pages' policy, uncaught errors, and the console's errors, resources that failed to load as well. */
  readonly misdeeds: string[] = [];
  readonly onMoment: OnMoment;
  readonly #options: WalkOptions;
  #clicks = 0;
  #keys = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.onMoment = options.onMoment ?? (async () => undefined);
  }

  /** Opens the first page as somebody with the wallet of an account of anvil. */
  async visit(name: string, account: number): Promise<Walker> {
    const { browser, rpcUrl, url } = this.#options;
    const { context, misdeeds } = await openProfile(browser);
    context.setDefaultTimeout(LONG.timeout);
    context.on("console", (message) => {
      if (message.type() === "error")
        this.misdeeds.push(`${name}: ${message.text()} ${message.location().url}`);
    });
    context.on("close", () => this.misdeeds.push(...misdeeds.map((text) => `${name}: ${text}`)));
    await announceWallet(context, `${name}'s wallet`, walletOfKey(anvilAccount(account), rpcUrl));
    const page = await context.newPage();
    await page.goto(`${url}/`);
    return { name, page, main: page.getByRole("main"), context };
  }

  async click(target: Locator): Promise<void> {
    this.#clicks += 1;
    await target.click();
  }

  async fill(target: Locator, text: string): Promise<void> {
    this.#clicks += 1;
    await target.fill(text);
  }

  async choose(target: Locator, label: string): Promise<void> {
    this.#clicks += 1;
    await target.selectOption({ label });
  }

  async press({ page }: Walker, key: string): Promise<void> {
    this.#keys += 1;
    await page.keyboard.press(key);
  }

  menu({ page }: Walker, name: string): Promise<void> {
    return this.click(page.locator("header").getByRole("link", { name, exact: true }));
  }

  /** Opens a part of a Datanet's page. */
  tab({ page }: Walker, name: string): Promise<void> {
    const parts = page.getByRole("navigation", { name: "Parts of this Datanet" });
    return this.click(parts.getByRole("link", { name, exact: true }));
  }

  /** Does one step and counts it. If it fails, the error names the step and has what the page shows. */
  async step(name: string, { main, page }: Walker, work: () => Promise<void>): Promise<void> {
    const [clicks, keys, startedAtMs] = [this.#clicks, this.#keys, performance.now()];
    try {
      await work();
    } catch (error) {
      await this.onMoment(`failed-${name}`, page);
      const fault = String(this.#options.faultOf?.() ?? "no process has failed");
      const shown = await main.textContent();
      throw new Error(`the walk ends at "${name}": ${fault}. The page shows:\n${shown}`, { cause: error });
    }
    this.efforts.push({
      step: name,
      clicks: this.#clicks - clicks,
      keys: this.#keys - keys,
      seconds: (performance.now() - startedAtMs) / 1_000,
    });
    await this.onMoment(name, page);
  }
}

export const buttonOf = ({ main }: { readonly main: Locator }, name: string | RegExp): Locator =>
  main.getByRole("button", { name, exact: typeof name === "string" });
export const fieldOf = ({ main }: Walker, label: string): Locator => main.getByLabel(label, { exact: true });

/** Leaf that a link leads to. */
export const numberIn = async (link: Locator): Promise<string> =>
  /\d+$/.exec((await link.getAttribute("href"))!)![0];

/** Walks from the first page to an account in the ledger. @returns its number */
export async function bringOpen(walk: Walk, walker: Walker): Promise<string> {
  const { main, name } = walker;
  await walk.click(main.getByRole("link", { name: /^Bring OPEN/ }));
  await walk.click(buttonOf(walker, `${name}'s wallet`));
  await walk.click(buttonOf(walker, "Get 1,000 test OPEN"));
  await main.getByRole("region", { name: "On Ethereum" }).getByText("1,000", { exact: true }).waitFor();
  await walk.fill(main.getByLabel("Amount"), "90");
  await walk.click(buttonOf(walker, "Deposit and open an account"));
  const link = main.getByRole("region", { name: "In the ledger" }).getByRole("link");
  await link.waitFor();
  return numberIn(link);
}
