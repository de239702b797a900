/**
 * Schemas of an answer server's messages, and the assurance of each part of a reply: believed, recomputed or proven. Asking,
 * checking and paying parse by them; prices are in wei.
 */

import type { ModelChat } from "@openledger/attribution/model/model-chat";
import type { ModelQuery } from "@openledger/circuits/ledger/model-query";
import { askSequencer } from "@openledger/foundation/wire/sequencer-request";
import * as z from "zod/mini";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { fieldElement, wei } from "../../sequencer/sequencer-schemas.ts";
import { serverRefusal } from "../../server-refusal.ts";

const estimateSchema = z.object({
  isEstimate: z.literal(true),
  isEven: z.boolean(),
  topRows: z.readonly(
    z.array(
      z.object({
        row: z.int(),
        contributorId: z.int(),
        validatorId: z.int(),
        score: z.number(),
        share: z.number(),
      }),
    ),
  ),
  /** Rows that spoke against the answer. Absent: an older server. */
  rowsAgainst: z.optional(
    z.readonly(
      z.array(z.object({ row: z.int(), contributorId: z.int(), validatorId: z.int(), score: z.number() })),
    ),
  ),
  contributors: z.readonly(z.array(z.object({ contributorId: z.int(), share: z.number() }))),
  backend: z.string(),
});

/**
 * Assurances, from weak to strong. `believed`: the server's word, unchecked. `recomputed`: the customer has computed it
 * again. `proven`: L1 takes no settlement without a proof.
 */
export const ASSURANCES = ["believed", "recomputed", "proven"] as const;
export type Assurance = (typeof ASSURANCES)[number];

/** Assurance of each part of a reply that passed `checkAnswer`, beyond its server's word. */
export interface ReplyAssurance {
  /** Assurance that the registered model gives this answer to this prompt. */
  readonly answer: Assurance;
  /** Assurance that the query, by which rows are scored, is the one of this prompt and answer. */
  readonly query: Assurance;
  /** Assurance of whom the answer pays: the rows, their contributors and their shares. */
  readonly rows: Assurance;
}

/** Parts of a reply that have an assurance each. */
export const ASSURED_PARTS = ["answer", "query", "rows"] as const satisfies readonly (keyof ReplyAssurance)[];

/**
 * Minimum assurance that a caller names; default: any. A name that is misspelt, or that an earlier version had, would pass for none.
 * @throws CLI_INPUT_INVALID for `least`, for a part and for a level that do not exist
 * @internal
 */
export function minAssuranceOf(parameters: {
  readonly minAssurance?: Partial<ReplyAssurance>;
}): Partial<ReplyAssurance> {
  if ("least" in parameters) throw invalidAssurance("`least` is named `minAssurance` now");
  const { minAssurance = {} } = parameters;
  for (const [part, level] of Object.entries(minAssurance)) {
    if (!(ASSURED_PARTS as readonly string[]).includes(part))
      throw invalidAssurance(
        `minAssurance: "${part.slice(0, 40)}" is no part; parts: ${ASSURED_PARTS.join(", ")}`,
      );
    if (level !== undefined && !ASSURANCES.includes(level))
      throw invalidAssurance(`minAssurance.${part}: no level; levels: ${ASSURANCES.join(", ")}`);
  }
  return minAssurance;
}

const invalidAssurance = (message: string) =>
  clientError("CLI_INPUT_INVALID", message, { data: { reason: "min-assurance" } });

/** Checks that a customer has computed. No server's word is in them. */
export interface CheckedReply {
  readonly isAnsweredAgain: boolean;
  /** True where whom the answer pays was computed from the registered matrix. */
  readonly areRowsRecomputed: boolean;
}

/**
 * First part that is less sure than `minAssurance`; null where none is.
 * @internal
 */
export function firstBelow(
  input: ReplyAssurance,
  minAssurance: Partial<ReplyAssurance>,
): keyof ReplyAssurance | null {
  const rank = (one: Assurance) => ASSURANCES.indexOf(one);
  return ASSURED_PARTS.find((part) => rank(input[part]) < rank(minAssurance[part] ?? "believed")) ?? null;
}

