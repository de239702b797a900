import { BACKEND_CHOICES } from "@openledger/prover/choose-backend";
import type { GlobalOptions } from "./context.ts";
import { defineOptions } from "./options.ts";

/** Options of every command that proves or checks settlements. */
export interface CircuitOptions extends GlobalOptions {
  circuits: string[];
  prover: string;
}

export const CIRCUITS_OPTION = defineOptions({
  "--circuits <names...>": {
    about: "names of the rollup's settlement circuits, whose sizes L1 does not tell; default: the devnet's",
    fallback: [],
  },
});
export const PROVER_OPTION = defineOptions({
  "--prover <backend>": {
    about: `what makes the proof: ${BACKEND_CHOICES.join(", ")}; auto takes what is fastest here, and says which and why`,
    fallback: "auto",
  },
});
export const KEYS_OPTION = defineOptions({
  "--keys <folder>":
    "keys of a ceremony: what `ceremony export` wrote to <folder>/<circuit>; not needed where a deployment record names them",
});
