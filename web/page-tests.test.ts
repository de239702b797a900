/** Each page of the menu, and behind it, is opened by a test that looks for findings of axe-core. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const web = fileURLToPath(new URL(".", import.meta.url));

it("opens each page in a test that looks for findings of axe-core", async () => {
  const names = [...(await readFile(join(web, "app.tsx"), "utf8")).matchAll(/^ {2}\{ name: "(\w*)"/gm)];
  expect(names.length).toBeGreaterThan(20);
  const files = (await readdir(web, { recursive: true })).filter((name) => /\.all\.test\.ts$/.test(name));
  const texts = await Promise.all(files.map((name) => readFile(join(web, name), "utf8")));
  const tests = texts.filter((text) => text.includes("seriousFindings("));
  // As an address, or as an entry of a table of pages.
  const isOpened = (name: string) => tests.some((text) => new RegExp(`(#/|["\`])${name}["\`/$]`).test(text));
  expect(names.flatMap(([, name]) => (isOpened(name!) ? [] : [name]))).toEqual([]);
});
