/**
 * Providers of blobs (a batch's data beside an Ethereum transaction, which nodes delete after 18 days): folders of this
 * machine, and the archives that full nodes and sequencers serve (`GET /blobs/…`). blob-finder.ts asks them.
 */
import { BLOB_BYTES } from "@openledger/circuits/blob/blob-bytes";
import type { BlobArchive } from "./blob-archive.ts";
import type { BlobProvider } from "./blob-provider.ts";
import { shownUrl, type VersionedHash } from "./blob-source.ts";
import { boundedGet } from "./bounded-fetch.ts";

/** The own archive: a damaged file is deleted, so that the right bytes can be stored. */
export const archiveProvider = (archive: BlobArchive): BlobProvider => ({
  ...filesProvider(archive.folder, (hash) => archive.read(hash)),
  noteWrong: ({ versionedHash }) => archive.forget(versionedHash),
});

/** Provider of files on this machine. */
export function filesProvider(
  folder: string,
  read: (hash: VersionedHash) => Promise<Uint8Array | null>,
): BlobProvider {
  const place = `folder ${folder}`;
  return {
    place,
    isOwn: true,
    async find({ versionedHash }) {
      const bytes = await read(versionedHash);
      if (bytes !== null) return { candidates: [bytes] };
      return { problem: { place, kind: "absent", why: "it does not have it" } };
    },
  };
}

/** Time for a server's answer: a sequencer may have to make the blob first. */
const PEER_TIMEOUT_MS = 20_000;

/** Another's archive. @param url of a sequencer or full node, as for their API */
export function peerProvider(url: string, timeoutMs = PEER_TIMEOUT_MS): BlobProvider {
  const place = `archive ${shownUrl(url)}`;
  const base = url.replace(/\/+$/, "");
  return {
    place,
    async find({ versionedHash }) {
      const request = { accept: "application/octet-stream", maxBytes: BLOB_BYTES, timeoutMs };
      const { body, problem, status } = await boundedGet(`${base}/blobs/${versionedHash}`, request);
      if (status === 200 && body !== null) return { candidates: [body] };
      const kind = status === 404 ? "absent" : "unreachable";
      return { problem: { place, kind, why: problem ?? `it answers ${status}` } };
    },
  };
}
