/** Test support: a settled epoch with the version behind it, what L1 would have of both, and a row's certificate. */
import { createHash } from "node:crypto";
import { dataCommitment } from "@openledger/circuits/field/element-vector";
import { hashDatanetBody, hashLeaf, type Leaf, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { LedgerTree } from "@openledger/circuits/ledger/ledger-tree";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { LEAF_KIND } from "@openledger/circuits/protocol";
import type { EpochToSettle } from "@openledger/circuits/settlement/divide-epoch";
import { proofVector } from "@openledger/circuits/settlement/settlement-data";
import { settleEpoch } from "@openledger/circuits/settlement/settlement-rules";
import type { CertificateFacts } from "../certificates/check-certificate.ts";
import { makeCertificate } from "../certificates/make-certificate.ts";
import { certifiedLeaf } from "../certificates/replayed-version.ts";

const contentOf = (row: number) => new TextEncoder().encode(`row ${row}`);
const digestOf = (row: number) => Uint8Array.from(createHash("sha256").update(contentOf(row)).digest());

/** An epoch of `epochOf`, `directEpochOf` or `shardedEpochOf`, settled, as L1 would have it. */
export function certificateWorld(epoch: EpochToSettle) {
  const sampled = settleEpoch(epoch);
  const { statics, payees } = epoch.model;
  const { datanetId, rowCount, version } = unpackBinding(statics.binding);
  const rows = payees
    .flatMap((payee) => Array.from({ length: payee.rowCount }, () => payee))
    .map((payee, row) => ({ ...payee, rowHash: hashRow(contentOf(row)) }));
  const facts = { publishedAt: 1_700_000_000n, policy: 77n };
  const body = hashDatanetBody({
    ...{ version, rowCount, ...facts, rowsRoot: versionRowsRoot(rows) },
    ...{ ownersCommitment: statics.ownersCommitment, payeeRoot: statics.payeeRoot },
  });
  const numbers = { nonce: 9n, l1Owner: 8n, keyX: 7n, balance: 6n, chain: 5n, openAmount: 0n, counters: 4n };
  const leaf: Leaf = { kind: LEAF_KIND.datanet, ...numbers, body };
  const tree = new LedgerTree();
  tree.update(Number(datanetId), hashLeaf(leaf));
  const entries = sampled.proofs.map((proof) => ({
    commitment: dataCommitment(proofVector(proof)),
    placeCount: proof.placeCount,
  }));
  const l1: CertificateFacts = {
    posted: sampled.data,
    settled: entries[0]!,
    shard: null,
    root: tree.root,
  };
  const place = { batchNumber: 30, blockNumber: 300, path: tree.path(Number(datanetId)) };
  return {
    epoch,
    sampled,
    l1,
    /** As it is read for the certificate of a row of this shard. */
    l1Of: (shard: number): CertificateFacts => ({ ...l1, shard: entries[1 + shard] ?? null }),
    certify: (row: number, maxBytes?: number) =>
      makeCertificate(epoch, sampled, {
        ...{ row, rows, digest: digestOf(row), batchNumber: 20 },
        version: { ...place, ...facts, leaf: certifiedLeaf(leaf) },
        ...(maxBytes !== undefined && { maxBytes }),
      }),
  };
}
