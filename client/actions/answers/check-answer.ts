/**
 * Customer's check of an answer before payment: recomputes answer, query, commitment and receipt (the hash that is
 * paid for) with the customer's own copy of the model. `payForAnswer` signs nothing for an answer that fails.
 */
import {
  answerHash,
  modelQueryBytes,
  modelQueryCommitment,
  receiptHash,
} from "@openledger/circuits/ledger/model-query";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { toHex } from "viem";
import { clientError } from "../../client-errors.ts";
import type { ModelPayee } from "../../sequencer/model-schemas.ts";
import {
  type CheckableModel,
  type CheckedReply,
  type Estimate,
  firstBelow,
  minAssuranceOf,
  type ReplyAssurance,
  type UncheckedAnswer,
} from "./model-answers.ts";

/** Facts that the customer has without the server. */
export interface AnswerExpectation {
  readonly prompt: string;
  readonly payerId: number;
  /** The hash of the model's statics, from the ledger. */
  readonly staticsHash: bigint;
  /**
   * True if a model that answers slowly answers once more, too. Otherwise its query is still computed from prompt and
   * answer, so that nobody can be paid for another answer than this one. Other models always answer again.
   */
  readonly isAnsweredAgain?: boolean;
  /** True if the customer has computed the registered matrix from the rows (`openledger verify model`). */
  readonly areRowsRecomputed?: boolean;
  /** Payees of the model on the ledger; default: not compared. */
  readonly payees?: readonly Pick<ModelPayee, "contributorId" | "validatorId">[];
  /** Minimum assurance of each part; default: any. A model whose copy names no assurance counts as `believed`. */
  readonly minAssurance?: Partial<ReplyAssurance>;
}

export type CheckAnswerErrorCode = "CLI_ANSWER_WRONG" | "CLI_BELOW_LEAST" | "CLI_INPUT_INVALID";

/**
 * Computes answer, query and receipt again from the prompt and the published model. A settlement pays by an answer that
 * passes: nobody can open the receipt to another one. Whom it pays is in no receipt: `withOwnEstimate` computes it, and of a model
 * whose matrix the customer does not have, an impossible estimate is refused here. Needs `initPoseidon`.
 * @throws CLI_ANSWER_WRONG, whose `data.what` names the first field that differs; CLI_BELOW_LEAST; CLI_INPUT_INVALID for a
 *   minimum assurance that does not exist
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
  requireRegisteredStatics(model, staticsHash);
  requirePayer(answer.payerId, payerId);
  const own =
    model.queryOf === undefined || expected.isAnsweredAgain === true
      ? model.answer(prompt)
      : { text: answer.answer, query: queryOf(model.queryOf, prompt, answer.answer) };
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
  if (model.estimateOf === undefined) requirePossible(answer.estimate, expected.payees);
  requireMinAssurance(model, expected);
}

/**
 * Replaces whom an answer pays by what the customer's own copy of the model computes; the server's word stays where the copy does not
 * have the model's matrix. The answer has passed `checkAnswer`.
 * @example
 * ```ts
 * const answer = await askModel(client, { serverUrl, modelId: 11, prompt: "Win now" });
 * checkAnswer(model, answer, { prompt: "Win now", payerId: answer.payerId, staticsHash: model.staticsHash });
 * console.log(withOwnEstimate(model, answer).estimate.contributors);
 * ```
 */
export function withOwnEstimate(model: CheckableModel, answer: UncheckedAnswer): UncheckedAnswer {
  const { estimate, queryBytes } = answer;
  return { ...answer, estimate: model.estimateOf?.(queryBytes) ?? estimate };
}

/** Query of a server's answer. @throws CLI_ANSWER_WRONG for a text that no such model answers */
function queryOf(
  compute: NonNullable<CheckableModel["queryOf"]>,
  prompt: string,
  text: string,
): ReturnType<typeof compute> {
  try {
    return compute(prompt, text);
  } catch (cause) {
    if (!isRollupError(cause)) throw cause;
    throw clientError("CLI_ANSWER_WRONG", `the model does not answer so: ${cause.message}`, {
      data: { what: "answer", given: text.slice(0, 80), right: "a text of the model's" },
      cause,
    });
  }
}

