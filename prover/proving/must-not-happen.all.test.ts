/** Tests of the back ends with damaged keys, awkward circuits and extreme witnesses: no false proof gets out. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { WitnessCalculator } from "@openledger/circuits/compiler/witness-calculator";
import { groth16 } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProver } from "../backends.ts";
import { fromBytesLe, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { toSnarkjsKey } from "../formats/verification-key.ts";
import { encodeWitness } from "../formats/wtns-file.ts";
import { hashKeyFile } from "../formats/zkey-file.ts";
import { g1Bytes, layOutZkey, zkeyHeaderPoints, zkeySection } from "../formats/zkey-layout.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import { availableBackends } from "../testing/available-backends.fixtures.ts";
import { AWKWARD_WIRES, awkwardInputs, compileAwkward } from "../testing/awkward-circuit.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import type { Prover, ProvingCircuit } from "./prover.ts";

const backends = await availableBackends();
const r = scalarModulus;
const valuesAt = 76;
const folder = await scratchFolder();
let circuit: ProvingCircuit;
let key: Buffer;
let positions: Record<number, number>;
let byteCounts: Record<number, number>;

beforeAll(async () => {
  const compiled = await compileAwkward();
  circuit = await developmentSetup(compiled, { cacheDir: folder });
  key = await readFile(circuit.zkeyPath);
  const shapeAt = 12 + 12 + 4 + 12 + 72;
  const shape = {
    wireCount: key.readUInt32LE(shapeAt),
    publicCount: key.readUInt32LE(shapeAt + 4),
    domainSize: key.readUInt32LE(shapeAt + 8),
  };
  const coefficientsAt = layOutZkey({ ...shape, coefficientCount: 0 }).positions[zkeySection.coefficients]!;
  ({ positions, byteCounts } = layOutZkey({ ...shape, coefficientCount: key.readUInt32LE(coefficientsAt) }));
});

function pointsOf(section: number, pointBytes: number): Buffer[] {
  const at = positions[section]!;
  return Array.from({ length: byteCounts[section]! / pointBytes }, (_, i) =>
    key.subarray(at + i * pointBytes, at + (i + 1) * pointBytes),
  );
}

async function witnessOf(inputs: ReturnType<typeof awkwardInputs>): Promise<Uint8Array> {
  return encodeWitness(new WitnessCalculator(await readFile(circuit.wasmPath)).calculate(inputs));
}

/** A key folder with other bytes, described as if they were right. */
async function describedKey(name: string, bytes: Buffer): Promise<ProvingCircuit> {
  const target = join(folder, name);
  await cp(dirname(circuit.zkeyPath), target, { recursive: true });
  const zkeyPath = join(target, basename(circuit.zkeyPath));
  await writeFile(zkeyPath, bytes);
  const meta = JSON.parse(await readFile(join(target, "meta.json"), "utf8")) as object;
  const described = { ...meta, zkeySha256: await hashKeyFile(zkeyPath), zkeyBytes: bytes.length };
  await writeFile(join(target, "meta.json"), JSON.stringify(described));
  return { ...circuit, zkeyPath };
}

async function expectAccepted(
  prover: Prover,
  witness: Uint8Array,
  label: string,
  provingCircuit = circuit,
): Promise<void> {
  const { proof, publicSignals } = await prover.prove({ circuit: provingCircuit, witness });
  const text = (values: readonly bigint[]) => values.map(String);
  const foreign = {
    pi_a: text([...proof.a, 1n]),
    pi_b: [text(proof.b[0]), text(proof.b[1]), ["1", "0"]],
    pi_c: text([...proof.c, 1n]),
    protocol: "groth16",
    curve: "bn128",
  };
  const accepted = await groth16.verify(
    toSnarkjsKey(circuit.verificationKey),
    text(publicSignals),
    foreign as unknown as Parameters<typeof groth16.verify>[2],
  );
  expect(accepted, label).toBe(true);
  expect(fromBytesLe(witness.subarray(valuesAt + 32, valuesAt + 64)), label).toBe(publicSignals[0]);
}

