import { blobFinder, blobPlaces } from "@openledger/bridge/blobs/blob-places";
import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { type HistoryEvent, readL1History } from "@openledger/bridge/l1/l1-history";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { isBlobShape, KIND } from "@openledger/circuits/protocol";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import { deriveCircuits } from "@openledger/verifier/circuits/derive-circuits";
import { blockReader } from "@openledger/verifier/replay/block-reader";
import { LedgerReplay } from "@openledger/verifier/replay/ledger-replay";
import { verifyRollup } from "@openledger/verifier/replay/verify";
import type { Job } from "../job.ts";
import type { Check } from "./check.ts";
import { archiveOf, checkFollower } from "./follow.ts";

export interface Verified {
  readonly checks: readonly Check[];
  /** A leaf's balance in the ledger that L1's records give; null where there is none, or none could be rebuilt. */
  balanceOf(id: number): bigint | null;
  /** What a model's earners have accrued, in their order. */
  accruedWeiOf(modelId: number): readonly bigint[] | null;
}

const STATEMENT = "the ledger rebuilt from L1 alone agrees with L1, every proof included";

/** What `openledger verify` does, with keys derived from the circuits in this repository. */
export async function verifyFromL1(job: Job): Promise<Verified> {
  const { chain, rollupAddress } = job.people.alice;
  const rpcUrl = chain.rpcUrls.default.http[0]!;
  const onProgress = (text: string) => job.console.progress(`verifying: ${text}`);
  const circuitNames = job.circuits.map(({ name }) => name);
  const events: HistoryEvent[] = [];
  try {
    const circuits = await deriveCircuits({
      rpcUrl,
      rollupAddress,
      keysFolder: "keys",
      circuitNames,
      onProgress,
    });
    const readBlock = blockReader(createL1Client({ rpcUrl }));
    const blobs = blobFinder({ archive: null, places: blobPlaces(archiveOf(job)) });
    const result = await verifyRollup({
      ...{ rpcUrl, rollupAddress, circuits, verifyProof, blobs },
      readHistory: async function* (options) {
        for await (const event of readL1History(options)) {
          events.push(event);
          yield event;
        }
      },
      onProgress: ({ batchNumber, batchCount }) => onProgress(`batch ${batchNumber} of ${batchCount}`),
    });
    const ledger = await replay(rpcUrl, rollupAddress, events, readBlock);
    const { batchCount, operationCount, proofCount, settlementCount } = result;
    const detail = `${batchCount} batches, ${operationCount} operations, ${settlementCount} settlements, ${proofCount} proofs`;
    const holds = batchCount > 0 && settlementCount > 0 && proofCount === batchCount + settlementCount;
    return {
      checks: [
        { statement: STATEMENT, holds, detail },
        ...(job.plan.hasBlobs ? [checkPlaces(events), await checkFollower(job, result.root)] : []),
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

/** Every batch is read from a blob, and each blob was held against the name that L1 has of it. */
function checkPlaces(events: readonly HistoryEvent[]): Check {
  const batches = events.filter((event) => event.type === "batch");
  const inBlobs = batches.filter(({ batch }) => isBlobShape(batch.shape));
  const inTables = inBlobs.reduce(
    (sum, { batch }) => sum + batch.narrow.filter(({ kind }) => kind !== KIND.null).length,
    0,
  );
  return {
    statement: "every batch stands in a blob that the sequencer keeps, with a proof that L1 has taken",
    holds: inTables > 0 && inBlobs.length === batches.length,
    detail: `${inBlobs.length} of ${batches.length} batches, ${inTables} operations in blobs`,
  };
}

/** The same records once more, to have the leaves: the proofs were checked a moment ago. */
async function replay(
  rpcUrl: string,
  address: `0x${string}`,
  events: readonly HistoryEvent[],
  readBlock: ReturnType<typeof blockReader>,
) {
  const circuits = await new RollupContract({ client: createL1Client({ rpcUrl }), address }).circuits();
  const ledger = new LedgerReplay(circuits, () => true, readBlock);
  for (const event of events) await ledger.apply(event);
  return ledger.requireLedger();
}
