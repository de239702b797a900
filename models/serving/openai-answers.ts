/** Answers, their parts and errors as OpenAI's API has them. */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { openAiForm } from "../model-errors.ts";

type AnswerKind = "completion" | "chat";

/** What all parts of an answer begin with. */
export interface AnswerHead {
  readonly kind: AnswerKind;
  readonly id: string;
  readonly createdSeconds: number;
  readonly model: string;
}

export interface Usage {
  readonly promptTokens: number;
  readonly answerTokens: number;
}

const OBJECTS = {
  completion: { whole: "text_completion", part: "text_completion" },
  chat: { whole: "chat.completion", part: "chat.completion.chunk" },
} as const;

const head = ({ createdSeconds, id, kind, model }: AnswerHead, form: "whole" | "part") => ({
  id,
  object: OBJECTS[kind][form],
  created: createdSeconds,
  model,
});

const usageView = ({ answerTokens, promptTokens }: Usage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: answerTokens,
  total_tokens: promptTokens + answerTokens,
});

export function wholeAnswer(
  answer: AnswerHead,
  text: string,
  end: "stop" | "length",
  usage: Usage,
  openledger: object,
): object {
  const finish = { index: 0, logprobs: null, finish_reason: end };
  const choice =
    answer.kind === "chat"
      ? { ...finish, message: { role: "assistant", content: text, refusal: null } }
      : { ...finish, text };
  return { ...head(answer, "whole"), choices: [choice], usage: usageView(usage), openledger };
}

/** The first part of a chat says who speaks. */
export function answerPart(answer: AnswerHead, text: string, isFirst: boolean): object {
  const finish = { index: 0, logprobs: null, finish_reason: null };
  const delta = isFirst ? { role: "assistant", content: text } : { content: text };
  return {
    ...head(answer, "part"),
    choices: [answer.kind === "chat" ? { ...finish, delta } : { ...finish, text }],
  };
}

/** Why the answer ended, and what the ledger has of it. */
export function lastPart(answer: AnswerHead, end: "stop" | "length", openledger: object): object {
  const finish = { index: 0, logprobs: null, finish_reason: end };
  const choice = answer.kind === "chat" ? { ...finish, delta: {} } : { ...finish, text: "" };
  return { ...head(answer, "part"), choices: [choice], openledger };
}

export function usagePart(answer: AnswerHead, usage: Usage): object {
  return { ...head(answer, "part"), choices: [], usage: usageView(usage) };
}

export function errorView(error: RollupError): { readonly status: number; readonly body: object } {
  const { code, status, type } = openAiForm(error.code);
  const { data } = error.toJSON() as { data: Record<string, unknown> };
  const param = typeof data.param === "string" && data.param !== "" ? data.param : null;
  const docs = `docs/reference/errors.md#${error.code.toLowerCase()}`;
  return {
    status,
    body: {
      error: { message: error.message, type, param, code, openledger: { code: error.code, data, docs } },
    },
  };
}
