/**
 * Opens the places from which blobs are read (folders, archives, beacon nodes) by the options --blobs and --beacon, for
 * commands and full nodes.
 */
import { filesPlace, peerPlace } from "./archive-places.ts";
import { BeaconNode } from "./beacon-node.ts";
import { readBlobFile } from "./blob-archive.ts";
import { BlobFinder, type BlobFinderModules } from "./blob-finder.ts";
import type { BlobPlace } from "./blob-place.ts";
import { checkedCoefficients } from "./checked-blob.ts";

/** A finder that checks in the calling thread. */
export const blobFinder = (modules: Omit<BlobFinderModules, "check">): BlobFinder =>
  new BlobFinder({ ...modules, check: checkedCoefficients });

export interface BlobPlacesOptions {
  /** Beacon nodes, in the order in which they are asked. */
  readonly beaconUrls: readonly string[];
  /** Folders with blobs, and URLs of sequencers and full nodes. They are asked before beacon nodes. */
  readonly archives: readonly string[];
}

export const isArchiveUrl = (text: string): boolean => /^https?:\/\//i.test(text);

export function blobPlaces({ archives, beaconUrls }: BlobPlacesOptions): BlobPlace[] {
  return [
    ...archives.map((one) =>
      isArchiveUrl(one) ? peerPlace(one) : filesPlace(one, (hash) => readBlobFile(one, hash)),
    ),
    ...beaconUrls.map((url) => new BeaconNode({ url })),
  ];
}
