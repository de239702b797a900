import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { buildPages } from "./build-pages.ts";

/** Fetched when a wallet is about to sign, on a devnet, and when a batch is to be checked (with its constants). */
const LATER = /poseidon-constants|test-wallet|check-batch|verifying-keys|\/?data-/;
const BUDGET_BYTES = 300_000;

describe("the built pages", () => {
  it("are found again while no source has changed, and hold nothing inline or from elsewhere", async () => {
    const { path } = await buildPages({ circuits: [], exits: [] });
    expect(await buildPages({ circuits: [], exits: [] })).toEqual({ path, isNew: false });
    const html = readFileSync(join(path, "index.html"), "utf8");
    expect(html.match(/<(script|link|img)\b[^>]*/g)!.length).toBeGreaterThan(2);
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g))
      expect(address).toMatch(/^\.\/assets\//);
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=/);
  });

  it("weigh less than 300 kB compressed, the typeface counted in, before what is fetched later", async () => {
    const { path } = await buildPages({ circuits: [], exits: [] });
    const assets = join(path, "assets");
    const names = readdirSync(assets);
    expect(names.filter((name) => LATER.test(name))).toHaveLength(5);
    const sizes = names
      .filter((name) => !LATER.test(name))
      .map((name) => gzipSync(readFileSync(join(assets, name)), { level: 9 }).length);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`pages ${JSON.stringify({ compressedKb: Math.round(bytes / 1000) })}`);
    expect(bytes).toBeLessThan(BUDGET_BYTES);
  });
});
