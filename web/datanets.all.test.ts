/** Datanets in the page, as people without a command line work on them: found, contributed to, labelled, reviewed, granted. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import { listHostCommits } from "@openledger/client/datanets/hosted-history";
import { getStatistics, suggestLabels } from "@openledger/client/datanets/label-turns";
import { listAccess, readRecords, sayRecords } from "@openledger/client/datanets/signed-records";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import { docxOf, pdfOf } from "@openledger/datanets/testing/sample-documents";
import { hex32 } from "@openledger/foundation/hex";
import type { Browser, Page, Request, Route } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, openProfile, pictureOf, seriousFindings } from "./testing/browser.ts";
import { type DatanetWorld, leafOf, startDatanetWorld } from "./testing/datanet-world.ts";

const LONG = { timeout: 400_000 };
/** Datanets that are made at once: searches for the models of so many were over the sequencer's usual limit. */
const OTHER_DATANETS = 5;
const card = sampleCard({
  labelling: {
    annotatorsPerRow: 2,
    accept: "all",
    labellers: [leafOf("carol"), leafOf("dave")],
    reviewers: [leafOf("erin")],
  },
});
const HOSTILE = [
  "<img src=x onerror=globalThis.pwned=1><script>globalThis.pwned=1</script> in a row",
  "\u202etxet elbisivni\u202c and a \u0000 and a \u200b in a row",
  `<svg onload=globalThis.pwned=1> ${"wide ".repeat(120)}`,
];
/** Each is nearly the first. */
const NEAR = ["town", "city", "port", "land"].map(
  (location) =>
    `The morning began with fog over the harbour, and by noon the sun had warmed every roof of the ${location}.`,
);
const folder = mkdtempSync(join(tmpdir(), "pages-datanets-files-"));
let world: DatanetWorld;
let browser: Browser;
/** Datanet of public rows; `closedId` is one whose rows are shown on request. */
let datanetId: number;
let closedId: number;
let rowsRoot: bigint;

beforeAll(async () => {
  [world, browser] = await Promise.all([startDatanetWorld(), openBrowser()]);
  ({ datanetId } = await world.makeDatanet(card));
  const closed = sampleCard({
    name: "Letters of a clinic",
    field: "medicine",
    tags: ["letters"],
    access: "permissioned",
  });
  ({ datanetId: closedId } = await world.makeDatanet(closed));
  const encoder = new TextEncoder();
  const rows = [...sampleRows(53), ...[...HOSTILE, ...NEAR].map((text) => encoder.encode(text))];
  ({ rowsRoot } = await world.contribute("bob", datanetId, rows));
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const main = (page: Page) => page.getByRole("main");
const location = (id = datanetId) => ({ hostUrl: world.hostUrl, datanetId: id });

/** Connects the announced wallet and unlocks its key. */
async function unlock(page: Page, person: string): Promise<void> {
  await main(page)
    .getByRole("button", { name: `${person}'s wallet` })
    .click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
}

async function expectClean(page: Page, misdeeds: readonly string[], name: string): Promise<void> {
  await pictureOf(page, name);
  expect(await seriousFindings(page)).toEqual([]);
  expect(misdeeds).toEqual([]);
  expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
}

test("a stranger finds a Datanet, reads its card, and sees that it is the ledger's", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, null, "datanets");
  await page.getByRole("link", { name: card.name }).waitFor();
  await expectClean(page, misdeeds, "datanets-directory");
  await main(page).getByLabel("Search").fill("clinic medic");
  await expect.poll(() => page.getByRole("link", { name: card.name }).count()).toBe(0);
  await page.getByRole("link", { name: "Letters of a clinic" }).waitFor();
  await main(page).getByLabel("Search").fill("weather");
  await page.getByRole("button", { name: "short", exact: true }).click();
  await page.getByRole("link", { name: card.name }).click();
  await page.getByText("matches the hash on the ledger").waitFor();
  await page.getByRole("region", { name: "In numbers" }).waitFor();
  await expectClean(page, misdeeds, "datanets-about");
  // A Datanet that no host has shows nothing of the last one.
  await page.goto(`${world.url}/#/datanets/99999`);
  await main(page).getByRole("heading", { name: "Datanet 99999" }).waitFor();
  await main(page).getByRole("link", { name: "Show it on the ledger" }).waitFor();
  expect(await main(page).getByText(card.name).count()).toBe(0);
  expect(await page.getByRole("navigation", { name: "Parts of this Datanet" }).count()).toBe(0);
  await context.close();
});

