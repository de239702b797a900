/** Secrets of the development keys, public on purpose. development-setup.ts makes the keys of tests and devnets from them. */
import { createHash } from "node:crypto";
import { scalarModulus } from "../formats/bn254-numbers.ts";

/**
 * The secrets of the development keys. They are public, on purpose: anyone who reads this file can prove
 * anything under a development key. A production key comes from a ceremony (docs/how-to/keys.md) instead.
 */
export interface DevelopmentSecrets {
  tau: bigint;
  alpha: bigint;
  beta: bigint;
  /** Differs from circuit to circuit: keys with one delta would accept each other's mixed proofs. */
  delta: bigint;
}

/** Derived from public strings and the circuit's content hash (hex), each between 1 and r - 1. */
export function developmentSecrets(contentHash: string): DevelopmentSecrets {
  return {
    tau: fromText("tau"),
    alpha: fromText("alpha"),
    beta: fromText("beta"),
    delta: fromText(`delta ${contentHash}`),
  };
}

function fromText(role: string): bigint {
  const digest = createHash("sha256").update(`openledger development key, insecure: ${role}`).digest("hex");
  return (BigInt(`0x${digest}`) % (scalarModulus - 1n)) + 1n;
}
