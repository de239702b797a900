/**
 * Blob sources of a full node: its own archive holds the newest; the rest comes from others, its sequencer among them.
 */
import { join } from "node:path";
import { BlobArchive } from "@openledger/bridge/blobs/blob-archive";
import {
  type BlobProvidersOptions,
  blobFinder,
  blobProviders,
} from "@openledger/bridge/blobs/blob-providers";
import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { isBlobShape } from "@openledger/circuits/protocol";
import { batchShapesOf, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Logger } from "@openledger/foundation/logger";
import type { Metrics } from "../metrics.ts";

interface FollowedBlobsOptions {
  readonly dataPath: string;
  readonly feedUrl: string | null;
  readonly blobs?: BlobProvidersOptions | undefined;
  readonly pollIntervalMs: number;
}

/** Blob cache size: the newest 4,096 blobs (512 MiB), which are not fetched again. */
const MAX_CACHED_BLOBS = 4_096;
/** Polls of L1 between two requests for a blob that a beacon node did not have. */
const RETRY_POLLS = 10;

/** @returns undefined where no circuit has a blob. @throws BRG_BLOBS_FAILED */
export async function openFollowedBlobs(
  circuits: readonly CircuitSizes[],
  { blobs, dataPath, feedUrl, pollIntervalMs }: FollowedBlobsOptions,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Pick<Metrics, "blobs"> },
): Promise<BlobSource | undefined> {
  if (!batchShapesOf(circuits).some(isBlobShape)) return undefined;
  const archive = await BlobArchive.open({ folder: join(dataPath, "blobs"), maxCount: MAX_CACHED_BLOBS });
  const { archives = [], beaconUrls = [] } = blobs ?? {};
  // Every blob is checked, so the watched sequencer may be a source, too.
  const peers = [...archives, ...(feedUrl === null ? [] : [feedUrl])];
  return blobFinder({
    archive,
    providers: blobProviders({ archives: peers, beaconUrls }),
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
