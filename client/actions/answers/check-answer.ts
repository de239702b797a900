import {
  answerHash,
  modelQueryBytes,
  modelQueryCommitment,
  receiptHash,
} from "@openledger/circuits/ledger/model-query";
import { hex32 } from "@openledger/foundation/hex";
import { toHex } from "viem";
import { clientError } from "../../client-errors.ts";
import {
  type CheckableModel,
  firstBelow,
  type ReplyAssurance,
  type UncheckedAnswer,
} from "./model-answers.ts";

/** What the customer knows himself. */
export interface AnswerExpectation {
  readonly prompt: string;
  readonly payerId: number;
  /** The hash of the model's statics, from the ledger. */
  readonly staticsHash: bigint;
  /**
   * Whether a model that answers slowly answers once more, too. Without, its query is still computed from prompt and
   * answer: nobody can be paid for another answer than the one that is there. Other models always answer again.
   */
  readonly isAnsweredAgain?: boolean;
  /** The least that the customer pays for; default: anything. A model whose copy says nothing of it is believed. */
  readonly least?: Partial<ReplyAssurance>;
}

export type CheckAnswerErrorCode = "CLI_ANSWER_WRONG";

/**
 * Computes answer, query and receipt again from the prompt and the published model. What passes is what a settlement
 * will pay by: nobody can open the receipt to anything else. Needs `initPoseidon`.
 * @throws CLI_ANSWER_WRONG; `data.what` names the first field that differs
 * @example
 * ```ts
 * const answer = await askModel(client, { serverUrl, modelId: 11, prompt: "Win now" });
 * checkAnswer(model, answer, { prompt: "Win now", payerId: answer.payerId, staticsHash: model.staticsHash });
 * ```
 */
export function checkAnswer(
  model: CheckableModel,
  answer: UncheckedAnswer,
  expected: AnswerExpectation,
): void {
  const { prompt, payerId, staticsHash } = expected;
  requireSame("statics", hex32(model.staticsHash), hex32(staticsHash));
  requireSame("payerId", answer.payerId, payerId);
  const own =
    model.queryOf === undefined || expected.isAnsweredAgain === true
      ? model.answer(prompt)
      : { text: answer.answer, query: model.queryOf(prompt, answer.answer) };
  requireSame("answer", answer.answer, own.text);
  const label = labelIn(own.text);
  if (answer.label !== null && label !== null) requireSame("label", answer.label, label);
  requireSame("query", toHex(answer.queryBytes), toHex(modelQueryBytes(own.query)));
  const commitment = modelQueryCommitment(own.query);
  const hash = answerHash(prompt, own.text);
  requireSame("queryCommitment", hex32(answer.queryCommitment), hex32(commitment));
  requireSame("answerHash", hex32(answer.answerHash), hex32(hash));
  const receipt = receiptHash({
    statics: staticsHash,
    payerId,
    answerHash: hash,
    queryCommitment: commitment,
    salt: answer.salt,
  });
  requireSame("receipt", hex32(answer.receipt), hex32(receipt));
  requireLeast(model, expected);
}

const NOTHING_SAID: ReplyAssurance = { answer: "believed", query: "believed", rows: "believed" };

/**
 * @throws CLI_ANSWER_WRONG
 * @internal
 */
export function requireLeast(
  model: CheckableModel,
  { isAnsweredAgain = false, least = {} }: Pick<AnswerExpectation, "isAnsweredAgain" | "least">,
): void {
  const given = model.assurance?.(isAnsweredAgain) ?? NOTHING_SAID;
  const part = firstBelow(given, least);
  if (part === null) return;
  throw clientError(
    "CLI_ANSWER_WRONG",
    `the reply's ${part} is ${given[part]}, and the customer accepts no less than ${least[part]}`,
    { data: { what: `assurance of ${part}`, given: given[part], right: `${least[part]}` } },
  );
}

/** What an answer's text says, where it says a label: the server's field of that name is for reading alone. */
function labelIn(text: string): string | null {
  try {
    const label = (JSON.parse(text) as { label?: unknown } | null)?.label;
    return typeof label === "string" ? label : null;
  } catch {
    return null;
  }
}

function requireSame(what: string, given: string | number, right: string | number): void {
  if (given === right) return;
  throw clientError(
    "CLI_ANSWER_WRONG",
    `the answer's ${what} is ${String(given).slice(0, 80)}, not ${String(right).slice(0, 80)}`,
    {
      data: { what, given, right },
    },
  );
}
