/** Decisions on findings by reviewers' records, and the notices that a contributor gets of them. */
import type { Finding } from "../cleaning/finding.ts";
import type { RowRecords } from "../records/record-state.ts";
import type { HostedDatanet } from "./hosted-datanet.ts";

export const FINDING_STATES = [
  "open",
  "leftOut",
  /** A reviewer has looked, and the row stays. */
  "kept",
  /** Nobody has to decide: the ledger's order does. */
  "byRule",
] as const;
type FindingState = (typeof FINDING_STATES)[number];

/** Last decision of a reviewer on a row. */
interface Decision {
  readonly isLeftOut: boolean;
  readonly why: string;
  readonly note: string;
  readonly byId: number;
  readonly atMs: number;
}

/** null if no reviewer has said so. Leaving out goes before settling, as in `outcomeOf`. */
export function decisionOf({ leaveOut, settled }: RowRecords): Decision | null {
  if (leaveOut !== null) {
    const { atMs, isLeftOut, leafId, note, why } = leaveOut;
    if (isLeftOut || settled === null || settled.label !== null)
      return { isLeftOut, why, note, byId: leafId, atMs };
  }
  if (settled === null || settled.label !== null) return null;
  return {
    isLeftOut: true,
    why: "wrong-label",
    note: settled.note,
    byId: settled.leafId,
    atMs: settled.atMs,
  };
}

export function stateOf({ evidence, kind }: Finding, records: RowRecords, datanetId: number): FindingState {
  if (kind === "copy" && evidence.earlier?.datanetId === datanetId) return "byRule";
  const decision = decisionOf(records);
  if (decision !== null) return decision.isLeftOut ? "leftOut" : "kept";
  const isSettledSo = kind === "contradicted-label" && records.settled?.label === evidence.label;
  return isSettledSo ? "kept" : "open";
}

/** Objection of the contributor to a decision; it is answered once a reviewer has decided again. */
export function objectionOf({ objections, ...records }: RowRecords, contributorId: number | null) {
  const own = objections.find(({ leafId }) => leafId === contributorId);
  if (own === undefined) return null;
  const decision = decisionOf({ objections, ...records });
  const isAnswered = decision !== null && decision.atMs > own.atMs;
  return { note: own.note, atMs: own.atMs, isAnswered };
}

/** Notices for a contributor: their rows that a reviewer has decided about, and their rejected contributions; newest first. */
export function noticesFor(datanet: HostedDatanet, contributorId: number) {
  const rows = [...datanet.recordState.rows()].flatMap(([row, records]) => {
    const decision = decisionOf(records);
    if (decision === null || datanet.contributorOf(row) !== contributorId) return [];
    return [{ about: "row" as const, row, ...decision, objection: objectionOf(records, contributorId) }];
  });
  const contributions = datanet.commits.flatMap(({ facts: { contributorId: owner, rowsRoot } }) => {
    const verdict = owner === contributorId ? datanet.recordState.verdict(rowsRoot) : null;
    if (verdict?.verdict !== "reject") return [];
    const { atMs, leafId, note } = verdict;
    return [{ about: "contribution" as const, commit: rowsRoot, note, byId: leafId, atMs }];
  });
  return [...rows, ...contributions].map((notice) => ({ datanetId: datanet.id, ...notice }));
}
