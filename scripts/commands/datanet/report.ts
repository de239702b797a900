/**
 * `openledger datanet report`: computes the report of bias of a version, alone or with a model's half, compares it with a file, signs
 * it, and says in words what is in it.
 */
import { writeFile } from "node:fs/promises";
import { versionsOf } from "@openledger/attribution/model/recipe-fields";
import { rowsOfVersion } from "@openledger/attribution/model/verify-model";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import { collectReported, reportBias, signReport } from "@openledger/client/datanets/bias-report";
import { downloadVersion } from "@openledger/client/datanets/download-rows";
import { downloadLabels } from "@openledger/client/datanets/reviewed-version";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { datanetError } from "@openledger/datanets/datanet-errors";
import { makeReport } from "@openledger/datanets/report/make-report";
import {
  differenceOf,
  isUnknown,
  type NamedReport,
  noticesOf,
  type Report,
  type ReportError,
  type ReportSlice,
  readReport,
} from "@openledger/datanets/report/report";
import { counted } from "@openledger/foundation/counted";
import { modelFigures, type ReportedFiles } from "@openledger/models/report/model-figures";
import { modelTrainings } from "@openledger/models/tuning/recipe/model-families";
import { commandError } from "../../cli/cli-errors.ts";
import type { GlobalOptions } from "../../cli/context.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { readTextFile } from "../../cli/read-text-file.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { factsOf, openPublished, showStages, storedRows } from "../verify/verify-model.ts";
import { readerOrSigner, signerClient, unsignedOf } from "./host-options.ts";

interface ReportOptions extends GlobalOptions {
  host: string;
  withoutUnsigned?: boolean;
  rows: string;
  versionNumber?: string;
  model?: string;
  server?: string;
  base?: string;
  out?: string;
  check?: string;
  sign?: "account" | "datanet";
}

/** @throws DNT_REPORT_DIFFERS with --check, naming the first field */
export async function runReport({ args, options, output }: CommandContext<ReportOptions>): Promise<void> {
  const datanetId = parseId(args[0]!);
  await initPoseidon();
  const client = await readerOrSigner(options);
  const stated = options.check === undefined ? null : await statedReport(options.check, datanetId, options);
  const found = await compute(client, { datanetId, stated: stated?.report ?? null }, options, output);
  const difference = stated === null ? null : differenceOf(stated.report, found.report);
  if (difference !== null)
    throw datanetError(
      "DNT_REPORT_DIFFERS",
      `${options.check} differs first at ${difference.path}: it says ${difference.stated}, and ${difference.computed} was computed`,
      { data: { ...difference, statedSha256: stated!.sha256, computedSha256: found.sha256 } },
    );
  if (options.out !== undefined) await writeFile(options.out, `${found.text}\n`);
  const signed = await sign(client, found, options);
  const { report, sha256 } = found;
  const notices = noticesOf(report);
  output.answer(
    [
      ...headLines(found),
      ...errorLines(report),
      ...payLines(report),
      ...moverLines(report),
      ...notices.map(
        ({ error, slice, whole }) =>
          `NOTICE ${sliceName(slice)}: ${errorText(error)}, more than twice the whole's ${errorText(whole)}`,
      ),
      ...(stated === null ? [] : [`${options.check} is the same, to the byte`]),
      ...(options.out === undefined ? [] : [`written to ${options.out}`]),
      ...(signed === null ? [] : [signed.line]),
    ],
    {
      sha256,
      notices: notices.map(({ slice }) => slice),
      isSigned: signed !== null,
      hasHostText: signed?.hasText ?? null,
      report,
    },
  );
}

/** @throws DNT_REPORT_INVALID; CMD_USAGE where it is about another Datanet, or other options say something else */
async function statedReport(
  file: string,
  datanetId: number,
  { model, versionNumber }: ReportOptions,
): Promise<NamedReport> {
  const stated = readReport(await readTextFile(file));
  if (stated.report.datanetId !== datanetId)
    throw commandError("CMD_USAGE", `${file} is a report about Datanet ${stated.report.datanetId}`);
  if (model !== undefined || versionNumber !== undefined)
    throw commandError(
      "CMD_USAGE",
      "--check takes version and model from the file: leave out --model and --version-number",
    );
  return stated;
}

