/** Options of commands that prove or check settlements: circuits, prover, keys. */
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
    about: "names of the settlement circuits, if L1 does not record their sizes; default: the devnet's",
    fallback: [],
  },
});
export const PROVER_OPTION = defineOptions({
  "--prover <backend>": {
    about: `prover back end: ${BACKEND_CHOICES.join(", ")}; auto picks the fastest on this machine and prints which`,
    fallback: "auto",
  },
});
export const KEYS_OPTION = defineOptions({
  "--keys <folder>":
    "folder with a ceremony's keys, as `openledger ceremony` wrote them to <folder>/<circuit>; not needed if the deployment record names them",
});
