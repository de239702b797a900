import { readFile } from "node:fs/promises";
import { runs, TestRandom } from "@openledger/foundation/testing/test-random";
import { beforeAll, expect, it } from "vitest";
import { FIELD_ORDER } from "../protocol.ts";
import { compileCircuit } from "./compile.ts";
import { quicken } from "./field-functions.ts";
import { codeOf, keepShort } from "./short-values.ts";
import { WitnessCalculator } from "./witness-calculator.ts";

const OPERATORS = [
  "+",
  "-",
  "*",
  "/",
  "\\",
  "%",
  "**",
  "&",
  "|",
  "^",
  "<<",
  ">>",
  "<",
  "<=",
  ">",
  ">=",
  "==",
];
// Every operator with two inputs, with an input and the constants that loops count by, and with the results before it.
const mainSource = `pragma circom 2.1.6;
template Operators() {
  signal input a;
  signal input b;
  signal output of[${OPERATORS.length}];
  signal output withOne[${OPERATORS.length}];
  signal output turns[${OPERATORS.length}];
  signal output not;
  var last = 3;
${OPERATORS.map(
  (operator, i) => `  of[${i}] <-- a ${operator} b;
  withOne[${i}] <-- a ${operator} 1;
  last = last + (of[${i}] ${operator} 7);
  var count${i} = 0;
  for (var k = 0; k < 20; k++) { if (k ${operator} 3 == 1) { count${i} = count${i} + k; } }
  turns[${i}] <-- count${i} + last;`,
).join("\n")}
  not <-- ~a + last;
}
component main = Operators();
`;

let program: Uint8Array;
beforeAll(async () => {
  const { wasmPath } = await compileCircuit({ name: "operators", mainSource });
  program = await readFile(wasmPath);
});

const EQUALITY_WIRE = OPERATORS.length;
/** The values of all wires, a short one last; or what the program ends by. */
function outcomeOf(calculator: WitnessCalculator, a: bigint, b: bigint): unknown {
  try {
    return [...calculator.calculate({ a, b }), calculator.readWire(EQUALITY_WIRE)];
  } catch (error) {
    return String(error);
  }
}

it("every operator gives what circom's program gives, for values of any form, before and after others", () => {
  const random = new TestRandom(39);
  const [asWritten, kept] = [new WitnessCalculator(program, true), new WitnessCalculator(program)];
  const edges = [0n, 1n, -1n, 2n, 31n, 2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 253n, 254n, 255n];
  const half = FIELD_ORDER >> 1n;
  // Sums and differences of these carry through whole words.
  const words = [2n ** 64n - 1n, 2n ** 128n - 1n, FIELD_ORDER - 2n ** 128n];
  const values = [
    ...edges,
    ...words,
    half,
    half + 1n,
    FIELD_ORDER - 2n,
    random.field(),
    random.field() >> 214n,
  ];
  const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
  for (let i = 0; i < runs(200); i++) {
    const value = () => random.field() >> BigInt(random.below(254));
    pairs.push([value(), value()]);
  }
  for (const [a, b] of pairs)
    expect(outcomeOf(kept, a, b), `${a} and ${b}`).toEqual(outcomeOf(asWritten, a, b));
});

it("finds circom's conversions, all of them", () => {
  expect(keepShort(program).placeCount).toBe(38);
});

it("knows circom's functions, and no others", () => {
  const { program: kept } = keepShort(program);
  expect(quicken(kept)).not.toBe(kept);
  const other = Uint8Array.from(kept);
  other[codeOf(kept)[1] + 1000]! ^= 1;
  expect(quicken(other)).toBe(other);
});
