/** The rules of leaf-exit.circom: what a leaf of a frozen ledger takes to L1. Needs `initPoseidon`. */

import { leafFields } from "../ledger/leaf.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { leafExitKey, type PreparedExit, prepareExit } from "./exit-statement.ts";

/** The balance of leaf `id`, for its l1Owner. @throws OP_UNKNOWN_LEAF */
export function leafExit(ledger: Ledger, id: number): PreparedExit {
  const { leaf } = ledger.requireLeaf(id);
  return prepareExit(
    { root: ledger.root, key: leafExitKey(id), recipient: leaf.l1Owner, amountWei: leaf.balance },
    { idBits: pathBits(ledger, id), leaf: leafFields(leaf), children: ledger.tree.path(id) },
  );
}

/** The digits of an id as paths of this ledger's tree take them, lowest first. */
export function pathBits(ledger: Ledger, id: number): bigint[] {
  return lowBits(id, 3 * ledger.tree.depth);
}

export function lowBits(value: number, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => (BigInt(value) >> BigInt(i)) & 1n);
}
