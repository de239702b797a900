/** Tests in Chromium that an error while a part is drawn stays in its place, is reported, and ends where the part can be drawn again. */
import { expect, test } from "vitest";
import { openSmallPage } from "../testing/small-page.ts";

test("a part that fails shows its problem, the rest of the page stays, and the part comes back", {
  timeout: 300_000,
}, async () => {
  const { page, problems } = await openSmallPage(
    new URL("../testing/failing-part.tsx", import.meta.url),
    "mend",
  );
  const again = page.getByRole("button", { name: "Show it again" });
  await again.waitFor();
  await page.getByRole("heading", { name: "the page" }).waitFor();
  await page.getByText("the rest").waitFor();
  expect(problems.filter((line) => line.includes("a row that cannot be drawn")).length).toBeGreaterThan(0);
  // It fails again: the problem stays.
  await again.click();
  await again.waitFor();
  expect(await page.getByText("the row", { exact: true }).count()).toBe(0);
  await page.evaluate(() => (globalThis as unknown as { mend(): void }).mend());
  await again.click();
  await page.getByText("the row", { exact: true }).waitFor();
  expect(await again.count()).toBe(0);
  await page.getByText("the rest").waitFor();
});
