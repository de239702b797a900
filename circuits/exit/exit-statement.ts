/** What an exit says, and its public signals (docs/reference/exits.md). Amounts are wei. Needs `initPoseidon`. */

import type { CircuitInputs } from "../compiler/witness-calculator.ts";
import { challenge, dataCommitment, evaluate } from "../field/element-vector.ts";
import type { EarnerRole } from "../ledger/rewards.ts";

/** E: what L1 evaluates. */
export interface ExitData {
  /** Root of the frozen ledger. */
  readonly root: bigint;
  /** `leafExitKey` or `earnerExitKey`. */
  readonly key: bigint;
  /** An L1 address. */
  readonly recipient: bigint;
  /** 96 bits. */
  readonly amountWei: bigint;
}

/** An exit ready to be proven and sent. */
export interface PreparedExit extends ExitData {
  /** All of the circuit's inputs but z, which `statement` gives. */
  readonly inputs: CircuitInputs;
  /** The public signals for the circuit with this id. */
  statement(circuitId: bigint): ExitStatement;
}

/** Public signals in the circuit's order. */
interface ExitStatement {
  readonly commitment: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

/** The two sorts of exits: `size0` of their circuits (CircuitSizes). */
export const EXIT_KIND = { leaf: 0, earner: 1 } as const;

/** The key of a leaf's own balance. */
export function leafExitKey(id: number): bigint {
  return BigInt(id);
}

/** The key of what a role of a model's earner owns. */
export function earnerExitKey(modelId: number, earnerIndex: number, role: EarnerRole): bigint {
  return BigInt(modelId) | (BigInt(earnerIndex) << 24n) | (BigInt(role) << 32n) | (1n << 33n);
}

export function exitElements({ root, key, recipient, amountWei }: ExitData): bigint[] {
  return [root, key, recipient, amountWei];
}

export function exitStatement(data: ExitData, circuitId: bigint): ExitStatement {
  const elements = exitElements(data);
  const commitment = dataCommitment(elements);
  const z = challenge(circuitId, commitment, elements);
  return { commitment, z, y: evaluate(elements, z) };
}

export function prepareExit(data: ExitData, inputs: CircuitInputs): PreparedExit {
  return { ...data, inputs, statement: (circuitId) => exitStatement(data, circuitId) };
}
