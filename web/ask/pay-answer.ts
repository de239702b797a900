/**
 * Steps of a question on the Ask page: signs and sends it, checks the answer with the page's own copy of the model, pays.
 * Payments are in wei, and are followed to their end as journeys (ledger/journey.ts).
 */
import type { CheckableModel, UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { askAndCheck, buyAnswer, payForAnswer } from "@openledger/client/tasks/pay-for-answer";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Holdings, mainAccount } from "../ledger/holdings.ts";
import { type Session, unlock } from "../ledger/session.ts";
import { beginJourney, storeSignedJourney } from "../ledger/signed-journey.ts";
import { storeServedAnswer } from "../spans/read-words.ts";
import { ownCopy, type ServedModel } from "./served-models.ts";
import type { Turn } from "./turns.ts";

const unlocked = (now: Session, owned: Holdings) =>
  unlock(
    now,
    owned.accounts.map(({ keyX }) => keyX),
  );

/**
 * Asks, and computes answer, query and receipt again from the page's own copy of the model.
 * @param onText called with the text so far, unchecked, of models that write word by word
 * @throws CLI_ANSWER_WRONG if they differ: nothing is owed then; and what unlock, askAndCheck and ownCopy throw
 */
export async function askOnce(
  now: Session,
  owned: Holdings,
  model: ServedModel,
  prompt: string,
  onText: (text: string) => void,
): Promise<Turn> {
  const client = await unlocked(now, owned);
  const { id: from } = mainAccount(owned)!;
  const { modelId, serverUrl, streamsFrom } = model;
  const copy = await ownCopy(model);
  const { answer } = await askAndCheck(client, {
    ...{ modelId, model: copy, prompt: textFor(copy, prompt), from, onText },
    ...{ serverUrl: streamsFrom ?? serverUrl, isBatch: streamsFrom !== undefined, isAnsweredAgain: true },
  });
  const { rowsRoots } = copy;
  const said = { serverUrl, rowsRoots, answer: answer.answer };
  return { prompt, answer, said, labels: labelsOf(copy, answer, prompt) };
}

/** Text that question and receipt bind: of a language model the chat of what was typed. */
const textFor = ({ chat }: CheckableModel, prompt: string): string =>
  chat?.promptOf({ messages: [{ role: "user", content: prompt }] }) ?? prompt;

/** Labels of an answer that is one, by the page's own copy. */
const labelsOf = (copy: CheckableModel, { label }: UncheckedAnswer, prompt: string) =>
  label === null ? undefined : copy.answer(prompt).labels;

/** Pays what was answered, and keeps the payment among the transfers. @throws what payForAnswer throws */
export async function payCheckedAnswer(
  now: Session,
  owned: Holdings,
  model: ServedModel,
  { prompt, answer, said }: Turn,
): Promise<void> {
  const client = await unlocked(now, owned);
  const { id: from } = mainAccount(owned)!;
  const { modelId } = model;
  const copy = await ownCopy(model);
  const journey = { ...beginJourney("answer", answer.priceWei), toLeaf: modelId };
  await storeSignedJourney(now, journey, (onSigned) =>
    payForAnswer(client, {
      from,
      modelId,
      model: copy,
      prompt: textFor(copy, prompt),
      answer,
      onSigned,
    }),
  );
  storeServedAnswer(answer.receipt, said);
}

/** True if the answer, or a file that checks it, has a row that its contributor has withdrawn. Nothing is owed. */
export const isWithdrawn = (error: unknown): boolean =>
  isRollupError(error, "ATT_ROW_WITHDRAWN") ||
  (isRollupError(error) && (error.data as { reason?: unknown }).reason === "ATT_ROW_WITHDRAWN");

/**
 * Pays for the answer, then reads it; the page checks it as usual.
 * @param onOffer called before anything is signed, with the question of the row whose answer it is
 * @throws what unlock, buyAnswer, ownCopy and onOffer throw
 */
export async function buyAndCheck(
  now: Session,
  owned: Holdings,
  model: ServedModel,
  prompt: string,
  onOffer: (question: string | null) => Promise<void>,
): Promise<Turn> {
  const client = await unlocked(now, owned);
  const { id: from } = mainAccount(owned)!;
  const { modelId, priceWei, serverUrl } = model;
  const copy = await ownCopy(model);
  const { rowsRoots } = copy;
  let answer: UncheckedAnswer | undefined;
  const journey = { ...beginJourney("answer", priceWei), toLeaf: modelId };
  await storeSignedJourney(now, journey, async (onSigned) => {
    const order = {
      serverUrl,
      modelId,
      model: copy,
      prompt: textFor(copy, prompt),
      from,
      maxPriceWei: priceWei,
    };
    const bought = await buyAnswer(client, { ...order, isAnsweredAgain: true, onOffer, onSigned });
    answer = bought.answer;
    return bought.payment;
  });
  const said = { serverUrl, rowsRoots, answer: answer!.answer };
  storeServedAnswer(answer!.receipt, said);
  return { prompt, answer: answer!, said, labels: labelsOf(copy, answer!, prompt) };
}
