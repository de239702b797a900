/** Words and figures of a factory's jobs, as its pages and the commands `openledger factory …` show them. Losses are in nats a token. */
import { isSuspect } from "@openledger/attribution/model/telling-words";
import { counted } from "@openledger/foundation/counted";
import { isNoBetter, percentOf } from "./accuracy-words.ts";
import type { FactoryComparison, FactoryEstimate, FactoryJob, FactoryUse } from "./factory-api.ts";
import type { FactoryClient } from "./factory-client.ts";

const USE_WORDS: Readonly<Record<FactoryUse, string>> = {
  sort: "classifier",
  predict: "predictor",
  write: "language model",
};

/** Kind of a job's model, with its base. */
export const kindOf = ({ baseName, form }: FactoryJob): string =>
  baseName === null ? USE_WORDS[form.use] : `${USE_WORDS[form.use]} on ${baseName}`;

/** Figure on rows that the model has not learned from; null before there is one. */
export function figureOf({ accuracy, form, heldOutLoss, result }: FactoryJob): string | null {
  if (form.use === "write") {
    const loss = result?.losses?.heldOut?.after.natsPerToken ?? heldOutLoss;
    return loss === null || loss === undefined ? null : `loss ${loss.toFixed(2)}`;
  }
  if (accuracy === null) return null;
  const judged = result?.accuracy ?? null;
  const warning =
    judged === null
      ? ""
      : isNoBetter(judged)
        ? ", no better than the most common label"
        : judged.telling.some(isSuspect)
          ? ", which may not hold for new rows"
          : "";
  return `${percentOf(accuracy)} right${warning}`;
}

/** Says by how many steps an estimate was measured, how the time is spent, and who is first. @param sayTime words for seconds */
export function measuredWords(
  { measuredSteps, queuedBefore, seconds, tokensPerSecond }: FactoryEstimate,
  sayTime: (seconds: number) => string,
): string {
  const tune =
    tokensPerSecond === null
      ? `${sayTime(seconds.tune)} to evaluate`
      : `${sayTime(seconds.tune)} to tune at ${Math.round(tokensPerSecond)} tokens per second`;
  const queue =
    queuedBefore === 0
      ? ""
      : ` ${counted(queuedBefore, "job")} ${queuedBefore === 1 ? "is" : "are"} ahead of yours.`;
  return `Measured on this factory just now, over ${counted(measuredSteps, "step")}: ${sayTime(seconds.load)} to load, ${tune}, ${sayTime(seconds.features)} for the influence of rows.${queue}`;
}

/** Text where a model that says rows' answers has none. */
const NO_ROW_ANSWERS = "No row answers this question, so the model gives no answer and nothing is paid.";

/** Maximum tokens of an answer. */
const ANSWER_TOKENS = 48;

type Answer = FactoryComparison["answers"][number];

/** Answers of a model, and of its base where it has one, to the same prompt. */
export interface ComparedAnswer extends Omit<Answer, "tuned"> {
  /** The model's own words, or why there are none. */
  readonly tuned: string;
  /** True where the model foretells the row's continuation better than its base. */
  readonly isBetter: boolean;
}
export interface JobComparison {
  readonly answers: readonly ComparedAnswer[];
  /** Sentence about the held-out rows; null where no loss was measured. */
  readonly verdict: string | null;
}

/**
 * Has a finished job's model and its base answer the same prompts. Nothing is paid, and no row earns.
 * @param prompts null: those of held-out rows, with losses
 * @throws MOD_FACTORY_REFUSED, SRV_BAD_REQUEST where no row was held out; ATT_ROW_INVALID for an input of another kind
 */
export async function compareJob(
  factory: FactoryClient,
  jobId: string,
  { answerTokens = ANSWER_TOKENS, prompts }: { answerTokens?: number; prompts: string[] | null },
): Promise<JobComparison> {
  const compared = await factory.compare(jobId, { prompts, answerTokens });
  const answers = compared.answers.map(
    (answer): ComparedAnswer => ({
      ...answer,
      tuned: answer.tuned ?? NO_ROW_ANSWERS,
      isBetter: answer.baseLoss !== null && answer.tunedLoss !== null && answer.tunedLoss < answer.baseLoss,
    }),
  );
  const measured = answers.filter(({ baseLoss, tunedLoss }) => baseLoss !== null && tunedLoss !== null);
  const better = measured.filter(({ isBetter }) => isBetter).length;
  const verdict =
    measured.length === 0
      ? null
      : `The tuned model beats its base model on ${better} of ${counted(measured.length, "unseen row")}.`;
  return { answers, verdict };
}
