/**
 * `openledger models ask`: asks a model, checks the answer as far as --min-assurance says, prints whom it would pay, and pays for it.
 * Prices are in OPEN.
 */

import { vectorsWords } from "@openledger/attribution/inputs/released-vectors";
import { fetchModel, readModel } from "@openledger/attribution/model/model-directory";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { committedEstimator, fetchEstimator } from "@openledger/attribution/scores/paying-part";
import { requireMinAssurance } from "@openledger/client/actions/answers/check-answer";
import type { ReplyAssurance, UncheckedAnswer } from "@openledger/client/actions/answers/model-answers";
import { nearestQuestionsOf } from "@openledger/client/actions/answers/nearest-questions";
import { modelReader } from "@openledger/client/datanets/host-request";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { askAndCheck, payForAnswer, priceOf } from "@openledger/client/tasks/pay-for-answer";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { askedText } from "@openledger/models/tuning/recipe/chat-prompt";
import { modelFamilies, modelTrainings } from "@openledger/models/tuning/recipe/model-families";
import { accountOf, modelServerOf, openSigner, signFor } from "../../cli/context.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { waitWithProgress } from "../../cli/run-command.ts";
import { factsOf, weightsLine } from "../verify/verify-model.ts";
import { answerWords, questionLine } from "./answer-words.ts";
import { inputsComparison } from "./inputs-comparison.ts";
import { lineOfInputs, lineOfVectors } from "./line-of-vectors.ts";
import { parseMinAssurance } from "./parse-min-assurance.ts";
import { promptOf } from "./question-prompt.ts";

export interface AskOptions {
  server?: string;
  folder?: string;
  base?: string;
  file?: string;
  field?: readonly string[];
  minAssurance?: string;
  private?: boolean;
  pay: boolean;
  maxPrice?: string;
  wait: string;
}

/** Asks, checks and pays. Nothing is signed if a check fails or the assurance is too low. */
export async function askAndPay({ options, args, output }: CommandContext<AskOptions>): Promise<void> {
  const modelId = parseId(args[0]!);
  const serverUrl = modelServerOf(modelId, options.server);
  const signer = await openSigner(options);
  const payer = await accountOf(signer.client, signer.account.l1.address);
  const client = await signFor(signer, payer);
  const isPrivate = options.private === true;
  const families = await modelFamilies({ base: options.base, serverUrl });
  const own = options.folder === undefined ? null : await readModel(options.folder, families);
  const onProgress = (file: string) => output.progress(`fetching ${file}`);
  const sign = modelReader(client, serverUrl, payer.id);
  const published = own ?? (await fetchAnswering(serverUrl, families, { onProgress, sign }));
  const typed = await promptOf(published, { typed: args[1], file: options.file, fields: options.field });
  const estimateOf =
    own === null
      ? await fetchEstimator(serverUrl, families, published, { maxEntries: MAX_ENTRIES, onProgress })
      : committedEstimator(own);
  const model = await openCheckable(published, estimateOf);
  const prompt = askedText(model.chat, typed);
  const minAssurance = parseMinAssurance(options.minAssurance);
  const isAnsweredAgain = (minAssurance.answer ?? "believed") !== "believed";
  const areRowsRecomputed = minAssurance.rows === "recomputed";
  const sure = { isAnsweredAgain, areRowsRecomputed, minAssurance };
  if (areRowsRecomputed) {
    // An assurance that cannot be reached is not worth the computation.
    requireMinAssurance(model, sure);
    await recomputeRows({ client, families, options, output, serverUrl });
  }
  const { base, folder } = options;
  const location = { base, folder, server: serverUrl, leafId: payer.id };
  const inputs = await inputsComparison(client, modelId, location).compareInputs(published);
  if (inputs === "others") for (const line of lineOfInputs(inputs)) output.note(line);
  const maxPrice: { maxPriceWei?: bigint } =
    options.maxPrice === undefined ? {} : { maxPriceWei: parseOpen(options.maxPrice) };
  const question = { modelId, model, prompt, from: payer.id, ...sure, ...maxPrice };
  const { answer, assurance, payment } = await askAndCheck(client, {
    ...{ ...question, serverUrl, isPrivate, willPay: options.pay },
    onOffer: (asked) => {
      if (asked !== null) output.note(`the answer is a row's: ${questionLine(asked)}`);
    },
    // Paid before it is opened, an answer is paid by a signed operation, which the sequencer may keep.
    canPayFirst: options.pay,
    onPayFirst: () =>
      output.progress("an earlier answer was left unpaid: this one is paid before it is opened"),
  }).catch((error: unknown) => {
    noteNearest(error, output);
    throw error;
  });
  const words = await answerWords(answer, {
    serverUrl,
    recipe: published.recipe,
    families,
    output,
    labels: answer.label === null ? undefined : model.answer(prompt).labels,
  });
  const vectors = vectorsWords(published.recipe);
  const head = [
    ...words.lines,
    isAnsweredAgain || model.queryOf === undefined
      ? "checked: answer, query and receipt are what the published model makes of the prompt"
      : "checked: query and receipt are what the published model makes of prompt and answer (--min-assurance answer=recomputed: the answer, too)",
    ...(await weightsLine(published)),
    ...lineOfVectors(vectors),
    ...(inputs === null ? [] : lineOfInputs(inputs)),
    ...describeAssurance(assurance),
    ...describeEstimate(answer),
  ];
  const json = {
    modelId,
    vectors,
    inputs,
    answer: answer.answer,
    label: answer.label,
    receipt: hex32(answer.receipt),
    priceWei: answer.priceWei,
    estimate: answer.estimate,
    assurance,
    ...words.json,
  };
  if (!options.pay) {
    const price = `${formatOpen(answer.priceWei)} OPEN`;
    const leaf = await getModel(client, modelId);
    const amountWei = priceOf(leaf, maxPrice.maxPriceWei ?? answer.priceWei);
    output.answer(
      [
        ...head,
        `not paid: it costs ${price}, until ${new Date(answer.expiresAtMs).toISOString()}`,
        `paid past the operator: openledger force payInference modelId=${modelId} amount=${amountWei}wei receipt=${hex32(answer.receipt)}`,
      ],
      {
        ...json,
        payment: null,
      },
    );
    return;
  }
  const asked = model.rowQuestionOf?.(prompt);
  if (payment === null && asked !== undefined) output.note(questionLine(asked));
  const sent = payment ?? (await payForAnswer(client, { ...question, answer }));
  const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
  const lines = [...head, `paid ${formatOpen(answer.priceWei)} OPEN: ${stage}, operation ${sent.hash}`];
  output.answer(lines, { ...json, payment: { ...sent, stage, batchNumber } });
}

