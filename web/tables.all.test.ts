/** Tables and pictures in the page: all fields of a row as columns, in numbers and as filters, and pictures as pictures. */
import { encodeTableRow, type FieldValue } from "@openledger/attribution/rows/table-rows";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 400_000 };
const CUSTOMERS = sampleCard({
  name: "Customers of a shop",
  row: {
    kind: "table",
    fields: [
      { name: "age", type: "number", description: "in years" },
      { name: "city", type: "category", description: "" },
      { name: "spend", type: "number", description: "in euros, of last year" },
      { name: "note", type: "text", description: "" },
      { name: "churned", type: "boolean", description: "" },
    ],
    maxBytes: 2_000,
  },
});
const CITIES = ["Oslo", "Bergen", "Tromsø"];
const customers = Array.from({ length: 40 }, (_, i): FieldValue[] => [
  20 + i,
  CITIES[i % 3]!,
  i === 7 ? null : 100.5 + 3 * i,
  i === 0 ? "<img src=x onerror=globalThis.pwned=1> called twice" : `note ${i}`,
  i % 4 === 0,
]);
const PICTURES = sampleCard({
  name: "Colours",
  row: { kind: "image", fields: [], maxBytes: 100_000 },
  labels: [
    { name: "warm", description: "" },
    { name: "cold", description: "" },
  ],
  examples: [],
});

let world: DatanetWorld;
let browser: Browser;
let tableId: number;
let pictureId: number;

/** Pictures of one colour each, as a browser makes them. */
async function colours(): Promise<Uint8Array[]> {
  const page = await browser.newPage();
  const pictures: Uint8Array[] = [];
  for (let i = 0; i < 8; i++) {
    await page.setContent(`<body style="background: hsl(${45 * i} 80% 50%)">`);
    const clip = { x: 0, y: 0, width: 40 + 10 * i, height: 60 };
    pictures.push(new Uint8Array(await page.screenshot({ clip })));
  }
  await page.close();
  return pictures;
}

beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
  ({ datanetId: tableId } = await world.makeDatanet(CUSTOMERS));
  ({ datanetId: pictureId } = await world.makeDatanet(PICTURES));
  await world.contribute(
    "bob",
    tableId,
    customers.map((values) => encodeTableRow(CUSTOMERS.row.fields, values)),
  );
  await world.contribute("bob", pictureId, await colours());
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

const main = (page: Page) => page.getByRole("main");

async function expectClean(page: Page, misdeeds: readonly string[], name: string): Promise<void> {
  await pictureOf(page, name);
  expect(await seriousFindings(page)).toEqual([]);
  expect(misdeeds).toEqual([]);
  expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
}

test(
  "a table's rows have a column a field, are counted and filtered by them, and open with all fields",
  LONG,
  async () => {
    for (const looks of [{}, { width: 360, colorScheme: "dark" as const }]) {
      const { context, misdeeds, page } = await world.visit(browser, null, `datanets/${tableId}/rows`, looks);
      const list = page.getByRole("listbox", { name: "Rows" });
      const first = list.getByRole("option").first();
      await first.getByText("100.5").waitFor();
      for (const { name } of CUSTOMERS.row.fields)
        await list.getByText(name, { exact: true }).first().waitFor();
      await expectClean(page, misdeeds, `table-rows-${looks.width ?? "wide"}`);
      await main(page).getByText("5 fields").click();
      const spend = page.getByRole("region", { name: "spend", exact: true });
      await spend.getByText("1 of 40 missing").waitFor();
      await spend.getByText("100.5 to 217.5").waitFor();
      await page.getByRole("region", { name: "city" }).getByLabel("Show").selectOption("Oslo");
      await page.getByText("14 rows", { exact: true }).waitFor();
      await page.getByRole("region", { name: "age" }).getByRole("textbox", { name: "From" }).fill("50");
      await page.getByText("4 rows", { exact: true }).waitFor();
      await expectClean(page, misdeeds, `table-fields-${looks.width ?? "wide"}`);
      // The filters are in the address.
      await page.reload();
      await page.getByText("4 rows", { exact: true }).waitFor();
      await list.focus();
      await page.keyboard.press("ArrowDown");
      const fields = page.getByRole("region", { name: "The row's fields" });
      for (const text of ["age", "50", "Oslo", "190.5", "note 30", "no"])
        await fields.getByText(text, { exact: true }).waitFor();
      await expectClean(page, misdeeds, `table-row-${looks.width ?? "wide"}`);
      await context.close();
    }
  },
);

