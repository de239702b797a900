/**
 * Check at a start that the data directory was written for the same batch circuits as this version's. A batch that waits for
 * its proof holds inputs of them: with other circuits it could never be proven, and a leaf hashed by other rules is another
 * leaf.
 */
import { createHash } from "node:crypto";
import { compileCircuit, hashCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { sequencerError } from "../sequencer-errors.ts";
import type { LedgerLog } from "./ledger-log.ts";
import { storeKeys } from "./store-keys.ts";

/** Circuits by their names. */
type StoredCircuits = Readonly<Record<string, StoredCircuit>>;

interface StoredCircuit {
  /** Hash in the rollup's deployment record. */
  readonly contentHash: string;
  /** Hash of this version's sources: known without compiling them. */
  readonly sourceHash: string;
  /** true: these sources were found to compile to that circuit. Absent: they were not compared. */
  readonly isCompared?: boolean;
}

const batchCircuitsOf = ({ circuits }: Pick<Deployment, "circuits">) =>
  circuits.filter(({ sort }) => sort === CIRCUIT_SORT.batch);

/** Hash over a batch circuit and the parts that it is composed of. */
function sourceHashOf(name: string): string {
  const { composition, mainSource } = circuitSpec(name);
  const sources = [mainSource, ...(composition?.parts ?? []).map((part) => part.mainSource)];
  const hash = createHash("sha256").update(JSON.stringify(composition?.plan ?? null));
  for (const source of sources) hash.update(hashCircuit(source));
  return hash.digest("hex");
}

/**
 * Compares the deployment record's circuits, and this version's, with those that the directory was written for; a new directory
 * gets them.
 * @param options.isProving whether sources that were never compared with the record are compiled: once a directory and
 *   version, and from the cache or the prebuilt files in a third of a second
 * @throws SEQ_CIRCUITS_DIFFER
 */
export async function requireStoredCircuits(
  log: LedgerLog,
  deployment: Pick<Deployment, "circuits">,
  { isProving }: { readonly isProving: boolean },
): Promise<void> {
  const stored = (await log.get<StoredCircuits>(storeKeys.circuits)) ?? {};
  const own: Record<string, StoredCircuit> = {};
  for (const { contentHash, name } of batchCircuitsOf(deployment))
    own[name] = { contentHash, sourceHash: sourceHashOf(name) };
  const others = (field: "contentHash" | "sourceHash") =>
    Object.keys(own).filter((name) => name in stored && stored[name]![field] !== own[name]![field]);
  const otherRecord = others("contentHash");
  if (otherRecord.length > 0)
    throw differ(
      "other-record",
      otherRecord,
      "the directory was written for other circuits than the record's",
    );
  const otherVersion = others("sourceHash");
  if (otherVersion.length > 0)
    throw differ("other-version", otherVersion, "the directory was written by a version with other circuits");
  const events = Object.entries(own).filter(
    ([name]) => stored[name] === undefined || (isProving && stored[name].isCompared !== true),
  );
  if (events.length === 0) return;
  if (isProving) {
    const names: string[] = [];
    for (const [name, { contentHash }] of events)
      if ((await compileCircuit(circuitSpec(name))).contentHash !== contentHash) names.push(name);
    // A sequencer without its own circuits could have nothing proven.
    if (names.length > 0)
      throw differ(
        "other-version",
        names,
        "this version has other circuits than the rollup was deployed with",
      );
  }
  const added = Object.fromEntries(events.map(([name, one]) => [name, { ...one, isCompared: isProving }]));
  await log.write([{ key: storeKeys.circuits, value: { ...stored, ...added } }]);
}

function differ(reason: "other-version" | "other-record", circuits: readonly string[], what: string) {
  return sequencerError(
    "SEQ_CIRCUITS_DIFFER",
    `${what} (${circuits.join(", ")}), so no batch could be proven: docs/how-to/upgrade.md`,
    { data: { reason, circuits } },
  );
}
