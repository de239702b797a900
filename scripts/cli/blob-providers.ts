/**
 * Opens the places from which a command reads blobs, batches' data beside Ethereum's transactions: those named by --blobs and
 * --beacon, and the sequencer that it knows.
 */
import { BlobArchive } from "@openledger/bridge/blobs/blob-archive";
import { blobFinder, blobProviders, isArchiveUrl } from "@openledger/bridge/blobs/blob-providers";
import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { type GlobalOptions, resolveEndpoints } from "./context.ts";

/** @throws BRG_BLOBS_FAILED for a folder that cannot be made or read; CMD_NO_DEPLOYMENT, CMD_USAGE */
export async function openBlobs(options: GlobalOptions): Promise<BlobSource> {
  const { beacon = [], blobs = [] } = options;
  const { sequencerUrl } = resolveEndpoints(options);
  const folder = blobs.find((source) => !isArchiveUrl(source));
  const archive = folder === undefined ? null : await BlobArchive.open({ folder, maxCount: 0 });
  const others = blobs.filter((source) => source !== folder);
  // Nobody is believed, so the operator's own may be asked, too.
  const archives = [...others, ...(sequencerUrl === null ? [] : [sequencerUrl])];
  return blobFinder({ archive, providers: blobProviders({ archives, beaconUrls: beacon }) });
}

/** The rollup that was named, with its blobs. @throws as openBlobs */
export async function openRollup(options: GlobalOptions): Promise<RollupContract> {
  const { rollupAddress: address, rpcUrl } = resolveEndpoints(options);
  const blobs = await openBlobs(options);
  return new RollupContract({ client: createPatientL1Client({ rpcUrl }), address, blobs });
}
