/** Check of the devnet's job that rebuilds the ledger from L1 alone, every proof included (`openledger verify`'s code). */
import { blobFinder, blobProviders } from "@openledger/bridge/blobs/blob-providers";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { deriveCircuits } from "@openledger/verifier/circuits/derive-circuits";
import { rebuildFromL1 } from "../../audit/rebuild.ts";
import type { Job } from "../job.ts";
import type { Check } from "./check.ts";
import { checkServices } from "./data-source.ts";
import { archiveOf, checkFullNode } from "./follow.ts";

/** The ledger that L1's records give, and what was checked of it. */
export interface Verified {
  readonly checks: readonly Check[];
  /** A leaf's balance in the ledger that L1's records give; null where there is none, or none could be rebuilt. */
  balanceOf(id: number): bigint | null;
  /** Amounts that a model's payees have accrued, in their order. */
  accruedWeiOf(modelId: number): readonly bigint[] | null;
}

const STATEMENT = "the ledger rebuilt from L1 alone agrees with L1, every proof included";

/** Verifies the rollup as `openledger verify` does, with keys derived from the circuits in this repository. */
export async function verifyFromL1(job: Job): Promise<Verified> {
  const { chain, rollupAddress } = job.people.alice;
  const rpcUrl = chain.rpcUrls.default.http[0]!;
  const onProgress = (text: string) => job.console.progress(`verifying: ${text}`);
  const circuitNames = job.circuits.map(({ name }) => name);
  try {
    const circuits = await deriveCircuits({
      rpcUrl,
      rollupAddress,
      keysFolder: "keys",
      circuitNames,
      onProgress,
    });
    const blobs = blobFinder({ archive: null, providers: blobProviders(archiveOf(job)) });
    const { events, ledger, verified } = await rebuildFromL1({
      rpcUrl,
      rollupAddress,
      circuits,
      blobs,
      onProgress: ({ batchNumber, batchCount }) => onProgress(`batch ${batchNumber} of ${batchCount}`),
    });
    const { batchCount, operationCount, proofCount, settlementCount } = verified;
    const detail = `${batchCount} batches, ${operationCount} operations, ${settlementCount} settlements, ${proofCount} proofs`;
    const holds = batchCount > 0 && settlementCount > 0 && proofCount === batchCount + settlementCount;
    return {
      checks: [
        { statement: STATEMENT, holds, detail },
        ...(await Promise.all([checkServices(job, events), checkFullNode(job, verified.root)])),
      ],
      balanceOf: (id) => ledger.leaf(id)?.leaf.balance ?? null,
      accruedWeiOf: (id) => ledger.leaf(id)?.rewards?.accruedWei ?? null,
    };
  } catch (error) {
    if (!isRollupError(error)) throw error;
    return {
      checks: [{ statement: STATEMENT, holds: false, detail: error.message }],
      balanceOf: () => null,
      accruedWeiOf: () => null,
    };
  }
}