test("a hostile card is text, wherever it is shown", LONG, async () => {
  const [markup, script] = HOSTILE as [string, string];
  const hostile = sampleCard({
    name: "<script>globalThis.pwned=1</script>\u202etxet",
    description: `${markup} ${script}`,
    contact: "javascript:globalThis.pwned=1",
    tags: ["<b>bold</b>"],
    labels: [{ name: '"><img src=x onerror=globalThis.pwned=1>', description: markup }],
    examples: [],
    instructions: markup,
  });
  const made = await world.makeDatanet(hostile);
  const { context, misdeeds, page } = await world.visit(browser, null, "datanets");
  await page.getByRole("link", { name: /<script>globalThis/ }).click();
  await page.getByText("U+202E").first().waitFor();
  await page.getByText("matches the hash on the ledger").waitFor();
  expect(await page.locator("main img, main script, main b, main [href^='javascript']").count()).toBe(0);
  await page.goto(`${world.url}/#/datanets/${made.datanetId}/rows`);
  await page.getByText("0 rows").first().waitFor();
  expect(misdeeds).toEqual([]);
  expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
  await context.close();
});

test("rows are searched and filtered, and hostile ones are text", LONG, async () => {
  for (const looks of [{}, { width: 360, colorScheme: "dark" as const }]) {
    const { context, misdeeds, page } = await world.visit(browser, null, `datanets/${datanetId}/rows`, looks);
    const list = page.getByRole("listbox", { name: "Rows" });
    await page.getByText("60 rows").last().waitFor();
    await list.getByRole("option").first().waitFor();
    await expectClean(page, misdeeds, `datanets-rows-${looks.width ?? "wide"}`);
    await page.getByLabel("Search the text").fill("invisible elbisivni");
    await page.getByText("No rows match.").waitFor();
    await page.getByLabel("Search the text").fill("txet");
    await page.getByText("1 row", { exact: true }).waitFor();
    await list.focus();
    await page.keyboard.press("ArrowDown");
    const detail = page.getByRole("region", { name: "Row", exact: true });
    for (const name of ["U+202E", "U+0000", "U+200B"]) await detail.getByText(name).waitFor();
    await page.getByLabel("Search the text").fill("onerror");
    await page.getByText("1 row", { exact: true }).waitFor();
    await list.getByText("<img src=x onerror").waitFor();
    await expectClean(page, misdeeds, `datanets-rows-hostile-${looks.width ?? "wide"}`);
    await context.close();
  }
});

test("a file is looked through, signed for, and brought to the host after a reload", LONG, async () => {
  const lines = [
    "A new sentence about hail.",
    "A new sentence about hail.",
    "  ",
    "Write to jane@example.org about fog.",
  ];
  const copied = new TextDecoder().decode(sampleRows(1)[0]);
  const file = join(folder, "weather.txt");
  writeFileSync(file, [...lines, "My card is 4111 1111 1111 1111, says the storm.", copied].join("\n"));
  const { context, misdeeds, page } = await world.visit(browser, "frank", `datanets/${datanetId}/contribute`);
  await unlock(page, "frank");
  await page.getByLabel("Choose files").setInputFiles(file);
  // A text of several lines is one row, or a row for each line: nobody signs before it is chosen.
  const reading = page.getByRole("region", { name: "How the files are read" });
  await reading.getByText("Choose a reading.").waitFor(LONG);
  await expectClean(page, misdeeds, "datanets-reading");
  await reading.getByRole("combobox").selectOption("lines");
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByText("Exact copies").waitFor(LONG);
  await preview.getByText("Payment card numbers").waitFor();
  await preview.getByText("E-mail addresses").click();
  await expectClean(page, misdeeds, "datanets-preview");
  await preview.getByRole("button", { name: "Contribute 2 rows" }).click();
  const way = page.getByRole("article", { name: "Contribution of 2 rows" });
  await way.getByText("On the ledger").waitFor();
  await expect.poll(async () => (await listHostCommits(world.client("frank"), location())).length).toBe(2);
  // Nothing of it has left the browser: it is not final.
  expect((await listHostCommits(world.client("frank"), location()))[1]).toMatchObject({
    isFinal: false,
    receivedCount: 0,
  });
  await pictureOf(page, "datanets-under-way");
  await page.reload();
  await world.finalise();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  await expect
    .poll(async () => (await listHostCommits(world.client("frank"), location()))[1]!.isComplete, LONG)
    .toBe(true);
  await expect.poll(() => way.count()).toBe(0);
  expect(misdeeds).toEqual([]);
  await context.close();
});

