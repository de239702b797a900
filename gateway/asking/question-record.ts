/**
 * Records of questions in the gateway's store: question, then the checked answer with its signed payment, then the payment's end.
 * Each step is on disk before the next begins, so that a kill at any point neither loses an answer nor pays it twice.
 */
import type { ChatTool } from "@openledger/attribution/model/model-chat";
import { z } from "zod";
import { signedSchema } from "../account/account-record.ts";
import { givenSchema } from "./received-answer.ts";

/**
 * Steps of a question. `asked`: the server may have an answer for it. `signed`: the answer is checked, and its payment is signed
 * and perhaps sent. `paid`: the ledger has the payment. `dropped`: nothing was paid.
 */
export const STATES = ["asked", "signed", "paid", "dropped"] as const;

export const questionSchema = z.object({
  id: z.int(),
  modelId: z.int(),
  serverUrl: z.string(),
  /** SHA-256 of prompt and tools: the same question has the same. */
  questionHash: z.string(),
  /** Text that the receipt binds; null once nobody asks it again. */
  prompt: z.string().nullable(),
  /** Tools that the answer may call. */
  tools: z.array(z.custom<ChatTool>((tool) => typeof tool === "object" && tool !== null)),
  askedAtMs: z.number(),
  state: z.enum(STATES),
  answer: givenSchema.nullable(),
  payment: z
    .object({
      signed: signedSchema,
      priceWei: z.string(),
      /** Fee as it was estimated when the payment was signed. */
      feeWei: z.string(),
      /** Open epoch of the model before it was signed: the payment is in this one, or in a later one. */
      epoch: z.int(),
    })
    .nullable(),
  /** Error code of a dropped question; null where the gateway was stopped before it had an answer. */
  code: z.string().nullable(),
  /** False until its asker has the whole answer: the same question gets it then, without another payment. */
  isDelivered: z.boolean(),
  /** True once Ethereum has the payment's end: it is looked at no more. */
  isFinal: z.boolean(),
});
export type QuestionRecord = z.output<typeof questionSchema>;

/** Record without its texts, as the journal has it in memory. */
export type QuestionHead = Omit<QuestionRecord, "prompt" | "tools" | "answer"> & {
  /** Receipt of the checked answer. */
  readonly receipt: string | null;
  /** True if the question can be asked again. */
  readonly hasPrompt: boolean;
};

export function headOf({ answer, prompt, tools: _, ...head }: QuestionRecord): QuestionHead {
  return { ...head, receipt: answer?.openledger.receipt ?? null, hasPrompt: prompt !== null };
}
