/** A datanet's leaf in a tree, with the version that a statement names: what `post` is shown of a rollup's state. */

import { hashDatanetBody, hashLeaf, type Leaf, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { treePath, treeRoot } from "@openledger/circuits/ledger/version-rows";
import { LEAF_KIND, TAG, TREE_DEPTH } from "@openledger/circuits/protocol";
import type { DisputeStatement } from "../../statements/committed-model.ts";

/** Of the leaf, besides its version. */
const REST = { nonce: 3n, l1Owner: 77n, keyX: 5n, balance: 9n, chain: 8n, openAmount: 0n, counters: 24n };

/** @param changed what the datanet has instead of what the statement says */
export function datanetLeaf(
  { binding, payeeRoot, ownersCommitment, rowCount, rowsRoot }: DisputeStatement,
  changed: { version?: bigint; rowsRoot?: bigint } = {},
) {
  const { version } = unpackBinding(binding);
  const [publishedAt, policy] = [1_700_000_000n, 0n];
  const body = {
    ...{ version, rowCount: BigInt(rowCount), publishedAt, policy, rowsRoot, ownersCommitment, payeeRoot },
    ...changed,
  };
  const leaf: Leaf = { ...REST, kind: LEAF_KIND.datanet, body: hashDatanetBody(body) };
  return { hash: hashLeaf(leaf), shown: { fields: Object.values(REST), publishedAt, policy } };
}

export function rowsInState(statement: DisputeStatement, changed?: Parameters<typeof datanetLeaf>[1]) {
  const { hash, shown } = datanetLeaf(statement, changed);
  const index = Number(unpackBinding(statement.binding).datanetId);
  const leaves = [...Array.from({ length: index }, (_, i) => BigInt(i + 1)), hash];
  return {
    root: treeRoot(TAG.node, leaves, TREE_DEPTH),
    leaf: shown,
    path: treePath(TAG.node, leaves, TREE_DEPTH, index),
  };
}