test("the key of these tests has points at infinity, equal points and opposite ones", () => {
  const sections = [zkeySection.a, zkeySection.b1].map((id) => pointsOf(id, g1Bytes));
  for (const points of sections) expect(points.some((point) => point.every((byte) => byte === 0))).toBe(true);
  const b2 = pointsOf(zkeySection.b2, 2 * g1Bytes);
  expect(b2.some((point) => point.every((byte) => byte === 0))).toBe(true);
  const a = sections[0]!.filter((point) => point.some((byte) => byte !== 0));
  const counts = (texts: string[]) => Math.max(...texts.map((one) => texts.filter((t) => t === one).length));
  expect(counts(a.map((point) => point.toString("hex")))).toBeGreaterThan(20);
  // Opposite points have the same x.
  const different = new Set(a.map((point) => point.toString("hex")));
  const differentX = new Set(a.map((point) => point.toString("hex", 0, 32)));
  expect(differentX.size).toBeLessThan(different.size);
});

describe.each(backends)("%s", (name) => {
  let prover: Prover;
  beforeAll(async () => {
    prover = await createProver(name);
  });
  afterAll(() => prover.close());

  const values = [0n, 1n, 2n, r - 1n, r - 2n, 1n << 126n, (1n << 253n) + 1n];
  test.each(values)("proves where every wire has the value %i, and its negative", async (value) => {
    await expectAccepted(prover, await witnessOf(awkwardInputs(value, value, value)), "equal");
    const mixed = awkwardInputs(value, (r - value) % r, (r - value) % r);
    mixed.equal = mixed.equal.map((_, i) => (i % 2 === 0 ? value : (r - value) % r));
    await expectAccepted(prover, await witnessOf(mixed), "cancelling");
  });

  test("proves with points at infinity in every section, for wires that are zero", async () => {
    const witness = await witnessOf(awkwardInputs(3n, 0n, 7n));
    const bytes = Buffer.from(key);
    let cleared = 0;
    for (let wire = 3; valuesAt + 32 * wire < witness.length; wire++) {
      if (fromBytesLe(witness.subarray(valuesAt + 32 * wire, valuesAt + 32 * (wire + 1))) !== 0n) continue;
      for (const [section, pointBytes, index] of [
        [zkeySection.a, g1Bytes, wire],
        [zkeySection.b1, g1Bytes, wire],
        [zkeySection.b2, 2 * g1Bytes, wire],
        [zkeySection.c, g1Bytes, wire - 3],
      ] as const)
        bytes.fill(
          0,
          positions[section]! + index * pointBytes,
          positions[section]! + (index + 1) * pointBytes,
        );
      cleared++;
    }
    expect(cleared).toBeGreaterThanOrEqual(AWKWARD_WIRES);
    await expectAccepted(prover, witness, "infinity", await describedKey(`${name}-infinity`, bytes));
  });

  test("lets no proof out that does not verify: a damaged key that is described as right", async () => {
    const witness = await witnessOf(awkwardInputs(3n, 5n, 7n));
    for (const section of ["a", "b1", "b2", "c", "h"] as const) {
      const bytes = Buffer.from(key);
      const pointBytes = section === "b2" ? 2 * g1Bytes : g1Bytes;
      const at = positions[zkeySection[section]]!;
      // Two valid points change places.
      const points = pointsOf(zkeySection[section], pointBytes);
      const [i, j] = distinctFinite(points);
      bytes.set(points[i]!, at + j * pointBytes);
      bytes.set(points[j]!, at + i * pointBytes);
      await expect(
        prover.prove({ circuit: await describedKey(`${name}-${section}`, bytes), witness }),
        section,
      ).rejects.toMatchObject({ code: "PRV_PROOF_INVALID" });
    }
    await expectAccepted(prover, witness, "the key itself");
  });

  test("refuses a key that is described as right, with a header point at infinity, off the curve, with y = 0 or another", async () => {
    const witness = await witnessOf(awkwardInputs(3n, 5n, 7n));
    const points = ["alpha1", "beta1", "beta2", "gamma2", "delta1", "delta2"] as const;
    const headerAt = positions[zkeySection.header]!;
    for (const point of points) {
      for (const damage of ["infinity", "off", "flat", "other"] as const) {
        // Only a proof shows that these two, which the verification key does not have, are another key's.
        const isOthers = damage === "other" && (point === "beta1" || point === "delta1");
        const code = isOthers ? "PRV_PROOF_INVALID" : "PRV_KEY_INVALID";
        const bytes = Buffer.from(key);
        const header = bytes.subarray(headerAt, headerAt + byteCounts[zkeySection.header]!);
        const damaged = zkeyHeaderPoints(header)[point];
        if (damage === "off") damaged[0]! ^= 1;
        else if (damage === "other")
          damaged.set(
            pointsOf(damaged.length === g1Bytes ? zkeySection.h : zkeySection.b2, damaged.length).at(-1)!,
          );
        else damaged.fill(0, damage === "infinity" ? 0 : damaged.length / 2);
        const label = `${point} ${damage}`;
        const refused = await describedKey(`${name}-${label}`, bytes);
        await expect(prover.prove({ circuit: refused, witness }), label).rejects.toMatchObject({ code });
      }
    }
    await expectAccepted(prover, witness, "the key itself");
  });

  test("lets no proof out that does not verify: each wire of the witness altered", async () => {
    const witness = await witnessOf(awkwardInputs(3n, 5n, 7n));
    const wireCount = (witness.length - valuesAt) / 32;
    for (let wire = 0; wire < wireCount; wire += 5) {
      const altered = Uint8Array.from(witness);
      altered[valuesAt + 32 * wire]! ^= 1;
      await expect(prover.prove({ circuit, witness: altered }), `wire ${wire}`).rejects.toMatchObject({
        code: "PRV_PROOF_INVALID",
      });
    }
  });

  test("refuses witnesses that are cut off anywhere, over another field, or have values that are not below r", async () => {
    const witness = await witnessOf(awkwardInputs(3n, 5n, 7n));
    const cuts = [0, 3, 4, 11, 12, 23, 24, 28, 59, 60, 63, 64, 75, 76, 77, witness.length - 1];
    const damaged = cuts.map((size) => witness.subarray(0, size));
    for (const at of [0, 24, 28, 59, 60]) {
      const copy = Uint8Array.from(witness);
      copy[at]! ^= 1;
      damaged.push(copy);
    }
    const longer = new Uint8Array(witness.length + 32);
    longer.set(witness);
    damaged.push(longer);
    for (const value of [r, r + 1n, (1n << 256n) - 1n]) {
      const copy = Uint8Array.from(witness);
      copy.set(toBytesLe(value), witness.length - 32);
      damaged.push(copy);
    }
    for (const [i, bytes] of damaged.entries()) {
      await expect(prover.prove({ circuit, witness: bytes }), `damage ${i}`).rejects.toMatchObject({
        code: "PRV_NO_WITNESS",
      });
    }
    await expectAccepted(prover, witness, "the witness itself");
  });

  test("refuses keys that are cut off anywhere, even where their description says so", async () => {
    const witness = await witnessOf(awkwardInputs(3n, 5n, 7n));
    const starts = Object.values(zkeySection).map((id) => positions[id]!);
    const sizes = [0, 4, 11, 12, ...starts.flatMap((at) => [at - 12, at - 1, at + 3]), key.length - 1];
    for (const size of sizes) {
      const cut = await describedKey(`${name}-cut`, key.subarray(0, size));
      await expect(prover.prove({ circuit: cut, witness }), `${size} bytes`).rejects.toMatchObject({
        code: "PRV_KEY_INVALID",
        data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
      });
    }
  });

  test("never uses the same blinding twice: twenty proofs of one witness have forty different points", async () => {
    const witness = await witnessOf(awkwardInputs(3n, 5n, 7n));
    const points = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const { proof } = await prover.prove({ circuit, witness });
      points.add(String(proof.a)).add(String(proof.c));
    }
    expect(points.size).toBe(40);
  });
});

/** Indexes of two different points that are not at infinity and not in the first places. */
function distinctFinite(points: readonly Buffer[]): [number, number] {
  const finite = points.flatMap((point, i) => (i > 2 && point.some((byte) => byte !== 0) ? [i] : []));
  const first = finite[0]!;
  return [first, finite.find((i) => !points[i]!.equals(points[first]!))!];
}
