/**
 * The batches' circuits that a data directory was written for. A batch that waits for its proof holds inputs of them: with other
 * circuits it could never be proven, and a leaf hashed by other rules is another leaf.
 */
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { sequencerError } from "../sequencer-errors.ts";
import type { LedgerLog } from "./ledger-log.ts";
import { storeKeys } from "./store-keys.ts";

/** Content hashes by the circuits' names. */
type StoredCircuits = Readonly<Record<string, string>>;

const batchCircuitsOf = ({ circuits }: Pick<Deployment, "circuits">): StoredCircuits =>
  Object.fromEntries(
    circuits
      .filter(({ sort }) => sort === CIRCUIT_SORT.batch)
      .map(({ contentHash, name }) => [name, contentHash]),
  );

/**
 * Compares the deployment record's circuits with those of this version: takes a third of a second each, once they have been
 * compiled or unpacked on this machine.
 * @throws SEQ_CIRCUITS_DIFFER
 */
export async function requireOwnCircuits(deployment: Pick<Deployment, "circuits">): Promise<void> {
  const names: string[] = [];
  for (const [name, contentHash] of Object.entries(batchCircuitsOf(deployment)))
    if ((await compileCircuit(circuitSpec(name))).contentHash !== contentHash) names.push(name);
  if (names.length > 0)
    throw differ("other-version", names, "this version has other circuits than the rollup was deployed with");
}

/**
 * Compares the deployment record's circuits with those that the directory was written for; a new directory gets them.
 * @throws SEQ_CIRCUITS_DIFFER
 */
export async function requireStoredCircuits(
  log: LedgerLog,
  deployment: Pick<Deployment, "circuits">,
): Promise<void> {
  const named = batchCircuitsOf(deployment);
  const stored = (await log.get<StoredCircuits>(storeKeys.circuits)) ?? {};
  const names = Object.keys(named).filter((name) => name in stored && stored[name] !== named[name]);
  if (names.length > 0)
    throw differ(
      "other-record",
      names,
      "the data directory was written for other circuits than the record's",
    );
  if (Object.keys(named).some((name) => !(name in stored)))
    await log.write([{ key: storeKeys.circuits, value: { ...stored, ...named } }]);
}

function differ(reason: "other-version" | "other-record", circuits: readonly string[], what: string) {
  return sequencerError(
    "SEQ_CIRCUITS_DIFFER",
    `${what} (${circuits.join(", ")}), so no batch could be proven: docs/how-to/upgrade.md`,
    { data: { reason, circuits } },
  );
}