/** Sums of shares that were rounded may be above 1 by this. */
const ROUNDING = 1e-6;

/**
 * Attack: a server says that an answer pays row 7 of its friend's leaf. Its word is believed where nobody computes it, so what no
 * settlement can pay is refused: shares below 0 or beyond 1 together, a row named twice, people who are none of the model's payees.
 * @throws CLI_ANSWER_WRONG
 */
function requirePossible({ contributors, topRows }: Estimate, payees: AnswerExpectation["payees"]): void {
  for (const [what, parts] of [
    ["shares of rows", topRows],
    ["shares of contributors", contributors],
  ] as const) {
    const sum = parts.reduce((total, { share }) => total + share, 0);
    if (parts.some(({ share }) => !(share >= 0)) || !(sum <= 1 + ROUNDING)) requireSame(what, sum, 1);
  }
  const repeated = [
    topRows.map(({ row }) => row),
    contributors.map(({ contributorId }) => contributorId),
  ].find((ids) => new Set(ids).size < ids.length);
  if (repeated !== undefined) requireSame("shares of one row or contributor", 2, 1);
  if (payees === undefined || payees.length === 0) return;
  const known = new Set(payees.map(({ contributorId }) => contributorId));
  const pairs = new Set(payees.map(({ contributorId, validatorId }) => `${contributorId} ${validatorId}`));
  const stranger =
    contributors.find(({ contributorId }) => !known.has(contributorId)) ??
    topRows.find(({ contributorId, validatorId }) => !pairs.has(`${contributorId} ${validatorId}`));
  if (stranger !== undefined)
    requireSame("contributors", stranger.contributorId, "one of the model's payees on the ledger");
}

/**
 * Requires that the ledger has this model under its number.
 * @throws CLI_ANSWER_WRONG where the ledger has another model under this number
 * @internal
 */
export const requireRegisteredStatics = (
  model: Pick<CheckableModel, "staticsHash">,
  staticsHash: bigint,
): void => requireSame("statics", hex32(model.staticsHash), hex32(staticsHash));

/**
 * Requires that the answer names this payer.
 * @throws CLI_ANSWER_WRONG
 * @internal
 */
export const requirePayer = (input: number, payerId: number): void => requireSame("payerId", input, payerId);

const UNCHECKED: ReplyAssurance = { answer: "believed", query: "believed", rows: "believed" };

/** A model whose query needs its answer always answers again. */
const answersAgain = (model: CheckableModel, { isAnsweredAgain = false }: CheckedOptions): boolean =>
  isAnsweredAgain || model.queryOf === undefined;

type CheckedOptions = Partial<CheckedReply>;

/** Assurance of each part of a reply of this model, beyond its server's word. */
export const assuranceOfReply = (model: CheckableModel, checked: CheckedOptions): ReplyAssurance =>
  model.assurance?.({
    isAnsweredAgain: answersAgain(model, checked),
    areRowsRecomputed: checked.areRowsRecomputed === true || model.estimateOf !== undefined,
  }) ?? UNCHECKED;

/**
 * Requires the minimum assurance.
 * @throws CLI_BELOW_LEAST; CLI_INPUT_INVALID for a part or a level that does not exist
 * @internal
 */
export function requireMinAssurance(
  model: CheckableModel,
  parameters: CheckedOptions & Pick<AnswerExpectation, "minAssurance">,
): void {
  const minAssurance = minAssuranceOf(parameters);
  const input = assuranceOfReply(model, parameters);
  const part = firstBelow(input, minAssurance);
  if (part === null) return;
  throw clientError(
    "CLI_BELOW_LEAST",
    `the reply's ${part} is only ${input[part]}, and you accept no less than ${minAssurance[part]}`,
    { data: { part, given: input[part], minAssurance: `${minAssurance[part]}` } },
  );
}

/** Label in an answer's text; null where it has none. The server's field of that name is for display alone. */
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