test(
  "a table's columns are chosen, and what cannot be read is left out if its contributor says so",
  LONG,
  async () => {
    const { context, misdeeds, page } = await world.visit(
      browser,
      "frank",
      `datanets/${datanetId}/contribute`,
    );
    await unlock(page, "frank");
    const file = join(folder, "clauses.csv");
    const clauses = [
      "No;Wording;Remark;Kind",
      '1;"Sun; all day, every day";first;good',
      "2;Rain over the harbour at noon;second;bad",
      "3;Snow on the northern pass;third;",
      "4;Fog;fourth;awful",
    ];
    writeFileSync(file, clauses.join("\n"));
    await page.getByLabel("Choose files").setInputFiles(file);
    const columns = page.getByRole("region", { name: "Columns" });
    await columns.getByText("separated by semicolons").waitFor(LONG);
    // Two columns are texts: nobody guesses which.
    await columns.getByText("Choose a column.").waitFor();
    const text = columns.getByLabel("text", { exact: true });
    await text.selectOption({ label: "Wording (text)" });
    // A second choice leaves the first as it is.
    const label = columns.getByLabel("Your label");
    await label.selectOption({ label: "none in the file" });
    await label.selectOption({ label: "Kind (text)" });
    expect(await text.locator("option:checked").textContent()).toBe("Wording (text)");
    await columns.getByText("Columns “No”, “Remark” are not used").waitFor(LONG);
    const preview = page.getByRole("region", { name: "Preview" });
    const first = preview.getByRole("table", { name: "First rows" });
    await first.getByText("Sun; all day, every day").waitFor();
    expect(await first.getByRole("columnheader").allTextContents()).toEqual(["Row", "text", "Your label"]);
    await preview.getByText('clauses.csv: line 5: "awful" is no label of the card').waitFor();
    const sign = preview.getByRole("button", { name: "Contribute 3 rows" });
    expect(await sign.isDisabled()).toBe(true);
    await preview.getByLabel("Use the rest").check();
    expect(await sign.isDisabled()).toBe(false);
    await expectClean(page, misdeeds, "datanets-columns");
    // Documents are read in the page's worker by their libraries.
    const word = "<w:p><w:r><w:t>The sun shines in Word.</w:t></w:r></w:p>";
    const pdf = pdfOf([[{ text: "Rain falls in a PDF.", x: 50, y: 700 }]]);
    const document = (name: string, content: Uint8Array) => ({
      name,
      mimeType: "application/octet-stream",
      buffer: Buffer.from(content),
    });
    await page
      .getByLabel("Choose files")
      .setInputFiles([document("a.docx", await docxOf(word)), document("b.pdf", pdf)]);
    await first.getByText("The sun shines in Word.").waitFor(LONG);
    await first.getByText("Rain falls in a PDF.").waitFor();
    expect(misdeeds).toEqual([]);
    await context.close();
  },
);

