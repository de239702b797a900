/** Weighs a visit of the pages: files as a browser fetches them, compressed. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

interface PagesWeight {
  /** Bytes that any page needs at once, the typeface counted in. */
  readonly firstBytes: number;
  /** Bytes that are fetched on demand: rare pages, charts, checks with their constants, the devnet's wallets. */
  readonly laterBytes: number;
  /** Part of `laterBytes`: chunks that compile WebAssembly. The exit's prover is among them, once a page has one. */
  readonly proverBytes: number;
}

/** @param path folder with index.html */
export function weighPages(path: string): PagesWeight {
  const assets = join(path, "assets");
  const html = readFileSync(join(path, "index.html"), "utf8");
  const isFirst = (name: string) => html.includes(`/${name}`) || name.endsWith(".woff2");
  const weight = { firstBytes: 0, laterBytes: 0, proverBytes: 0 };
  for (const name of readdirSync(assets)) {
    if (name.endsWith(".gz")) continue;
    const bytes = readFileSync(join(assets, name));
    const size = gzipSync(bytes, { level: 9 }).length;
    if (isFirst(name)) weight.firstBytes += size;
    else if (name.endsWith(".wasm") || bytes.includes("WebAssembly.")) weight.proverBytes += size;
    else weight.laterBytes += size;
  }
  return weight;
}
