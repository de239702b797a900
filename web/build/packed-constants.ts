import { DATA_CHUNK } from "@openledger/circuits/protocol";
import { packConstants } from "@openledger/circuits/wasm/pack-constants";
import type { Plugin } from "vite";

const NAME = "virtual:poseidon-constants";
/**
 * Widths (inputs and the tag) that pages hash with: Poseidon's own check, the message, the challenge of a signature, a
 * signed operation's words, a leaf and a node of the tree. Constants do not compress: 44 kB for the width 9.
 */
const WIDTHS = [3, 5, 6, 8, 9];
/**
 * A commit to a Datanet and a row of its version; the tag, the hash so far and a chunk: what `dataCommitment` hashes. In a
 * file of its own, for the check of a batch and for Datanets.
 */
const DATA_WIDTHS = [4, DATA_CHUNK + 2];
/** The rest: whoever rebuilds the ledger hashes everything that there is. */
const REPLAY_WIDTHS = Array.from({ length: 16 }, (_, i) => i + 2).filter(
  (width) => ![...WIDTHS, ...DATA_WIDTHS].includes(width),
);
const WIDTHS_OF: Readonly<Record<string, readonly number[]>> = {
  [NAME]: WIDTHS,
  [`${NAME}/data`]: DATA_WIDTHS,
  [`${NAME}/replay`]: REPLAY_WIDTHS,
};

/** Poseidon's constants as text of 32 bytes each, for `circuits/wasm/poseidon-constants.browser.ts`. */
export function packedConstants(): Plugin {
  return {
    name: "packed-constants",
    resolveId: (specifier) => (specifier in WIDTHS_OF ? `\0${specifier}` : null),
    load(id) {
      const widths = id.startsWith("\0") ? WIDTHS_OF[id.slice(1)] : undefined;
      return widths === undefined ? null : `export default ${JSON.stringify(packConstants(widths))};`;
    },
  };
}
