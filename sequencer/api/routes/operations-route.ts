/**
 * Route of the API that takes many signed operations in one body of bytes: each is taken or refused by itself, as by POST
 * /v1/operations.
 */
import {
  type BatchAnswer,
  decodeBatch,
  encodeBatchAnswers,
  MAX_BATCH_BYTES,
} from "@openledger/circuits/wire/operation-batch";
import { processErrors } from "@openledger/foundation/error-table";
import { clientNetwork } from "@openledger/foundation/http/client-network";
import { type HttpErrors, refusalBody } from "@openledger/foundation/http/http-errors";
import { NetworkRate } from "@openledger/foundation/http/network-rate";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { FastifyInstance } from "fastify";
import type { ApiModules, ApiOptions } from "../api-options.ts";

const MINUTE_SECONDS = 60;

export async function registerOperationsRoute(
  app: FastifyInstance,
  { rateLimitPerMinute }: Pick<ApiOptions, "rateLimitPerMinute">,
  { sequencer }: Pick<ApiModules, "sequencer">,
  errors: HttpErrors,
): Promise<void> {
  // Attack: a body of 256 operations counts as one request, and costs as much as 256.
  const rate = new NetworkRate(rateLimitPerMinute, rateLimitPerMinute / MINUTE_SECONDS);
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  app.post<{ Body: Buffer }>(
    "/v1/operations/batch",
    {
      bodyLimit: MAX_BATCH_BYTES,
      schema: { tags: ["operations"], summary: "Send up to 256 signed operations as bytes" } as object,
    },
    async (request, reply) => {
      const operations = readBatch(request.body);
      if (!rate.take(clientNetwork(request), operations.length))
        throw processErrors.raise("SRV_RATE_LIMITED", "too many operations; try again in a minute");
      const answers = await Promise.all(
        operations.map(
          (operation): Promise<BatchAnswer> =>
            sequencer.submit(operation).catch((error: unknown) => {
              if (isRollupError(error)) errors.onRefusal?.(error, errors.statusOf(error));
              return refusalBody(error, errors) as BatchAnswer;
            }),
        ),
      );
      const bytes = encodeBatchAnswers(answers);
      return reply
        .type("application/octet-stream")
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    },
  );
}

/** @throws SRV_MEDIA_TYPE, SRV_BAD_REQUEST */
function readBatch(body: unknown) {
  if (!Buffer.isBuffer(body))
    throw processErrors.raise("SRV_MEDIA_TYPE", "this route takes application/octet-stream");
  try {
    return decodeBatch(body);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw processErrors.raise("SRV_BAD_REQUEST", `the body is no batch of operations: ${cause.message}`, {
      cause,
    });
  }
}
