/** Proves exits from a frozen rollup on this machine, for `openledger exit`. */
import type { Prover } from "@openledger/prover/proving/prover";
import { openRegisteredCircuit } from "../circuits/open-registered.ts";
import type { ExitProver } from "./prove-exits.ts";

/**
 * Proves exits on this machine.
 * @param options.open called when the first proof is needed
 * @param options.keysFolder keys of a ceremony: `<folder>/<circuit>` as `openledger ceremony` writes it
 * @example
 * ```ts
 * const prover = localExitProver({ open: () => createProver("wasm"), keysFolder: "./keys" });
 * ```
 */
export function localExitProver(options: {
  readonly open: () => Promise<Prover>;
  readonly keysFolder: string;
}): ExitProver {
  return {
    async open(circuit, onProgress) {
      const proving = await openRegisteredCircuit(circuit, options.keysFolder, onProgress);
      return async (inputs) => (await options.open()).prove({ circuit: proving, inputs });
    },
  };
}
