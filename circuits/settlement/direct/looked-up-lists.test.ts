/**
 * Why a direct query counts its buckets, instead of listing them and looking their columns up: a column that is looked up by
 * random fingerprints is chosen after the randomness is known. The simpler design, and the forgery that it lets through.
 */
import { beforeAll, expect, test } from "vitest";
import { generators } from "../../field/curve/generators.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";

const TERMS = 2;
const COLUMNS = 3;
const SOURCE = `pragma circom 2.1.6;
include "circuits/field/curve/montgomery.circom";
// Places with a column each, looked up by a logarithmic derivative in gamma over bucket + z u + z^2 v, and their sum.
template LookedUp(terms, columns) {
    signal input z; signal input gamma; signal input start[2];
    signal input tableU[columns]; signal input tableV[columns]; signal input times[columns];
    signal input bucket[terms]; signal input u[terms]; signal input v[terms];
    signal output sum[2];
    signal zz <== z * z;
    signal ofU[terms + columns]; signal ofV[terms + columns]; signal lookup[terms + 1]; signal table[columns + 1];
    component add[terms];
    lookup[0] <== 0;
    table[0] <== 0;
    for (var i = 0; i < terms; i++) {
        ofU[i] <== z * u[i];
        ofV[i] <== zz * v[i];
        lookup[i + 1] <-- lookup[i] + 1 / (gamma - bucket[i] - ofU[i] - ofV[i]);
        (lookup[i + 1] - lookup[i]) * (gamma - bucket[i] - ofU[i] - ofV[i]) === 1;
        add[i] = UnsafeMontgomeryAdd();
        if (i == 0) { add[i].a <== start; } else { add[i].a <== add[i - 1].out; }
        add[i].b[0] <== u[i];
        add[i].b[1] <== v[i];
    }
    for (var a = 0; a < columns; a++) {
        ofU[terms + a] <== z * tableU[a];
        ofV[terms + a] <== zz * tableV[a];
        table[a + 1] <-- table[a] + times[a] / (gamma - a - ofU[terms + a] - ofV[terms + a]);
        (table[a + 1] - table[a]) * (gamma - a - ofU[terms + a] - ofV[terms + a]) === times[a];
    }
    table[columns] === lookup[terms];
    sum <== add[terms - 1].out;
}
component main = LookedUp(${TERMS}, ${COLUMNS});
`;

beforeAll(initPoseidon);

test("a list, its lookups and its multiplicities are honest, and its sum is another", {
  timeout: 600_000,
}, async () => {
  const tester = await CircuitTester.compile("looked-up-lists", SOURCE);
  const points = generators("row", COLUMNS + 1);
  const bucket = [2, 0];
  const [z, gamma] = [987_654_321n, 123_456_789n ** 5n % FIELD_ORDER];
  const inputs = {
    z,
    gamma,
    start: [points.u[COLUMNS]!, points.v[COLUMNS]!],
    tableU: points.u.slice(0, COLUMNS),
    tableV: points.v.slice(0, COLUMNS),
    times: [1, 0, 1],
    bucket,
    u: bucket.map((a) => points.u[a]!),
    v: bucket.map((a) => points.v[a]!),
  };
  const honest = await tester.calculateWitness(inputs);
  // z u + z² v is the same for (u + z t, v − t), for any t. No commitment precedes z, so t is the prover's.
  const sums = [1n, 2n, 3n].map(async (t) => {
    const moved = {
      ...inputs,
      u: inputs.u.with(0, inputs.u[0]! + z * t),
      v: inputs.v.with(0, inputs.v[0]! - t),
    };
    const forged = await tester.calculateWitness(moved);
    expect(tester.checkConstraints(forged)).toBeNull();
    return tester.readOutput(forged, "sum");
  });
  const all = [tester.readOutput(honest, "sum"), ...(await Promise.all(sums))];
  expect(new Set(all.map(String)).size).toBe(4);
});
