/** Vite plugin of the pages' build: fails if a module of Node is left in a page. */
import { relative } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import type { Plugin } from "vite";

const EXTERNAL = "__vite-browser-external";

/**
 * Fails a build in which a module of Node is left. Vite puts an object in its place that throws where it is first used, so the
 * page breaks only for the person who opens it.
 */
export function nodeFree(): Plugin {
  return {
    name: "node-free",
    generateBundle(_, bundle) {
      const left = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        const included = new Set(chunk.moduleIds);
        for (const id of chunk.moduleIds.filter((one) => one.includes(EXTERNAL)))
          for (const importer of this.getModuleInfo(id)?.importers ?? [])
            if (included.has(importer))
              left.add(`${relative(repositoryRoot, importer)} imports ${id.split(":").slice(1).join(":")}`);
      }
      if (left.size > 0) this.error(`modules of Node in a page: ${[...left].join("; ")}`);
    },
  };
}
