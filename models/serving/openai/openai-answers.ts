/** Answers, their parts and errors in the form of OpenAI's API; completion-service.ts and serving-app.ts send them. */

import type { ToolCall } from "@openledger/attribution/model/model-chat";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { openAiForm } from "../../model-errors.ts";
import type { TokenMark } from "./make-answer.ts";
import type { TokenNames } from "./token-names.ts";

type AnswerKind = "completion" | "chat";
type AnswerEnd = "stop" | "length" | "tool_calls";

/** Common beginning of all parts of an answer. */
export interface AnswerHead {
  readonly kind: AnswerKind;
  readonly id: string;
  readonly createdSeconds: number;
  readonly model: string;
  /** Names of its tokens, if their probabilities are requested. */
  readonly names: TokenNames | null;
  /** True if the last part of a stream has the usage, and each other one says that it has none. */
  readonly hasUsage: boolean;
}

export interface Usage {
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** One of an answer's choices, as far as it is there. */
export interface AnswerChoice {
  readonly index: number;
  readonly text: string;
  readonly marks: readonly TokenMark[];
  readonly end: AnswerEnd | null;
  /** Calls of tools that the answer consists of, beside its text. */
  readonly calls?: readonly ToolCall[];
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

function logprobsView({ kind, names }: AnswerHead, marks: readonly TokenMark[]): object | null {
  if (names === null) return null;
  const tokens = marks.map((mark) => ({
    ...names.named(mark),
    top: mark.top.map((one) => names.named(one)),
  }));
  if (kind === "chat")
    return { content: tokens.map(({ top, ...token }) => ({ ...token, top_logprobs: top })), refusal: null };
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: marks.map(({ offset }) => offset),
  };
}

const choiceView = (answer: AnswerHead, { end, index, marks }: AnswerChoice) => ({
  index,
  logprobs: logprobsView(answer, marks),
  finish_reason: end,
});

export function wholeAnswer(
  answer: AnswerHead,
  choices: readonly AnswerChoice[],
  usage: Usage,
  openledger: object,
): object {
  const views = choices.map((choice) => {
    const { calls = [], text } = choice;
    const message = {
      role: "assistant",
      content: calls.length > 0 && text === "" ? null : text,
      refusal: null,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
    return { ...choiceView(answer, choice), ...(answer.kind === "chat" ? { message } : { text }) };
  });
  return { ...head(answer, "whole"), choices: views, usage: usageView(usage), openledger };
}

const partHead = (answer: AnswerHead) => ({
  ...head(answer, "part"),
  ...(answer.hasUsage ? { usage: null } : {}),
});

/** @param isFirst of a chat: names the role of the speaker */
export function answerPart(answer: AnswerHead, choice: AnswerChoice, isFirst = false): object {
  const { text } = choice;
  const delta = isFirst ? { role: "assistant", content: text } : { content: text };
  const view = { ...choiceView(answer, choice), ...(answer.kind === "chat" ? { delta } : { text }) };
  return { ...partHead(answer), choices: [view] };
}

/** Part of a chat's stream with the calls of tools, whole. */
export function callsPart(answer: AnswerHead, index: number, calls: readonly ToolCall[]): object {
  const delta = { tool_calls: calls.map((call, i) => ({ index: i, ...call })) };
  return { ...partHead(answer), choices: [{ index, logprobs: null, finish_reason: null, delta }] };
}

/** Reason why the choice ended, and the ledger's part of it. */
export function lastPart(answer: AnswerHead, index: number, end: AnswerEnd, openledger: object): object {
  const finish = { index, logprobs: null, finish_reason: end };
  const choice = answer.kind === "chat" ? { ...finish, delta: {} } : { ...finish, text: "" };
  return { ...partHead(answer), choices: [choice], openledger };
}

export function usagePart(answer: AnswerHead, usage: Usage): object {
  return { ...head(answer, "part"), choices: [], usage: usageView(usage) };
}

export function errorView(error: RollupError): { readonly status: number; readonly body: object } {
  const { openaiCode, ...data } = (error.toJSON() as { data: Record<string, unknown> }).data;
  const { code, status, type } = openAiForm(error.code, openaiCode);
  const param = typeof data.param === "string" && data.param !== "" ? data.param : null;
  const docs = `docs/reference/errors.md#${error.code.toLowerCase()}`;
  return {
    status,
    body: {
      error: { message: error.message, type, param, code, openledger: { code: error.code, data, docs } },
    },
  };
}
