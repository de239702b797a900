/** Pages that end with the test that asks for them. */
import type { Browser, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { type Looks, openProfile } from "./browser.ts";

interface Visit extends Looks {
  /** True for a page that is to meet errors: its reports do not fail the test. */
  readonly isFaulty?: true;
}

/** Opens a page in a profile of its own. The test fails if the page does what it must not. */
export async function visit(browser: Browser, { isFaulty, ...looks }: Visit = {}): Promise<Page> {
  const { context, misdeeds } = await openProfile(browser, looks);
  onTestFinished(async () => {
    await context.close();
    if (isFaulty !== true) expect(misdeeds).toEqual([]);
  });
  return context.newPage();
}
