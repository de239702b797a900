/** Actions of a person on the bridge page. */
import type { Page } from "playwright-core";

export const main = (page: Page) => page.getByRole("main");
export const journey = (page: Page, name: RegExp) => page.getByRole("article", { name });
/** Step of a journey. It is hidden if the whole is over by then, for its card is folded: wait for it as attached. */
export const step = (page: Page, name: RegExp, label: string) =>
  journey(page, name).getByRole("listitem", { includeHidden: true }).filter({ hasText: label });

/** Opens the bridge page with a test wallet, and waits for its account. */
export async function connect(page: Page, sequencerUrl: string): Promise<void> {
  await page.goto(`${sequencerUrl}/#/bridge`);
  await main(page).getByRole("button", { name: "Test wallet A" }).click();
  await page.getByLabel("Amount").or(page.getByText("no account yet")).first().waitFor();
}

/** Fills one of the tabs and sends it. */
export async function move(
  page: Page,
  tab: string,
  amount: string,
  button: string,
  to?: string,
): Promise<void> {
  await page.getByRole("tab", { name: tab }).click();
  if (to !== undefined) await page.getByLabel("To", { exact: true }).fill(to);
  await page.getByLabel("Amount").fill(amount);
  await main(page).getByRole("button", { name: button, exact: true }).click();
}