interface Expected {
  readonly datanetId: number;
  /** Report to compute again: its version, model, epoch and time. */
  readonly stated: Report | null;
}

async function compute(
  client: LedgerClient,
  { datanetId, stated }: Expected,
  options: ReportOptions,
  output: Output,
): Promise<NamedReport> {
  const modelId = stated === null ? optionalId(options.model) : stated.model?.id;
  const location = { hostUrl: options.host, datanetId };
  const store = await openRowStore(options.rows);
  const onProgress = (done: number, rowCount: number) =>
    output.progress(`${done} of ${counted(rowCount, "row")}`);
  const download = (version: number | undefined) => ({
    ...location,
    store,
    onProgress,
    ...unsignedOf(options),
    ...(version === undefined ? {} : { version }),
  });
  const untilMs = stated === null ? {} : { untilMs: stated.labels.untilMs };
  const expectedVersion = stated?.version.number ?? optionalId(options.versionNumber);
  if (modelId === undefined) return reportBias(client, { ...download(expectedVersion), ...untilMs });
  const { model, places } = await openPublished(String(modelId), options, output);
  const versions = versionsOf(model.recipe);
  const version = versions.find(({ id }) => id === datanetId)?.version;
  if (version === undefined || (expectedVersion ?? version) !== version)
    throw commandError(
      "CMD_USAGE",
      version === undefined
        ? `model ${modelId} was not trained on Datanet ${datanetId}`
        : `model ${modelId} was trained on version ${version} of Datanet ${datanetId}, not on ${expectedVersion}`,
    );
  const reported = await collectReported(client, { ...download(version), ...untilMs });
  const statics = staticsOf(await getModel(client, modelId)).hash;
  const numbers = versions.map((one) => one.version);
  const facts = await factsOf(client, model.statics.binding, statics, numbers);
  if (model.rows === null) {
    await downloadVersion(client, download(version));
    await downloadLabels(client, { ...location, store, rowsRoot: reported.rowsRoot, ...unsignedOf(options) });
  }
  const input = model.rows === null ? await storedRows(options, model.recipe, facts) : null;
  const files: ReportedFiles = { modelId, datanetId, model, rows: rowsOfVersion(model, facts, input) };
  const pay = stated?.model?.pay;
  const figures = await modelFigures(client, files, {
    trainings: await modelTrainings(places),
    onProgress: showStages(output),
    ...(pay === undefined || isUnknown(pay) ? {} : { throughEpoch: pay.throughEpoch }),
  });
  return makeReport(reported, figures);
}

const optionalId = (text: string | undefined) => (text === undefined ? undefined : parseId(text));

/** null without the option. */
async function sign(
  client: LedgerClient,
  report: NamedReport,
  options: ReportOptions,
): Promise<{ line: string; hasText: boolean } | null> {
  if (options.sign === undefined) return null;
  const { datanetId } = report.report;
  const signer = options.sign === "datanet" ? await signerClient(options, datanetId) : client;
  const location = { hostUrl: options.host, datanetId };
  const leafId = options.sign === "datanet" ? datanetId : signer.leafId;
  const hasText = await signReport(signer, {
    ...location,
    report,
    ...(leafId === null ? {} : { from: leafId }),
  });
  return {
    hasText,
    line: hasText
      ? `signed by leaf ${leafId}; the host has the report`
      : `signed by leaf ${leafId}; the host takes texts only that the Datanet or its team has signed: publish the file elsewhere`,
  };
}

