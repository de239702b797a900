/** A question, the check of its answer, and its payment. */
import { askAdapter, askModel, payForAnswer } from "@openledger/client/actions/answers/ask-model";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { hex32 } from "@openledger/foundation/hex";
import { type Holdings, mainAccount } from "../ledger/holdings.ts";
import { type Session, unlock } from "../ledger/session.ts";
import { beginJourney, keepSigned } from "../ledger/signed-journey.ts";
import { keepSaid, readWords, type SaidAnswer, type SaidWords } from "../said/read-words.ts";
import { ownCopy, type ServedModel } from "./served-models.ts";

export interface CheckedAnswer {
  readonly prompt: string;
  readonly answer: UncheckedAnswer;
  readonly said: SaidAnswer;
  /** null of a label. */
  readonly words: SaidWords | null;
}

const unlocked = (now: Session, owned: Holdings) =>
  unlock(
    now,
    owned.accounts.map(({ keyX }) => keyX),
  );

/**
 * Asks, and computes answer, query and receipt again from the page's own copy of the model.
 * @param onText told the text so far, unchecked, where a server gives it as it comes
 * @throws CLI_ANSWER_WRONG where they differ: nothing is owed then; and what unlock, askModel, askAdapter and ownCopy throw
 */
export async function askAndCheck(
  now: Session,
  owned: Holdings,
  model: ServedModel,
  prompt: string,
  onText: (text: string) => void,
): Promise<CheckedAnswer> {
  const client = await unlocked(now, owned);
  const { id: from } = mainAccount(owned)!;
  const { modelId, serverUrl, streamsFrom } = model;
  const question = { modelId, prompt, from };
  const answer = await (streamsFrom === undefined
    ? askModel(client, { ...question, serverUrl })
    : askAdapter(client, { ...question, serverUrl: streamsFrom, onText }));
  const [copy, leaf] = await Promise.all([ownCopy(model), getModel(client, modelId)]);
  const staticsHash = staticsOf(leaf).hash;
  checkAnswer(copy, answer, { prompt, payerId: from, staticsHash, isAnsweredAgain: true });
  const { family, rowsRoot } = copy;
  const said = { serverUrl, family, rowsRoot, answer: answer.answer };
  return { prompt, answer, said, words: await readWords(said) };
}

/** Pays what was answered, and keeps the payment among the transfers. @throws what payForAnswer throws */
export async function payChecked(
  now: Session,
  owned: Holdings,
  model: ServedModel,
  { prompt, answer, said }: CheckedAnswer,
): Promise<void> {
  const client = await unlocked(now, owned);
  const { id: from } = mainAccount(owned)!;
  const { modelId } = model;
  const copy = await ownCopy(model);
  const journey = {
    ...beginJourney("answer", answer.priceWei),
    toLeaf: modelId,
    receipt: hex32(answer.receipt),
  };
  await keepSigned(now, journey, (onSigned) =>
    payForAnswer(client, { from, modelId, model: copy, prompt, answer, onSigned }),
  );
  keepSaid(answer.receipt, said);
}
