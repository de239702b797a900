/** Test of the native addon with keys whose blinding was taken away. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import { beforeAll, describe, expect, test } from "vitest";
import { fromBytesLe, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { layOutWitness } from "../formats/wtns-file.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { changeKey, type KeyChange } from "../testing/changed-key.fixtures.ts";
import { findAddon } from "../testing/oracle.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";

// The row of a composed circuit that blinds A, and another statement.
const SOURCE = `pragma circom 2.1.6;
template Blinded() {
  signal input z;
  signal input w;
  signal input blinding;
  signal output y;
  signal blinded <== blinding * z;
  signal square <== w * w;
  y <== square * square + z;
}
component main {public [z]} = Blinded();
`;

const folder = await scratchFolder();
const { addon, paths } = findAddon();
let circuit: ProvingCircuit;
let calculator: WitnessCalculator;
let honest: Buffer;
let wire: number;

beforeAll(async () => {
  const compiled = await compileCircuit({ name: "blinding-key", mainSource: SOURCE, keepSym: true });
  circuit = await developmentSetup(compiled, { cacheDir: folder });
  calculator = new WitnessCalculator(await readFile(circuit.wasmPath));
  honest = await readFile(circuit.zkeyPath);
  const line = (await readFile(compiled.symPath, "utf8"))
    .split("\n")
    .find((each) => each.endsWith("main.blinding"));
  wire = Number(line!.split(",")[1]);
});

/** @returns the path of a key that is changed at the blinding's wire */
async function keyWith(name: string, change: KeyChange): Promise<string> {
  const path = join(folder, `${name}.zkey`);
  await writeFile(path, changeKey(honest, wire, change));
  return path;
}

function witnessOf(blinding: bigint): Uint8Array {
  calculator.run({ z: 5n, w: 7n, blinding });
  const { bytes, values } = layOutWitness(calculator.wireCount);
  calculator.copyWires(0, values);
  return Uint8Array.from(bytes);
}

/** Whether A depends on r in a proof whose witness was made with a blinding. */
async function dependsOnR(path: string, pieceSize: number): Promise<boolean> {
  const { key } = await addon!.loadKey(path, "auto", 1, pieceSize);
  try {
    const blinding = (1n << 200n) + 9n;
    const of = async (r: bigint) => {
      const numbers = [r, 3n, blinding].map(toBytesLe) as [Uint8Array, Uint8Array, Uint8Array];
      const { proof } = await addon!.prove(key, witnessOf(blinding), ...numbers, new Uint8Array(8));
      return fromBytesLe(proof.subarray(0, 32));
    };
    return (await of(11n)) !== (await of(12n));
  } finally {
    addon!.releaseKey(key);
  }
}

describe.runIf(paths.length > 0)("a key for a blinded witness", () => {
  const cases: readonly (readonly [string, KeyChange, boolean])[] = [
    ["as it was made", {}, false],
    ["without the entry and the point", { value: 0n, hasPoint: false }, true],
    ["with an entry of r, which is 0", { value: scalarModulus, hasPoint: false }, true],
    ["without the entry", { value: 0n }, true],
    ["without the point", { hasPoint: false }, true],
  ];
  test.each(cases)("%s leaves r out only where the witness blinds A", async (name, change, isNeeded) => {
    const path = await keyWith(name.replaceAll(" ", "-"), change);
    expect(await dependsOnR(path, 0), "resident").toBe(isNeeded);
    expect(await dependsOnR(path, 4), "mapped").toBe(isNeeded);
  });
});
