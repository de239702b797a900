/** Blob work of the bridge in the calling thread, for tests. */
import { blobWithProof, cellProofsOf } from "@openledger/circuits/blob/blob-sidecar";
import type { BlobWork } from "../blobs/blob-thread.ts";

/** Blobs made in the calling thread. */
export const blobsHere: BlobWork = { blob: blobWithProof, cells: cellProofsOf };
