/**
 * Actions of `openledger factory jobs`, `compare`, `register` and `export`: requests to a factory, signed by the account. Losses
 * are in nats a token.
 */

import { join } from "node:path";
import { isSuspect, sayTelling } from "@openledger/attribution/model/telling-words";
import { setDisplayName } from "@openledger/client/datanets/display-names";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import { nearestDisplayName } from "@openledger/datanets/records/display-name";
import { counted } from "@openledger/foundation/counted";
import { rowNumber } from "@openledger/foundation/row-number";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { sayAccuracy, sayCurve, sayFolds } from "@openledger/models/factory/accuracy-words";
import {
  exportFormSchema,
  type FactoryAccuracy,
  type JobEvent,
  type JobResult,
} from "@openledger/models/factory/factory-api";
import { compareJob, figureOf } from "@openledger/models/factory/job-words";
import { registerJob } from "@openledger/models/factory/register-job";
import { lossWords } from "@openledger/models/tuning/training/row-losses";
import { commandError } from "../../cli/cli-errors.ts";
import { renderTable } from "../../cli/output.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import type { CompareOptions, ExportOptions, FactoryOptions, RegisterJobOptions } from "./factory-options.ts";
import { openFactory } from "./open-factory.ts";

type FactoryCommand<Options extends FactoryOptions = FactoryOptions> = CommandContext<Options>;

const ACTIONS = ["watch", "lineage", "pause", "resume", "stop", "delete"] as const;

/** Shows all jobs, or one, which is watched unless an action is named. @throws CMD_USAGE for an unknown action */
export async function jobs(context: FactoryCommand): Promise<void> {
  const [job, name = "watch"] = context.args;
  if (job === undefined) return showJobs(context);
  const action = ACTIONS.find((one) => one === name);
  if (action === undefined)
    throw commandError("CMD_USAGE", `"${name}" is not an action of a job; there are ${ACTIONS.join(", ")}`);
  if (action === "watch") return watchJob(context);
  if (action === "lineage") return showLineage(context);
  if (action === "delete") return deleteJob(context);
  return wishJob(context, action);
}

async function showJobs({ options, output }: FactoryCommand): Promise<void> {
  const { factory } = await openFactory(options);
  const jobs = await factory.jobs();
  const rows = jobs.map((job) => [
    job.id,
    job.form.name,
    job.state,
    `${job.step} of ${job.steps}`,
    figureOf(job) ?? "–",
  ]);
  output.answer(renderTable([["job", "name", "state", "steps", "on unseen rows"], ...rows]), { jobs });
}

/** Follows a job until it ends or waits for somebody. */
async function watchJob({ args, options, output }: FactoryCommand): Promise<void> {
  const { factory } = await openFactory(options);
  const id = args[0]!;
  const judged: Extract<JobEvent, { kind: "judged" }>[] = [];
  for await (const event of factory.follow(id, {
    onBreak: () => output.progress("the factory does not answer; trying again"),
  })) {
    if (event.kind === "judged") judged.push(event);
    const line = describeEvent(event);
    if (line !== null) process.stderr.write(`${line}\n`);
    if (event.kind !== "state" || !/^(done|failed|paused)$/.test(event.state)) continue;
    if (event.number >= (await factory.job(id)).lastEvent) break;
  }
  const job = await factory.job(id);
  const why = job.failure === null ? "" : `: ${job.failure.message} [${job.failure.code}]`;
  const figure = figureOf(job);
  const lines = [
    `job ${id} is ${job.state} after ${counted(job.step, "step")}${figure === null ? "" : `, ${figure} on unseen rows`}${why}`,
    ...(job.result === null ? [] : wordsOf(job.result)),
    ...(judged.length === 0 ? [] : [sayCurve(judged, job.state === "done")]),
  ];
  output.answer(lines, { job });
}

function wordsOf({ accuracy, losses }: JobResult): string[] {
  if (losses !== null) return lossWords(losses);
  return accuracy === null ? [] : accuracyWords(accuracy);
}

/** Figures of judged rows, and the confusion matrix: a line for each true label. */
function accuracyWords(accuracy: FactoryAccuracy): string[] {
  const { confusion, labels } = accuracy;
  return [
    sayAccuracy(accuracy),
    sayFolds(accuracy),
    ...accuracy.telling.map((column) => `${isSuspect(column) ? "⚠ " : ""}${sayTelling(column)}`),
    ...renderTable([
      ["label", ...labels],
      ...labels.map((label, i) => [label, ...confusion[i]!.map(String)]),
    ]),
  ];
}

const describeHardest = ({ excerpt, loss, row }: { row: number; loss: number; excerpt: string }) =>
  `hardest: row ${rowNumber(row)} at ${loss.toFixed(3)}: ${JSON.stringify(excerpt)}`;

function describeEvent(event: JobEvent): string | null {
  switch (event.kind) {
    case "step":
      return `step ${event.step}: loss ${event.loss.toFixed(3)}, ${Math.round(event.tokensPerSecond)} tokens/s, ${Math.ceil(event.secondsLeft)} s left`;
    case "heldOut":
      return `held-out rows: loss ${event.loss.toFixed(3)} over ${counted(event.rowCount, "row")}`;
    case "sample":
      return `sample: ${JSON.stringify(event.prompt)} → ${JSON.stringify(event.text)}`;
    case "hardest":
      return event.rows[0] === undefined ? null : describeHardest(event.rows[0]);
    case "judged":
      return `by ${counted(event.trainedRowCount, "row")}: ${event.rightCount} of ${event.judgedCount} unseen rows are right`;
    case "stage":
      return `${event.stage}: ${event.done} of ${event.total}`;
    case "state":
      return `the job is ${event.state}`;
    default:
      return null;
  }
}

