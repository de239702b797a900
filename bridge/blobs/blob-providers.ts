/**
 * Opens the providers from which blobs are read (folders, archives, beacon nodes) by the options --blobs and --beacon, for
 * commands and full nodes.
 */
import { filesProvider, peerProvider } from "./archive-providers.ts";
import { BeaconNode } from "./beacon-node.ts";
import { readBlobFile } from "./blob-archive.ts";
import { BlobFinder, type BlobFinderModules } from "./blob-finder.ts";
import type { BlobProvider } from "./blob-provider.ts";
import { checkedCoefficients } from "./checked-blob.ts";

/** A finder that checks in the calling thread. */
export const blobFinder = (modules: Omit<BlobFinderModules, "check">): BlobFinder =>
  new BlobFinder({ ...modules, check: checkedCoefficients });

export interface BlobProvidersOptions {
  /** Beacon nodes, in the order in which they are asked. */
  readonly beaconUrls: readonly string[];
  /** Folders with blobs, and URLs of sequencers and full nodes. They are asked before beacon nodes. */
  readonly archives: readonly string[];
}

export const isArchiveUrl = (text: string): boolean => /^https?:\/\//i.test(text);

export function blobProviders({ archives, beaconUrls }: BlobProvidersOptions): BlobProvider[] {
  return [
    ...archives.map((one) =>
      isArchiveUrl(one) ? peerProvider(one) : filesProvider(one, (hash) => readBlobFile(one, hash)),
    ),
    ...beaconUrls.map((url) => new BeaconNode({ url })),
  ];
}
