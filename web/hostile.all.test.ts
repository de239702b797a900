/** A server that puts hostile text into every answer: it stays text, or is refused, and nothing of it runs. */

import { MODEL_ID } from "@openledger/bridge/testing/model-history";
import type { Browser, BrowserContext, Page, Route } from "playwright-core";
import type { Hex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, openProfile, pictureOf } from "./testing/browser.ts";
import { ALICE, ALICE_WALLET, type ModelWorld, startModelWorld } from "./testing/model-world.ts";

let world: ModelWorld;
let browser: Browser;
let paths: string[];
beforeAll(async () => {
  [world, browser] = await Promise.all([startModelWorld(), openBrowser()]);
  const hashes: Hex[] = [];
  for (const receipt of [31n, 32n, 33n]) hashes.push(await world.pay(receipt));
  await world.closeEpoch();
  await world.settle();
  const { batches } = await world.get("/v1/status");
  paths = [
    "",
    "bridge",
    `earnings/${ALICE}`,
    "health",
    "batches",
    `batch/${batches.closed}`,
    `operation/${hashes[0]}`,
    `answer/${hashes[0]}`,
    `leaf/${ALICE}`,
    "leaf/3",
    `leaf/${MODEL_ID}`,
    `address/${ALICE_WALLET.address}`,
    "queue/0",
    `settlement/${MODEL_ID}/1`,
  ];
}, 600_000);
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

const LONG = { timeout: 400_000 };
const PAYLOADS = [
  "<img src=x onerror=globalThis.pwned=1>",
  '"><script>globalThis.pwned=1</script>',
  "javascript:globalThis.pwned=1",
  "<svg/onload=globalThis.pwned=1>",
  '\' onmouseover="globalThis.pwned=1" style="position:fixed;inset:0"',
  "<iframe srcdoc='<script>parent.pwned=1</script>'>",
  "constructor",
  "\u202etxet elbisivni\u0000",
];

/** Numbers from 0 to 1, the same ones every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Poison {
  readonly name: string;
  /** True if a string of an answer is replaced. */
  readonly takes: (text: string, random: () => number) => boolean;
}

const isWord = (text: string) => !/^(0x[0-9a-fA-F]*|\d+)$/.test(text);
const POISONS: readonly Poison[] = [
  { name: "every string", takes: () => true },
  { name: "every word", takes: isWord },
  { name: "some words", takes: (text, random) => isWord(text) && random() < 0.4 },
  { name: "a few strings", takes: (_text, random) => random() < 0.08 },
];

function poisoned(value: unknown, takes: (text: string) => boolean, random: () => number): unknown {
  if (typeof value === "string")
    return takes(value) ? PAYLOADS[Math.floor(random() * PAYLOADS.length)] : value;
  if (Array.isArray(value)) return value.map((one) => poisoned(one, takes, random));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, poisoned(one, takes, random)]));
}

/** Traces that no answer may leave. Only the pages' own picture and scripts have an address. */
async function traces(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found = [...document.querySelectorAll("body *")].flatMap((element) => {
      const bad = element
        .getAttributeNames()
        .filter(
          (name) =>
            name.startsWith("on") ||
            /^\s*javascript:/i.test(element.getAttribute(name) ?? "") ||
            name === "srcdoc",
        );
      const isStrange = ["SCRIPT", "IFRAME", "OBJECT", "EMBED"].includes(element.tagName);
      const isOthers = element.tagName === "IMG" && !element.getAttribute("src")!.includes("mark-");
      return bad.length > 0 || isStrange || isOthers ? [element.outerHTML.slice(0, 200)] : [];
    });
    if ("pwned" in globalThis) found.push("a script has run");
    return found;
  });
}

/** @returns traces that should not be there, and the number of pages on which hostile text was shown, as text */
async function visitAll(
  context: BrowserContext,
  answer: (route: Route) => Promise<void>,
): Promise<{ found: string[]; shownCount: number }> {
  const page = await context.newPage();
  await page.route(/\/(v1\/|health$)/, answer);
  const quiet = watchRequests(page);
  const found: string[] = [];
  let shownCount = 0;
  for (const path of paths) {
    await page.goto(`${world.url}/#/${path}`);
    await page.getByRole("main").waitFor();
    await quiet();
    if ((await page.getByText("globalThis.pwned").count()) > 0) shownCount += 1;
    found.push(...(await traces(page)).map((trace) => `${path}: ${trace}`));
  }
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.close();
  return { found, shownCount };
}

