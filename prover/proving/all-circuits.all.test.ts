/** Proves a small circuit of every kind in the registry with every back end; snarkjs verifies the proofs. */
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import type { CircuitInputs } from "@openledger/circuits/compiler/witness-calculator";
import { leafExit, payeeExit } from "@openledger/circuits/exit/exit-statement";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { KIND, TREE_DEPTH } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { activationOf } from "@openledger/circuits/settlement/payee-table-rules";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { closedInputs, closedStatement } from "@openledger/circuits/table/table-builder";
import { type TableShape, tableName } from "@openledger/circuits/table/table-shape";
import { exitInputs, exitWorld, MODEL_ID } from "@openledger/circuits/testing/exit-world";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import { epochOf, SMALL_SIZE, statedInputs } from "@openledger/circuits/testing/settlement/settlement-world";
import { fillTable } from "@openledger/circuits/testing/table-world";
import { groth16 } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createProver } from "../backends.ts";
import { toSnarkjsKey } from "../formats/verification-key.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import { availableBackends } from "../testing/available-backends.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import type { Prover } from "./prover.ts";

/** A slot of each section: below 2^16 constraints. */
const TABLE: TableShape = { transfers: 1, members: 1, wide: 1, rows: 4, units: 1, low: 1, top: 1 };
const TABLES: readonly TableShape[] = [TABLE, { ...TABLE, isBlob: true }];

/** Small circuits, one of every sort that the registry knows, and inputs for each. */
const circuits: readonly { readonly name: string; makeInputs(): CircuitInputs }[] = [
  ...TABLES.map((shape) => ({
    name: tableName(shape),
    makeInputs() {
      const closed = fillTable(new RandomLedger(4, TREE_DEPTH), shape, 40);
      const { transfers, members } = closed.layout;
      expect([...transfers, ...members].every(({ kind }) => kind !== KIND.null)).toBe(true);
      const { z } = closedStatement(closed, 1n, shape.isBlob ? 1n << 248n : null);
      return closedInputs(closed, z, TREE_DEPTH);
    },
  })),
  {
    name: `settlement-${Object.values(SMALL_SIZE).join("-")}`,
    makeInputs: () => statedInputs(settleEpoch(epochOf({ size: SMALL_SIZE }))).inputs,
  },
  {
    name: "payee-table-4",
    makeInputs: () =>
      statedInputs(activationOf(epochOf({ seed: 1 }).model, { circuit: 3, payments: 60 }, 4)).inputs,
  },
  { name: "leaf-exit", makeInputs: () => exitInputs(leafExit(exitWorld(1), MODEL_ID)) },
  {
    name: "payee-exit-4",
    makeInputs: () => exitInputs(payeeExit(exitWorld(6, { rowCounts: [2, 3, 1] }), MODEL_ID, 1, 0, 4)),
  },
];

const backends = await availableBackends();
const provers = new Map<string, Prover>();
const folder = await scratchFolder();

beforeAll(async () => {
  await initPoseidon();
  for (const name of backends) provers.set(name, await createProver(name));
});
afterAll(async () => {
  await Promise.all([...provers.values()].map((prover) => prover.close()));
});

describe.each(circuits)("$name", ({ name, makeInputs }) => {
  test("snarkjs accepts every back end's proof, and none of them for other signals", async () => {
    const circuit = await developmentSetup(await compileCircuit(circuitSpec(name)), { cacheDir: folder });
    const inputs = makeInputs();
    const key = toSnarkjsKey(circuit.verificationKey);
    for (const [backend, prover] of provers) {
      const { proof, publicSignals } = await prover.prove({ circuit, inputs });
      const text = (values: readonly bigint[]) => values.map(String);
      const theirs = {
        pi_a: text([...proof.a, 1n]),
        pi_b: [text(proof.b[0]), text(proof.b[1]), ["1", "0"]],
        pi_c: text([...proof.c, 1n]),
        protocol: "groth16",
        curve: "bn128",
      } as unknown as Parameters<typeof groth16.verify>[2];
      expect(await groth16.verify(key, text(publicSignals), theirs), backend).toBe(true);
      for (const position of publicSignals.keys()) {
        const others = publicSignals.map((signal, i) => (i === position ? signal ^ 1n : signal));
        expect(await groth16.verify(key, text(others), theirs), `${backend}, signal ${position}`).toBe(false);
      }
    }
  });
});
