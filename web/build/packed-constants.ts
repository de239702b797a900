import type { Plugin } from "vite";
import { poseidonConstants } from "../../circuits/wasm/poseidon-constants.ts";

const NAME = "virtual:poseidon-constants";
/**
 * Widths (inputs and the tag) that pages hash with: Poseidon's own check, the message, the challenge of a signature, a
 * signed operation's words, a leaf and a node of the tree. Constants do not compress: 44 kB for the width 9.
 */
const WIDTHS = [3, 5, 6, 8, 9];

/** Poseidon's constants as text of 32 bytes each, for `circuits/wasm/poseidon-constants.browser.ts`. */
export function packedConstants(): Plugin {
  return {
    name: "packed-constants",
    resolveId: (specifier) => (specifier === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? `export default ${JSON.stringify(packWidths())};` : null),
  };
}

function packWidths(): object {
  return Object.fromEntries(
    WIDTHS.map((width) => {
      const { c, s, m, p } = poseidonConstants(width);
      const hex = [...c, ...s, ...m.flat(), ...p.flat()].map((value) => value.toString(16).padStart(64, "0"));
      const base64 = Buffer.from(hex.join(""), "hex").toString("base64");
      return [width, { roundConstants: c.length, sparseEntries: s.length, base64 }];
    }),
  );
}
