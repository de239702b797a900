import { readFileSync } from "node:fs";
import { runs } from "@openledger/foundation/testing/test-random";
import { buildPoseidon } from "circomlibjs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { repositoryRoot } from "../compiler/compile.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { recordedCount } from "../testing/constraint-counts.ts";
import { hashTaggedReference } from "../testing/poseidon-reference.ts";
import {
  hashTagged,
  hashTaggedMany,
  initPoseidon,
  poseidonImplementation,
  useNativeField,
} from "./poseidon.ts";

const prime = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const element = fc.oneof(fc.bigInt(0n, prime - 1n), fc.constantFrom(0n, 1n, prime - 1n));

const compile = (name: string, main: string) =>
  CircuitTester.compile(
    name,
    `pragma circom 2.1.6;\ninclude "circuits/field/poseidon.circom";\ncomponent main = ${main};\n`,
  );

beforeAll(async () => {
  await initPoseidon();
  useNativeField(null);
});

describe("hashTagged", () => {
  test("runs in our own kernels", () => {
    expect(poseidonImplementation()).toBe("fused");
  });

  test("equals the definition and circomlibjs' WebAssembly for every width, also at the edges of the field", async () => {
    const circomlib = await buildPoseidon();
    for (let n = 1; n <= 16; n++) {
      const property = fc.property(
        element,
        fc.array(element, { minLength: n, maxLength: n }),
        (tag, inputs) => {
          const hash = hashTagged(tag, inputs);
          expect(hash).toBe(circomlib.F.toObject(circomlib(inputs, tag, 1)));
          expect(hash).toBe(hashTaggedReference(tag, inputs));
        },
      );
      const edges = [0n, 1n, prime - 1n, (prime - 1n) / 2n].map((value) => Array<bigint>(n).fill(value));
      fc.assert(property, { numRuns: runs(20), examples: edges.map((inputs) => [inputs[0]!, inputs]) });
    }
  });

  test("takes values outside the field for their residues, as circomlibjs does", () => {
    expect(hashTagged(-1n, [prime, -2n, 2n * prime + 3n])).toBe(hashTagged(prime - 1n, [0n, prime - 2n, 3n]));
  });

  test("refuses a number of inputs that Poseidon has no constants for", () => {
    expect(() => hashTagged(0n, [])).toThrow(RangeError);
    expect(() => hashTagged(0n, Array<bigint>(17).fill(0n))).toThrow(RangeError);
  });

  test("equals circomlib's published value for the inputs 1 and 2", () => {
    // circomlib: test/poseidoncircuit.js
    expect(hashTagged(0n, [1n, 2n])).toBe(
      0x115cc0f5e7d690413df64c6b9662e9cf2a3617f2743245519e19607a4417189an,
    );
  });
});

describe("hashTaggedMany", () => {
  test("gives what one after the other gives, for odd numbers too, and keeps the lanes apart", () => {
    for (const n of [1, 2, 4, 5, 8, 16]) {
      const request = fc.tuple(element, fc.array(element, { minLength: n, maxLength: n }));
      const property = fc.property(fc.array(request, { maxLength: 7 }), (requests) => {
        expect(hashTaggedMany(requests)).toEqual(requests.map(([tag, inputs]) => hashTagged(tag, inputs)));
      });
      fc.assert(property, { numRuns: runs(10) });
    }
  });

  test("refuses different numbers of inputs", () => {
    const requests = [1, 2].map((n) => [0n, Array<bigint>(n).fill(0n)] as const);
    expect(() => hashTaggedMany(requests)).toThrow(RangeError);
  });
});