test("somebody chooses a name, and is found by it, with the number beside it", LONG, async () => {
  const id = leafOf("frank");
  const { context, misdeeds, page } = await world.visit(browser, "frank", `leaf/${id}`, { width: 360 });
  await page.getByRole("button", { name: "Connect a wallet" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "frank's wallet" }).click();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  const name = main(page).getByRole("textbox", { name: "Name" });
  await name.fill("frank (3)");
  await main(page).getByText("This name is not allowed").waitFor();
  await name.fill("Frank of the hills");
  await main(page).getByRole("button", { name: "Sign the name" }).click();
  await main(page)
    .getByRole("heading", { level: 1, name: `Frank of the hills Account ${id}` })
    .waitFor();
  await expectClean(page, misdeeds, "name-chosen-360");
  await context.close();
  const stranger = await world.visit(browser, null, "batches", { colorScheme: "dark" });
  await stranger.page.getByRole("combobox", { name: "Search" }).fill("hills");
  await stranger.page.getByRole("option", { name: `Frank of the hills Account ${id}` }).waitFor();
  await expectClean(stranger.page, stranger.misdeeds, "name-found-dark");
  await stranger.page.keyboard.press("Enter");
  await main(stranger.page)
    .getByRole("heading", { level: 1, name: /^Frank of the hills/ })
    .waitFor();
  expect(stranger.misdeeds).toEqual([]);
  await stranger.context.close();
});

test("fifty rows are labelled by keys alone, taken back, and kept over a reload", LONG, async () => {
  const labelRow = () => "good";
  await suggestLabels(world.client("erin"), { ...location(), labelRow, modelName: "a forecast" });
  const { context, misdeeds, page } = await world.visit(browser, "carol", `datanets/${datanetId}/label`);
  await unlock(page, "carol");
  const row = page.getByRole("region", { name: "The row's text" });
  await row.waitFor();
  await expectClean(page, misdeeds, "datanets-label");
  const labels = async () => {
    const { labelling } = await getStatistics(world.client("carol"), location());
    return labelling.labellers.find(({ leafId }) => leafId === leafOf("carol"))?.labelCount ?? 0;
  };
  const press = async (key: string) => {
    const before = await row.textContent();
    await page.keyboard.press(key);
    await expect.poll(() => row.textContent()).not.toBe(before);
  };
  // A note with digits in it is a note.
  await page.keyboard.press("n");
  await page.keyboard.type("1 and 2 are unclear");
  await page.keyboard.press("Escape");
  await page.keyboard.press("f");
  await page.keyboard.press("1");
  await page.keyboard.press("Escape");
  const first = await row.textContent();
  await press("2");
  await press("u");
  expect(await row.textContent()).toBe(first);
  await press("1");
  await press("s");
  await page.keyboard.press("p");
  await main(page).getByText("says a forecast").waitFor();
  await expectClean(page, misdeeds, "datanets-suggestion");
  await press("Enter");
  await page.keyboard.press("p");
  for (let i = 2; i < 25; i++) await press(i % 5 === 0 ? "2" : "1");
  await page.reload();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  await row.waitFor();
  // The next row is there before its turn: a host that does not answer yet keeps nobody waiting.
  await page.locator("[hidden] .row-content").waitFor({ state: "attached" });
  const held: Route[] = [];
  await page.route(/\/queue\?/, (route) => void held.push(route));
  await press("2");
  // Once the handler is taken away, nobody can let go what it holds.
  for (const route of held.splice(0)) await route.continue();
  await page.unroute(/\/queue\?/);
  for (let i = 26; i < 50; i++) await press(i % 5 === 0 ? "2" : "1");
  await page.getByRole("region", { name: "Progress" }).getByText("50", { exact: true }).waitFor();
  await pictureOf(page, "datanets-label-50");
  await page.goto(`${world.url}/#/datanets/${datanetId}`);
  await expect.poll(labels, LONG).toBe(50);
  const { recordState } = await readRecords(world.client("erin"), location());
  const suggested = [...recordState.rows()].filter(([, { suggestion }]) => suggestion?.label === "good");
  expect(suggested.length).toBeGreaterThan(50);
  expect(misdeeds).toEqual([]);
  await context.close();
});

