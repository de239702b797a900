/**
 * Records of questions in the gateway's store: question, then the checked answer with its signed payment, then the payment's end.
 * Each step is on disk before the next begins, so that a kill at any point neither loses an answer nor pays it twice.
 */
import type { ChatTool } from "@openledger/attribution/model/model-chat";
import { z } from "zod";
import { signedSchema } from "../account/account-record.ts";
import { givenSchema } from "./given-answer.ts";

/**
 * Steps of a question. `asked`: the server may have an answer for it. `signed`: the answer is checked, and its payment is signed
 * and perhaps sent. `paid`: the ledger has the payment. `dropped`: nothing was paid, and nothing will be.
 */
export const STATES = ["asked", "signed", "paid", "dropped"] as const;

export const questionSchema = z.object({
  id: z.int(),
  modelId: z.int(),
  serverUrl: z.string(),
  /** Text that the receipt binds. */
  prompt: z.string(),
  /** Tools that the answer may call. */
  tools: z.array(z.custom<ChatTool>((tool) => typeof tool === "object" && tool !== null)),
  askedAtMs: z.number(),
  state: z.enum(STATES),
  answer: givenSchema.nullable(),
  payment: z.object({ signed: signedSchema, priceWei: z.string() }).nullable(),
  /** Error code of a dropped question. */
  code: z.string().nullable(),
  /** False until its asker has the whole answer: the same question gets it then, without another payment. */
  isDelivered: z.boolean(),
});
export type QuestionRecord = z.output<typeof questionSchema>;
