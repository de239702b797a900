/** The worker that makes blobs' commitments: one task after the other. Built as a classic script of its own, with the setup in it. */
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
