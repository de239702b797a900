/** Vite plugin of the pages' build: takes `x.browser.ts` where `x.ts` needs Node and has such a twin beside it. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Plugin } from "vite";

/**
 * A module that needs Node has a twin for pages beside it, with the same exports: `x.ts` and `x.browser.ts`. This finds
 * it for imports within a workspace; between workspaces the browser condition of `exports` does. Everything else that pages
 * import runs in both.
 */
export function browserTwins(): Plugin {
  return {
    name: "browser-twins",
    enforce: "pre",
    resolveId(specifier, importer) {
      if (importer === undefined || !specifier.startsWith(".") || !specifier.endsWith(".ts")) return null;
      const twin = resolve(dirname(importer), specifier).replace(/\.ts$/, ".browser.ts");
      return existsSync(twin) ? twin : null;
    },
  };
}
