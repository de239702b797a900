/**
 * Seconds of settling an epoch of a direct model of two labels and of fifteen, for `npm run bench -- settlement`: by one
 * circuit, of the devnet's size. In turns, so that the machine's load is the same for both.
 */
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { settlementCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { DirectEpoch } from "@openledger/circuits/settlement/divide-epoch";
import { proofStatement } from "@openledger/circuits/settlement/settlement-data";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import { type SettlementSize, settlementCircuitName } from "@openledger/circuits/settlement/settlement-size";
import { directEpochOf } from "@openledger/circuits/testing/settlement/direct-world";
import { CIRCUIT_ID } from "@openledger/circuits/testing/settlement/settlement-world";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { Prover, ProvingCircuit } from "@openledger/prover/proving/prover";

/** Size of the devnet's settlement circuit (e2e/devnet/plan.ts). */
const SIZE: SettlementSize = {
  rows: 448,
  features: 512,
  payees: 64,
  payments: 16,
  draws: 2,
  isDirect: true,
};

const CONTESTANTS = [
  { name: "labels2", labelCount: 2, size: SIZE },
  { name: "labels15", labelCount: 15, size: SIZE },
] as const satisfies readonly { name: string; labelCount: number; size: SettlementSize }[];
type Contestant = (typeof CONTESTANTS)[number]["name"];

/** Median seconds of each contestant, and their constraints. */
export interface LabelFigures {
  readonly seconds: Record<Contestant, number>;
  readonly constraints: Record<Contestant, number>;
}

interface Prepared {
  readonly name: Contestant;
  readonly circuit: ProvingCircuit;
  readonly epoch: DirectEpoch;
  readonly constraints: number;
  readonly seconds: number[];
}

export async function benchLabels(
  prover: Prover,
  rounds: number,
  log: (line: string) => void,
): Promise<LabelFigures> {
  const prepared: Prepared[] = [];
  for (const { labelCount, name, size } of CONTESTANTS) {
    log(`${settlementCircuitName(size)}: compiling, key, and an epoch of ${labelCount} labels`);
    const compiled = await compileCircuit(settlementCircuitSpec(size));
    const { nonLinear, linear } = compiled.constraintCounts;
    prepared.push({
      name,
      circuit: await developmentSetup(compiled),
      epoch: fullEpoch(size, labelCount),
      constraints: nonLinear + linear,
      seconds: [],
    });
  }
  // The first round loads keys and programs.
  for (let round = 0; round <= rounds; round++) {
    for (const { circuit, epoch, name, seconds } of prepared) {
      const startedAtMs = performance.now();
      const [proof] = settleEpoch(withoutTree(epoch)).proofs;
      const rulesMs = performance.now() - startedAtMs;
      const { z } = proofStatement(proof!, CIRCUIT_ID);
      const { timings } = await prover.prove({ circuit, inputs: { ...proof!.inputs, z } });
      const ms = [rulesMs, timings.witnessMs, timings.proveMs];
      log(`${name}: rules, witness, proof ${ms.map((part) => Math.round(part)).join(" + ")} ms`);
      if (round > 0) seconds.push(ms.reduce((sum, part) => sum + part, 0) / 1000);
    }
  }
  const figures = <T>(read: (one: Prepared) => T) =>
    Object.fromEntries(prepared.map((one) => [one.name, read(one)])) as Record<Contestant, T>;
  return {
    seconds: figures(({ seconds }) => median(seconds)),
    constraints: figures(({ constraints }) => constraints),
  };
}

/** Every row, payee and payment in use, both draws opened. The pairs of fifteen labels' answers differ. */
function fullEpoch(size: SettlementSize, labelCount: number): DirectEpoch {
  const rowCounts = Array<number>(size.payees).fill(size.rows / size.payees);
  const amountsWei = Array<bigint>(size.payments).fill(10n ** 18n);
  return directEpochOf({ size, rowCounts, amountsWei, labelCount });
}

/** The epoch with columns as a settler reads them from a file: all pairs are hashed again. */
const withoutTree = (epoch: DirectEpoch): DirectEpoch => ({
  ...epoch,
  features: { ...epoch.features, columns: epoch.features.columns.map((columns) => ({ ...columns })) },
});

const median = (values: readonly number[]): number =>
  Math.round(1000 * values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!) / 1000;
