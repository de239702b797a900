/**
 * Verification keys that a rollup's circuits must have, derived from this repository's sources or read from a
 * ceremony's files. `openledger verify` compares them with the keys on L1.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { type RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { shapeName } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import {
  batchShape,
  type CircuitSizes,
  exitCircuitName,
  isNameOfSizes,
} from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { parseVerificationKey, type VerificationKey } from "@openledger/prover/formats/verification-key";
import { isDevelopmentKey } from "@openledger/prover/keys/development-key";
import { developmentVerificationKey } from "@openledger/prover/keys/development-setup";
import type { Address } from "viem";
import { type DerivedCircuit, isKeyOf, type VerifierKey, verifierKey } from "../replay/verify-keys.ts";
import { verifierError } from "../verifier-errors.ts";

/** Rollup, keys and names to derive by. */
export interface DeriveOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Keys of a ceremony: `<folder>/<circuit>/verification-key.json`. */
  readonly keysFolder: string;
  /**
   * Names of circuits that the rollup may have. L1 does not store how many rows, features and draws a
   * settlement circuit has; a wrong name shows by its key.
   */
  readonly circuitNames: readonly string[];
  /** False compiles every circuit from source: a verifier trusts no prebuilt file. */
  readonly prebuilt?: boolean;
  readonly onProgress: (text: string) => void;
}

/**
 * Computes the rollup's expected circuits from the sources in this repository. Only the shapes come from the
 * contract, and whether it calls a key a development key. Development keys follow from the circuit alone;
 * those of a ceremony are files.
 * @throws CLI_DEVELOPMENT_KEY_HIDDEN, CLI_KEYS_MISSING, CLI_CIRCUIT_MISSING, CIR_COMPILE_FAILED,
 * CIR_PREBUILT_DIFFERS, PRV_KEY_INVALID
 */
export async function deriveCircuits(options: DeriveOptions): Promise<DerivedCircuit[]> {
  const { rpcUrl, rollupAddress } = options;
  const registered = await new RollupContract({
    client: createPatientL1Client({ rpcUrl }),
    address: rollupAddress,
  }).circuits();
  const derived: DerivedCircuit[] = [];
  // One after another: each takes all cores and much memory.
  for (const circuit of registered) {
    const { sort, size0, size1, tableSizes } = circuit;
    const names = namesOf(circuit, options.circuitNames);
    const keyOf = (name: string) => deriveKey({ ...circuit, name }, options);
    // If none has L1's key, any will do: the caller reports the difference.
    const name = (await nameByKey(circuit, names, keyOf)) ?? names[0]!;
    derived.push({ name, sort, size0, size1, tableSizes, key: await keyOf(name) });
  }
  return derived;
}

/** Derives the key that a circuit of this name must have. @throws as deriveCircuits */
export async function deriveKey(
  circuit: RegisteredCircuit & { readonly name: string },
  { keysFolder, onProgress, prebuilt = true }: Pick<DeriveOptions, "keysFolder" | "onProgress" | "prebuilt">,
): Promise<VerificationKey> {
  const { name } = circuit;
  refuseHiddenDevelopmentKey(circuit, name);
  if (!circuit.isDevelopment) return readCeremonyKey(join(keysFolder, name, "verification-key.json"), name);
  onProgress(prebuilt ? `circuit ${name}` : `compiling ${name} from source, once, then cached`);
  const compiled = await compileCircuit(circuitSpec(name), { prebuilt });
  onProgress(`deriving the development verification key of ${name}`);
  // A cached key may have been made of a prebuilt circuit.
  const options = { trustsCachedKey: prebuilt };
  return (await developmentVerificationKey(compiled, options)).verificationKey;
}

/**
 * Refuses a key with public secrets that its deployer declared safe: under it anyone proves anything. The contract
 * knows only the declaration.
 * @throws CLI_DEVELOPMENT_KEY_HIDDEN
 */
export function refuseHiddenDevelopmentKey(circuit: RegisteredCircuit, name: string): void {
  if (circuit.isDevelopment || !isDevelopmentKey(verifierKey(circuit))) return;
  throw verifierError(
    "CLI_DEVELOPMENT_KEY_HIDDEN",
    `the key of ${name} has the public secrets of the development keys, and the rollup was deployed as if it had not: anyone can forge proofs for it`,
    { data: { circuit: name, index: circuit.index } },
  );
}

/**
 * Lists the names that a circuit of these sizes can have. Settlement circuits of one size may differ in rows, features
 * and draws: then there are several, and only the key says which it is.
 * @throws CLI_CIRCUIT_MISSING if there is none
 */
export function namesOf(circuit: CircuitSizes, circuitNames: readonly string[]): string[] {
  const { sort, size0, size1 } = circuit;
  if (sort === CIRCUIT_SORT.batch) return [shapeName(batchShape(circuit))];
  if (sort === CIRCUIT_SORT.payeeTable) return [`payee-table-${size1}`];
  if (sort === CIRCUIT_SORT.exit) return [exitCircuitName(circuit)];
  const names = [...new Set(circuitNames)].filter((known) => isNameOfSizes(known, circuit));
  if (names.length > 0) return names;
  throw verifierError(
    "CLI_CIRCUIT_MISSING",
    `the rollup has a settlement circuit for ${size0} payments and ${size1} payees, whose name is not given`,
    { data: { reason: "circuit-unnamed", payments: size0, payees: size1, given: circuitNames } },
  );
}

/**
 * Finds the name whose key L1 has. A single name's key is not derived.
 * @param keyOf may throw CLI_KEYS_MISSING: nobody has files of an unused circuit
 * @returns null if no name's key is L1's
 * @throws CLI_KEYS_MISSING if none of the available keys is L1's; what keyOf throws
 */
export async function nameByKey(
  circuit: RegisteredCircuit,
  names: readonly string[],
  keyOf: (name: string) => Promise<VerifierKey>,
): Promise<string | null> {
  if (names.length === 1) return names[0]!;
  let missing: unknown = null;
  for (const name of names) {
    try {
      if (isKeyOf(await keyOf(name), circuit)) return name;
    } catch (error) {
      if (!isRollupError(error, "CLI_KEYS_MISSING")) throw error;
      missing = error;
    }
  }
  if (missing !== null) throw missing;
  return null;
}

async function readCeremonyKey(path: string, name: string): Promise<VerificationKey> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw verifierError(
      "CLI_KEYS_MISSING",
      `the rollup has a key of a ceremony for ${name}, and there is no ${path}`,
      {
        data: { circuit: name, path },
        cause,
      },
    );
  }
  return parseVerificationKey(JSON.parse(text));
}
