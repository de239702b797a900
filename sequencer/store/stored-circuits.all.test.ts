import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { expect, it } from "vitest";
import { testDeployment } from "../testing/test-rollup.ts";
import { requireOwnCircuits } from "./stored-circuits.ts";

/** The smallest that is put together from parts, as all batches' circuits are. */
const NAME = "table-1-1-1-2-1-1-1";

it("knows this version's circuits by the hash that a deployment records, and refuses others", async () => {
  const { circuits, ...deployment } = await testDeployment();
  const { contentHash } = await compileCircuit(circuitSpec(NAME));
  const own = { ...circuits[0]!, name: NAME, contentHash };
  await requireOwnCircuits({ ...deployment, circuits: [own] });
  await expect(
    requireOwnCircuits({ ...deployment, circuits: [{ ...own, contentHash: "0".repeat(64) }] }),
  ).rejects.toMatchObject({
    code: "SEQ_CIRCUITS_DIFFER",
    data: { reason: "other-version", circuits: [NAME] },
  });
}, 300_000);
