/** What a customer and an answer server say to each other. */

import type { ModelQuery } from "@openledger/circuits/ledger/model-query";
import { isRollupError } from "@openledger/foundation/rollup-error";
import * as z from "zod/mini";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { requestSequencer } from "../../sequencer/sequencer-request.ts";
import { fieldElement, wei } from "../../sequencer/sequencer-schemas.ts";

const estimateSchema = z.object({
  isEstimate: z.literal(true),
  isEven: z.boolean(),
  topRows: z.array(
    z.object({
      row: z.int(),
      contributorId: z.int(),
      validatorId: z.int(),
      score: z.number(),
      share: z.number(),
    }),
  ),
  contributors: z.array(z.object({ contributorId: z.int(), share: z.number() })),
  backend: z.string(),
});

/**
 * From weak to strong. `believed`: the server says so, unchecked. `recomputed`: the customer has computed it again.
 * `proven`: L1 takes no settlement without a proof.
 */
export const ASSURANCES = ["believed", "recomputed", "proven"] as const;
export type Assurance = (typeof ASSURANCES)[number];

/** Of a reply that `checkAnswer` has taken: how far each part is more than its server's word. */
export interface ReplyAssurance {
  /** That the registered model gives this answer to this prompt. */
  readonly answer: Assurance;
  /** That the query, by which rows are scored, is the one of this prompt and answer. */
  readonly query: Assurance;
  /** That what the query is scored against are the features of the rows. */
  readonly rows: Assurance;
}

/** What a customer has computed. No server's word is in it. */
export interface CheckedReply {
  readonly isAnsweredAgain: boolean;
  /** The features of the rows were computed again from the rows. */
  readonly areRowsRecomputed: boolean;
}

/**
 * The first part that is less sure than `least`; null where none is.
 * @internal
 */
export function firstBelow(
  given: ReplyAssurance,
  least: Partial<ReplyAssurance>,
): keyof ReplyAssurance | null {
  const rank = (one: Assurance) => ASSURANCES.indexOf(one);
  const parts = ["answer", "query", "rows"] as const;
  return parts.find((part) => rank(given[part]) < rank(least[part] ?? "believed")) ?? null;
}

export const answerSchema = z.object({
  /** null of models without labels. */
  label: z.nullable(z.string()),
  /** The text that the receipt hashes. */
  answer: z.string(),
  receipt: fieldElement,
  payerId: z.int(),
  answerHash: fieldElement,
  /** q, a byte an entry. */
  queryBytes: z.pipe(
    z.base64(),
    z.transform((text): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))),
  ),
  queryCommitment: fieldElement,
  salt: fieldElement,
  priceWei: wei,
  expiresAtMs: z.number(),
  /** Whom the answer would pay if its payment were drawn; nobody promises it. */
  estimate: estimateSchema,
  /** The most that the model's recipe promises, says the server. `CheckableModel.assurance` computes what the customer has. */
  assurance: z.optional(
    z.object({ answer: z.enum(ASSURANCES), query: z.enum(ASSURANCES), rows: z.enum(ASSURANCES) }),
  ),
});
/** An answer that its server opens once it is paid. */
export const sealedAnswerSchema = z.extend(
  z.pick(answerSchema, { receipt: true, payerId: true, priceWei: true, expiresAtMs: true }),
  { sealed: z.base64() },
);

/** An answer as an answer server gives it: not to be paid before `checkAnswer` has taken it. */
export type UncheckedAnswer = z.output<typeof answerSchema>;

/**
 * The customer's own copy of a model, from what its owner publishes. attribution/ makes one (`checkableModel`); this
 * library does not depend on how.
 */
export interface CheckableModel {
  /** The hash of the statics. */
  readonly staticsHash: bigint;
  /** What the model says to a prompt, and its query: columnCount odd numbers, or a direct model's counts and class. */
  answer(prompt: string): { readonly text: string; readonly query: ModelQuery };
  /** Of models that answer slowly, or whose settlement proves the answer: the query of an answer's text alone. */
  queryOf?(prompt: string, text: string): ModelQuery;
  /** Of its replies, from what the customer has checked. */
  assurance?(checked: CheckedReply): ReplyAssurance;
}

/**
 * One request to an answer server. Its own errors keep their codes (ATT_…).
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID
 * @internal
 */
export async function requestModelServer<Schema extends z.core.$ZodType>(
  client: Pick<LedgerClient, "requestTimeoutMs">,
  serverUrl: string,
  path: string,
  schema: Schema,
  options: { body?: object } = {},
): Promise<z.output<Schema>> {
  const { requestTimeoutMs } = client;
  const sequencerUrl = serverUrl.replace(/\/+$/, "");
  try {
    return await requestSequencer({ sequencerUrl, requestTimeoutMs }, path, schema, options);
  } catch (cause) {
    // The same form of requests, another server: the codes say whose failure it is.
    const url = `${sequencerUrl}${path}`;
    if (isRollupError(cause, "CLI_UNREACHABLE")) {
      throw clientError("CLI_UNREACHABLE", `no answer from ${url}`, {
        data: { server: "answer server", url },
        cause,
      });
    }
    if (isRollupError(cause, "CLI_ANSWER_INVALID")) {
      throw clientError("CLI_ANSWER_INVALID", `the answer of ${url} is not as documented`, {
        data: { ...cause.data, server: "answer server", url },
        cause,
      });
    }
    throw cause;
  }
}
