/**
 * Signed operations in bulk: up to 256 in one request of bytes, for programs that send many. Part of the client's public
 * interface.
 */
import {
  decodeBatchAnswers,
  encodeBatch,
  MAX_BATCH_OPERATIONS,
} from "@openledger/circuits/wire/operation-batch";
import { decodeOperation } from "@openledger/circuits/wire/operation-body";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import * as z from "zod/mini";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { refusedBy, requestSequencer, type SequencerErrorCode } from "../../sequencer/sequencer-request.ts";
import { resultOf, type SendResult, type SignedSubmission } from "./send-operation.ts";

export type SendOperationsErrorCode = "CLI_INPUT_INVALID" | SequencerErrorCode;

const answersSchema = z.pipe(
  z.instanceof(Uint8Array),
  z.transform((bytes: Uint8Array<ArrayBuffer>) => decodeBatchAnswers(bytes)),
);
const refusalSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    data: z._default(z.record(z.string(), z.unknown()), {}),
    remedy: z.optional(z.string()),
    isRetryable: z._default(z.boolean(), false),
  }),
});

/**
 * Sends up to 256 signed operations in one request, as bytes. Each is taken or refused by itself. The result has one
 * entry for each, in order: for a refused one the error that `sendSigned` would throw.
 * @throws CLI_INPUT_INVALID, CLI_UNREACHABLE
 * @example
 * ```ts
 * const stored: SignedSubmission[] = [];
 * await transfer(client, { to: 7, amountWei: parseOpen("1"), onSigned: (signed) => void stored.push(signed) });
 * const results = await sendOperations(client, stored);
 * console.log(results.map((result) => ("hash" in result ? result.hash : result.code)));
 * ```
 */
export async function sendOperations(
  client: LedgerClient,
  signed: readonly SignedSubmission[],
): Promise<(SendResult | RollupError)[]> {
  if (signed.length > MAX_BATCH_OPERATIONS)
    throw clientError("CLI_INPUT_INVALID", `at most ${MAX_BATCH_OPERATIONS} operations go at once`);
  const body = encodeBatch(signed.map((one) => decodeOperation(one.body)));
  const answers = await requestSequencer(client, "/v1/operations/batch", answersSchema, { body });
  if (answers.length !== signed.length)
    throw clientError("CLI_ANSWER_INVALID", `${answers.length} answers for ${signed.length} operations`);
  return Promise.all(
    answers.map(async (answer, i) => {
      if ("error" in answer) {
        const { error } = refusalSchema.parse(answer);
        return refusedBy(error, error.isRetryable);
      }
      return resultOf(client, signed[i]!, answer).catch((error: unknown) => {
        if (isRollupError(error)) return error;
        throw error;
      });
    }),
  );
}
