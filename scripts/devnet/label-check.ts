/** What the devnet's validators find in the plan's commits, by the same code as `openledger datanet check`. */
import { checkDatanet, type DatanetCheck, rowsToLeaveOut } from "../../attribution/model/datanet-check.ts";
import { CONTRIBUTORS } from "./config.ts";
import { commitRows } from "./mails.ts";
import { COMMIT_COUNT, contributorOf, type DevnetPlan } from "./plan.ts";

export interface PlannedCheck {
  readonly check: DatanetCheck;
  /** Rows of the version. */
  readonly keptCount: number;
  /** Of one contributor's commits. */
  keptOf(name: (typeof CONTRIBUTORS)[number]): number;
}

/** Contributors are numbered in the order of CONTRIBUTORS: who they are on the ledger changes nothing. */
export function checkPlan(plan: DevnetPlan): PlannedCheck {
  const names = Array.from({ length: COMMIT_COUNT }, (_, index) => contributorOf(index));
  const commits = names.map((name, index) => ({
    contributorId: CONTRIBUTORS.indexOf(name),
    contents: commitRows(plan, index),
  }));
  const check = checkDatanet(commits);
  const out = new Set(rowsToLeaveOut(check).map(({ row }) => row));
  const kept = commits
    .flatMap(({ contents }, i) => contents.map(() => names[i]!))
    .filter((_, row) => !out.has(row));
  return { check, keptCount: kept.length, keptOf: (name) => kept.filter((one) => one === name).length };
}
