/** Requests to the sequencer by its operator's token: close of a batch, notice to the readers of the pages. */
import type { DataMode } from "@openledger/circuits/protocol";
import { closeAnswer, type noticeBody } from "@openledger/circuits/wire/operator-api";
import { requestSequencer } from "@openledger/client/sequencer/sequencer-request";
import { z } from "zod";

export interface OperatorAccess {
  readonly sequencerUrl: string;
  readonly operatorToken: string;
}

const TIMEOUT_MS = 30_000;

/**
 * Closes the sequencer's open batch.
 * @param place of its data; default: as the sequencer's setting has it
 * @returns its number, or null where it holds nothing
 * @throws SEQ_PLACE_IMPOSSIBLE, SRV_UNAUTHORIZED, CLI_UNREACHABLE, CLI_ANSWER_INVALID
 */
export async function closeBatch(access: OperatorAccess, place?: DataMode): Promise<number | null> {
  return (await operate(access, "close", closeAnswer, { place })).batchNumber;
}

/** Sets what the pages tell every reader; null for nothing. @throws as closeBatch, and SRV_BAD_REQUEST */
export async function setNotice(
  access: OperatorAccess,
  notice: z.input<typeof noticeBody>["notice"],
): Promise<void> {
  await operate(access, "notice", z.unknown(), { notice });
}

const operate = <Schema extends z.ZodType>(
  { operatorToken, sequencerUrl }: OperatorAccess,
  route: "close" | "notice",
  schema: Schema,
  body: object,
): Promise<z.output<Schema>> =>
  requestSequencer({ sequencerUrl, requestTimeoutMs: TIMEOUT_MS }, `/operator/${route}`, schema, {
    body,
    operatorToken,
  });
