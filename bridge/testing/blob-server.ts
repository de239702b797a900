/** A server of blobs for tests: an archive or a beacon node with the answers that a test chooses. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeBlob, versionedHashOf } from "@openledger/circuits/blob/blob-bytes";
import { commitBlob } from "@openledger/circuits/blob/kzg";
import type { BlobRequest, VersionedHash } from "../blobs/blob-source.ts";

export interface SampleBlob {
  readonly coefficients: readonly bigint[];
  readonly bytes: Uint8Array;
  readonly commitment: Uint8Array;
  readonly versionedHash: VersionedHash;
  readonly wanted: BlobRequest;
}

export const SAMPLE_TIME_SECONDS = 1_800_000_120;

/** Sample blob of batch 5 in block 9. */
export async function sampleBlob(coefficients: readonly bigint[]): Promise<SampleBlob> {
  const commitment = await commitBlob(coefficients);
  const versionedHash = versionedHashOf(commitment) as VersionedHash;
  const blockTimeSeconds = async () => SAMPLE_TIME_SECONDS;
  const wanted = { versionedHash, batchNumber: 5, blockNumber: 9, blockTimeSeconds };
  return { coefficients, bytes: encodeBlob(coefficients), commitment, versionedHash, wanted };
}

export const hexOf = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;

export interface BlobServer {
  readonly url: string;
  /** Paths with their queries, in order. */
  readonly paths: string[];
  close(): Promise<void>;
}

/** @param answer for a path with its query: JSON, bytes, or a status; a function writes its answer itself */
export async function serveBlobs(
  answer: (
    path: string,
  ) =>
    | object
    | Uint8Array
    | number
    | ((request: IncomingMessage, response: ServerResponse) => void | Promise<void>),
): Promise<BlobServer> {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    paths.push(path);
    const input = answer(path);
    if (typeof input === "function") {
      void input(request, response);
      return;
    }
    if (typeof input === "number") {
      response.writeHead(input).end("{}");
      return;
    }
    const isBytes = input instanceof Uint8Array;
    response.writeHead(200, { "content-type": isBytes ? "application/octet-stream" : "application/json" });
    response.end(isBytes ? input : JSON.stringify(input));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