function headLines({ report, sha256 }: NamedReport): string[] {
  const { agreement, datanetId, labels, slices, version } = report;
  return [
    `report of version ${version.number} of datanet ${datanetId}: ${counted(version.rowCount, "row")}, ${counted(slices.length, "slice")}`,
    `sha256 ${sha256}`,
    ...(version.withdrawnCount === 0
      ? []
      : [`${counted(version.withdrawnCount, "row is", "rows are")} withdrawn, and in no slice`]),
    ...(labels.otherKeyCount === 0
      ? []
      : [
          `${counted(labels.otherKeyCount, "label was", "labels were")} not signed by the present key of their leaf; left out`,
        ]),
    isUnknown(agreement)
      ? `agreement: not known, ${agreement.why}`
      : `agreement: all labels are the same for ${agreement.unanimousCount} of ${counted(agreement.rowCount, "row")} (${percent(agreement.lowPpm)} to ${percent(agreement.highPpm)}); Krippendorff's α ${agreement.alphaPpm === null ? "not known" : (agreement.alphaPpm / 1e6).toFixed(3)}`,
    `rows by language: not known, ${report.languages.rows.why}`,
  ];
}

function errorLines(report: Report): string[] {
  const { model, slices } = report;
  if (model === null)
    return renderTable([
      ["slice", "rows", "labelled alike"],
      ...slices.map((slice) => [
        sliceName(slice),
        String(slice.rowCount),
        slice.agreement === null ? "" : `${slice.agreement.unanimousCount} of ${slice.agreement.rowCount}`,
      ]),
    ]);
  if (isUnknown(model.error)) return [`error of model ${model.id}: not known, ${model.error.why}`];
  return [
    `error of model ${model.id}: ${errorText(model.error)} (${model.error.how})`,
    ...renderTable([
      ["slice", "rows", "error"],
      ...slices.map((slice) => [
        sliceName(slice),
        String(slice.rowCount),
        slice.error === null ? "none judged" : errorText(slice.error),
      ]),
    ]),
  ];
}

function errorText({ errorCount, high, low, rowCount, value }: ReportError): string {
  if (errorCount !== null)
    return `${percent(value)} of ${counted(rowCount, "row")} (${percent(low!)} to ${percent(high!)})`;
  const nats = (micronats: number) => (micronats / 1e6).toFixed(3);
  const interval = low === null ? "" : ` (${nats(low)} to ${nats(high!)})`;
  return `${nats(value)} nats a token of ${counted(rowCount, "row")}${interval}`;
}

function payLines({ model }: Report): string[] {
  if (model === null) return [];
  const { pay } = model;
  if (isUnknown(pay)) return [`pay: not known, ${pay.why}`];
  const share = (earnedWei: string) =>
    percent(Number((BigInt(earnedWei) * 1_000_000n) / BigInt(pay.totalWei)));
  return [
    `pay through epoch ${pay.throughEpoch}: ${formatOpen(BigInt(pay.totalWei))} OPEN to contributors, Gini ${(pay.giniPpm / 1e6).toFixed(3)}`,
    ...renderTable(
      pay.contributors
        .slice(0, 10)
        .map(({ earnedWei, leafId, rowCount }) => [
          `  leaf ${leafId}`,
          counted(rowCount, "row"),
          `${formatOpen(BigInt(earnedWei))} OPEN`,
          share(earnedWei),
        ]),
    ),
  ];
}

function moverLines({ model }: Report): string[] {
  if (model === null) return [];
  const { movers } = model;
  if (isUnknown(movers)) return [`rows that move answers: not known, ${movers.why}`];
  return [
    `rows that move most of ${counted(movers.answerCount, "answer")}:`,
    ...renderTable(
      movers.rows.map(({ answerCount, contributorId, digest }) => [
        `  ${digest}`,
        `leaf ${contributorId}`,
        counted(answerCount, "answer"),
      ]),
    ),
  ];
}

const percent = (ppm: number): string => `${(ppm / 10_000).toFixed(1)} %`;

function sliceName({ by, field, kind, name }: ReportSlice): string {
  const way = field ?? by;
  if (kind === "missing") return `${way}: none`;
  return kind === "rest" ? `${way}: ${name} others` : `${way}: ${name}`;
}
