/**
 * Questions of the requests that got requirements of x402: what a scheme is given has their prompts' hashes alone, and a question
 * is signed over its whole text.
 */
import type { ChatMessage, ChatTool } from "@openledger/attribution/model/model-chat";
import { promptSha256, X402_HEADERS } from "@openledger/circuits/wire/x402-payment";
import * as z from "zod/mini";
import type { CheckableModel } from "../actions/answers/model-answers.ts";
import { clientError } from "../client-errors.ts";

/** Questions that are remembered: those between a 402 and its payment. */
const MAX_PROMPTS = 256;

/**
 * A question as it was sent, and the text that it binds: of a chat, by the server.
 * @internal
 */
export interface AskedPrompt {
  readonly prompt: string;
  /** Body of the request, and its address. */
  readonly sent: unknown;
  readonly url: string;
}

const dataSchema = z.object({
  /** Prompt of a chat; absent for other questions, whose text is the prompt that was sent. */
  prompt: z.optional(z.string()),
  paymentRequired: z.object({ accepts: z.array(z.object({ extra: z.object({ askUrl: z.string() }) })) }),
});
/** Refusals of OpenAI's routes, and of a model's own. */
const bodySchema = z.object({
  error: z.union([z.object({ openledger: z.object({ data: dataSchema }) }), z.object({ data: dataSchema })]),
});

/**
 * Questions between their 402 and their payment, by the route that takes them and their prompts' hashes.
 * @internal
 */
export class PromptMemory {
  readonly #prompts = new Map<string, AskedPrompt>();

  /** Remembers the question of a request that got requirements. Others are passed over. */
  async note(request: Request, response: Response): Promise<void> {
    if (response.status !== 402 || !response.headers.has(X402_HEADERS.required)) return;
    const [sent, answer] = await Promise.all([jsonOf(request), jsonOf(response.clone())]);
    const read = bodySchema.safeParse(answer);
    if (!read.success) return;
    const { error } = read.data;
    const { paymentRequired, prompt = sentPrompt(sent) } =
      "openledger" in error ? error.openledger.data : error.data;
    if (prompt === undefined) return;
    const askUrl = paymentRequired.accepts[0]?.extra.askUrl;
    // Attack: another server would get signed questions, also one that the request was redirected to.
    const { url } = request;
    if (askUrl === undefined || originOf(askUrl) !== originOf(url)) return;
    this.#prompts.set(questionKey(askUrl, promptSha256(prompt)), { prompt, sent, url });
    if (this.#prompts.size > MAX_PROMPTS) this.#prompts.delete(this.#prompts.keys().next().value!);
  }

  find(askUrl: string, hash: string): AskedPrompt | undefined {
    return this.#prompts.get(questionKey(askUrl, hash));
  }
}

/**
 * Name of a question: the route that takes it, and its prompt's hash.
 * @internal
 */
export const questionKey = (askUrl: string, hash: string): string => `${askUrl} ${hash}`;

const requestSchema = z.union([
  z.object({ prompt: z.string() }),
  z.object({
    messages: z.array(z.custom<ChatMessage>()),
    tools: z.optional(z.nullable(z.array(z.custom<ChatTool>()))),
  }),
]);

/**
 * Text that the request's question and receipt bind. A chat's is computed by the payer's own copy of the model; without one it is
 * the server's.
 * @throws CLI_ANSWER_WRONG where the server names another text, MOD_CHAT_REFUSED
 * @internal
 */
export function promptOfRequest(
  { prompt, sent }: Omit<AskedPrompt, "url">,
  model: CheckableModel | undefined,
): string {
  const request = requestSchema.safeParse(sent).data;
  const own = request === undefined || "prompt" in request ? request?.prompt : model?.chat?.promptOf(request);
  if (own === undefined || own === prompt) return prompt;
  throw clientError("CLI_ANSWER_WRONG", "the server would answer another text than the one that was sent", {
    data: { what: "prompt", given: prompt.slice(0, 80), right: own.slice(0, 80) },
  });
}

const sentPrompt = (sent: unknown): string | undefined => {
  const request = requestSchema.safeParse(sent).data;
  return request !== undefined && "prompt" in request ? request.prompt : undefined;
};

async function jsonOf(message: Request | Response): Promise<unknown> {
  try {
    return JSON.parse(await message.text());
  } catch {
    return null;
  }
}

function originOf(url: string): string | null {
  try {
    return new URL(url).origin;
  } catch {
    return null;
  }
}