test("people who label a table see every field", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, "carol", `datanets/${tableId}/label`);
  await main(page).getByRole("button", { name: "carol's wallet" }).click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  const fields = page.getByRole("region", { name: "The row's fields" });
  for (const { name } of CUSTOMERS.row.fields) await fields.getByText(name, { exact: true }).waitFor();
  const before = await fields.textContent();
  await page.keyboard.press("1");
  await expect.poll(() => fields.textContent()).not.toBe(before);
  // What is taken back has lost its values: the page reads them from the row's own bytes.
  await page.keyboard.press("u");
  await expect.poll(() => fields.textContent()).toBe(before);
  await expectClean(page, misdeeds, "table-label");
  await context.close();
});

test("a file is shown as the rows that it will be", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, "frank", `datanets/${tableId}/contribute`);
  await main(page).getByRole("button", { name: "frank's wallet" }).click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  const csv = "age,city,spend,note,churned\n71,Oslo,12.5,calm,true\n72,Bergen,,calm too,false\n";
  await page
    .getByLabel("Choose files")
    .setInputFiles({ name: "customers.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByRole("columnheader", { name: "spend" }).waitFor(LONG);
  await preview.getByRole("cell", { name: "12.5" }).waitFor();
  await preview.getByRole("cell", { name: "missing" }).waitFor();
  await expectClean(page, misdeeds, "table-preview");
  await context.close();
});

test("rows of pictures are pictures, in the list and in what is chosen", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, "frank", `datanets/${pictureId}/rows`);
  const pictures = page.getByRole("listbox", { name: "Rows" }).locator("img");
  await expect.poll(() => pictures.count()).toBe(8);
  expect(await pictures.last().evaluate((image) => (image as { naturalWidth?: number }).naturalWidth)).toBe(
    110,
  );
  await expectClean(page, misdeeds, "pictures-rows");
  await page.goto(`${world.url}/#/datanets/${pictureId}/contribute`);
  await main(page).getByRole("button", { name: "frank's wallet" }).click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  const [red] = await colours();
  await page
    .getByLabel("Choose files")
    .setInputFiles({ name: "red.png", mimeType: "image/png", buffer: Buffer.from([...red!, 0]) });
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.locator("img").waitFor(LONG);
  await expectClean(page, misdeeds, "pictures-preview");
  await context.close();
});

test("a new Datanet begins with a task, which says what a row is and what it becomes", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, "dave", "datanets/new");
  await main(page).getByRole("button", { name: "dave's wallet" }).click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  await page.getByRole("radio", { name: /^Classify pictures/ }).check();
  const kind = page.getByLabel("A row is");
  expect(await kind.inputValue()).toBe("image");
  await main(page).getByText("classifier can be trained on these rows").waitFor();
  await page.getByRole("radio", { name: /^Predict a column/ }).check();
  expect(await kind.inputValue()).toBe("table");
  await page.getByLabel("Fields, one per line").fill("age | number | in years\ncity | category");
  await page.getByRole("radio", { name: /^Answer questions/ }).check();
  await main(page).getByText("Labels are optional").waitFor();
  await main(page).getByText("language model can be trained").waitFor();
  await page.reload();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  expect(await page.getByRole("radio", { name: /^Answer questions/ }).isChecked()).toBe(true);
  await expectClean(page, misdeeds, "card-tasks");
  await context.close();
});