describe("HashTagged", () => {
  test.each([2, 4, 5, 6, 8, 10, 16])("equals the rules, refuses every altered wire: %i inputs", async (n) => {
    const tag = BigInt(n + 1);
    const tester = await compile(`hash-tagged-${n}`, `HashTagged(${n}, ${tag})`);
    expect(tester.constraintCount).toBe(recordedCount(`HashTagged(${n})`));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
    await fc.assert(
      fc.asyncProperty(fc.array(element, { minLength: n, maxLength: n }), async (inputs) => {
        const witness = await tester.calculateWitness({ in: inputs });
        expect(tester.readOutput(witness, "out")).toBe(hashTagged(tag, inputs));
        expect(tester.checkConstraints(witness)).toBeNull();
        expect(tester.tamper(witness)).toEqual([]);
      }),
      { numRuns: runs(5) },
    );
  });

  test("rejects a forged output and a forged input of a partial round's fifth power", async () => {
    const tester = await compile("hash-tagged-2", "HashTagged(2, 3)");
    const witness = await tester.calculateWitness({ in: [1n, 2n] });
    expect(tester.checkConstraints(witness)).toBeNull();
    const out = tester.readSignal(witness, "main.out");
    expect(tester.checkConstraints(tester.forge(witness, { "main.out": out + 1n }))).not.toBeNull();
    // The power that follows is made to fit the forged value; the hint's own constraint must refuse.
    const x = tester.readSignal(witness, "main.core.x[7]") + 1n;
    const forged = tester.forge(witness, {
      "main.core.x[7]": x,
      "main.core.p2[7]": x * x,
      "main.core.p3[7]": x ** 3n,
    });
    expect(tester.checkConstraints(forged)).not.toBeNull();
  });
});

describe("HashTaggedVar", () => {
  test.each([2, 4, 8])("equals the rules and refuses every altered wire: %i inputs", async (n) => {
    const tester = await compile(`hash-tagged-var-${n}`, `HashTaggedVar(${n})`);
    expect(tester.constraintCount).toBe(recordedCount(`HashTaggedVar(${n})`));
    expect(tester.circuit.constraintCounts.linear).toBe(0);
    await fc.assert(
      fc.asyncProperty(element, fc.array(element, { minLength: n, maxLength: n }), async (tag, inputs) => {
        const witness = await tester.calculateWitness({ tag, in: inputs });
        expect(tester.readOutput(witness, "out")).toBe(hashTagged(tag, inputs));
        expect(tester.tamper(witness)).toEqual([]);
      }),
      { numRuns: runs(5) },
    );
  });
});

describe("PoseidonCore", () => {
  test("hashes combinations of its signals without a linear constraint", async () => {
    const tester = await compile("poseidon-core", "PoseidonCore(2, 3, [[1, 2, 0], [0, -1, 5]], 0, 9)");
    expect(tester.constraintCount).toBe(recordedCount("HashTagged(2)"));
    const witness = await tester.calculateWitness({ in: [3n, 4n, 6n], tagSignal: [] });
    expect(tester.readOutput(witness, "out")).toBe(hashTagged(9n, [11n, 26n]));
    expect(tester.tamper(witness)).toEqual([]);
  });
});

describe("POSEIDON_M00_INV", () => {
  test("inverts the first element of every matrix, which every sparse round repeats", async () => {
    const { default: constants } = (await import(
      // @ts-expect-error a file of the package without types
      "../../node_modules/circomlibjs/src/poseidon_constants_opt.js"
    )) as { default: { M: string[][][]; S: string[][] } };
    const source = readFileSync(`${repositoryRoot}circuits/field/poseidon-constants.circom`, "utf8");
    const inverses = [...source.matchAll(/0x[0-9a-f]+/g)].map(([text]) => BigInt(text));
    expect(inverses).toHaveLength(16);
    for (const [i, inverse] of inverses.entries()) {
      const t = i + 2;
      const first = BigInt(constants.M[i]![0]![0]!);
      expect((first * inverse) % prime, `t = ${t}`).toBe(1n);
      constants.S[i]!.forEach((value, at) => {
        if (at % (2 * t - 1) === 0) expect(BigInt(value), `t = ${t}`).toBe(first);
      });
    }
  });
});