/** Shows the questions that a refusal names: they cost nothing. */
function noteNearest(error: unknown, output: Output): void {
  const nearest = nearestQuestionsOf(error);
  if (nearest.length === 0) return;
  output.note("no row answers it, and nothing is paid. The nearest questions that rows answer:");
  for (const { question, row } of nearest) output.note(`  row ${rowNumber(row)}: ${question}`);
}

const ASSURANCE_WORDS: Readonly<Record<keyof ReplyAssurance, string>> = {
  answer: "the registered model gives this answer",
  query: "the query belongs to this prompt and answer",
  rows: "it pays these rows, by these shares",
};

function describeAssurance(assurance: ReplyAssurance): string[] {
  const parts = ["answer", "query", "rows"] as const;
  return [
    "how sure each part is (docs/reference/glossary.md):",
    ...renderTable(parts.map((part) => [`  ${part}`, assurance[part], ASSURANCE_WORDS[part]])),
  ];
}

/** Maximum numbers of a matrix that the command compares with the ledger: some three seconds. */
const MAX_ENTRIES = 2 ** 20;

interface RecomputedRows {
  readonly client: LedgerClient;
  readonly families: Awaited<ReturnType<typeof modelFamilies>>;
  readonly options: AskOptions;
  readonly output: Output;
  readonly serverUrl: string;
}

/**
 * Recomputes the features from the published parameters and rows, as `verify model --quick` does.
 * @throws ATT_MODEL_MISMATCH, ATT_ROWS_MISMATCH
 */
async function recomputeRows({ client, families, options, output, serverUrl }: RecomputedRows) {
  const onProgress = (file: string) => output.progress(`fetching ${file}`);
  const model =
    options.folder === undefined
      ? await fetchModel(serverUrl, { onProgress }, families)
      : await readModel(options.folder, families);
  output.progress("computing the rows' features");
  await verifyModel({
    model,
    facts: await factsOf(client, model.statics.binding, model.staticsHash),
    depth: "features",
    trainings: await modelTrainings({ base: options.base, serverUrl }),
  });
}

/** Rows against an answer that are printed; the JSON has ten. */
const SHOWN_AGAINST = 3;

/** Describes whom the answer would pay. It is no promise: payments are drawn. */
function describeEstimate({ estimate }: UncheckedAnswer): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const against = (estimate.rowsAgainst ?? []).slice(0, SHOWN_AGAINST);
  const note = estimate.isEven ? "; no row has a positive score, so all rows share alike" : "";
  return [
    `estimate: whom this answer pays if its payment is drawn for the settlement${note}`,
    ...renderTable([
      ["  row", "contributor", "validator", "score", "share"],
      ...estimate.topRows.map((row) => [
        `  ${rowNumber(row.row)}`,
        `leaf ${row.contributorId}`,
        `leaf ${row.validatorId}`,
        String(row.score),
        percent(row.share),
      ]),
    ]),
    ...(against.length === 0
      ? []
      : [
          "  rows that spoke against it:",
          ...renderTable(
            against.map((row) => [`  ${rowNumber(row.row)}`, `leaf ${row.contributorId}`, String(row.score)]),
          ),
        ]),
    `  scores by ${estimate.backend}`,
    `  all rows: ${estimate.contributors.map(({ contributorId, share }) => `leaf ${contributorId} ${percent(share)}`).join(", ")}`,
  ];
}