/** Hooks that `holdNextRows` puts into the page. */
interface HoldingWindow {
  heldCount: () => number;
  /** Lets all answers come. */
  release: () => void;
}

/**
 * Answers with next rows wait in the page, each until a key was pressed. They come before the page has been drawn again, which
 * takes long, as on a busy machine.
 */
const holdNextRows = (page: Page) =>
  page.evaluate(() => {
    let isHolding = true;
    const held: (() => void)[] = [];
    const settleAll = () => {
      for (const settle of held.splice(0)) settle();
    };
    const { fetch } = window;
    window.fetch = async (input, init) => {
      const answer = await fetch(input, init);
      if (!isHolding || !String(input).includes("/queue?")) return answer;
      const body = await answer.arrayBuffer();
      await new Promise<void>((settle) => void held.push(settle));
      return new Response(body, answer);
    };
    window.requestAnimationFrame = (draw) => window.setTimeout(() => draw(performance.now()), 100);
    window.addEventListener("keydown", () => setTimeout(settleAll));
    Object.assign(window, {
      heldCount: () => held.length,
      release: () => {
        isHolding = false;
        settleAll();
      },
    } satisfies HoldingWindow);
  });

test(
  "each row comes once, whenever the host answers, and a host that has refused is asked again",
  LONG,
  async () => {
    const [rowCount, heldRows] = [30, 24];
    const open = sampleCard({
      name: "Sentences of one day",
      labelling: { annotatorsPerRow: 1, accept: "all", labellers: "anyone", reviewers: [] },
    });
    const { datanetId: openId } = await world.makeDatanet(open);
    await world.contribute("bob", openId, sampleRows(rowCount, 1_000));
    const { context, misdeeds, page } = await world.visit(browser, "carol", `datanets/${openId}/label`);
    const row = page.getByRole("region", { name: "The row's text" });
    const seen = new Set<string>();
    const press = async () => {
      await row.waitFor();
      const text = (await row.textContent())!;
      seen.add(text);
      await page.keyboard.press("1");
      return row.filter({ hasText: text });
    };
    await holdNextRows(page);
    const heldCount = () => page.evaluate(() => (window as unknown as HoldingWindow).heldCount());
    await unlock(page, "carol");
    await expect.poll(heldCount).toBe(1);
    // No key of the page: it lets the first row come.
    await page.keyboard.press("x");
    for (let i = 0; i < heldRows; i++) {
      await row.waitFor();
      await expect.poll(heldCount).toBe(1);
      await (await press()).waitFor({ state: "hidden" });
    }
    await page.evaluate(() => (window as unknown as HoldingWindow).release());
    await page.locator("[hidden] .row-content").waitFor({ state: "attached" });
    // The host refuses, then it does not answer, and nobody clicks.
    let questionCount = 0;
    await page.route(/\/queue\?/, async (route) => {
      questionCount += 1;
      if (questionCount > 2) return route.fallback();
      if (questionCount === 2) return route.abort();
      const response = await route.fetch();
      const headers = { ...response.headers(), "retry-after": "1" };
      const json = { error: { code: "SRV_RATE_LIMITED", message: "too many requests" } };
      return route.fulfill({ status: 429, headers, json });
    });
    await (await press()).waitFor({ state: "hidden" });
    const late = await press();
    const notice = main(page).getByText("This page keeps trying");
    await notice.waitFor();
    await expectClean(page, misdeeds, "datanets-label-refused");
    await late.waitFor({ state: "hidden" });
    await notice.waitFor({ state: "hidden" });
    for (let i = heldRows + 2; i < rowCount; i++) await (await press()).waitFor({ state: "hidden" });
    await main(page).getByRole("heading", { name: "Nothing left for you to label" }).waitFor();
    expect(seen.size).toBe(rowCount);
    expect(misdeeds).toEqual([]);
    await context.close();
  },
);

