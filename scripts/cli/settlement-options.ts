import { BACKEND_NAMES } from "../../prover/backends.ts";
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
  `what makes the proof: ${BACKEND_NAMES.join(", ")}`,
  "wasm",
] as const;
export const KEYS_OPTION = [
  "--keys <folder>",
  "keys of a ceremony: what `ceremony export` wrote to <folder>/<circuit>; not needed where a deployment record names them",
] as const;
