/** Makes the proofs of exits, on this machine. */
import { getAddress } from "viem";
import type { ContractExit } from "../../bridge/l1/exit-contract.ts";
import type { RestoredLedger } from "../../bridge/verify/restore-ledger.ts";
import { proveStatement } from "../../bridge/without-operator/submit-settlement.ts";
import { earnerExit } from "../../circuits/exit/earner-exit.ts";
import type { PreparedExit } from "../../circuits/exit/exit-statement.ts";
import { leafExit } from "../../circuits/exit/leaf-exit.ts";
import type { Ledger } from "../../circuits/ledger/ledger.ts";
import { EARNER_ROLE } from "../../circuits/ledger/rewards.ts";
import type { ContractProof } from "../../circuits/wire/groth16-proof.ts";
import type { Prover, ProvingCircuit } from "../../prover/proving/prover.ts";
import {
  type ExitCircuit,
  exitCircuitFor,
  exitCircuits,
  openRegisteredCircuit,
} from "../circuits/exit-circuits.ts";
import { describeItem, type ProvenItem } from "./exit-plan.ts";

export interface ExitProver {
  /** Made when the first proof is needed. */
  readonly open: () => Promise<Prover>;
  /** Keys of a ceremony: `<folder>/<circuit>` as `ceremony export` writes it. */
  readonly keysFolder: string;
}

/** An exit as it is sent. */
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
  { keysFolder, open }: ExitProver,
  onProgress: (place: number, text: string) => void,
): Promise<ProvenExit[]> {
  const circuits = exitCircuits(registered);
  const opened = new Map<number, ProvingCircuit>();
  const sealed: ProvenExit[] = [];
  for (const [place, item] of items.entries()) {
    const circuit = circuitOf(item, ledger, circuits);
    const prepared = prepare(item, ledger, circuit);
    const { amountWei, key, recipient } = prepared;
    const statement = prepared.statement(circuit.circuitId);
    const proving =
      opened.get(circuit.index) ??
      (await openRegisteredCircuit(circuit, keysFolder, (text) => onProgress(place, text)));
    opened.set(circuit.index, proving);
    onProgress(place, `proving the ${describeItem(item)}`);
    const prover = await open();
    const proof = await proveStatement(
      (_name, inputs) => prover.prove({ circuit: proving, inputs }),
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
    sealed.push({ exit, proof });
  }
  return sealed;
}

/**
 * Opens the circuits that these items leave by, that of leaves at least, as if they were to be proven: a ledger may have to
 * be left long after whoever published their keys is gone.
 * @returns the circuits' names
 * @throws CLI_CIRCUIT_MISSING, CLI_KEYS_DIFFER, PRV_KEY_UNREADABLE, PRV_KEY_MISMATCH
 * @internal
 */
export async function checkExitKeys(
  items: readonly ProvenItem[],
  { ledger, registered }: RestoredLedger,
  keysFolder: string,
  onProgress: (text: string) => void,
): Promise<string[]> {
  const circuits = exitCircuits(registered);
  const needed = [exitCircuitFor(circuits, null), ...items.map((item) => circuitOf(item, ledger, circuits))];
  const byName = new Map(needed.map((circuit) => [circuit.name, circuit]));
  for (const circuit of byName.values()) await openRegisteredCircuit(circuit, keysFolder, onProgress);
  return [...byName.keys()];
}

function circuitOf(item: ProvenItem, ledger: Ledger, circuits: readonly ExitCircuit[]): ExitCircuit {
  if (item.kind === "leaf") return exitCircuitFor(circuits, null);
  return exitCircuitFor(circuits, ledger.requireLeaf(item.modelId).rewards!.earners.length);
}

function prepare(item: ProvenItem, ledger: Ledger, circuit: ExitCircuit): PreparedExit {
  if (item.kind === "leaf") return leafExit(ledger, item.leafId);
  return earnerExit(ledger, item.modelId, item.earnerIndex, EARNER_ROLE[item.role], circuit.size1);
}
