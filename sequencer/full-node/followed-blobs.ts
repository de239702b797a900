/** A full node's blobs: what it has seen is in its own archive; the rest is asked of others, its sequencer among them. */
import { join } from "node:path";
import { BlobArchive } from "@openledger/bridge/blobs/blob-archive";
import { type BlobPlacesOptions, blobFinder, blobPlaces } from "@openledger/bridge/blobs/blob-places";
import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { type BatchShape, isBlobShape } from "@openledger/circuits/protocol";
import { batchShapesOf, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Logger } from "@openledger/foundation/logger";
import type { Metrics } from "../metrics.ts";

interface FollowedBlobsOptions {
  readonly dataPath: string;
  readonly feedUrl: string | null;
  readonly blobs?: BlobPlacesOptions | undefined;
  readonly maxBlobCount?: number | undefined;
  readonly pollIntervalMs: number;
}

interface FollowedBlobs {
  readonly archive: BlobArchive;
  readonly source: BlobSource;
  readonly shapes: readonly BatchShape[];
}

/** Nobody has to ask a beacon node with each look at L1 for what it does not have. */
const RETRY_POLLS = 10;

/** @returns null where no circuit has a blob. @throws BRG_BLOBS_FAILED */
export async function openFollowedBlobs(
  circuits: readonly CircuitSizes[],
  { blobs, dataPath, feedUrl, maxBlobCount = 0, pollIntervalMs }: FollowedBlobsOptions,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Pick<Metrics, "blobs"> },
): Promise<FollowedBlobs | null> {
  const shapes = batchShapesOf(circuits).filter(isBlobShape);
  if (shapes.length === 0) return null;
  const archive = await BlobArchive.open({ folder: join(dataPath, "blobs"), maxCount: maxBlobCount });
  const { archives = [], beaconUrls = [] } = blobs ?? {};
  // Nobody is believed, so the sequencer that is watched may be asked, too.
  const peers = [...archives, ...(feedUrl === null ? [] : [feedUrl])];
  const source = blobFinder({
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
  return { archive, source, shapes };
}
