/**
 * Tasks that all back ends leave to JavaScript, on a thread of its own: witnesses and verification.
 * proof-helper.ts runs them.
 */
import type { Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { moving } from "@openledger/foundation/threads/task-seat";
import { type VerificationKey, verifyProof } from "../formats/verification-key.ts";
import { proverError } from "../prover-errors.ts";
import type { CircuitInputs } from "./prover.ts";
import { isRefusedWitness, openWitnessSource, type WitnessSource } from "./witness-source.ts";

let loaded: { wasmPath: string; source: WitnessSource } | null = null;

/** @throws PRV_NO_WITNESS where the circuit has none for the inputs; an Error where the calculator is broken */
export async function calculateWitness({
  inputs,
  wasmPath,
}: {
  readonly wasmPath: string;
  readonly inputs: CircuitInputs;
}): Promise<Uint8Array<ArrayBuffer>> {
  if (loaded?.wasmPath !== wasmPath) {
    await loaded?.source.close();
    loaded = null;
    loaded = { wasmPath, source: await openWitnessSource(wasmPath) };
  }
  try {
    const witness = await loaded.source.calculate(inputs);
    return moving(witness, [witness.buffer]);
  } catch (cause) {
    throw isRefusedWitness(cause) ? proverError("PRV_NO_WITNESS", cause.message, { cause }) : cause;
  }
}

export const verify = ({
  key,
  proof,
  publicSignals,
}: {
  readonly key: VerificationKey;
  readonly proof: Groth16Proof;
  readonly publicSignals: readonly bigint[];
}): boolean => verifyProof(key, proof, publicSignals);
