/** A page of one script for tests, built as the pages are and under a Content-Security-Policy like theirs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { build } from "vite";
import { onTestFinished } from "vitest";
import { browserTwins } from "../build/browser-twins.ts";
import { wordsOfDocs } from "../build/words-plugin.ts";
import { openBrowser } from "./browser.ts";

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types default";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/**
 * Opens a page with the script `entry` in Chromium until the test ends.
 * @param global name that the script sets once it is ready
 * @returns the page, and what it has reported: errors and lines of its console
 */
export async function openSmallPage(entry: URL, global: string): Promise<{ page: Page; problems: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), "small-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  await build({
    root: fileURLToPath(new URL("..", import.meta.url)),
    configFile: false,
    logLevel: "error",
    base: "./",
    plugins: [browserTwins(), wordsOfDocs(fileURLToPath(new URL("../..", import.meta.url)))],
    build: {
      outDir: folder,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      rolldownOptions: { input: fileURLToPath(entry), output: { entryFileNames: "script.js" } },
    },
  });
  writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="script.js"></script>');
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
  await page.waitForFunction((name) => name in globalThis, global);
  return { page, problems };
}
