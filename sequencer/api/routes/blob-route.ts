/**
 * Route for blobs of batches, for everybody who rebuilds the ledger (docs/explanation/data-availability.md). The client
 * checks them.
 */

import { isVersionedHash, type VersionedHash } from "@openledger/bridge/blobs/blob-source";
import { setCost } from "@openledger/foundation/http/answer-costs";
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

/** Cost in units of the rate limit: making a blob takes 15 ms of the main thread, as much as so many plain requests. */
const UNITS_PER_BLOB = 20;

export function registerBlobRoute(app: FastifyInstance, log: LedgerLog): void {
  const blobs = new LedgerBlobs(log);
  const costOf = ({ versionedHash }: { versionedHash: VersionedHash }) =>
    blobs.isRecent(versionedHash) ? 1 : UNITS_PER_BLOB;
  app.get<{ Params: z.output<typeof params> }>(
    "/blobs/:versionedHash",
    {
      config: { maxCost: (request) => costOf(request.params as { versionedHash: VersionedHash }) },
      schema: {
        tags: ["blobs"],
        summary: "The 131,072 bytes of a batch's blob, by its versioned hash",
        params,
        response: {
          200: { description: "the blob", content: { "application/octet-stream": { schema: {} } } },
        },
      },
    },
    async (request, reply) => {
      const { versionedHash } = request.params;
      const cost = costOf(request.params);
      const bytes = await blobs.read(versionedHash);
      setCost(request, bytes === null ? 1 : cost);
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
