/** Blobs that this process has kept, for everybody who rebuilds the ledger (docs/explanation/data-availability.md). Who asks checks what it gets. */

import type { BlobArchive } from "@openledger/bridge/blobs/blob-archive";
import { isVersionedHash, type VersionedHash } from "@openledger/bridge/blobs/blob-source";
import { BLOB_BYTES } from "@openledger/circuits/blob/blob-bytes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { sequencerError } from "../../sequencer-errors.ts";

const params = z.strictObject({
  versionedHash: z
    .string()
    .refine(isVersionedHash, "is no versioned hash: 0x01 and 62 small hex digits")
    .transform((hash) => hash as VersionedHash),
});

/** @param archive null: this rollup has no blobs, or keeps none */
export async function registerBlobRoute(app: FastifyInstance, archive: BlobArchive | null): Promise<void> {
  app.get<{ Params: z.output<typeof params> }>(
    "/blobs/:versionedHash",
    {
      schema: {
        tags: ["blobs"],
        summary: "The 131,072 bytes of a batch's blob, by its versioned hash",
        params,
        response: {
          200: { description: "the blob", content: { "application/octet-stream": { schema: {} } } },
        },
      },
    },
    async ({ params: { versionedHash } }, reply) => {
      const bytes = (await archive?.read(versionedHash)) ?? null;
      if (bytes === null || bytes.length !== BLOB_BYTES)
        throw sequencerError("SEQ_UNKNOWN", `the blob ${versionedHash} is not kept here`, {
          data: { reason: "blob", versionedHash },
        });
      // A right one is the same for ever. But nobody has checked it here: a cache must not outlive a damaged file by much.
      reply.header("cache-control", "public, max-age=600");
      // For pages of anybody: anyone who reads it checks it against its name.
      reply.header("access-control-allow-origin", "*");
      return reply
        .type("application/octet-stream")
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    },
  );
}
