/** Tests that inputs have the same counts in Chromium as in Node, under a Content-Security-Policy like the pages'. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ModelInputs } from "@openledger/attribution/inputs/model-inputs";
import { openInputs } from "@openledger/attribution/inputs/open-inputs";
import { build } from "vite";
import { expect, onTestFinished, test } from "vitest";
import { browserTwins } from "./build/browser-twins.ts";
import { openBrowser } from "./testing/browser.ts";

const FILES = JSON.parse(
  readFileSync(new URL("../attribution/pictures/pictures.fixtures.json", import.meta.url), "utf8"),
) as Record<string, string>;
const COUNTABLE = Object.keys(FILES).filter((name) => !["cmyk", "webpAnimated"].includes(name));
const text: ModelInputs = { kind: "text", bucketCount: 256 };
const grey: ModelInputs = {
  kind: "image",
  side: 14,
  colours: 1,
  levels: 9,
  ground: "white",
  bucketCount: 1_024,
};
const table: ModelInputs = {
  kind: "table",
  fields: [
    { name: "x", type: "number", knots: [-1e-7, 0.1, 0.3, 1e300] },
    { name: "city", type: "category" },
    { name: "note", type: "text" },
  ],
  bucketCount: 64,
};
const ASKED: readonly (readonly [ModelInputs, string])[] = [
  ...["Win 100 $ now!", "GRÜSSE aus Łódź, ΟΔΟΣ, МОСКВА", "明天下雨。สวัสดี مرحبا", "naïve 🙂"].map(
    (prompt) => [text, prompt] as const,
  ),
  ...COUNTABLE.map((name) => [grey, FILES[name]!] as const),
  ...COUNTABLE.map((name) => [{ ...grey, colours: 3 as const, side: 10, levels: 3 }, FILES[name]!] as const),
  ...["0.2", "0.30000000000000004", "-5e-8", "1e+200", "null"].map(
    (x) => [table, `{"x":${x},"city":"Köln","note":"Ärger über 3 €"}`] as const,
  ),
];

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types default";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

test("texts in any script, pictures of any type and tables have the same counts in a page as in Node", {
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "count-inputs-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await build({
    root: fileURLToPath(new URL(".", import.meta.url)),
    configFile: false,
    logLevel: "error",
    base: "./",
    plugins: [browserTwins()],
    build: {
      outDir: folder,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: fileURLToPath(new URL("testing/count-inputs.ts", import.meta.url)),
        output: { entryFileNames: "count.js" },
      },
    },
  });
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="count.js"></script>');
  const server = createServer(({ url }, reply) => {
    const path = url === "/" ? "/index.html" : url!;
    reply.writeHead(200, {
      "content-type": TYPES[extname(path)] ?? "text/plain",
      "content-security-policy": POLICY,
    });
    reply.end(readFileSync(join(folder, path)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const browser = await openBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => problems.push(message.text()));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "countInputs" in globalThis);
  const counted = await page.evaluate(
    (asked) =>
      (globalThis as unknown as { countInputs(all: unknown): Promise<number[][]> }).countInputs(asked),
    ASKED,
  );
  expect(problems.filter((line) => !line.includes("favicon"))).toEqual([]);
  expect(counted).toHaveLength(ASKED.length);
  for (const [i, [inputs, prompt]] of ASKED.entries()) {
    const { countsOf } = await openInputs(inputs, { baseBuckets: 0 });
    expect(counted[i], prompt.slice(0, 60)).toEqual([...countsOf(prompt)]);
  }
});
