/**
 * Worker that checks blobs for page-blobs.ts: makes the commitment again from the bytes (blob-messages.ts). Built as a classic
 * script of its own, with the powers of τ in it.
 */
import { checkedCoefficients } from "@openledger/bridge/blobs/checked-blob";
import type { BlobAnswer, BlobTask } from "./blob-messages.ts";

const port = globalThis as unknown as {
  onmessage: (event: MessageEvent<BlobTask>) => void;
  postMessage(answer: BlobAnswer): void;
};

port.onmessage = ({ data: { bytes, versionedHash } }) => {
  checkedCoefficients(bytes, versionedHash).then(
    (coefficients) => port.postMessage({ kind: "checked", coefficients }),
    (error: unknown) =>
      port.postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
};
