/** Forgery that flaw 1 of draw-forgeries.test.ts would allow a prover that knew the start. */
import { babyjubjub } from "@noble/curves/misc.js";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { beforeAll, describe, expect, test } from "vitest";
import { BASE8 } from "../../field/curve/eddsa.ts";
import { toMontgomery } from "../../field/curve/eddsa-tables.ts";
import { drawScoresIncludes } from "../../field/curve/generator-tables.ts";
import { addAll } from "../../field/curve/montgomery-points.ts";
import { initPoseidon } from "../../field/poseidon.ts";
import { CircuitTester } from "../../testing/circuit-tester.ts";
import { forgeColumnSignals, trapColumns } from "../../testing/forgeries/free-slopes.ts";
import { commitColumns } from "../feature-commitment.ts";
import { drawInputs, exactScores } from "../scores/draw-scores.ts";

const slow = { timeout: 600_000 };
const S = babyjubjub.Point.fromAffine(BASE8).multiply(987_654_321n);
beforeAll(initPoseidon);

function hasWire(circuit: CircuitTester, signal: string): boolean {
  try {
    return circuit.wireOf(signal) > 0;
  } catch (error) {
    if (isRollupError(error, "CIR_SIGNAL_UNKNOWN")) return false;
    throw error;
  }
}

describe("flaw 1: an addition of equal points leaves its slope free", () => {
  test(
    "under a start known in advance, columns exist for which chosen scores have a witness",
    slow,
    async () => {
      const source = `pragma circom 2.1.6;\n${drawScoresIncludes(1)}component main = DrawScores(1, 2);\n`;
      const known = await CircuitTester.compile("draw-known-start", source);
      const trap = trapColumns();
      const query = Int16Array.from(trap.digits, (entry) =>
        entry.reduce((sum, digit, i) => sum + digit * 4 ** i, 0),
      );
      const start = toMontgomery(S);
      const multipleOfS = toMontgomery(S.multiply(170n));
      const acceptedScores: bigint[] = [];
      // Any score can be aimed at; for about two in three the equation of the slopes has a root.
      for (let g = 1; acceptedScores.length < 2; g++) {
        // A lawful witness for another matrix gives every signal after the sum over the columns.
        const matrix = Int8Array.from([g, -g - 1].map((entry, j) => (query[j]! > 0 ? entry : -entry)));
        const columns = commitColumns(matrix, 1, 2);
        const triple = { u: [...columns.u], v: [...columns.v] };
        for (let i = 0; i < 2; i++) addAll(triple, { u: [...columns.u], v: [...columns.v] });
        const lawful = await known.calculateWitness({
          start: [start.u, start.v],
          startMultiple: [multipleOfS.u, multipleOfS.v],
          ...columns,
          tripleU: triple.u,
          tripleV: triple.v,
          ...drawInputs(matrix, query),
        });
        const [u, v] = [0, 1].map((i) => known.readSignal(lawful, `main.columnHorner[0].out[${i}]`)) as [
          bigint,
          bigint,
        ];
        const signals = forgeColumnSignals(trap, S, { u, v });
        if (signals === null) continue;
        const named = Object.entries(signals).map(([name, value]) => [`main.${name}`, value] as const);
        const forged = known.forge(
          lawful,
          Object.fromEntries(named.filter(([name]) => hasWire(known, name))),
        );
        expect(known.checkConstraints(forged)).toBeNull();
        expect(known.readSignal(forged, "main.u[0]")).toBe(toMontgomery(S.multiply(trap.scalars[0])).u);
        acceptedScores.push(exactScores(matrix, query)[0]!);
      }
      // One query and one pair of columns with two scores: the equation says nothing any more.
      expect(new Set(acceptedScores).size).toBe(2);
    },
  );
});
