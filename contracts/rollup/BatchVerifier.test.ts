import { bn254 } from "@noble/curves/bn254.js";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import {
  type ContractProof,
  type G2ImaginaryFirst,
  imaginaryFirst,
} from "@openledger/circuits/wire/groth16-proof";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CircuitConfig, computeCircuitId, G2_GENERATOR } from "../build/verifying-key.ts";
import { deployFixture, randomElement, revertOf, startFixture } from "../testing/rollup-fixture.ts";
import { sharedSecrets, simulateCircuit, toG2 } from "../testing/test-prover.ts";

const FIELD_P = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

let f: Awaited<ReturnType<typeof startFixture>>;
beforeAll(async () => {
  f = await startFixture();
});
afterAll(() => f?.stop());

interface Statement {
  circuit: number;
  commitment: bigint;
  evaluation: bigint;
  challenge: bigint;
  blobLow: bigint;
  blobHigh: bigint;
}

function prove(circuit: number, overrides: Partial<ContractProof> = {}) {
  const statement: Statement = {
    circuit,
    commitment: randomElement(),
    evaluation: randomElement(),
    challenge: randomElement(),
    blobLow: 0n,
    blobHigh: 0n,
  };
  const { commitment, evaluation, challenge } = statement;
  const proof = f.circuits[circuit]!.forge([commitment, evaluation, challenge]);
  return { statement, proof: { ...proof, ...overrides } };
}

const verify = (items: readonly ReturnType<typeof prove>[]) =>
  revertOf(f.rollup.read.verifyProofs([items.map((i) => i.statement), items.map((i) => i.proof)]));

/** Makes a point on the twist that is no multiple of the generator, as nearly all of them are. */
function outsideGroup(): G2ImaginaryFirst {
  const { Fp2 } = bn254.fields;
  const b = bn254.G2.Point.CURVE().b;
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.fromBigTuple([c0, 0n]);
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), b);
    try {
      const y = Fp2.sqrt(square);
      if (bn254.G2.Point.fromAffine({ x, y }).isTorsionFree()) continue;
      return imaginaryFirst([x.c1, x.c0], [y.c1, y.c0]);
    } catch {
      // Not a square: the next x.
    }
  }
}

describe("verifyProofs", () => {
  test("accepts proofs of one, two and three circuits, in any order", async () => {
    for (const circuits of [[0], [2], [0, 0], [1, 0], [0, 1, 2], [2, 1, 0, 0, 1, 2]]) {
      expect(await verify(circuits.map((c) => prove(c))), circuits.join()).toMatchObject({
        name: "accepted",
      });
    }
  });

  test("rejects every set in which one proof is bad, wherever it stands", async () => {
    const good = [prove(0), prove(1), prove(0), prove(2)];
    expect(await verify(good)).toMatchObject({ name: "accepted" });
    for (const i of good.keys()) {
      const set = good.with(i, { ...good[i]!, proof: prove(good[i]!.statement.circuit).proof });
      expect(await verify(set), `bad proof at ${i}`).toMatchObject({ name: "VerifierProofRejected" });
    }
  });

  test("rejects a set whose two bad proofs would cancel without random coefficients", async () => {
    const [first, second] = [prove(0), prove(0)];
    const swapped = [
      { ...first, proof: { ...first.proof, c: second.proof.c } },
      { ...second, proof: { ...second.proof, c: first.proof.c } },
    ];
    expect(await verify(swapped)).toMatchObject({ name: "VerifierProofRejected" });
  });

  test("rejects a changed input, whichever it is", async () => {
    for (const name of ["commitment", "evaluation", "challenge"] as const) {
      const item = prove(0);
      const statement = { ...item.statement, [name]: (item.statement[name] + 1n) % FIELD_ORDER };
      expect(await verify([{ ...item, statement }]), name).toMatchObject({ name: "VerifierProofRejected" });
    }
  });

  test("rejects a proof that is valid for another circuit", async () => {
    const item = prove(0);
    const statement = { ...item.statement, circuit: 1 };
    expect(await verify([{ ...item, statement }])).toMatchObject({ name: "VerifierProofRejected" });
  });

  test("rejects inputs of the field's order or more, naming the first", async () => {
    for (const [input, name] of ["commitment", "evaluation", "challenge"].entries()) {
      const items = [prove(0), prove(0)];
      const value = items[1]!.statement[name as "commitment"] + FIELD_ORDER;
      const statement = { ...items[1]!.statement, [name]: value };
      expect(await verify([items[0]!, { ...items[1]!, statement }])).toEqual({
        name: "VerifierInputOutOfField",
        args: [1n, BigInt(input), value],
      });
    }
  });

  test("rejects points off the curve, with large coordinates or outside their group", async () => {
    const { a, b, c } = prove(0).proof;
    const broken: Partial<ContractProof>[] = [
      { a: [a[0], a[1] + 1n] },
      { a: [a[0] + FIELD_P, a[1]] },
      { c: [c[0] + 1n, c[1]] },
      { b: imaginaryFirst([b[0][0], b[0][1] + 1n], b[1]) },
      { b: imaginaryFirst([b[0][0] + FIELD_P, b[0][1]], b[1]) },
      { b: outsideGroup() },
    ];
    for (const [i, overrides] of broken.entries()) {
      for (const position of [0, 1]) {
        const items = [prove(0), prove(0)].with(position, prove(0, overrides));
        expect(await verify(items), `case ${i} at ${position}`).toMatchObject({
          name: "VerifierPointInvalid",
        });
      }
    }
  });

  test("rejects a C with a y that no field element is, also where no precompile sees it before it is negated", async () => {
    const { c } = prove(0).proof;
    const points = [
      [c[0], c[1] + FIELD_P],
      [c[0], FIELD_P],
      // Infinity, if its y were reduced.
      [0n, FIELD_P],
      [c[0], 2n ** 256n - 1n],
    ] as const;
    for (const [i, point] of points.entries()) {
      for (const items of [[prove(0, { c: point })], [prove(1, { c: point }), prove(0)]])
        expect(await verify(items), `point ${i} of ${items.length}`).toMatchObject({
          name: "VerifierPointInvalid",
        });
    }
  });

  test("rejects a proof of nothing but points at infinity", async () => {
    const item = prove(0, {
      a: [0n, 0n],
      b: imaginaryFirst([0n, 0n], [0n, 0n]),
      c: [0n, 0n],
    });
    expect(await verify([item])).toMatchObject({ name: "VerifierProofRejected" });
  });

  test("accepts a rerandomised proof: nothing may be keyed on a proof's bytes", async () => {
    const { statement, proof } = prove(0);
    const negated: ContractProof = {
      a: [proof.a[0], FIELD_P - proof.a[1]],
      b: imaginaryFirst(proof.b[0], [FIELD_P - proof.b[1][0], FIELD_P - proof.b[1][1]]),
      c: proof.c,
    };
    expect(await verify([{ statement, proof: negated }])).toMatchObject({ name: "accepted" });
  });

  test("rejects unknown circuits and lists of different length", async () => {
    const item = prove(0);
    const unknown = { ...item, statement: { ...item.statement, circuit: 3 } };
    expect(await verify([unknown])).toEqual({ name: "VerifierCircuitUnknown", args: [3n, 3n] });
    const short = revertOf(f.rollup.read.verifyProofs([[item.statement], []]));
    expect(await short).toEqual({ name: "VerifierCountMismatch", args: [1n, 0n] });
  });
});

