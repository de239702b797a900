/** What the devnet's validators find in planned commits, by the same code as `openledger datanet check`. */
import { checkDatanet, type DatanetCheck, rowsToLeaveOut } from "../../attribution/model/datanet-check.ts";
import { CONTRIBUTORS, type ContributorName } from "./config.ts";
import type { PlannedCommit } from "./parts.ts";

export interface PlannedCheck {
  readonly check: DatanetCheck;
  /** Rows of the version. */
  readonly keptCount: number;
  /** Of one contributor's commits. */
  keptOf(name: ContributorName): number;
}

/** Contributors are numbered in the order of CONTRIBUTORS: who they are on the ledger changes nothing. */
export function checkPlan(commits: readonly PlannedCommit[]): PlannedCheck {
  const check = checkDatanet(
    commits.map(({ contributor, rows }) => ({
      contributorId: CONTRIBUTORS.indexOf(contributor),
      contents: rows,
    })),
  );
  const out = new Set(rowsToLeaveOut(check).map(({ row }) => row));
  const kept = commits
    .flatMap(({ contributor, rows }) => rows.map(() => contributor))
    .filter((_, row) => !out.has(row));
  return { check, keptCount: kept.length, keptOf: (name) => kept.filter((one) => one === name).length };
}
