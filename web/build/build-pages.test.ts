import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildPages } from "./build-pages.ts";
import { weighPages } from "./weigh-pages.ts";

const BUDGET_BYTES = 300_000;

describe("the built pages", () => {
  it("are found again while no source has changed, and hold nothing inline or from elsewhere", async () => {
    const { path } = await buildPages([]);
    expect(await buildPages([])).toEqual({ path, isNew: false });
    const html = readFileSync(join(path, "index.html"), "utf8");
    expect(html.match(/<(script|link|img)\b[^>]*/g)!.length).toBeGreaterThan(2);
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g))
      expect(address).toMatch(/^\.\/assets\//);
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=/);
  });

  it("weigh less than 300 kB compressed, the typeface counted in, before what is fetched later", async () => {
    const { path } = await buildPages([]);
    const { firstBytes, laterBytes, proverBytes } = weighPages(path);
    const kb = (bytes: number) => Math.round(bytes / 1000);
    console.log(
      `pages ${JSON.stringify({ compressedKb: kb(firstBytes), laterKb: kb(laterBytes), proverKb: kb(proverBytes) })}`,
    );
    // What is fetched later is there, and not at once.
    expect(laterBytes).toBeGreaterThan(100_000);
    expect(firstBytes).toBeGreaterThan(100_000);
    expect(firstBytes).toBeLessThan(BUDGET_BYTES);
  });
});