async function wishJob(
  { args, options, output }: FactoryCommand,
  wish: "pause" | "resume" | "stop",
): Promise<void> {
  const { factory } = await openFactory(options);
  const job = await factory.wish(args[0]!, wish);
  output.answer([`job ${job.id} is ${job.state}`], { job });
}

async function deleteJob({ args, options, output }: FactoryCommand): Promise<void> {
  const { factory } = await openFactory(options);
  await factory.deleteJob(args[0]!);
  output.answer([`job ${args[0]} is deleted`], { jobId: args[0] });
}

/** Prints both models' answers to each prompt, with losses if the prompt is a held-out row's. */
export async function compareModels({
  args,
  options,
  output,
}: FactoryCommand<CompareOptions>): Promise<void> {
  const { factory } = await openFactory(options);
  const { prompt, tokens } = options;
  output.progress("asking both models");
  const { answers, verdict } = await compareJob(factory, args[0]!, {
    prompts: prompt.length === 0 ? null : prompt,
    answerTokens: Number(tokens),
  });
  const lines = answers.flatMap((answer) => [
    `prompt:   ${JSON.stringify(answer.prompt)}`,
    ...(answer.expected === null ? [] : [`expected: ${JSON.stringify(answer.expected)}`]),
    ...(answer.base === null ? [] : [`base:     ${JSON.stringify(answer.base)}${lossText(answer.baseLoss)}`]),
    `${answer.base === null ? "answer: " : "tuned:  "}  ${JSON.stringify(answer.tuned)}${lossText(answer.tunedLoss)}`,
    ...(answer.citedRows.length === 0
      ? []
      : [`cites:    row ${answer.citedRows.map(rowNumber).join(", row ")}`]),
    "",
  ]);
  output.answer(verdict === null ? lines.slice(0, -1) : [...lines, verdict], { answers, verdict });
}

const lossText = (loss: number | null): string => (loss === null ? "" : ` (loss ${loss.toFixed(3)})`);

/** Creates the job's model on the ledger and has the factory prove its activation. */
export async function register({ args, options, output }: FactoryCommand<RegisterJobOptions>): Promise<void> {
  const { factory, leafId, signer } = await openFactory(options);
  const modelId = await registerJob(signer.client, factory, {
    jobId: args[0]!,
    priceWei: parseOpen(options.price),
    amountWei: parseOpen(options.amount),
    l1Owner: signer.account.l1.address,
    from: leafId,
    datanetHosts: options.host === undefined ? [] : [options.host],
    onProgress: ({ percent, step }) => output.progress(`${step}: ${10 * Math.floor(percent / 10)} %`),
  });
  const { datanetId, staticsHash } = await factory.registration(args[0]!);
  const { form } = await factory.job(args[0]!);
  const name = options.host === undefined ? "" : nearestDisplayName(form.name);
  // The model's key is the account's.
  if (options.host !== undefined && name !== "")
    await setDisplayName(signer.client, { hostUrl: options.host, name, leafId: modelId });
  output.answer(
    [
      `model ${modelId} is registered${name === "" ? "" : `, and called ${name}`}`,
      `it takes payments once its datanet approves it: openledger datanet approve-model ${datanetId} ${modelId}`,
    ],
    { modelId, datanetId, staticsHash },
  );
}

/** Saves a job's files into a folder. */
export async function exportJob({ args, options, output }: FactoryCommand<ExportOptions>): Promise<void> {
  const form = exportFormSchema.safeParse(options.form).data;
  if (form === undefined)
    throw commandError(
      "CMD_USAGE",
      `"${options.form}" is no form; there are ${exportFormSchema.options.join(", ")}`,
    );
  const { factory } = await openFactory(options);
  output.progress("making the files");
  const { files } = await factory.export(args[0]!, form);
  for (const file of files)
    await writeFileWhole(join(options.out, file.name), await factory.file(args[0]!, form, file));
  const lines = files.map(({ name, sha256, sizeBytes }) => [name, `${sizeBytes} bytes`, `SHA-256 ${sha256}`]);
  output.answer([...renderTable(lines), `written to ${options.out}`], { folder: options.out, files });
}

async function showLineage({ args, options, output }: FactoryCommand): Promise<void> {
  const { factory } = await openFactory(options);
  const lineage = await factory.lineage(args[0]!);
  const { base, datanet, datasetName, model, people } = lineage;
  const rows = people.map(({ contributorId, heldOutCount, rowCount, validatorId }) => [
    `leaf ${contributorId}`,
    counted(rowCount, "row"),
    `${heldOutCount} held out`,
    `validator ${validatorId}`,
  ]);
  output.answer(
    [
      base === null
        ? "without a base"
        : `base ${base.name}: ${Object.entries(base.files)
            .map(([name, { sha256 }]) => `${name} ${sha256.slice(0, 16)}…`)
            .join(", ")}`,
      datanet === null ? `rows: ${datasetName}, of no Datanet` : `rows: ${datasetName}`,
      ...(datanet === null ? [] : [datanet, ...lineage.further]).map(
        ({ id, rowsRoot, version }) => `version ${version} of datanet ${id}, root ${rowsRoot}`,
      ),
      ...renderTable(rows),
      model === null
        ? "not registered"
        : `model ${model.id}, epoch ${model.epoch}, ${model.settlements.length} settlements`,
    ],
    lineage,
  );
}
