/**
 * A model's half of a report of bias: errors on rows that it has not learned from, who is paid by it, and the rows that move most of
 * its answers. All of it follows from the model's files, its rows and the ledger's settlements.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type FamilyTraining,
  type ModelAnswer,
  trainingOf,
  type UnseenErrors,
} from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { versionsOf } from "@openledger/attribution/model/recipe-fields";
import type { OnProgress } from "@openledger/attribution/progress";
import { inputOf } from "@openledger/attribution/rows/row-content";
import { decodeTextRow } from "@openledger/attribution/rows/text-rows";
import { integerScoresOf } from "@openledger/attribution/scores/plain-scores";
import { payeeShards } from "@openledger/circuits/ledger/payee-shards";
import { PAYEE_ROLE, roleShareWei } from "@openledger/circuits/ledger/rewards";
import { accruedBefore, getModel, isSettled, staticsOf } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import type { SequencerAccess } from "@openledger/client/sequencer/sequencer-request";
import { sharingOf } from "@openledger/datanets/report/lorenz";
import type { JudgedRows, ReportedModel } from "@openledger/datanets/report/make-report";
import type { ReportModel } from "@openledger/datanets/report/report";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { modelError } from "../model-errors.ts";
import { askedText } from "../tuning/recipe/chat-prompt.ts";
import { promptOfRow } from "../tuning/recipe/row-prompts.ts";

/** Contributors of the list of pay; the others are counted together. */
const MAX_PAID = 50;
/** Answers that are looked at. A language model takes seconds for one. */
const MAX_LABELS = 256;
const MAX_TEXTS = 16;
/** Rows with the highest scores: as many as an answer's page shows. */
const MOVING_ROWS = 10;

/** A registered model with all rows of its versions, and one of its Datanets. */
export interface ReportedFiles {
  readonly modelId: number;
  readonly datanetId: number;
  readonly model: PublishedModel;
  readonly rows: readonly OwnedRow[];
}

export interface ModelFiguresOptions {
  readonly trainings: readonly FamilyTraining[];
  /** The last settled epoch to count; default: the last one that the ledger has. */
  readonly throughEpoch?: number;
  readonly onProgress?: OnProgress;
}

/**
 * Figures of a model about one of its Datanets' rows. Deterministic, given the epoch. Needs `initPoseidon`.
 * @throws MOD_INPUT_INVALID for another Datanet, or a model that is not the ledger's; as `FamilyTraining.train`
 */
export async function modelFigures(
  client: SequencerAccess,
  { datanetId, model, modelId, rows }: ReportedFiles,
  { onProgress, throughEpoch, trainings }: ModelFiguresOptions,
): Promise<ReportedModel> {
  const leaf = await getModel(client, modelId);
  const place = versionsOf(model.recipe).findIndex(({ id }) => id === datanetId);
  if (place < 0 || staticsOf(leaf).hash !== model.staticsHash)
    throw modelError(
      "MOD_INPUT_INVALID",
      place < 0
        ? `model ${modelId} was not trained on Datanet ${datanetId}`
        : `the files are not those of model ${modelId}: the ledger has other statics`,
      { data: { field: "model", modelId, datanetId } },
    );
  const digests = new Map<number, string>();
  for (const [i, { content, datanet = 0 }] of rows.entries())
    if (datanet === place) digests.set(i, bytesToHex(sha256(content)));
  const progress = onProgress === undefined ? {} : { onProgress };
  const unseen = await trainingOf(model.recipe, trainings).unseen(model, rows, progress);
  return {
    id: modelId,
    root: staticsOf(leaf).hash,
    family: model.recipe.family,
    error: judgedOf(unseen, digests),
    pay: await payOf(client, leaf, { place, throughEpoch }),
    movers: await moversOf(model, { digests, rows }, onProgress),
  };
}

/** @param digests of the Datanet's rows, by place */
function judgedOf(
  { how, kind, values }: UnseenErrors,
  digests: ReadonlyMap<number, string>,
): JudgedRows | { why: string } {
  const own = [...values].flatMap(([row, value]): [string, number][] => {
    const digest = digests.get(row);
    return digest === undefined ? [] : [[digest, kind === "labels" ? value : Math.round(1e6 * value)]];
  });
  if (own.length === 0)
    return {
      why:
        kind === "labels"
          ? "too few rows of several labels to judge each by a model of others"
          : "the recipe holds out no row, so the model has learned from all of them",
    };
  return {
    unit: kind === "labels" ? "errors in a million rows" : "micronats a token",
    how,
    values: new Map(own),
  };
}

