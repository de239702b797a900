/** Report at the end of the devnet's job: batches, epochs, earnings, checks, and the lines that print it. */
import type { DataSource } from "@openledger/circuits/protocol";
import { listBatches } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { renderTable } from "@openledger/scripts/cli/output";
import { type Console, formatDuration } from "./console.ts";
import type { Job } from "./job.ts";
import type { Check } from "./steps/check.ts";
import type { EarningsLine } from "./steps/check-epoch.ts";
import { SETTLED_EPOCH } from "./steps/epoch.ts";
import { describeWay, type TransferWay } from "./steps/transfer-way.ts";

interface BatchLine {
  readonly number: number;
  readonly operationCount: number;
  /** Absent in reports of earlier versions. */
  readonly place?: DataSource | undefined;
  readonly proveMs: number | null;
  readonly gasUsed: number | null;
  readonly transactionHash: string | null;
}

/** Result of the job, in the journal. */
export interface Report {
  readonly finishedAt: string;
  /** The first: of the mails. */
  readonly modelId: number;
  /** Absent in reports of earlier versions. */
  readonly modelIds?: readonly number[] | undefined;
  readonly durationMs: number;
  readonly batches: readonly BatchLine[];
  readonly checks: readonly Check[];
  readonly earnings: readonly EarningsLine[];
  /** Defences against cheating: each model's name, then what it has. Absent in reports of earlier versions. */
  readonly defences?: readonly (readonly string[])[] | undefined;
  /** null: not measured, since the job was interrupted. Absent in reports of earlier versions. */
  readonly transferWay?: TransferWay | null | undefined;
}

export async function makeReport(
  job: Job,
  parts: Pick<Report, "checks" | "defences" | "earnings" | "modelId" | "modelIds" | "transferWay">,
  durationMs: number,
): Promise<Report> {
  const batches = await listBatches(job.people.alice, 100);
  return {
    ...parts,
    finishedAt: new Date().toISOString(),
    durationMs,
    batches: batches.reverse().map((batch) => ({
      number: batch.number,
      operationCount: batch.counts?.operations ?? 0,
      place: batch.circuit?.endsWith("-blob") === true ? "blob" : "calldata",
      proveMs: batch.proveMs ?? null,
      gasUsed: batch.gasUsed,
      transactionHash: batch.l1TransactionHash ?? null,
    })),
  };
}

export function printReport(console: Console, report: Report): void {
  console.title("Batches");
  // Batches that share a transaction share its gas: it is shown at the first one.
  const seen = new Set<string>();
  const rows = report.batches.map((batch) => {
    const isFirst = batch.transactionHash === null || !seen.has(batch.transactionHash);
    if (batch.transactionHash !== null) seen.add(batch.transactionHash);
    return [
      String(batch.number),
      String(batch.operationCount),
      batch.place ?? "",
      batch.proveMs === null ? "" : formatDuration(batch.proveMs),
      isFirst ? (batch.gasUsed ?? 0).toLocaleString("en") : "same transaction",
      batch.transactionHash ?? "",
    ];
  });
  for (const line of renderTable([
    ["batch", "operations", "data", "proven in", "gas", "L1 transaction"],
    ...rows,
  ]))
    console.line(line);
  console.title(`Who earned what of epoch ${SETTLED_EPOCH}`);
  const lines = report.earnings.map((line) => [
    line.model,
    line.name,
    String(line.committedCount),
    String(line.wrongCount),
    String(line.rowCount),
    formatOpen(BigInt(line.earnedWei)),
    percent(
      BigInt(line.earnedWei),
      report.earnings.filter(({ model }) => model === line.model),
    ),
  ]);
  const head = ["model", "rows of", "committed", "wrong label", "in the version", "earned (OPEN)", "share"];
  for (const line of renderTable([head, ...lines])) console.line(line);
  console.line("an eighth of a payee's rewards goes to its validator; the rows left out earned nothing");
  console.title("Defences of each model");
  for (const line of renderTable(report.defences ?? [])) console.line(line);
  if (report.transferWay != null) {
    console.title("A transfer's way");
    console.line(describeWay(report.transferWay));
  }
  console.title("Checks");
  for (const { statement, holds, detail } of report.checks) {
    const text = detail === "" ? statement : `${statement}: ${detail}`;
    if (holds) console.done(text);
    else console.alarm(`does not hold: ${text}`);
  }
  const failedCount = report.checks.filter(({ holds }) => !holds).length;
  const verdict =
    failedCount === 0 ? "every check holds" : `${failedCount} of ${report.checks.length} checks do not hold`;
  console.line(`${verdict}; the job took ${formatDuration(report.durationMs)}`);
}

/**
 * Last line of the report, for programs.
 * @param seconds since `npm start`
 */
export function summaryLine({ checks, transferWay = null }: Report, seconds: number): string {
  const failedCount = checks.filter(({ holds }) => !holds).length;
  const transferMs = transferWay;
  return `start ${JSON.stringify({ seconds, checkCount: checks.length, failedCount, transferMs })}`;
}

function percent(wei: bigint, earnings: readonly EarningsLine[]): string {
  const total = earnings.reduce((sum, { earnedWei }) => sum + BigInt(earnedWei), 0n);
  return total === 0n ? "" : `${(Number((10_000n * wei) / total) / 100).toFixed(2)} %`;
}

/** @param pagesUrl where the pages are served */
export function printNextSteps(console: Console, modelIds: readonly number[], pagesUrl: string): void {
  const [modelId, speechModelId = modelId] = modelIds;
  console.title("Begin here, in a browser");
  const doors = [
    ["contribute rows, label, publish", `${pagesUrl}/#/datanets`],
    ["ask a model, and pay for its answer", `${pagesUrl}/#/ask/${speechModelId}`],
    ["see what rows earn, and claim it", `${pagesUrl}/#/earnings`],
  ];
  for (const line of renderTable(doors)) console.line(line);
  console.title("What to try next");
  console.line("in another terminal:");
  for (const line of [
    "npm run openledger -- status --account alice",
    "npm run openledger -- transfer bob 1.5 --account alice --wait posted",
    "npm run openledger -- withdraw 5 --account bob --wait finalizable && npm run openledger -- finalize-withdrawal --account bob",
    'npm run openledger -- models ask MODEL "Subject: you have won a free cruise" --account nina',
    'npm run openledger -- models ask SPEECHES "The state of the union" --account nina',
    "npm run openledger -- rewards --account walt",
    "npm run openledger -- rewards why MODEL 1",
    'npm run openledger -- rewards what-if SPEECHES --without 0-3 --prompt "The state of the union"',
    "npm run openledger -- verify settlement MODEL 1",
    "npm run openledger -- verify",
  ]) {
    console.line(line.replace("MODEL", String(modelId)).replace("SPEECHES", String(speechModelId)));
  }
  console.line("");
  console.line("Ctrl-C stops everything; npm start resumes, npm start -- --reset starts from scratch.");
}
