/** Where a full node reads blobs: the newest that it has seen are in its own archive; the rest is asked of others, its sequencer among them. */
import { join } from "node:path";
import { BlobArchive } from "@openledger/bridge/blobs/blob-archive";
import { type BlobPlacesOptions, blobFinder, blobPlaces } from "@openledger/bridge/blobs/blob-places";
import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { isBlobShape } from "@openledger/circuits/protocol";
import { batchShapesOf, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Logger } from "@openledger/foundation/logger";
import type { Metrics } from "../metrics.ts";

interface FollowedBlobsOptions {
  readonly dataPath: string;
  readonly feedUrl: string | null;
  readonly blobs?: BlobPlacesOptions | undefined;
  readonly pollIntervalMs: number;
}

/** So many of the newest, 512 MiB: what of them is read again is not asked for again. */
const KEPT_BLOBS = 4_096;
/** Nobody has to ask a beacon node with each look at L1 for what it does not have. */
const RETRY_POLLS = 10;

/** @returns undefined where no circuit has a blob. @throws BRG_BLOBS_FAILED */
export async function openFollowedBlobs(
  circuits: readonly CircuitSizes[],
  { blobs, dataPath, feedUrl, pollIntervalMs }: FollowedBlobsOptions,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Pick<Metrics, "blobs"> },
): Promise<BlobSource | undefined> {
  if (!batchShapesOf(circuits).some(isBlobShape)) return undefined;
  const archive = await BlobArchive.open({ folder: join(dataPath, "blobs"), maxCount: KEPT_BLOBS });
  const { archives = [], beaconUrls = [] } = blobs ?? {};
  // Nobody is believed, so the sequencer that is watched may be asked, too.
  const peers = [...archives, ...(feedUrl === null ? [] : [feedUrl])];
  return blobFinder({
    archive,
    places: blobPlaces({ archives: peers, beaconUrls }),
    retryMs: RETRY_POLLS * pollIntervalMs,
    onFound: (place) => metrics.blobs.found.inc({ place }),
    onProblem: ({ kind, place, why }, { batchNumber, versionedHash }) => {
      metrics.blobs.problems.inc({ kind });
      logger.warn(
        { place, kind, why, batchNumber, versionedHash },
        "a blob was refused, or could not be kept",
      );
    },
  });
}
