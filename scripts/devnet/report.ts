import { listBatches } from "../../client/ledger-reads.ts";
import { renderTable } from "../cli/output.ts";
import { type Console, formatDuration } from "./console.ts";
import type { Job } from "./job.ts";
import type { Check } from "./steps/check.ts";

export interface BatchLine {
  readonly number: number;
  readonly operationCount: number;
  readonly proveMs: number | null;
  readonly gasUsed: number | null;
  readonly transactionHash: string | null;
}

/** What the job leaves behind; kept in the journal. */
export interface Report {
  readonly finishedAt: string;
  readonly durationMs: number;
  readonly batches: readonly BatchLine[];
  readonly checks: readonly Check[];
}

export async function makeReport(job: Job, checks: readonly Check[], durationMs: number): Promise<Report> {
  const batches = await listBatches(job.people.alice, 100);
  return {
    finishedAt: new Date().toISOString(),
    durationMs,
    batches: batches.reverse().map((batch) => ({
      number: batch.number,
      operationCount: batch.counts?.operations ?? 0,
      proveMs: batch.proveMs ?? null,
      gasUsed: batch.gasUsed,
      transactionHash: batch.l1TransactionHash ?? null,
    })),
    checks,
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
      batch.proveMs === null ? "" : formatDuration(batch.proveMs),
      isFirst ? (batch.gasUsed ?? 0).toLocaleString("en") : "same transaction",
      batch.transactionHash ?? "",
    ];
  });
  for (const line of renderTable([["batch", "operations", "proven in", "gas", "L1 transaction"], ...rows]))
    console.line(line);
  console.title("Checks");
  for (const { claim, holds, detail } of report.checks) {
    const text = detail === "" ? claim : `${claim}: ${detail}`;
    if (holds) console.done(text);
    else console.alarm(`does not hold: ${text}`);
  }
  const failedCount = report.checks.filter(({ holds }) => !holds).length;
  const verdict =
    failedCount === 0 ? "every check holds" : `${failedCount} of ${report.checks.length} checks do not hold`;
  console.line(`${verdict}; the job took ${formatDuration(report.durationMs)}`);
}

export function printNextSteps(console: Console): void {
  console.title("What to try next (in another terminal)");
  for (const line of [
    "npm run openledger -- status",
    "npm run openledger -- account show alice",
    "npm run openledger -- transfer bob 1.5 --account alice --wait posted",
    "npm run openledger -- withdraw 5 --account bob --wait claimable && npm run openledger -- claim --account bob",
    "npm run openledger -- verify",
  ]) {
    console.line(line);
  }
  console.line("");
  console.line(
    "Ctrl-C stops everything; npm start again goes on from here, npm start -- --reset from nothing.",
  );
}
