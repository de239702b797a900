/**
 * Accepted labels of a version's rows: a list in the version's order, with a root that binds each label to its row. A
 * Datanet's card and signed records give the list (client/datanets/reviewed-version.ts); a recipe names the root, so that
 * a model's statics bind the labels that it was trained with.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { contributionRoot, digestToField } from "@openledger/circuits/ledger/version-rows";

const LEAF = new TextEncoder().encode("OpenLedger accepted label v1\0");

/** A row's accepted label; null if it has none. */
export interface LabelledDigest {
  /** SHA-256 of the row's bytes. */
  readonly digest: Uint8Array;
  readonly label: string | null;
}

/**
 * Root of a version's accepted labels, over SHA-256(tag, row's digest, label in UTF-8) mod r for each row, in the version's
 * order. A row without a label has the empty one, which no card allows. Needs `initPoseidon`.
 */
export function labelsRoot(rows: readonly LabelledDigest[]): bigint {
  const encoder = new TextEncoder();
  return contributionRoot(
    rows.map(({ digest, label }) => {
      const hash = sha256.create();
      hash.update(LEAF);
      hash.update(digest);
      hash.update(encoder.encode(label ?? ""));
      return digestToField(hash.digest());
    }),
  );
}
