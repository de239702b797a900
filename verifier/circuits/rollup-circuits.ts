/**
 * Reads a rollup's circuits from L1 for a settler (who proves how an epoch's payments are divided): names, indices on L1 and
 * keys. Commands and pages choose settlement circuits by it.
 */
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { type RegisteredCircuit, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { maxPayees, type Payee } from "@openledger/circuits/ledger/payee-shards";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { type SettlingCircuits, settlingCircuits } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { type ModelShape, misfitOf } from "@openledger/circuits/settlement/settlement-size";
import { loadDeployedCircuits, makeMissingKey } from "@openledger/prover/keys/deployed-circuits";
import { developmentSetup, type SetupProgress } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import type { Address } from "viem";
import { verifierError } from "../verifier-errors.ts";
import { deriveKey, nameByKey, namesOf } from "./derive-circuits.ts";
import { openRegisteredCircuit } from "./open-registered.ts";

/** A circuit that the rollup has, by its name in the registry. */
export interface RollupCircuit extends RegisteredCircuit {
  readonly name: string;
}

export interface RollupCircuitsOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Names of settlement circuits, besides those of `deployment`. */
  readonly circuitNames?: readonly string[];
  /** Deployment record of the rollup, which names files of keys; null if there is none. */
  readonly deployment: Deployment | null;
  /** Folder of a ceremony's keys, as for `deriveCircuits`. Default: "keys". */
  readonly keysFolder?: string;
  readonly onProgress?: (text: string) => void;
}

/**
 * Circuits of the rollup by their index. The record knows them by their ids, which are hashes of sizes and key; where
 * it does not, and several names have a circuit's sizes, their keys are made to see which it is.
 * @throws CLI_CIRCUIT_MISSING, BRG_L1_…; what deriveKey throws
 */
export async function readRollupCircuits(options: RollupCircuitsOptions): Promise<RollupCircuit[]> {
  const client = createPatientL1Client({ rpcUrl: options.rpcUrl });
  const registered = await new RollupContract({ client, address: options.rollupAddress }).circuits();
  const { deployment } = options;
  const known = new Map(deployment?.circuits.map(({ circuitId, name }) => [circuitId, name]));
  const names = [...(options.circuitNames ?? []), ...known.values()];
  const named: RollupCircuit[] = [];
  for (const circuit of registered) {
    const name = known.get(circuit.circuitId) ?? (await findName(circuit, names, options));
    named.push({ ...circuit, name });
  }
  return named;
}

async function findName(
  circuit: RegisteredCircuit,
  circuitNames: readonly string[],
  { keysFolder = "keys", onProgress = () => {} }: RollupCircuitsOptions,
): Promise<string> {
  const names = namesOf(circuit, circuitNames);
  const keyOf = (name: string) => deriveKey({ ...circuit, name }, { keysFolder, onProgress });
  const name = await nameByKey(circuit, names, keyOf);
  if (name !== null) return name;
  throw verifierError(
    "CLI_CIRCUIT_MISSING",
    `circuit ${circuit.index} of the rollup has the sizes of ${names.join(", ")}, and the key of none of them`,
    { data: { reason: "circuit-unnamed", payments: circuit.size0, payees: circuit.size1, given: names } },
  );
}

/** The smallest settlement circuits that settle a model of this shape. @throws CLI_CIRCUIT_MISSING */
export function settlementCircuitFor(
  circuits: readonly RollupCircuit[],
  model: ModelShape,
): SettlingCircuits<RollupCircuit> {
  const fitting = settlingCircuits(circuits).find(({ size }) => misfitOf(size, model) === null);
  if (fitting !== undefined) return fitting;
  const { draws, features, rows, payees, shards } = model;
  const cut = (shards ?? 1) > 1 ? ` in each of ${shards} shards` : "";
  throw missing(
    `a model of ${rows} rows, ${features} columns, ${payees} payees${cut} and ${draws} draws`,
    circuits,
  );
}

/** The smallest payee table with room for the payees of each shard. @throws CLI_CIRCUIT_MISSING */
export function payeeTableFor(
  circuits: readonly RollupCircuit[],
  payees: readonly Pick<Payee, "rowCount">[],
): RollupCircuit {
  const payeeCount = maxPayees(payees);
  const [first] = circuits
    .filter(({ sort, size1 }) => sort === CIRCUIT_SORT.payeeTable && size1 >= payeeCount)
    .sort((a, b) => a.size1 - b.size1);
  if (first !== undefined) return first;
  throw missing(`a payee table of ${payeeCount} payees`, circuits);
}

function missing(what: string, circuits: readonly RollupCircuit[]) {
  return verifierError("CLI_CIRCUIT_MISSING", `no circuit of the rollup is for ${what}`, {
    data: { circuits: circuits.map(({ name }) => name) },
  });
}

/** Follows `openProvingCircuit` for each circuit once, with its id: the input of `proveSettlement`. */
export async function openProvingCircuits(
  circuits: readonly RollupCircuit[],
  deployment: Deployment | null,
  onProgress: (circuit: RollupCircuit) => (text: string) => void,
  keysFolder: string | null = null,
): Promise<{ readonly circuitId: bigint; readonly proving: ProvingCircuit }[]> {
  const opened = new Map<RollupCircuit, ProvingCircuit>();
  for (const circuit of new Set(circuits))
    opened.set(circuit, await openProvingCircuit(circuit, deployment, onProgress(circuit), keysFolder));
  return circuits.map((circuit) => ({ circuitId: circuit.circuitId, proving: opened.get(circuit)! }));
}

/**
 * A circuit with the keys to prove it: the deployment record's files where it names them, else development keys, made
 * from the circuit, or a ceremony's below `keysFolder`, as for exits.
 * @throws CLI_KEYS_MISSING for keys of a ceremony that neither names; CLI_KEYS_DIFFER, PRV_KEY_*
 */
export async function openProvingCircuit(
  circuit: RollupCircuit,
  deployment: Deployment | null,
  onProgress: (text: string) => void,
  keysFolder: string | null = null,
): Promise<ProvingCircuit> {
  const onSetup = ({ stage, done, total }: SetupProgress) =>
    onProgress(`keys of ${circuit.name}: ${stage} ${Math.floor((100 * done) / Math.max(1, total))} %`);
  const deployed = deployment?.circuits.find(({ circuitId }) => circuitId === circuit.circuitId);
  if (deployed !== undefined)
    return makeMissingKey((await loadDeployedCircuits([deployed])).get(deployed.name)!, onSetup);
  if (!circuit.isDevelopment) {
    if (keysFolder !== null) return openRegisteredCircuit(circuit, keysFolder, onProgress);
    throw verifierError("CLI_KEYS_MISSING", `no deployment record names the proving key of ${circuit.name}`, {
      data: { circuit: circuit.name },
    });
  }
  onProgress(`compiling ${circuit.name}, once, then cached`);
  const compiled = await compileCircuit(circuitSpec(circuit.name));
  return developmentSetup(compiled, { onProgress: onSetup });
}