async function payOf(
  client: SequencerAccess,
  leaf: LedgerModelLeaf,
  { place, throughEpoch }: { place: number; throughEpoch: number | undefined },
): Promise<ReportModel["pay"]> {
  let last = leaf.counters.epoch - 1;
  while (last > 0 && !isSettled(leaf, last)) last -= 1;
  const through = throughEpoch ?? last;
  if (through === 0) return { why: "no epoch is settled yet" };
  const accruedWei = through > last ? null : await accruedBefore(client, leaf, through + 1);
  if (accruedWei === null)
    return { why: `the sequencer does not list all settlements up to epoch ${through}` };
  // A Datanet has a shard of its own in a model of several; of one Datanet all shards count.
  const shards = payeeShards(leaf.payees.map(({ rowCount }) => rowCount));
  const own = leaf.model.furtherDatanets.length === 0 ? shards : shards.slice(place, place + 1);
  const paid = new Map<number, { rowCount: number; earnedWei: bigint }>();
  for (const { from, to } of own)
    for (let m = from; m < to; m++) {
      const { contributorId, rowCount } = leaf.payees[m]!;
      const { earnedWei, rowCount: before } = paid.get(contributorId) ?? { rowCount: 0, earnedWei: 0n };
      const validatorParts = BigInt(leaf.model.validatorParts);
      const shareWei = roleShareWei(accruedWei[m]!, PAYEE_ROLE.contributor, validatorParts);
      paid.set(contributorId, { rowCount: before + rowCount, earnedWei: earnedWei + shareWei });
    }
  const contributors = [...paid]
    .map(([leafId, amounts]) => ({ leafId, ...amounts }))
    .sort((a, b) => (a.earnedWei === b.earnedWei ? a.leafId - b.leafId : a.earnedWei > b.earnedWei ? -1 : 1));
  const sharing = sharingOf(contributors.map(({ earnedWei }) => earnedWei));
  if (sharing === null) return { why: "its settled epochs have paid no contributor" };
  const rest = contributors.slice(MAX_PAID);
  return {
    throughEpoch: through,
    totalWei: String(totalWei(contributors)),
    giniPpm: sharing.giniPpm,
    lorenz: [...sharing.lorenz],
    contributors: contributors
      .slice(0, MAX_PAID)
      .map(({ earnedWei, ...one }) => ({ ...one, earnedWei: String(earnedWei) })),
    rest:
      rest.length === 0
        ? null
        : {
            contributorCount: rest.length,
            rowCount: rest.reduce((sum, { rowCount }) => sum + rowCount, 0),
            earnedWei: String(totalWei(rest)),
          },
  };
}

const totalWei = (all: readonly { readonly earnedWei: bigint }[]): bigint =>
  all.reduce((sum, { earnedWei }) => sum + earnedWei, 0n);

interface ProbedRows {
  readonly rows: readonly OwnedRow[];
  /** Digests of the Datanet's rows, by place. */
  readonly digests: ReadonlyMap<number, string>;
}

/**
 * Rows that are among the ten with the highest scores of most answers. The model answers what rows of the version ask, evenly spaced
 * through it: the answers of customers are nobody's to publish, and a new model has none.
 */
async function moversOf(
  model: PublishedModel,
  { digests, rows }: ProbedRows,
  onProgress: OnProgress | undefined,
): Promise<ReportModel["movers"]> {
  const { family, features, recipe } = model;
  const isText = recipe.family === "text";
  const opened = await family.open(model);
  const kind = family.promptKind(recipe);
  const scoresOf = integerScoresOf(features);
  const promptOf = ({ content }: OwnedRow) => {
    if (!isText) return inputOf(kind, content);
    const prompt = promptOfRow(decodeTextRow(content))?.prompt;
    return prompt === undefined ? null : askedText(opened.chat, prompt);
  };
  const positions = [...digests.keys()];
  const max = isText ? MAX_TEXTS : MAX_LABELS;
  const question = Array.from(
    { length: Math.min(max, positions.length) },
    (_, i, count = Math.min(max, positions.length)) => positions[Math.floor((i * positions.length) / count)]!,
  );
  const counts = new Map<number, number>();
  let answerCount = 0;
  for (const [done, own] of question.entries()) {
    onProgress?.({ stage: "answers", done, total: question.length });
    const prompt = promptOf(rows[own]!);
    const answer = prompt === null ? null : answerOrNull(() => opened.answer(prompt));
    if (answer === null) continue;
    answerCount += 1;
    const scores = scoresOf(answer.query);
    const moving = [...scores.keys()]
      .filter((row) => scores[row]! > 0 && row !== own)
      .sort((a, b) => scores[b]! - scores[a]! || a - b)
      .slice(0, MOVING_ROWS);
    for (const row of moving) counts.set(row, (counts.get(row) ?? 0) + 1);
  }
  if (answerCount === 0) return { why: "the model answers none of the prompts that its rows make" };
  const found = [...counts]
    .flatMap(([row, count]) => {
      const digest = digests.get(row);
      return digest === undefined
        ? []
        : [{ digest, contributorId: rows[row]!.contributorId, answerCount: count }];
    })
    .sort((a, b) => b.answerCount - a.answerCount || (a.digest < b.digest ? -1 : 1));
  return { answerCount, rows: found.slice(0, MOVING_ROWS) };
}

/** null for a prompt that the model refuses, as one that is too long. */
function answerOrNull(ask: () => ModelAnswer): ModelAnswer | null {
  try {
    return ask();
  } catch (error) {
    if (isRollupError(error, "ATT_ROW_INVALID")) return null;
    throw error;
  }
}