test(
  "a reviewer settles what labellers differ in, leaves rows out, and approves a contribution",
  LONG,
  async () => {
    const dave = world.client("dave");
    const { rows } = await findRows(dave, { ...location(), limit: 200 });
    const begun = rows.filter(({ labelCount }) => labelCount === 1).map(({ digest }) => digest);
    await sayRecords(dave, {
      ...location(),
      records: begun.map((row) => ({
        kind: "label",
        row,
        label: "bad",
        flags: [],
        note: "one would get wet",
      })),
    });
    const states = async () => (await getStatistics(dave, location())).states;
    const { disputed } = await states();
    expect(disputed).toBeGreaterThan(10);
    const { context, misdeeds, page } = await world.visit(browser, "erin", `datanets/${datanetId}/review`);
    await unlock(page, "erin");
    const dispute = page.getByRole("region", { name: "Disputed row" });
    await dispute.getByText(`Dispute 1 of ${disputed}`).waitFor();
    await dispute.getByText("one would get wet").waitFor();
    await expectClean(page, misdeeds, "datanets-review");
    await page.keyboard.press("1");
    await dispute.getByText(`Dispute 1 of ${disputed - 1}`).waitFor();
    await page.keyboard.press("x");
    await dispute.getByText(`Dispute 1 of ${disputed - 2}`).waitFor();
    await expect.poll(async () => (await states()).leftOut).toBe(1);

    await page.goto(`${world.url}/#/datanets/${datanetId}/clean`);
    await main(page).getByRole("button", { name: "Check the rows" }).click();
    const doubts = page.getByRole("region", { name: "Doubtful rows" });
    await doubts.getByRole("button", { name: /near-duplicates/ }).click();
    await doubts
      .getByText(/% alike/)
      .first()
      .waitFor(LONG);
    await expectClean(page, misdeeds, "datanets-clean");
    await page.keyboard.press("x");
    await expect.poll(async () => (await states()).leftOut).toBe(2);
    await page.keyboard.press("u");
    await expect.poll(async () => (await states()).leftOut).toBe(1);
    await page.getByRole("region", { name: "Left out" }).getByText("wrong-label").waitFor();

    await page.goto(`${world.url}/#/datanets/${datanetId}/versions`);
    const contributions = page.getByRole("region", { name: "Contributions" });
    await contributions.getByLabel("Reason").last().fill("looked through");
    await contributions.getByRole("button", { name: "Approve" }).last().click();
    await contributions.getByText("looked through").waitFor();
    expect((await listHostCommits(dave, location()))[0]!.verdict).toMatchObject({
      verdict: "approve",
      leafId: leafOf("erin"),
      commit: hex32(rowsRoot),
    });
    expect(misdeeds).toEqual([]);
    await context.close();
  },
);

test("the owner publishes what was reviewed, and anybody checks it row by row", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, "alice", `datanets/${datanetId}/versions`);
  await unlock(page, "alice");
  const next = page.getByRole("region", { name: "Next version" });
  await next.getByText("Why rows are excluded").waitFor(LONG);
  await expectClean(page, misdeeds, "datanets-next-version");
  await next.getByRole("button", { name: "Sign version 2" }).click();
  await next.getByText("Published.").waitFor(LONG);
  const facts = await getHostedDatanet(world.client("bob"), location());
  expect(facts).toMatchObject({ isCardCurrent: true, ledger: { version: 2 }, here: { hasVersion: true } });
  await world.finalise();
  const check = page.getByRole("region", { name: "Check the version" });
  await check.getByRole("button", { name: "Check in this browser" }).click();
  await check.getByText("Every row belongs to the account that committed it first").waitFor(LONG);
  await check.getByText(`${facts.ledger.rowCount} of ${facts.ledger.rowCount} rows are signed by`).waitFor();
  await page.getByRole("region", { name: "Download" }).getByText("Licence: CC-BY-4.0").last().waitFor();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: `Download ${facts.ledger.rowCount} rows` }).click();
  expect((await saved).suggestedFilename()).toBe(`datanet-${datanetId}-version-2.jsonl`);
  await expectClean(page, misdeeds, "datanets-versions");
  await context.close();
});

