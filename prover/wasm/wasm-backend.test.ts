import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { BackendWorld, inputs, testBackend } from "../testing/backend-suite.fixtures.ts";
import { createWasmProver } from "./wasm-backend.ts";

const world = await BackendWorld.make();
const open = () => createWasmProver({ threadCount: 2 });

describe("createWasmProver", () => {
  testBackend(world, "wasm", open);

  test("refuses a key over another curve or of another protocol, and has no thread once it is closed", async () => {
    const curve = await world.copyOfKey("curve");
    const bytes = await readFile(curve.zkeyPath);
    const protocolAt = 12 + 12;
    const primeAt = protocolAt + 4 + 12 + 4;
    bytes[primeAt]! ^= 2;
    await writeFile(curve.zkeyPath, bytes);
    const protocol = await world.copyOfKey("protocol");
    bytes[primeAt]! ^= 2;
    bytes[protocolAt] = 2;
    await writeFile(protocol.zkeyPath, bytes);
    const prover = open();
    for (const refused of [curve, protocol])
      await expect(prover.prove({ circuit: refused, inputs }), refused.zkeyPath).rejects.toMatchObject({
        code: "PRV_KEY_INVALID",
        data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
      });
    await prover.prove({ circuit: world.other, inputs });
    await prover.close();
    expect(prover.threads).toEqual([]);
  });
});
