import { blobWithProof, cellProofsOf } from "../../circuits/blob/blob-sidecar.ts";
import type { BlobWork } from "../blobs/blob-thread.ts";

/** Blobs made in the calling thread. */
export const blobsHere: BlobWork = { blob: blobWithProof, cells: cellProofsOf };
