/** Vite plugin of the pages' build: packs the points of Ethereum's KZG trusted setup, by which pages check blobs. */
import { setupPowers } from "@openledger/circuits/blob/setup-powers";
import type { Plugin } from "vite";

const NAME = "virtual:setup-powers";

/** The powers of τ that a blob's commitment is made of, as base64, for `circuits/blob/setup-powers.browser.ts`: 393 kB. */
export function packedPowers(): Plugin {
  return {
    name: "packed-powers",
    resolveId: (specifier) => (specifier === NAME ? `\0${NAME}` : null),
    async load(id) {
      if (id !== `\0${NAME}`) return null;
      const hex = (await setupPowers())
        .flatMap(({ x, y }) => [x, y])
        .map((coordinate) => coordinate.toString(16).padStart(96, "0"));
      return `export default ${JSON.stringify(Buffer.from(hex.join(""), "hex").toString("base64"))};`;
    },
  };
}
