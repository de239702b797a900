/** A tuning in real Chromium, on rows of a file: paused, reloaded in the middle, and to the bytes that Node gives. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultBase } from "@openledger/models/base/base-place";
import { startTestRollup } from "@openledger/sequencer/testing/test-rollup";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPages } from "./build/build-pages.ts";
import { openBrowser, pictureOf, seriousFindings } from "./testing/browser.ts";
import { visit } from "./testing/visit.ts";
import { rowsOfFile } from "./tuning/rows-of-file.ts";
import { tuneHere } from "./tuning/tune-run.ts";

const folder = mkdtempSync(join(tmpdir(), "pages-tuning-"));
const LONG = { timeout: 400_000 };
let browser: Browser;
let rollup: Awaited<ReturnType<typeof startTestRollup>>;
let url: string;
beforeAll(async () => {
  const { path } = await buildPages({ circuits: [], exits: [] });
  rollup = await startTestRollup({
    dataPath: join(folder, "data"),
    environment: { SEQUENCER_PAGES_PATH: path },
  });
  [url, browser] = [await rollup.listen(), await openBrowser()];
}, 300_000);
afterAll(async () => {
  await browser?.close();
  await rollup?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const SEAS = ["calm", "grey", "wild", "deep", "cold"];
const rows = Array.from({ length: 20 }, (_, i) =>
  i % 4 === 3
    ? { prompt: `How is the sea on day ${i}?`, answer: `The sea is ${SEAS[i % 5]} on day ${i}.` }
    : {
        text: `On day ${i} the captain wrote that the sea was ${SEAS[i % 5]} and the wind came from the west.`,
      },
);
const file = join(folder, "log.jsonl");
writeFileSync(file, rows.map((row) => JSON.stringify(row)).join("\n"));

const main = (page: Page) => page.getByRole("main");

test("files are read as rows, and what is none is refused by its line", () => {
  const read = (name: string, text: string) => rowsOfFile(name, new TextEncoder().encode(text));
  expect(read("a.txt", "One\nrow.\n\n  \nTwo.\n")).toEqual([{ text: "One\nrow." }, { text: "Two." }]);
  expect(read("a.jsonl", readFileSync(file, "utf8"))).toEqual(rows);
  expect(read("a.csv", 'prompt,answer\n"Hi, you",Ho\n')).toEqual([{ prompt: "Hi, you", answer: "Ho" }]);
  const refused = (name: string, text: string) => {
    try {
      return read(name, text).length;
    } catch (error) {
      return (error as { code: string; data: { line?: number } }).data.line ?? 0;
    }
  };
  expect(refused("a.jsonl", '{"text":"a"}\n{"text":}')).toBe(2);
  expect(refused("a.jsonl", '{"text":"a"}\n\n{"body":"b"}')).toBe(3);
  expect(refused("a.csv", "text\nx,y\n")).toBe(2);
  expect(refused("a.txt", " \n\n ")).toBe(0);
});

test("a run is paused, reloaded, goes on, and gives Node's adapter bit for bit", LONG, async () => {
  const page = await visit(browser);
  await page.goto(`${url}/#/factory/here`);
  await page.setInputFiles("input[type=file]", file);
  await main(page).getByText("20 rows from log.jsonl").waitFor();
  await main(page).getByLabel("Rounds").fill("4");
  await main(page).getByText("More settings").click();
  await main(page).getByLabel("Rows a step").fill("3");
  await main(page).getByLabel("Tokens a row").fill("48");
  await main(page)
    .getByText(/measured here just now/)
    .waitFor(LONG);
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "factory-here-form");
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() !== "GET") sent.push(request.url());
  });
  await main(page).getByRole("button", { name: "Start tuning" }).click();
  // In the page, so that it is not over before a click from outside arrives.
  await page.evaluate(async () => {
    const find = (selector: string, text: RegExp) =>
      [...document.querySelectorAll<HTMLElement>(`main ${selector}`)].find((one) =>
        text.test(one.textContent ?? ""),
      );
    while (find("h1, h2, h3", /^Step [1-9]/) === undefined)
      await new Promise((look) => requestAnimationFrame(look));
    find("button", /^Pause$/)!.click();
  });
  await main(page).getByText("paused", { exact: true }).waitFor(LONG);
  const place = page.url();
  await page.reload();
  await main(page).getByText("paused", { exact: true }).waitFor();
  expect(page.url()).toBe(place);
  await pictureOf(page, "factory-here-paused");
  await main(page).getByRole("button", { name: "Resume" }).click();
  await main(page)
    .getByText(/running here|Your adapter is ready/)
    .first()
    .waitFor(LONG);
  // Mostly in the middle of a step: what is there goes on by itself.
  await page.reload();
  await main(page).getByText("Your adapter is ready").waitFor(LONG);
  await main(page).locator(".chart-box canvas").waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await pictureOf(page, "factory-here-done");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    main(page)
      .getByRole("button", { name: /adapter_model\.safetensors/ })
      .click(),
  ]);
  const inPage = readFileSync(await download.path());
  expect(sent).toEqual([]);

  const files = await tuneHere({
    base: defaultBase(),
    baseName: "openledger-base",
    rows,
    settings: {
      ...{ rank: 8, rounds: 4, rowsPerStep: 3, rate: 0.003, lastPart: 0.1, rowTokens: 48 },
      ...{ heldOutRows: 4, seed: "page" },
    },
    stateName: null,
    threadCount: 1,
    wish: () => undefined,
    onEvent: () => {},
  });
  const inNode = new Map(files).get("adapter_model.safetensors")!;
  expect(inPage.equals(inNode)).toBe(true);
});
