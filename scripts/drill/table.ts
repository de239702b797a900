import type { FaultResult } from "./fault.ts";

const COLUMNS = [
  ["fault", ({ fault }) => fault],
  ["tries", ({ tries }) => String(tries)],
  ["acknowledged", ({ acknowledged }) => String(acknowledged)],
  ["lost", ({ lost }) => String(lost)],
  ["doubled", ({ doubled }) => String(doubled)],
  ["batches", ({ batchCount }) => String(batchCount)],
  ["recovery, median ms", ({ recoveryMs }) => String(recoveryMs)],
  ["longest ms", ({ maxRecoveryMs }) => String(maxRecoveryMs)],
  ["what it said", ({ problems, said }) => [...said, ...(problems.length > 0 ? ["PROBLEMS"] : [])].join(" ")],
] as const satisfies readonly (readonly [string, (result: FaultResult) => string])[];

/** A Markdown table with aligned columns. */
export function tableOf(results: readonly FaultResult[]): string {
  const rows = [
    COLUMNS.map(([head]) => head),
    ...results.map((result) => COLUMNS.map(([, cell]) => cell(result))),
  ];
  return renderColumns(rows);
}

/** Cells as a Markdown table; the first row is its head. */
export function renderColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`);
  lines.splice(1, 0, `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  return lines.join("\n");
}
