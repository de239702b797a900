import { invertMod } from "@openledger/foundation/modular";
import { TestRandom } from "@openledger/foundation/testing/test-random";
import { describe, expect, it } from "vitest";
import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { FIELD_ORDER } from "../protocol.ts";
import { blobConstraints } from "../testing/blob-counts.ts";
import { CircuitTester } from "../testing/circuit-tester.ts";
import { shiftedDown } from "../testing/forgeries/field-aliases.ts";
import { sourceWithout } from "../testing/forgeries/mutant.ts";
import { BLOB_FIELD_ORDER, BLOB_PAYLOAD_LIMIT, blobHalves, evaluateBlob } from "./blob-bytes.ts";
import { blobReductions } from "./blob-reductions.ts";

/** Cores of all slots, then payloads of the members. */
interface Coefficients {
  readonly cores: readonly bigint[];
  readonly payloads: readonly bigint[];
}
interface Sections {
  readonly transfers: number;
  readonly members: number;
}
const SECTIONS: Sections = { transfers: 5, members: 3 };
const LEAST: Sections = { transfers: 1, members: 1 };
/** The part of the witness that a forger may choose. */
interface Witness {
  readonly halves: bigint[];
  readonly quotient: bigint[][];
  readonly remainder: bigint[][];
}
const LIMB = 2n ** 92n;

const elementsOf = ({ cores, payloads }: Coefficients): bigint[] => [
  ...Array.from({ length: cores.length / 2 }, (_, i) => cores[2 * i]! + cores[2 * i + 1]! * LIMB),
  ...payloads,
];
const limbsOf = (value: bigint) => [value % LIMB, (value / LIMB) % LIMB, value / LIMB / LIMB];
const numberOf = (limbs: readonly bigint[]) => limbs[0]! + LIMB * (limbs[1]! + LIMB * limbs[2]!);

/** @param shown what the prover claims to evaluate, and where, if that is something else */
function inputsOf(input: Coefficients, z: bigint, shown = { ...input, z }): CircuitInputs {
  const { cores, payloads } = input;
  const transfers = cores.length - payloads.length;
  const elements = elementsOf(shown);
  const { blobLow, blobHigh } = blobHalves(evaluateBlob(elements, shown.z));
  return {
    z,
    memberPayload: payloads,
    halves: [blobLow, blobHigh],
    transferCore: cores.slice(0, transfers),
    memberCore: cores.slice(transfers),
    ...blobReductions(elements, shown.z),
  };
}

const mainSource = ({ transfers, members }: Sections) =>
  `pragma circom 2.1.6;\ninclude "circuits/blob/blob-evaluation.circom";\ncomponent main {public [z, transferCore, memberCore, memberPayload, halves]} = BlobEvaluation(${transfers}, ${members});\n`;
const compile = (name: string, source: string) => CircuitTester.compile(name, source);

const tester = await compile("blob-evaluation-5-3", mainSource(SECTIONS));

const random = new TestRandom(8);
const randomOnes = ({ transfers, members } = SECTIONS): Coefficients => ({
  cores: Array.from({ length: transfers + members }, () => BigInt.asUintN(92, random.field())),
  payloads: Array.from({ length: members }, () => (random.field() * 64n) % BLOB_PAYLOAD_LIMIT),
});
const all = (core: bigint, payload: bigint): Coefficients => ({
  cores: Array<bigint>(8).fill(core),
  payloads: Array<bigint>(3).fill(payload),
});
const ONES = all(LIMB - 1n, BLOB_PAYLOAD_LIMIT - 1n);

/** null if the rows accept the inputs, else the template that refuses them, or "rows". */
async function refusalOf(circuit: CircuitTester, inputs: CircuitInputs): Promise<string | null> {
  try {
    const witness = await circuit.calculateWitness(inputs);
    return circuit.checkConstraints(witness) === null ? null : "rows";
  } catch (error) {
    return String((error as { data: { trace: string[] } }).data.trace);
  }
}

