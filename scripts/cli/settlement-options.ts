import { BACKEND_CHOICES } from "@openledger/prover/choose-backend";
import type { GlobalOptions } from "./context.ts";

/** Options of every command that proves or checks settlements. */
export interface CircuitOptions extends GlobalOptions {
  circuits: string[];
  prover: string;
}

export const CIRCUITS_OPTION = [
  "--circuits <names...>",
  "names of the rollup's settlement circuits, whose sizes L1 does not tell; default: the devnet's",
  [] as string[],
] as const;
export const PROVER_OPTION = [
  "--prover <backend>",
  `what makes the proof: ${BACKEND_CHOICES.join(", ")}; auto takes what is fastest here, and says which and why`,
  "auto",
] as const;
export const KEYS_OPTION = [
  "--keys <folder>",
  "keys of a ceremony: what `ceremony export` wrote to <folder>/<circuit>; not needed where a deployment record names them",
] as const;
