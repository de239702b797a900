import { readModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { askModel, buyAnswer, payForAnswer } from "@openledger/client/actions/answers/ask-model";
import { checkAnswer } from "@openledger/client/actions/answers/check-answer";
import type { UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { hex32 } from "@openledger/foundation/hex";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { accountOf, modelServerOf, openSigner, signFor } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { waitWithProgress } from "../../cli/run-command.ts";
import { answerWords } from "./answer-words.ts";

export interface AskOptions {
  server?: string;
  folder?: string;
  base?: string;
  checkAnswer?: boolean;
  private?: boolean;
  spansRoot?: string;
  pay: boolean;
  maxPrice?: string;
  wait: string;
}

export async function askAndPay({ options, args, output }: CommandContext<AskOptions>): Promise<void> {
  const modelId = parseId(args[0]!);
  const prompt = args[1]!;
  const serverUrl = modelServerOf(modelId, options.server);
  const signer = await openSigner(options);
  const payer = await accountOf(signer.client, signer.account.l1.address);
  const client = await signFor(signer, payer);
  const isPrivate = options.private === true;
  const families = await modelFamilies({ base: options.base, serverUrl });
  const published =
    options.folder === undefined
      ? await fetchAnswering(serverUrl, families, {
          onProgress: (file) => output.progress(`fetching ${file}`),
        })
      : await readModel(options.folder, families);
  const model = await openCheckable(published);
  const isAnsweredAgain = options.checkAnswer === true;
  const maxPrice = options.maxPrice === undefined ? {} : { maxPriceWei: parseOpen(options.maxPrice) };
  const asked = { serverUrl, modelId, prompt, from: payer.id };
  const shown = await askModel(client, { ...asked, isPrivate }).catch((error: unknown) => {
    if (
      options.pay !== true ||
      !isRollupError(error) ||
      (error.data as { reason?: unknown }).reason !== "left-unpaid"
    )
      throw error;
    output.progress("an earlier answer was left unpaid: this one is paid before it is opened");
    return null;
  });
  const bought =
    shown === null ? await buyAnswer(client, { ...asked, model, isAnsweredAgain, ...maxPrice }) : null;
  const answer = shown ?? bought!.answer;
  const staticsHash = staticsOf(await getModel(client, modelId)).hash;
  checkAnswer(model, answer, { prompt, payerId: payer.id, staticsHash, isAnsweredAgain });
  const words = await answerWords(answer, {
    serverUrl,
    recipe: published.recipe,
    spansRoot: options.spansRoot,
    output,
  });
  const head = [
    ...words.lines,
    isAnsweredAgain || model.queryOf === undefined
      ? "checked: answer, query and receipt are what the published model makes of the prompt"
      : "checked: query and receipt are what the published model makes of prompt and answer (--check-answer: the answer, too)",
    ...describeEstimate(answer),
  ];
  const json = {
    modelId,
    answer: answer.answer,
    label: answer.label,
    receipt: hex32(answer.receipt),
    priceWei: answer.priceWei,
    estimate: answer.estimate,
    ...words.json,
  };
  if (!options.pay) {
    const price = `${formatOpen(answer.priceWei)} OPEN`;
    output.answer(
      [...head, `not paid: it costs ${price}, until ${new Date(answer.expiresAtMs).toISOString()}`],
      {
        ...json,
        payment: null,
      },
    );
    return;
  }
  const sent =
    bought?.payment ??
    (await payForAnswer(client, {
      ...{ from: payer.id, modelId, model, prompt, answer, isAnsweredAgain },
      ...maxPrice,
    }));
  const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
  const lines = [...head, `paid ${formatOpen(answer.priceWei)} OPEN: ${stage}, operation ${sent.hash}`];
  output.answer(lines, { ...json, payment: { ...sent, stage, batchNumber } });
}

/** Whom the answer would pay. Nobody promises it: payments are drawn. */
function describeEstimate({ estimate }: UncheckedAnswer): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const note = estimate.isEven ? "; no row has a positive score, so all rows share alike" : "";
  return [
    `estimate: whom this answer pays if its payment is drawn for the settlement${note}`,
    ...renderTable([
      ["  row", "contributor", "validator", "score", "share"],
      ...estimate.topRows.map((row) => [
        `  ${row.row}`,
        `leaf ${row.contributorId}`,
        `leaf ${row.validatorId}`,
        String(row.score),
        percent(row.share),
      ]),
    ]),
    `  scores by ${estimate.backend}`,
    `  all rows: ${estimate.contributors.map(({ contributorId, share }) => `leaf ${contributorId} ${percent(share)}`).join(", ")}`,
  ];
}