test("access is asked for, seen unanswered, and granted by the owner", LONG, async () => {
  const asking = await world.visit(browser, "bob", `datanets/${closedId}/rows`, { width: 360 });
  await unlock(asking.page, "bob");
  await asking.page.getByRole("link", { name: "Ask for access" }).click();
  await asking.page.getByLabel("What do you need the rows for?").fill("A model that finds urgent letters.");
  await expectClean(asking.page, asking.misdeeds, "datanets-access-ask-360");
  await asking.page.getByRole("button", { name: "Sign and ask" }).click();
  await asking.page.getByText("unanswered", { exact: true }).first().waitFor();
  const owner = await world.visit(browser, "alice", `datanets/${closedId}/access`, { colorScheme: "dark" });
  await unlock(owner.page, "alice");
  await owner.page.getByLabel("Until").selectOption("30");
  await expectClean(owner.page, owner.misdeeds, "datanets-access-inbox-dark");
  await owner.page.getByRole("button", { name: "Grant", exact: true }).click();
  await owner.page.getByText("granted until").waitFor();
  const [request] = (await listAccess(world.client("bob"), location(closedId))).requests;
  expect(request).toMatchObject({ leafId: leafOf("bob"), answer: { answer: "grant" } });
  await asking.page.getByText("granted until").waitFor();
  await asking.page.goto(`${world.url}/#/datanets/${closedId}/rows`);
  await asking.page.getByLabel("Search the text").waitFor();
  await asking.context.close();
  await owner.context.close();
});

test("somebody opens a Datanet of his own with one form, which a reload does not empty", LONG, async () => {
  const { context, misdeeds, page } = await world.visit(browser, "dave", "datanets/new");
  await unlock(page, "dave");
  await page.getByLabel("Name").fill("Names of clouds");
  // The cost is shown before the click.
  await page.getByText(/^Creating it costs [\d.]+ OPEN, which is burned/).waitFor();
  await page.getByRole("button", { name: /^Create Datanet \([\d.]+ OPEN\)$/ }).click();
  await page.getByText("The card is incomplete.").waitFor();
  await page.getByLabel("Who can read the rows").selectOption("public");
  await page.getByLabel("Licence").fill("CC-BY-4.0");
  await page.getByLabel("Description").fill("Clouds, and what they are called.");
  await page.getByText("Advanced", { exact: true }).click();
  await page.getByLabel("Field", { exact: true }).fill("weather");
  await page.getByLabel("Contact").fill("dave@example.org");
  await page.getByLabel("Labels, one per line").fill("high | above 5 km\nlow");
  await page.reload();
  await main(page).getByRole("button", { name: "Unlock with your wallet" }).click();
  await expectClean(page, misdeeds, "datanets-new");
  await page.getByRole("button", { name: /^Create Datanet/ }).click();
  await page.getByRole("heading", { name: "Names of clouds" }).waitFor(LONG);
  await page.getByText("matches the hash on the ledger").waitFor();
  expect(misdeeds).toEqual([]);
  await context.close();
});

test("a page asks for the models of many Datanets one after another", LONG, async () => {
  for (let i = 0; i < OTHER_DATANETS; i++) await world.makeDatanet(sampleCard({ name: `Weather ${i}` }));
  const { context } = await openProfile(browser);
  const page = await context.newPage();
  let [open, maxOpen, endedCount] = [0, 0, 0];
  const isSearch = (request: Request) => /leaves\?datanetId/.test(request.url());
  page.on("request", (request) => {
    if (!isSearch(request)) return;
    open += 1;
    maxOpen = Math.max(maxOpen, open);
  });
  page.on("requestfinished", (request) => {
    if (!isSearch(request)) return;
    open -= 1;
    endedCount += 1;
  });
  await page.goto(world.url);
  await expect.poll(() => endedCount, LONG).toBeGreaterThanOrEqual(OTHER_DATANETS);
  expect(maxOpen).toBe(1);
  await context.close();
});
