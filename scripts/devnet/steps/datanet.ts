import { collectVersion } from "../../../client/actions/data/collect-version.ts";
import { contributeRows } from "../../../client/actions/data/contribute-rows.ts";
import { storeVersion } from "../../../client/actions/data/published-version.ts";
import { storeContribution } from "../../../client/actions/data/row-store.ts";
import { createDatanet } from "../../../client/actions/ledger/create-datanet.ts";
import { publishVersion } from "../../../client/actions/ledger/publish-version.ts";
import { checkCommits } from "../../commands/datanet/datanet-check.ts";
import { devAccount } from "../accounts.ts";
import { CONTRIBUTORS, DATANET_AMOUNT_WEI } from "../config.ts";
import { type Job, onceOnLedger, waitWithConsole, withRetry } from "../job.ts";
import { commitRows } from "../mails.ts";
import { COMMIT_COUNT, contributorOf, validatorOf } from "../plan.ts";
import type { Leaves } from "./deposit.ts";

/** alice opens a datanet for mail; it signs with her key. @returns its id */
export async function openDatanet(job: Job, leaves: Leaves): Promise<number> {
  const { alice } = job.people;
  const sent = await onceOnLedger(job, "create-datanet", alice, ({ onSigned }) =>
    createDatanet(alice, {
      from: leaves.alice,
      l1Owner: devAccount("alice").address,
      keyX: alice.l2Key!.keyX,
      amountWei: DATANET_AMOUNT_WEI,
      onSigned,
    }),
  );
  const { operation } = await waitWithConsole(job, alice, { hash: sent.hash }, "acknowledged", "the datanet");
  const datanetId = operation!.createdId!;
  job.console.done(`alice opens datanet ${datanetId}: operation ${sent.hash}`);
  return datanetId;
}

/** Real mail with labels; every contributor has letters of his own. */
export async function contributeMail(job: Job, leaves: Leaves, datanetId: number): Promise<void> {
  const startedAtMs = Date.now();
  let rowCount = 0;
  for (let i = 0; i < COMMIT_COUNT; i++) {
    const name = contributorOf(i);
    const client = job.people[name];
    const rows = commitRows(job.plan, i);
    rowCount += rows.length;
    job.signal.throwIfAborted();
    await onceOnLedger(job, `commit-${i}`, client, ({ onSigned }) =>
      contributeRows(client, { from: leaves[name], datanetId, store: job.store, rows, onSigned }),
    );
  }
  job.console.done(
    `${CONTRIBUTORS.join(", ")} contribute ${rowCount} labelled e-mails in ${COMMIT_COUNT} commits`,
    Date.now() - startedAtMs,
  );
}

/**
 * vera and walt look at the commits, as `openledger datanet check` shows them; what they vouch for makes version 1, without
 * rows that nearly repeat an earlier one.
 */
export async function publishMail(job: Job, leaves: Leaves, datanetId: number): Promise<void> {
  const { alice } = job.people;
  const startedAtMs = Date.now();
  const { check, leaveOut, rows } = await withRetry(job, () => checkCommits(alice, datanetId, job.store));
  for (const [index, { contradictedCount, isRefused, rowCount }] of check.commits.entries()) {
    if (!isRefused) continue;
    job.console.done(
      `${validatorOf(index)} does not vouch for commit ${index} of ${contributorOf(index)}: a model of the others' rows contradicts ${contradictedCount} of ${rowCount} labels`,
    );
  }
  const duplicateCount = leaveOut.rows.filter(({ why }) => why === "near-duplicate").length;
  job.console.done(`${duplicateCount} of ${rows.length} rows nearly repeat an earlier one and are left out`);
  const validatorOfRoot = new Map<bigint, number>();
  for (let index = 0; index < COMMIT_COUNT; index++) {
    const { rowsRoot } = await storeContribution(job.store, commitRows(job.plan, index));
    validatorOfRoot.set(rowsRoot, leaves[validatorOf(index)]);
  }
  const sent = await onceOnLedger(job, "publish-version", alice, async ({ onSigned }) => {
    const version = await collectVersion(alice, {
      datanetId,
      store: job.store,
      validatorId: ({ rowsRoot }) => validatorOfRoot.get(rowsRoot) ?? null,
      leaveOut: new Set(leaveOut.rows.map(({ digest }) => digest)),
    });
    await storeVersion(job.store, version);
    return publishVersion(alice, { datanetId, version, onSigned });
  });
  job.console.done(`alice publishes version 1: operation ${sent.hash}`, Date.now() - startedAtMs);
}
