/**
 * Records of questions in the gateway's store: question, then the checked answer with its signed payment, then the payment's end.
 * Each step is on disk before the next begins, so that a kill at any point neither loses an answer nor pays it twice.
 */
import type { ChatTool } from "@openledger/attribution/model/model-chat";
import { z } from "zod";
import { signedSchema } from "../account/account-record.ts";
import { givenSchema } from "./received-answer.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * Steps of a question. `asked`: the server may have an answer for it. `signed`: the answer is checked, or sealed, and its payment is
 * signed and perhaps sent. `paid`: the ledger has the payment. `dropped`: nothing was paid; while its text stays, the server may have
 * an answer for it.
 */
export const STATES = ["asked", "signed", "paid", "dropped"] as const;

/** An answer whose salt the server tells once it is paid. */
const sealedSchema = z.object({
  receipt: z.string(),
  payerId: z.int(),
  priceWei: z.string(),
  expiresAtMs: z.number(),
  /** Encrypted bytes, in base64. */
  sealed: z.string(),
});

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
  /** Answer that is paid before it is shown, as its server sent it; null where it came open. Absent: an older gateway's record. */
  sealed: sealedSchema.nullable().default(null),
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
  /** `Idempotency-Key` of its request, and what was requested; null without one. Absent: an older gateway's record. */
  idempotency: z.object({ keyHash: hash, bodyHash: hash }).nullable().default(null),
});
export type QuestionRecord = z.output<typeof questionSchema>;
/** Key of a request, and what was requested: both as SHA-256. */
export type Idempotency = NonNullable<QuestionRecord["idempotency"]>;

/** Record without its texts, as the journal has it in memory. */
export type QuestionHead = Omit<QuestionRecord, "prompt" | "tools" | "answer" | "sealed"> & {
  /** Receipt of the checked answer, or of the sealed one. */
  readonly receipt: string | null;
  /** True if the record has the answer's text. */
  readonly hasAnswer: boolean;
  /** True if the answer was, or is to be, paid before it is shown. */
  readonly isSealed: boolean;
  /** Characters of the answer's text. */
  readonly answerCharacters: number;
  /** True if the question can be asked again. */
  readonly hasPrompt: boolean;
  /** Characters of its prompt and tools. */
  readonly questionCharacters: number;
};

export function headOf({ answer, prompt, sealed, tools, ...head }: QuestionRecord): QuestionHead {
  return {
    ...head,
    receipt: answer?.openledger.receipt ?? sealed?.receipt ?? null,
    hasAnswer: answer !== null,
    isSealed: sealed !== null,
    answerCharacters: answer?.text.length ?? 0,
    hasPrompt: prompt !== null,
    questionCharacters: prompt === null ? 0 : prompt.length + JSON.stringify(tools).length,
  };
}
