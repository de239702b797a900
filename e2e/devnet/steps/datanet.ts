/** Steps of the devnet's job that open a Datanet, commit rows to it and publish a version. */

import { storeContribution } from "@openledger/client/actions/data/row-store";
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { commitContribution } from "@openledger/client/tasks/contribute";
import { type BegunDatanet, openDatanet as openByTask } from "@openledger/client/tasks/open-datanet";
import { prepareVersion, publishPrepared, type VersionRule } from "@openledger/client/tasks/publish-version";
import { checkCommits } from "@openledger/scripts/commands/datanet/datanet-check";
import { CONTRIBUTORS, DATANET_AMOUNT_WEI } from "../config.ts";
import { type Job, withRetry } from "../job.ts";
import { type DatanetPart, stepOf } from "../parts.ts";
import type { Leaves } from "./deposit.ts";
import { storeOf } from "./host.ts";

/** alice opens a datanet; it signs with her key. @returns its id */
export async function openDatanet(job: Job, leaves: Leaves, part: DatanetPart): Promise<number> {
  const { alice } = job.people;
  const key = stepOf(part.name, "create-datanet");
  const { datanetId } = await withRetry(job, () => {
    const signed = job.journal.get<SignedSubmission>(key);
    const begun: BegunDatanet = signed === undefined ? {} : { signed };
    return openByTask(alice, {
      ...{ from: leaves.alice, amountWei: DATANET_AMOUNT_WEI, begun },
      onBegun: (now) => (now.signed === undefined ? undefined : job.journal.set(key, now.signed)),
    });
  });
  await job.journal.set(stepOf(part.name, "datanet-id"), datanetId);
  const { hash } = job.journal.get<SignedSubmission>(key)!;
  job.console.done(`alice opens datanet ${datanetId} for ${part.rowNoun}: operation ${hash}`);
  return datanetId;
}

/** Real mail with labels, real speeches; every contributor has rows of their own. @returns the last commit's operation */
export async function contribute(
  job: Job,
  leaves: Leaves,
  part: DatanetPart,
  datanetId: number,
): Promise<`0x${string}`> {
  const startedAtMs = Date.now();
  let rowCount = 0;
  let last: `0x${string}` | null = null;
  const commits = part.commits(job.plan);
  for (const [i, { contributor: name, rows }] of commits.entries()) {
    const client = job.people[name];
    rowCount += rows.length;
    job.signal.throwIfAborted();
    const store = part.isLabelled ? await storeOf(job, name) : job.store;
    const key = stepOf(part.name, `commit-${i}`);
    await withRetry(job, () =>
      commitContribution(client, {
        ...{ from: leaves[name], datanetId, store, rows },
        onSigned: (signed) => job.journal.set(key, signed),
      }),
    );
    last = job.journal.get<SignedSubmission>(key)!.hash;
  }
  job.console.done(
    `${CONTRIBUTORS.join(", ")} contribute ${rowCount} ${part.rowNoun} in ${commits.length} commits`,
    Date.now() - startedAtMs,
  );
  return last!;
}

/**
 * vera and walt look at the commits, as `openledger datanet check` shows them; what they vouch for makes a version, without
 * rows that nearly repeat an earlier one.
 */
export async function publish(job: Job, leaves: Leaves, part: DatanetPart, datanetId: number): Promise<void> {
  const { alice } = job.people;
  const startedAtMs = Date.now();
  const commits = part.commits(job.plan);
  const { check, leaveOut, rows } = await withRetry(job, () =>
    checkCommits(alice, { datanetId, store: job.store }),
  );
  for (const [index, { contradictedCount, isRefused, rowCount }] of check.commits.entries()) {
    if (!isRefused) continue;
    job.console.done(
      `${commits[index]!.validator} does not vouch for commit ${index} of ${commits[index]!.contributor}: a model of the others' rows contradicts ${contradictedCount} of ${rowCount} labels`,
    );
  }
  const duplicateCount = leaveOut.rows.filter(({ why }) => why === "near-duplicate").length;
  job.console.done(`${duplicateCount} of ${rows.length} rows nearly repeat an earlier one and are left out`);
  const validatorOfRoot = new Map<bigint, number>();
  for (const commit of commits) {
    const { rowsRoot } = await storeContribution(job.store, commit.rows);
    validatorOfRoot.set(rowsRoot, leaves[commit.validator]);
  }
  const key = stepOf(part.name, "publish-version");
  const { store } = job;
  const rule: VersionRule = {
    by: "validators",
    validatorId: ({ rowsRoot }) => validatorOfRoot.get(rowsRoot) ?? null,
    leaveOut: new Set(leaveOut.rows.map(({ digest }) => digest)),
  };
  await withRetry(job, async () => {
    const prepared = await prepareVersion(alice, { datanetId, rule, store });
    await publishPrepared(alice, {
      ...{ datanetId, prepared, store },
      onSigned: (signed) => job.journal.set(key, signed),
    });
  });
  const { hash } = job.journal.get<SignedSubmission>(key)!;
  job.console.done(
    `alice publishes the version of datanet ${datanetId}: operation ${hash}`,
    Date.now() - startedAtMs,
  );
}
