import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { expect, it } from "vitest";
import { freshFolder } from "../testing/fresh-rollup.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import { testDeployment } from "../testing/test-rollup.ts";
import { storeKeys } from "./store-keys.ts";
import { requireStoredCircuits } from "./stored-circuits.ts";

/** The smallest that is put together from parts, as all batches' circuits are. */
const NAME = "table-1-1-1-2-1-1-1";

it("compares this version's circuits with the record's once, by compiling them, and refuses others", async () => {
  const { circuits } = await testDeployment();
  const { contentHash } = await compileCircuit(circuitSpec(NAME));
  const record = (hash: string) => ({ circuits: [{ ...circuits[0]!, name: NAME, contentHash: hash }] });
  const differs = { code: "SEQ_CIRCUITS_DIFFER", data: { reason: "other-version", circuits: [NAME] } };
  const log = await openTestLog(freshFolder());
  const other = "0".repeat(64);
  await expect(requireStoredCircuits(log, record(other), { isProving: true })).rejects.toMatchObject(differs);
  expect(await log.get(storeKeys.circuits)).toBeUndefined();

  // Without proofs nobody compares; the first start that proves does.
  await requireStoredCircuits(log, record(other), { isProving: false });
  await requireStoredCircuits(log, record(other), { isProving: false });
  await expect(requireStoredCircuits(log, record(other), { isProving: true })).rejects.toMatchObject(differs);
  await log.close();

  const right = await openTestLog(freshFolder());
  await requireStoredCircuits(right, record(contentHash), { isProving: true });
  const stored = await right.require<Record<string, object>>(storeKeys.circuits);
  expect(stored[NAME]).toMatchObject({ contentHash, isCompared: true });
  // What was compared is not compiled again: the same sources are taken at their word.
  await right.write([
    { key: storeKeys.circuits, value: { [NAME]: { ...stored[NAME], contentHash: other } } },
  ]);
  await requireStoredCircuits(right, record(other), { isProving: true });
  await right.close();
}, 300_000);
