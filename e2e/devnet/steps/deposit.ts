/** Step of the devnet's job in which everybody deposits OPEN, which opens their accounts. */
import { readQueueResult } from "@openledger/client/actions/forced/queue-result";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { depositOpen } from "@openledger/client/tasks/deposit-open";
import { DEPOSITS, PEOPLE, type PersonName, TRADERS } from "../config.ts";
import { type Job, onceOnL1, waitWithConsole, withRetry } from "../job.ts";

/** Leaf ids by person, known once the first batch has taken the deposits. */
export type Leaves = Readonly<Record<PersonName, number>>;

/**
 * Everybody deposits, two after an approval and the others by a signed permit; the ledger opens their accounts. The traders come
 * first: who has an account before the batch of their transfers begins leaves its wide slots to others.
 */
export async function depositAll(job: Job): Promise<Leaves> {
  await Promise.all(TRADERS.map((name) => depositOne(job, name)));
  const others = PEOPLE.filter((name) => !(TRADERS as readonly PersonName[]).includes(name));
  await Promise.all(others.map((name) => depositOne(job, name)));
  const ids = await Promise.all(PEOPLE.map(async (name) => [name, await leafOf(job, name)] as const));
  job.console.done(`accounts in the ledger: ${ids.map(([name, id]) => `${name} ${id}`).join(", ")}`);
  return Object.fromEntries(ids) as Record<PersonName, number>;
}

async function depositOne(job: Job, name: PersonName): Promise<void> {
  const client = job.people[name];
  const { depositWei: amountWei, permission } = DEPOSITS[name];
  const sent = await onceOnL1(job, `deposit-${name}`, client, ({ onSigned }) =>
    depositOpen(client, { amountWei, permission, onSigned }),
  );
  const { queueIndex, transactionHash, gasUsed } = readQueueResult(sent);
  job.console.done(
    `${name} deposits ${formatOpen(amountWei)} OPEN by ${permission}: ${transactionHash}, ${gasUsed} gas, queue entry ${queueIndex}`,
  );
  await waitWithConsole(job, client, { queueIndex }, "acknowledged", `${name}'s deposit`);
}

async function leafOf(job: Job, name: PersonName): Promise<number> {
  const client = job.people[name];
  const leaves = await withRetry(job, () => findLeaves(client, { keyX: client.l2Key!.keyX }));
  const account = leaves.find(({ kind }) => kind === "account");
  if (account === undefined) throw new Error(`${name} has no account after the deposit`);
  return account.id;
}