describe("circuits", () => {
  test("gives back every key as it was registered, with the id of docs/reference/settlement.md", async () => {
    expect(await f.rollup.read.circuitCount()).toBe(3n);
    for (const [i, circuit] of f.circuits.entries()) {
      const { sort, size0, size1, isDevelopment, key } = circuit;
      const registered = await f.rollup.read.circuits([BigInt(i)]);
      expect(registered).toMatchObject({ sort, size0, size1, isDevelopment, key });
      expect(BigInt(registered.circuitId)).toBe(circuit.circuitId);
      expect(computeCircuitId(circuit)).toBe(circuit.circuitId);
    }
    expect(await revertOf(f.rollup.read.circuits([3n]))).toMatchObject({ name: "VerifierCircuitUnknown" });
  });
});

describe("constructor", () => {
  const shape = batchSizes(shapeOf(6, 2));
  const deploy = (circuits: readonly CircuitConfig[]) =>
    revertOf(deployFixture(f.client, { circuits, token: f.deployment.token }));
  const { key, ...rest } = simulateCircuit(shape);
  const withKey = (overrides: Partial<typeof key>): CircuitConfig => ({
    ...rest,
    key: { ...key, ...overrides },
  });

  test("accepts the key that the cases below break", async () => {
    expect(await deploy([withKey({})])).toMatchObject({ name: "accepted" });
  });

  test("refuses no circuit, and more than sixteen", async () => {
    expect(await deploy([])).toEqual({ name: "VerifierCircuitCountInvalid", args: [0n, 16n] });
    const circuits = Array.from({ length: 17 }, () => simulateCircuit(shape));
    expect(await deploy(circuits.slice(0, 16))).toMatchObject({ name: "accepted" });
    // By the contract, or by the node: so many keys make more than the 49,152 bytes that a creation may have (EIP-3860).
    const outcome = deploy(circuits).catch((error: unknown) => ({ name: String(error) }));
    expect((await outcome).name).toMatch(/VerifierCircuitCountInvalid|CON_DEPLOY_FAILED|cannot deploy/);
  });

  test("refuses sizes that no circuit of the sort has, and unknown sorts", async () => {
    for (const [sort, size0, size1] of [
      // An odd number of narrow slots, no wide ones.
      [0, 5, 2],
      [0, 6, 0],
      // No payments, no slots, too many of them.
      [1, 0, 8],
      [1, 16, 0],
      [1, 16, 513],
      // A payee table with payments, without slots, with too many.
      [2, 1, 8],
      [2, 0, 0],
      [2, 0, 513],
      // An exit of a leaf with slots, of a slot without any, with too many, of neither.
      [3, 0, 8],
      [3, 1, 0],
      [3, 1, 513],
      [3, 2, 8],
      // Draws of one shard, of nine, without payments; a shard with payments, without payees, with too many.
      [4, 1, 1],
      [4, 1, 9],
      [4, 0, 8],
      [5, 1, 8],
      [5, 0, 0],
      [5, 0, 513],
      [6, 1, 8],
      [255, 6, 2],
    ] as const) {
      const tableSizes = sort === 0 ? shape.tableSizes : 0n;
      expect(await deploy([{ ...withKey({}), sort, size0, size1, tableSizes }])).toEqual({
        name: "VerifierShapeInvalid",
        args: [0n, sort, size0, size1],
      });
    }
    const table = { ...withKey({}), tableSizes: 1n };
    expect(await deploy([table])).toMatchObject({ name: "accepted" });
    // A batch has a table, and nothing else has one.
    expect(await deploy([{ ...table, tableSizes: 0n }])).toMatchObject({ name: "VerifierShapeInvalid" });
    expect(await deploy([{ ...table, sort: 2, size0: 0 }])).toMatchObject({ name: "VerifierShapeInvalid" });
    // Attack: a bit that is no table's, and not the blob's either.
    for (const bit of [46n, 63n])
      expect(await deploy([{ ...table, tableSizes: 1n | (1n << bit) }])).toMatchObject({
        name: "VerifierShapeInvalid",
      });
    for (const [sort, size0, size1] of [
      [0, 0, 1],
      [1, 65_535, 512],
      [2, 0, 512],
      [3, 0, 0],
      [3, 1, 512],
      [4, 65_535, 2],
      [4, 1, 8],
      [5, 0, 512],
    ] as const) {
      const sizes = { ...withKey({}), sort, size0, size1, tableSizes: sort === 0 ? shape.tableSizes : 0n };
      expect(await deploy([sizes])).toMatchObject({ name: "accepted" });
    }
  });

  test("gives each sort its own circuit ids", () => {
    const ids = [0, 1, 2, 3].map((sort) => computeCircuitId({ ...withKey({}), sort }));
    expect(new Set(ids).size).toBe(4);
  });

  test("refuses a circuit with another alpha or beta", async () => {
    for (const shared of [
      { ...sharedSecrets, alpha: 5n },
      { ...sharedSecrets, beta: 5n },
    ]) {
      const other = simulateCircuit(shape, { shared });
      expect(await deploy([withKey({}), other])).toEqual({ name: "VerifierKeyNotShared", args: [1n] });
    }
  });

  test("refuses two circuits with one delta", async () => {
    const circuits = [simulateCircuit(shape), simulateCircuit(shape, { delta: 7n }), simulateCircuit(shape)];
    expect(await deploy(circuits)).toMatchObject({ name: "accepted" });
    const twin = simulateCircuit(shape, { delta: 7n });
    expect(await deploy([...circuits, twin])).toEqual({ name: "VerifierDeltaShared", args: [3n, 1n] });
  });

  test("refuses a delta that is gamma, and points at infinity, off the curve or outside the group", async () => {
    const zero = [0n, 0n] as const;
    const delta = toG2(9n);
    const cases: Partial<typeof key>[] = [
      { delta: G2_GENERATOR },
      { delta: imaginaryFirst(zero, zero) },
      { beta: imaginaryFirst(zero, zero) },
      { alpha: zero },
      { ic: [zero, key.ic[1], key.ic[2], key.ic[3], zero, zero] },
      { ic: [key.ic[0], key.ic[1], key.ic[2], zero, zero, zero] },
      { ic: [key.ic[0], [key.ic[1][0], key.ic[1][1] + 1n], key.ic[2], key.ic[3], zero, zero] },
      // Points for a blob's value, where batches have none.
      { ic: [key.ic[0], key.ic[1], key.ic[2], key.ic[3], key.ic[1], zero] },
      { ic: [key.ic[0], key.ic[1], key.ic[2], key.ic[3], zero, key.ic[1]] },
      { alpha: [key.alpha[0] + FIELD_P, key.alpha[1]] },
      { delta: imaginaryFirst(delta[0], [delta[1][0], delta[1][1] + 1n]) },
      { delta: outsideGroup() },
    ];
    for (const [i, overrides] of cases.entries()) {
      expect(await deploy([withKey(overrides)]), `case ${i}`).toEqual({
        name: "VerifierKeyInvalid",
        args: [0n],
      });
    }
  });
});
