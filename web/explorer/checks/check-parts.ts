/**
 * Reads that check-batch.ts and check-settlement.ts share, the checks in the browser of the explorer's pages: a transaction's
 * events on Ethereum, and the key that the contract verifies with.
 */
import type builtIn from "virtual:verifying-keys";
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { inOrder, type RollupLog } from "@openledger/bridge/l1/log-reader";
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { computeCircuitId } from "@openledger/contracts/build/verifying-key";
import {
  parseVerificationKey,
  toSolidityKey,
  type VerificationKey,
} from "@openledger/prover/formats/verification-key";
import { type Address, type Hex, isAddressEqual, type PublicClient } from "viem";
import { hex } from "./check-steps.ts";

export interface L1Request {
  readonly client: PublicClient;
  readonly rollupAddress: Address;
  /** Verifying keys of the page's build, and no others. */
  readonly keys: typeof builtIn;
}

/** The contract's events of a transaction that took effect. */
export async function readOwnLogs(
  { client, rollupAddress }: L1Request,
  transactionHash: Hex,
): Promise<{ readonly blockNumber: bigint; readonly logs: readonly RollupLog[] }> {
  const receipt = await l1Call(`read the receipt of ${transactionHash}`, () =>
    client.getTransactionReceipt({ hash: transactionHash }),
  );
  if (receipt.status !== "success") throw new Error(`the transaction ${transactionHash} was reverted`);
  const logs = inOrder(receipt.logs.filter(({ address }) => isAddressEqual(address, rollupAddress)));
  return { blockNumber: receipt.blockNumber, logs };
}

export interface CheckedKey {
  readonly circuitId: bigint;
  readonly sizes: CircuitSizes;
  readonly key: VerificationKey;
}

/** A circuit as the contract has it registered. */
export function readCircuit({ client, rollupAddress }: L1Request, index: number) {
  const contract = { address: rollupAddress, abi: rollupAbi } as const;
  return l1Call(`read the contract's circuit ${index}`, () =>
    client.readContract({ ...contract, functionName: "circuits", args: [BigInt(index)] }),
  );
}

/** The built-in key whose hash L1 has registered for this circuit. */
export async function findKey(question: L1Request, index: number): Promise<CheckedKey> {
  const { keys } = question;
  const circuitId = BigInt((await readCircuit(question, index)).circuitId);
  for (const { key: json, isDevelopment, tableSizes, ...others } of keys) {
    const sizes = { ...others, tableSizes: BigInt(tableSizes ?? 0) };
    const key = parseVerificationKey(json);
    const solidity = toSolidityKey(key);
    if (computeCircuitId({ ...sizes, isDevelopment, key: solidity }) === circuitId)
      return { circuitId, sizes, key };
  }
  throw new Error(
    `the contract's circuit ${index} has the id ${hex(circuitId)}, and this page was built with ${keys.length} keys of other ids: it is another rollup's page, or the key is not the one that was deployed`,
  );
}

export function proofValues(proof: ContractProof): [string, string][] {
  return [
    ["proof, A", proof.a.map(hex).join(" ")],
    ["proof, B", proof.b.flat().map(hex).join(" ")],
    ["proof, C", proof.c.map(hex).join(" ")],
  ];
}