/** @returns a wait until a page has made no request for a quarter of a second, at most for ten */
function watchRequests(page: Page): () => Promise<void> {
  const open = new Set<object>();
  let count = 0;
  page.on("request", (request) => {
    open.add(request);
    count += 1;
  });
  for (const end of ["requestfinished", "requestfailed"] as const)
    page.on(end as "requestfinished", (request) => void open.delete(request));
  return async () => {
    for (let looks = 0, still = 0; still < 5 && looks < 200; looks += 1) {
      const before = count;
      await page.waitForTimeout(50);
      still = open.size === 0 && count === before ? still + 1 : 0;
    }
  };
}

describe("hostile answers", () => {
  test.each(POISONS)("in $name: nothing runs, and no page breaks", LONG, async ({ name, takes }) => {
    const { context, misdeeds } = await openProfile(browser);
    const random = seeded(name.length);
    const { found, shownCount } = await visitAll(context, async (route) => {
      const response = await route.fetch();
      // Answers that every page needs first stay readable in all rounds but the first.
      const isKept = name !== "every string" && /\/v1\/(info|status)$/.test(route.request().url());
      if (isKept) return route.fulfill({ response });
      const json = poisoned(await response.json(), (text) => takes(text, random), random);
      return route.fulfill({ response, json });
    });
    expect(found).toEqual([]);
    expect(misdeeds).toEqual([]);
    // Some of it got as far as a page: the check means something.
    if (name.endsWith("words")) expect(shownCount).toBeGreaterThan(0);
    await context.close();
  });

  test("as errors: messages are shown as text, and codes that are none not at all", LONG, async () => {
    const { context, misdeeds } = await openProfile(browser);
    const errorOf = (code: string) => ({ code, message: PAYLOADS[1], data: {}, docs: PAYLOADS[2] });
    const refuse = (code: string) =>
      visitAll(context, async (route) => {
        if (/\/v1\/(info|status)$/.test(route.request().url())) return route.continue();
        return route.fulfill({ status: 400, json: { error: errorOf(code) } });
      });
    const shown = await refuse("SEQ_REFUSED");
    expect(shown.found).toEqual([]);
    expect(shown.shownCount).toBeGreaterThan(5);
    expect(await refuse(PAYLOADS[0]!)).toEqual({ found: [], shownCount: 0 });
    expect(misdeeds).toEqual([]);
    const page = await context.newPage();
    await page.route("**/v1/leaves/**", (route) =>
      route.fulfill({ status: 400, json: { error: errorOf("SEQ_REFUSED") } }),
    );
    await page.goto(`${world.url}/#/leaf/3`);
    await page.getByText(PAYLOADS[1]!).first().waitFor();
    await pictureOf(page, "leaf-hostile-error");
    await context.close();
  });
});

describe("the page itself", () => {
  test("is shown in no frame", LONG, async () => {
    const { context } = await openProfile(browser);
    const page = await context.newPage();
    await page.goto("about:blank");
    await page.setContent(`<iframe src="${world.url}/" width="800" height="600"></iframe>`);
    await expect.poll(() => page.frames().at(-1)!.url()).toContain("chrome-error:");
    await context.close();
  });

  test("makes no script of text: Trusted Types refuse markup, code and others' workers", LONG, async () => {
    const { context, misdeeds } = await openProfile(browser);
    const page = await context.newPage();
    await page.goto(`${world.url}/`);
    await page.getByText("live", { exact: true }).waitFor();
    expect(misdeeds).toEqual([]);
    const refused = await page.evaluate(
      async (scriptUrl) => {
        const tries: Record<string, () => unknown> = {
          innerHTML: () => {
            document.createElement("div").innerHTML = "<b>bold</b>";
          },
          srcdoc: () => {
            document.createElement("iframe").srcdoc = "<b>bold</b>";
          },
          "another origin's worker": () => new Worker("https://evil.example/worker.js"),
          "a worker of text": () => new Worker(URL.createObjectURL(new Blob(["1"]))),
          "another policy": () =>
            (
              globalThis as unknown as {
                trustedTypes: { createPolicy(name: string, rules: object): unknown };
              }
            ).trustedTypes.createPolicy("mine", {}),
          "the page's own worker": () => new Worker(scriptUrl, { type: "module" }).terminate(),
        };
        return Object.entries(tries).flatMap(([what, attempt]) => {
          try {
            attempt();
            return [];
          } catch {
            return [what];
          }
        });
      },
      await page
        .locator("script[src]")
        .first()
        .evaluate((script) => (script as HTMLScriptElement).src),
    );
    expect(refused).toEqual([
      "innerHTML",
      "srcdoc",
      "another origin's worker",
      "a worker of text",
      "another policy",
    ]);
    await context.close();
  });
});
