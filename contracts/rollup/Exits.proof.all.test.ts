/** Tests of exits by real proofs on a local node. */
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import type { PreparedExit } from "@openledger/circuits/exit/exit-statement";
import { leafExit, payeeExit } from "@openledger/circuits/exit/exit-statement";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { leafExitCircuitSpec, payeeExitCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { exitWorld, MODEL_ID } from "@openledger/circuits/testing/exit-world";
import { toContractProof } from "@openledger/circuits/wire/groth16-proof";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import { developmentSecrets } from "@openledger/prover/keys/development-secrets";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { createSnarkjsProver } from "@openledger/prover/snarkjs/snarkjs-backend";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CircuitConfig, computeCircuitId } from "../build/verifying-key.ts";
import { type Anvil, startAnvil } from "../l1/anvil.ts";
import { exitActions, type ProvenExit, toAddress } from "../testing/exit-fixture.ts";
import {
  connect,
  deployFixture,
  depositNewSlot,
  OPEN,
  revertName,
  SHAPES,
} from "../testing/rollup-fixture.ts";

// Groth16 proofs of both circuits, by development keys, against a root that a ledger really has. Batches are simulated.

const PAYEES = 4;
/** Indices of the exit circuits, after the one batch circuit. */
const LEAF = 1;
const SLOT = 2;

let anvil: Anvil;
let ledger: Ledger;
let f: Awaited<ReturnType<typeof deployFixture>>;
let circuits: readonly { proving: ProvingCircuit; config: CircuitConfig }[];
const prover = createSnarkjsProver();

beforeAll(async () => {
  await initPoseidon();
  circuits = await Promise.all(
    [
      { spec: leafExitCircuitSpec(), sizes: exitSizes() },
      { spec: payeeExitCircuitSpec(PAYEES), sizes: exitSizes(PAYEES) },
    ].map(async ({ spec, sizes }) => {
      const proving = await developmentSetup(await compileCircuit(spec));
      const key = toSolidityKey(proving.verificationKey);
      return { proving, config: { ...sizes, isDevelopment: true, key } };
    }),
  );
  ledger = exitWorld(6, {
    rowCounts: [2, 3, 1],
    openAmount: 10n * OPEN + 7n,
    closedWei: 3n * OPEN + 1n,
    accruedWei: [5n * OPEN, OPEN, OPEN],
    claimedParts: 100n,
  });
  const { leaf, ...opening } = ledger.requireLeaf(MODEL_ID);
  ledger.put(MODEL_ID, { ...opening, leaf: { ...leaf, balance: 40n * OPEN + 3n } });

  anvil = await startAnvil();
  const real = { configs: circuits.map(({ config }) => config), shared: developmentSecrets("") };
  f = await deployFixture(await connect(anvil), {}, SHAPES.slice(0, 1), [], real);
  await f.depositNew("alice", 100n * OPEN);
  const wide = [depositNewSlot(100n * OPEN, f.roles.alice, 5n, f.roles.alice, { b: 2 })];
  await f.post({ newRoot: ledger.root, newNextId: 3, wide });
  await exitActions(f).freeze();
});
afterAll(async () => {
  await prover.close();
  await anvil?.stop();
});

/** Proves the exit; the proof's public signals are those that the model states for the circuit's id. */
async function prove(exit: PreparedExit, circuit: number): Promise<ProvenExit> {
  const { proving, config } = circuits[circuit - 1]!;
  const { commitment, y, z } = exit.statement(computeCircuitId(config));
  const { proof, publicSignals } = await prover.prove({ circuit: proving, inputs: { ...exit.inputs, z } });
  expect(publicSignals).toEqual([commitment, y, z]);
  const { key, recipient, amountWei } = exit;
  return {
    exit: { circuit, commitment, key, recipient: toAddress(recipient), amountWei },
    proof: toContractProof(proof),
  };
}

test("a leaf and a slot leave by real proofs, each once, and for nobody else", async () => {
  const exits = [leafExit(ledger, MODEL_ID), payeeExit(ledger, MODEL_ID, 1, 0, PAYEES)] as const;
  const leaf = await prove(exits[0], LEAF);
  const slot = await prove(exits[1], SLOT);
  const { tryExit, exit } = exitActions(f);
  for (const closed of [leaf, slot]) {
    const stolen = { ...closed, exit: { ...closed.exit, recipient: f.roles.bob } };
    expect(await revertName(tryExit([stolen]))).toBe("VerifierProofRejected");
    const more = { ...closed, exit: { ...closed.exit, amountWei: closed.exit.amountWei + 1n } };
    expect(await revertName(tryExit([more]))).toBe("VerifierProofRejected");
  }
  await exit([leaf, slot]);
  for (const { recipient, amountWei } of exits) {
    expect(amountWei).toBeGreaterThan(0n);
    expect(await f.rollup.read.pendingWithdrawals([toAddress(recipient)])).toBe(amountWei);
  }
  expect(await f.rollup.read.ledgerWei()).toBe(100n * OPEN - exits[0].amountWei - exits[1].amountWei);
  expect(await revertName(tryExit([slot]))).toBe("ExitDone");
});
