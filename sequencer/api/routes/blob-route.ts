/** Blobs of batches, for everybody who rebuilds the ledger (docs/explanation/data-availability.md). Who asks checks what it gets. */

import { isVersionedHash, type VersionedHash } from "@openledger/bridge/blobs/blob-source";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { LedgerBlobs } from "../../batches/ledger-blobs.ts";
import { sequencerError } from "../../sequencer-errors.ts";
import type { LedgerLog } from "../../store/ledger-log.ts";

const params = z.strictObject({
  versionedHash: z
    .string()
    .refine(isVersionedHash, "is no versioned hash: 0x01 and 62 small hex digits")
    .transform((hash) => hash as VersionedHash),
});

export function registerBlobRoute(app: FastifyInstance, log: LedgerLog): void {
  const blobs = new LedgerBlobs(log);
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
      const bytes = await blobs.read(versionedHash);
      if (bytes === null)
        throw sequencerError("SEQ_UNKNOWN", `no batch that is known here has the blob ${versionedHash}`, {
          data: { reason: "blob", versionedHash },
        });
      // It is the same for ever. But nobody has checked it here: a cache must not outlive a mistake by much.
      reply.header("cache-control", "public, max-age=600");
      // For pages of anybody: anyone who reads it checks it against its name.
      reply.header("access-control-allow-origin", "*");
      return reply
        .type("application/octet-stream")
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    },
  );
}