describe("a blob's value in the circuit", () => {
  it.each<[string, Coefficients, bigint]>([
    ["random coefficients", randomOnes(), random.field()],
    ["other random coefficients", randomOnes(), (random.field() * 97n) % FIELD_ORDER],
    ["all bits set, at r - 1", ONES, FIELD_ORDER - 1n],
    ["all bits set, at 1", ONES, 1n],
    ["only zeros", all(0n, 0n), FIELD_ORDER - 1n],
    ["z = 0", randomOnes(), 0n],
    ["z = 2^184 - 1", randomOnes(), 2n ** 184n - 1n],
    // The same last limb as r's, and lower ones that decide.
    ["z with r's last limb", randomOnes(), (FIELD_ORDER / LIMB ** 2n) * LIMB ** 2n],
  ])("is what TypeScript computes, for %s", async (_what, coefficients, z) => {
    expect(await refusalOf(tester, inputsOf(coefficients, z))).toBeNull();
  });

  it("may be p - 1", async () => {
    // The payload alone decides: d_1 = (-1 - d_0) / z, where that is a payload.
    const pair = elementsOf(randomOnes(LEAST))[0]!;
    const paymentAt = (point: bigint) =>
      ((2n * BLOB_FIELD_ORDER - 1n - pair) * invertMod(point, BLOB_FIELD_ORDER)) % BLOB_FIELD_ORDER;
    let z = random.field();
    while (paymentAt(z) >= BLOB_PAYLOAD_LIMIT) z = random.field();
    const coefficients = { cores: limbsOf(pair).slice(0, 2), payloads: [paymentAt(z)] };
    expect(evaluateBlob(elementsOf(coefficients), z)).toBe(BLOB_FIELD_ORDER - 1n);
    const min = await compile("blob-evaluation-1-1", mainSource(LEAST));
    expect(min.constraintCount).toBe(blobConstraints(1, 1));
    expect(await refusalOf(min, inputsOf(coefficients, z))).toBeNull();
  });

  it("has as many constraints as computed, for 2,048 transfers 28 each", () => {
    expect(tester.constraintCount).toBe(blobConstraints(5, 3));
    expect(blobConstraints(2046, 2)).toBe(57_768);
    expect(blobConstraints(1, 2047)).toBe(629_095);
  });

  it("hangs together: no wire can change alone, by 1, p, r's aliases of p or of scaled values", async () => {
    const witness = await tester.calculateWitness(inputsOf(randomOnes(), random.field()));
    const p = BLOB_FIELD_ORDER % FIELD_ORDER;
    const aliases = [36, 69, 92, 128, 184].map((shift) => shiftedDown(1n, shift));
    const changes = [p, -p, -(LIMB ** 2n), -LIMB];
    expect(
      tester.tamper(witness, { only: () => true, aliasBits: [36, 92, 184, 253], changes, aliases }),
    ).toEqual([]);
  });
});

