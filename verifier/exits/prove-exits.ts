/**
 * Makes the proofs of exits from a frozen ledger, one for each balance or reward; leave.ts and the exit page send them to the
 * contract.
 */
import type { ContractExit } from "@openledger/bridge/l1/exit-contract";
import type { CircuitInputs } from "@openledger/circuits/compiler/witness-calculator";
import type { PreparedExit } from "@openledger/circuits/exit/exit-statement";
import { leafExit, payeeExit } from "@openledger/circuits/exit/exit-statement";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { shardsOf } from "@openledger/circuits/settlement/settled-model";
import type { ContractProof, Groth16Proof } from "@openledger/circuits/wire/groth16-proof";
import { getAddress } from "viem";
import { type ExitCircuit, exitCircuitFor, exitCircuits } from "../circuits/exit-circuits.ts";
import type { RestoredLedger } from "../restore/restore-ledger.ts";
import { proveStatement } from "../without-operator/prove-statement.ts";
import { describeItem, type ProvenItem } from "./exit-plan.ts";

/** Prover of exits: on this machine (`local-prover.ts`), or in a page. */
export interface ExitProver {
  /**
   * Opens a circuit, whose key must be the registered one. @throws CLI_KEYS_DIFFER, PRV_KEY_*,
   * CIR_COMPILE_FAILED
   */
  readonly open: (circuit: ExitCircuit, onProgress: (text: string) => void) => Promise<ProveInputs>;
}

/** @throws PRV_*, CIR_WITNESS_REFUSED */
export type ProveInputs = (
  inputs: CircuitInputs,
  onProgress: (text: string) => void,
) => Promise<{ readonly proof: Groth16Proof; readonly publicSignals: readonly bigint[] }>;

/** Exit to be sent. */
export interface ProvenExit {
  readonly exit: ContractExit;
  readonly proof: ContractProof;
}

/**
 * @param onProgress `place` is the item's in the list
 * @throws CLI_CIRCUIT_MISSING, CLI_KEYS_DIFFER, BRG_PROOF_OF_ANOTHER, PRV_*
 * @internal
 */
export async function proveExits(
  items: readonly ProvenItem[],
  { ledger, registered }: RestoredLedger,
  { open }: ExitProver,
  onProgress: (position: number, text: string) => void,
): Promise<ProvenExit[]> {
  const circuits = exitCircuits(registered);
  const opened = new Map<number, ProveInputs>();
  const closed: ProvenExit[] = [];
  for (const [position, item] of items.entries()) {
    const circuit = circuitOf(item, ledger, circuits);
    const prepared = prepare(item, ledger, circuit);
    const { amountWei, key, recipient } = prepared;
    const statement = prepared.statement(circuit.circuitId);
    const tell = (text: string) => onProgress(position, text);
    const prove = opened.get(circuit.index) ?? (await open(circuit, tell));
    opened.set(circuit.index, prove);
    tell(`proving the ${describeItem(item)}`);
    const proof = await proveStatement(
      (_name, inputs) => prove(inputs, tell),
      circuit.name,
      prepared.inputs,
      statement,
    );
    const exit = {
      circuit: circuit.index,
      commitment: statement.commitment,
      key,
      recipient: getAddress(`0x${recipient.toString(16).padStart(40, "0")}`),
      amountWei,
    };
    closed.push({ exit, proof });
  }
  return closed;
}

/**
 * Opens the circuits that these items leave by, that of leaves at least, as if they were to be proven: a ledger may
 * have to be left long after those who published the keys are gone.
 * @returns the circuits' names
 * @throws CLI_CIRCUIT_MISSING, CLI_KEYS_DIFFER, PRV_KEY_INVALID
 * @internal
 */
export async function checkExitKeys(
  items: readonly ProvenItem[],
  { ledger, registered }: RestoredLedger,
  { open }: ExitProver,
  onProgress: (text: string) => void,
): Promise<string[]> {
  const circuits = exitCircuits(registered);
  const needed = [exitCircuitFor(circuits, null), ...items.map((item) => circuitOf(item, ledger, circuits))];
  const byName = new Map(needed.map((circuit) => [circuit.name, circuit]));
  for (const circuit of byName.values()) await open(circuit, onProgress);
  return [...byName.keys()];
}

function circuitOf(item: ProvenItem, ledger: Ledger, circuits: readonly ExitCircuit[]): ExitCircuit {
  if (item.kind === "leaf") return exitCircuitFor(circuits, null);
  // A circuit of exits takes the table of the payee's own shard.
  const { from, to } = shardsOf(ledger.requireLeaf(item.modelId).rewards!).find(
    (shard) => shard.from <= item.payeeIndex && item.payeeIndex < shard.to,
  )!;
  return exitCircuitFor(circuits, to - from);
}

function prepare(item: ProvenItem, ledger: Ledger, circuit: ExitCircuit): PreparedExit {
  if (item.kind === "leaf") return leafExit(ledger, item.leafId);
  return payeeExit(ledger, item.modelId, item.payeeIndex, PAYEE_ROLE[item.role], circuit.size1);
}
