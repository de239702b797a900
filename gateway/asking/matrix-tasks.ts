/** Task of the thread that compares models' matrices with their commitments on the ledger. checkable-models.ts starts it. */
import { requireCommitted as compare, type PayingPart } from "@openledger/attribution/scores/paying-part";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";

/** @throws RollupError ATT_MODEL_FILE_INVALID where the matrix is another one */
export async function requireCommitted({
  columns,
  ...part
}: PayingPart & { readonly columns: readonly ColumnCommitments[] }): Promise<null> {
  await initPoseidon();
  compare(part, columns);
  return null;
}