describe("a forged value of a blob", () => {
  const honest = randomOnes();
  const z = random.field();

  it.each<[string, (inputs: Witness) => void, RegExp]>([
    [
      "another remainder with the quotient that fits modulo r",
      ({ quotient, remainder }) => {
        remainder[0]![0]! += 1n;
        const inverse = invertMod(BLOB_FIELD_ORDER, FIELD_ORDER);
        const next = (numberOf(quotient[0]!) + FIELD_ORDER - inverse) % FIELD_ORDER;
        quotient[0] = limbsOf(next);
      },
      /RangeCheck.*ReduceModP/,
    ],
    [
      "another remainder with the quotient that fits modulo 2^276",
      ({ quotient, remainder }) => {
        remainder[0]![0]! += 1n;
        const modulus = LIMB ** 3n;
        // p is odd: the inverse of p modulo 2^276 by Newton's steps.
        let inverse = 1n;
        for (let i = 0; i < 9; i++)
          inverse = (((inverse * (2n - BLOB_FIELD_ORDER * inverse)) % modulus) + modulus) % modulus;
        quotient[0] = limbsOf((numberOf(quotient[0]!) + modulus - inverse) % modulus);
      },
      /ReduceModP/,
    ],
    [
      "a quotient below 0",
      ({ quotient, remainder }) => {
        remainder[0] = limbsOf(
          numberOf(remainder[0]!) + BLOB_FIELD_ORDER * numberOf(quotient[0]!) + BLOB_FIELD_ORDER,
        ).map((limb) => limb % FIELD_ORDER);
        quotient[0] = [FIELD_ORDER - 1n, 0n, 0n];
      },
      /RangeCheck.*ReduceModP/,
    ],
    [
      "limbs that carry into each other",
      ({ remainder }) => {
        remainder[0]![0]! += LIMB;
        remainder[0]![1]! -= 1n;
      },
      /RangeCheck.*ReduceModP/,
    ],
    [
      "halves that carry into each other",
      ({ halves }) => {
        halves[0]! += 2n ** 128n;
        halves[1]! -= 1n;
      },
      /RangeCheck.*BlobEvaluation/,
    ],
    [
      "another low half",
      ({ halves }) => {
        halves[0]! += LIMB;
      },
      /RangeCheck|BlobEvaluation/,
    ],
  ])("is refused: %s", async (_what, forge, where) => {
    const inputs = structuredClone(inputsOf(honest, z));
    forge(inputs as unknown as Witness);
    expect(await refusalOf(tester, inputs)).toMatch(where);
  });

  // The witness program's hints know canonical limbs only, so they are bent for these two numbers.
  const POINT = 3n;
  const PAYLOAD = 5n;
  const bend = (source: string) =>
    [
      ["z", POINT],
      ["payload", PAYLOAD],
    ].reduce((text, [name, value]) => {
      const [, one, two] = limbsOf((value as bigint) + FIELD_ORDER);
      const hint = (limb: number, by: bigint, expression: string) =>
        [
          `limb[${limb}] <-- ${expression};`,
          `limb[${limb}] <-- ${name} == ${value} ? ${by} : ${expression};`,
        ] as const;
      const changes = [hint(1, one!, `(${name} >> 92) & ((1 << 92) - 1)`), hint(2, two!, `${name} >> 184`)];
      return changes.reduce((bent, [from, to]) => {
        if (bent.split(from).length !== 2) throw new Error(`not once: ${from}`);
        return bent.replace(from, to);
      }, text);
    }, source);
  const RULES = [
    "    component below = BelowLimbs(FIELD(0), FIELD(1), FIELD(2));\n    below.limb <== limb;\n",
    "    component rest = RangeCheck(69);\n    rest.in <== limb[2] - isTop * (FIELD(2) - (1 << 69));\n",
    "    component below = BelowLimbs(BLOB_FIELD(0), BLOB_FIELD(1), BLOB_FIELD(2));\n    below.limb <== remainder[count - 1];\n",
  ];

  it("is refused with aliases of z, of a payload and of the value, each by its one rule", async () => {
    const strict = await compile("blob-bent-1-1", bend(sourceWithout(mainSource(LEAST), [], true)));
    const loose = await compile("blob-loose-1-1", bend(sourceWithout(mainSource(LEAST), RULES, true)));
    const input = { cores: [7n, 9n], payloads: [11n] };
    const atAlias = inputsOf(input, POINT, { ...input, z: POINT + FIELD_ORDER });
    const paid = { ...input, payloads: [PAYLOAD] };
    const ofAlias = inputsOf(paid, z, { ...paid, payloads: [PAYLOAD + FIELD_ORDER], z });
    // y_b + p: of a batch whose value is small enough for it.
    let small = inputsOf(randomOnes(LEAST), z);
    const lastOf = (inputs: CircuitInputs) => numberOf((inputs.remainder as bigint[][]).at(-1)!);
    while (lastOf(small) + BLOB_FIELD_ORDER >= 2n ** 255n)
      small = inputsOf(randomOnes(LEAST), random.field());
    const value = lastOf(small) + BLOB_FIELD_ORDER;
    const { blobLow, blobHigh } = blobHalves(value);
    const above: CircuitInputs = {
      ...small,
      halves: [blobLow, blobHigh],
      remainder: [limbsOf(value)],
      quotient: [limbsOf(numberOf((small.quotient as bigint[][])[0]!) - 1n)],
    };
    const expected = [/BelowLimbs.*PointLimbs/, /PayloadLimbs/, /BelowLimbs.*BlobEvaluation/];
    for (const [i, inputs] of [atAlias, ofAlias, above].entries()) {
      expect(await refusalOf(strict, inputs)).toMatch(expected[i]!);
      expect(await refusalOf(loose, inputs)).toBeNull();
    }
    expect(await refusalOf(strict, small)).toBeNull();
  }, 300_000);
});
