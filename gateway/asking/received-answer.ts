/**
 * An answer that was checked, as the gateway stores and gives it: its text, and beside it the `openledger` field with receipt,
 * price, rows and the assurance of each part. OpenAI's routes and MCP's tools give the same field.
 */
import {
  ASSURANCES,
  type ReplyAssurance,
  type UncheckedAnswer,
} from "@openledger/client/actions/answers/model-answers";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { hex32 } from "@openledger/foundation/hex";
import { toolCallSchema } from "@openledger/models/serving/openai/openai-requests";
import { z } from "zod";

const leafId = z.int().nonnegative();
const share = z.number().describe("part of the payment, 0 to 1");
const wei = z.string().regex(/^\d+$/).describe("whole wei of OPEN; 1 OPEN is 10^18");
const open = z.string().describe("decimal OPEN");
const assurance = z
  .enum(ASSURANCES)
  .describe(
    "believed: the server's word; recomputed: computed again here; proven: by the settlement's proof",
  );

/** Row of a Datanet that the answer pays. */
export const rowSchema = z.strictObject({
  row: z.int().nonnegative().describe("index of the row in the version; 0 is the first"),
  contributorId: leafId.describe("account that contributed the row"),
  validatorId: leafId.describe("account that vouched for the row"),
  score: z.number(),
  share,
});

/** Field `openledger` of an answer. */
export const openledgerSchema = z.strictObject({
  modelId: leafId,
  receipt: z.string().describe("hash that was paid for: it binds model, payer, prompt, answer and query"),
  priceWei: wei,
  priceOpen: open,
  payment: z.strictObject({
    hash: z.string().describe("the payment's operation on the ledger"),
    payerId: leafId.describe("the gateway's account"),
    nonce: z.int().nonnegative(),
  }),
  rows: z
    .array(rowSchema)
    .describe("rows that the answer pays if its payment is drawn, the largest share first"),
  contributors: z.array(z.strictObject({ contributorId: leafId, share })),
  isEstimate: z.literal(true).describe("payments are drawn: shares are what a drawn payment gives"),
  assurance: z.strictObject({ answer: assurance, query: assurance, rows: assurance }),
});
export type OpenledgerField = z.output<typeof openledgerSchema>;

/** Answer as the store has it: all but its payment, which is another field of the record. */
export const givenSchema = z.object({
  /** Text for people: the label of a classifier. */
  text: z.string(),
  toolCalls: z.array(toolCallSchema),
  finish: z.enum(["stop", "length", "tool_calls"]),
  /** null where the server does not tell. */
  promptTokens: z.int().nullable(),
  answerTokens: z.int().nullable(),
  openledger: openledgerSchema.omit({ payment: true }),
  /** Rows that the answer cites, by its receipt; absent where it cites none. */
  cited: z.array(z.object({ row: z.int(), digest: z.string(), question: z.string().optional() })).optional(),
});
export type ReceivedAnswer = z.output<typeof givenSchema>;

/** Part of the JSON that a language model's receipt hashes. */
const answerTextSchema = z.object({ text: z.string() });

/** Words of an answer: a classifier's label, a language model's text. */
export function textOfAnswer({ answer, label }: Pick<UncheckedAnswer, "answer" | "label">): string {
  if (label !== null) return label;
  try {
    return answerTextSchema.parse(JSON.parse(answer)).text;
  } catch {
    return answer;
  }
}

/** Describes a checked answer. @param priceWei payment by the ledger's price */
export function describeAnswer(
  modelId: number,
  { estimate, receipt }: UncheckedAnswer,
  priceWei: bigint,
  assured: ReplyAssurance,
): ReceivedAnswer["openledger"] {
  return {
    modelId,
    receipt: hex32(receipt),
    priceWei: `${priceWei}`,
    priceOpen: formatOpen(priceWei),
    rows: estimate.topRows.map(({ contributorId, row, score, share: part, validatorId }) => ({
      row,
      contributorId,
      validatorId,
      score,
      share: part,
    })),
    contributors: estimate.contributors.map(({ contributorId, share: part }) => ({
      contributorId,
      share: part,
    })),
    isEstimate: true,
    assurance: { ...assured },
  };
}
