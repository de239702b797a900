/** Verifying keys of a rollup's circuits, built into its pages: a server of data cannot choose the key. */
import { readFileSync } from "node:fs";
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import type { Plugin } from "vite";

const NAME = "virtual:verifying-keys";

/** A circuit as L1 has it registered; its key in snarkjs' form. */
export interface PageCircuit extends CircuitSizes {
  readonly isDevelopment: boolean;
  readonly key: object;
}

/** Fields of snarkjs' JSON, without the tables that no verifier here reads. */
const KEY_PARTS = [
  "protocol",
  "curve",
  "nPublic",
  "vk_alpha_1",
  "vk_beta_2",
  "vk_gamma_2",
  "vk_delta_2",
  "IC",
] as const;

/** Reads the circuits from the files that a deployment record names. */
export function circuitsOfDeployment(
  circuits: readonly Pick<
    DeployedCircuit,
    "sort" | "size0" | "size1" | "tableSizes" | "isDevelopment" | "verificationKeyPath"
  >[],
): PageCircuit[] {
  return circuits.map(({ sort, size0, size1, tableSizes, isDevelopment, verificationKeyPath }) => {
    const key = JSON.parse(readFileSync(verificationKeyPath, "utf8")) as object;
    return { sort, size0, size1, tableSizes, isDevelopment, key };
  });
}

/** @returns the text of the module's value */
export function verifyingKeysText(circuits: readonly PageCircuit[]): string {
  const keys = circuits.map(({ sort, size0, size1, tableSizes, isDevelopment, key }) => {
    const parts = new Map(Object.entries(key));
    return {
      sort,
      size0,
      size1,
      isDevelopment,
      // JSON has no bigint.
      ...(tableSizes ? { tableSizes: tableSizes.toString() } : {}),
      key: Object.fromEntries(KEY_PARTS.map((part) => [part, parts.get(part)])),
    };
  });
  return JSON.stringify(keys);
}

export function verifyingKeys(text: string): Plugin {
  return {
    name: "verifying-keys",
    resolveId: (specifier) => (specifier === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? `export default ${text};` : null),
  };
}