export const answerSchema = z.object({
  /** Label of the answer; null for models without labels. */
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
  /** Rows and contributors that the answer would pay if its payment were drawn; nobody promises it. */
  estimate: estimateSchema,
  /**
   * Maximum assurance that the model's recipe promises, by the server. `CheckableModel.assurance` computes the customer's
   * own.
   */
  assurance: z.optional(
    z.object({ answer: z.enum(ASSURANCES), query: z.enum(ASSURANCES), rows: z.enum(ASSURANCES) }),
  ),
});
/** An answer that its server opens once it is paid. */
export const sealedAnswerSchema = z.extend(
  z.pick(answerSchema, { receipt: true, payerId: true, priceWei: true, expiresAtMs: true }),
  {
    sealed: z.base64(),
    /** Question of the row whose answer it is, by the server; absent where the model writes. */
    question: z.optional(z.string()),
  },
);

/** Whom an answer would pay. */
export type Estimate = z.output<typeof estimateSchema>;

/** An answer as an answer server gives it: do not pay it before it passes `checkAnswer`. */
export type UncheckedAnswer = z.output<typeof answerSchema>;

/**
 * The customer's own copy of a model, from the owner's published files. attribution/ makes one (`checkableModel`); this
 * library does not depend on how.
 */
export interface CheckableModel {
  /** The hash of the statics. */
  readonly staticsHash: bigint;
  /**
   * Answers a prompt. The query is columnCount odd numbers, or a direct model's counts with the pair of labels that it
   * compares; `labels` are a direct model's with their parts of 1, the answer first, and no part of the receipt.
   */
  answer(prompt: string): {
    readonly text: string;
    readonly query: ModelQuery;
    readonly labels?: readonly { readonly label: string; readonly share: number }[];
  };
  /**
   * Query of an answer's text alone, without answering again: for models that answer slowly, or whose settlement proves
   * the answer.
   */
  queryOf?(prompt: string, text: string): ModelQuery;
  /**
   * Question of the row whose answer is said to a prompt, without answering: of models that say rows' answers alone.
   * @throws ATT_NO_ROW_ANSWERS where none is
   */
  rowQuestionOf?(prompt: string): string;
  /** Its chats; absent of models that label. */
  readonly chat?: ModelChat;
  /** Computes whom an answer of this query pays, by the model's matrix; absent where the customer does not have it. */
  estimateOf?(queryBytes: Uint8Array): Estimate;
  /** Assurance of its replies, from the customer's checks. */
  assurance?(checked: CheckedReply): ReplyAssurance;
}

/**
 * Sends one request to an answer server. Its own errors keep their codes (ATT_, MOD_, SRV_), and are told as its words.
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID
 * @internal
 */
export async function requestModelServer<Schema extends z.core.$ZodType>(
  client: Pick<LedgerClient, "requestTimeoutMs">,
  serverUrl: string,
  path: string,
  schema: Schema,
  options: { body?: object; signal?: AbortSignal | undefined } = {},
): Promise<z.output<Schema>> {
  const base = serverUrl.replace(/\/+$/, "");
  // The same form of requests as a sequencer's, of another server.
  const endpoint = { sequencerUrl: base, timeoutMs: client.requestTimeoutMs };
  const { failure, value } = await askSequencer(endpoint, { path, ...options }, schema);
  if (failure === null) return value;
  const { cause, error, kind, reason, status } = failure;
  const url = `${base}${path}`;
  const data = { server: "answer server", url };
  if (kind === "unreachable" || kind === "aborted")
    throw clientError("CLI_UNREACHABLE", `no answer from ${url}`, { data, cause });
  if (error === null)
    throw clientError("CLI_ANSWER_INVALID", `the answer of ${url} is not as documented`, {
      data: { ...data, httpStatus: status, problems: reason },
      cause,
    });
  throw serverRefusal("answer server", error, { isRetryable: kind === "passing", url, httpStatus: status });
}
