import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegisteredCircuit, RegisteredKey } from "@openledger/bridge/l1/rollup-contract";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { CIRCUIT_SORT } from "@openledger/circuits/settlement/settlement-data";
import { computeCircuitId } from "@openledger/contracts/build/verifying-key";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ExitCircuit, exitCircuitFor, exitCircuits, waysOut } from "./exit-circuits.ts";
import { openRegisteredCircuit } from "./open-registered.ts";
import { openProvingCircuit } from "./rollup-circuits.ts";

let folder: string;
let compiled: CompiledCircuit;
let development: ProvingCircuit;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "exit-keys-"));
  compiled = await compileCircuit(circuitSpec("leaf-exit"));
  development = await developmentSetup(compiled);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const registered = (sort: number, size0: number, size1: number, index = 0): RegisteredCircuit => ({
  sort,
  size0,
  size1,
  index,
  isDevelopment: true,
  circuitId: 0n,
  key: {} as RegisteredKey,
});

function leafExitAs(isDevelopment: boolean): ExitCircuit {
  const key = toSolidityKey(development.verificationKey);
  const circuitId = computeCircuitId({ ...exitSizes(), isDevelopment, key });
  return { ...registered(CIRCUIT_SORT.exit, 0, 0), name: "leaf-exit", isDevelopment, key, circuitId };
}
const open = (circuit: ExitCircuit) => openRegisteredCircuit(circuit, folder, () => {});

describe("waysOut", () => {
  test("asks for payees of the largest settlement circuit, as L1 does", () => {
    const settlement = registered(CIRCUIT_SORT.settlement, 16, 7);
    const table = registered(CIRCUIT_SORT.payeeTable, 0, 64);
    const exits = [registered(CIRCUIT_SORT.exit, 0, 0), registered(CIRCUIT_SORT.exit, 1, 4)];
    expect(waysOut([settlement, table])).toEqual({ hasLeafExit: false, payees: 0, neededPayees: 7 });
    expect(waysOut([settlement, ...exits])).toEqual({ hasLeafExit: true, payees: 4, neededPayees: 7 });
  });
});

describe("exitCircuitFor", () => {
  const circuits = exitCircuits([
    registered(CIRCUIT_SORT.batch, 0, 0, 0),
    registered(CIRCUIT_SORT.exit, 1, 64, 1),
    registered(CIRCUIT_SORT.exit, 1, 8, 2),
    registered(CIRCUIT_SORT.exit, 0, 0, 3),
  ]);

  test("takes the leaves' circuit, or the smallest with room for the table", () => {
    expect(exitCircuitFor(circuits, null)).toMatchObject({ name: "leaf-exit", index: 3 });
    expect(exitCircuitFor(circuits, 8)).toMatchObject({ name: "payee-exit-8", index: 2 });
    expect(exitCircuitFor(circuits, 9)).toMatchObject({ name: "payee-exit-64", index: 1 });
  });

  test("says where none has room", () => {
    expect(() => exitCircuitFor(circuits, 65)).toThrow(
      expect.objectContaining({ code: "CLI_CIRCUIT_MISSING" }),
    );
    expect(() => exitCircuitFor([], null)).toThrow(expect.objectContaining({ code: "CLI_CIRCUIT_MISSING" }));
  });
});

describe("openRegisteredCircuit", () => {
  test("derives development keys, and refuses a circuit that is registered with another key", async () => {
    const circuit = leafExitAs(true);
    expect(await open(circuit)).toMatchObject({ name: "leaf-exit", isDevelopment: true });
    await expect(open({ ...circuit, circuitId: circuit.circuitId + 1n })).rejects.toMatchObject({
      code: "CLI_KEYS_DIFFER",
    });
  });

  test("reads a ceremony's key from its folder", async () => {
    const circuit = leafExitAs(false);
    await expect(open(circuit)).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
    });
    const keyFolder = join(folder, "leaf-exit");
    await mkdir(keyFolder);
    const zkeyFile = "leaf-exit.zkey";
    await copyFile(development.zkeyPath, join(keyFolder, zkeyFile));
    const bytes = await readFile(development.zkeyPath);
    const meta = {
      name: "leaf-exit",
      contentHash: compiled.contentHash,
      isDevelopment: false,
      setupVersion: 0,
      zkeyFile,
      zkeySha256: createHash("sha256").update(bytes).digest("hex"),
      zkeyBytes: bytes.length,
      publicCount: 3,
    };
    await writeFile(join(keyFolder, "meta.json"), JSON.stringify(meta));
    const ofCeremony = { isDevelopment: false, zkeyPath: join(keyFolder, zkeyFile) };
    expect(await open(circuit)).toMatchObject(ofCeremony);
    // The same for somebody who carries on the queue or settles, without a record of the deployment.
    await expect(openProvingCircuit(circuit, null, () => {})).rejects.toMatchObject({
      code: "CLI_KEYS_MISSING",
    });
    expect(await openProvingCircuit(circuit, null, () => {}, folder)).toMatchObject(ofCeremony);
  });
});
