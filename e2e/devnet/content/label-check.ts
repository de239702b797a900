/** Findings of the devnet's validators in planned commits, by the code of `openledger datanet check` and of the host. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { checkDatanet, type DatanetCheck, rowsToLeaveOut } from "@openledger/attribution/model/datanet-check";
import { checkRows } from "@openledger/datanets/cleaning/check-rows";
import { CONTRIBUTORS, PEOPLE, type PersonName } from "../config.ts";
import { DATANETS, type PlannedCommit } from "../parts.ts";
import type { DevnetPlan } from "../plan.ts";
import { mailCard } from "./cards.ts";
import { mailFacts } from "./mails.ts";

interface PlannedCheck {
  readonly check: DatanetCheck;
  /** Rows of the version. */
  readonly versionRowCount: number;
}

/** Contributors are numbered in the order of CONTRIBUTORS: who they are on the ledger changes nothing. */
export async function checkPlan(commits: readonly PlannedCommit[]): Promise<PlannedCheck> {
  const check = await checkDatanet(
    commits.map(({ contributor, labels, rows }) => ({
      contributorId: CONTRIBUTORS.indexOf(contributor),
      contents: rows,
      ...(labels === null ? {} : { labels }),
    })),
  );
  const out = new Set(rowsToLeaveOut(check).map(({ row }) => row));
  const rowCount = commits.reduce((sum, { rows }) => sum + rows.length, 0);
  return { check, versionRowCount: rowCount - out.size };
}

/** Rows of the e-mails that stay when labels and near-duplicates are decided as the job's reviewer does. */
export async function reviewedCount(plan: DevnetPlan): Promise<number> {
  const facts = mailFacts(plan);
  const anybody = Object.fromEntries(PEOPLE.map((name, i) => [name, 1 + i])) as Record<PersonName, number>;
  const rows = DATANETS.mails.commits(plan).flatMap(({ contributor, labels, rows }, opIndex) =>
    rows.map((content, i) => {
      const row = bytesToHex(sha256(content));
      const contributorId = CONTRIBUTORS.indexOf(contributor);
      const label = labels![i]!;
      return { row, contributorId, content, label, acceptedLabel: facts.get(row)!.right, opIndex };
    }),
  );
  const findings = await checkRows({ card: mailCard(anybody), datanetId: 1, rows, foreign: [] });
  const out = findings.filter(
    ({ evidence, kind }) => kind === "near-duplicate" || evidence.by === "labellers",
  );
  return rows.length - new Set(out.map(({ row }) => row)).size;
}
