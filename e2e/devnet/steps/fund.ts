/** First step of the devnet's job: the faucet sends OPEN to everybody on L1. */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { fundAddress } from "@openledger/client/tasks/deposit-open";
import { devAccount } from "../accounts.ts";
import { DEPOSITS, PEOPLE } from "../config.ts";
import { type Job, onceOnL1 } from "../job.ts";

/** Everybody gets OPEN on L1, in one block: the faucet numbers its transactions itself. */
export async function fund(job: Job): Promise<void> {
  const { faucet } = job;
  const firstNonce = job.journal.get<number>("fund-first-nonce") ?? (await nextNonce(job));
  const funded = await Promise.all(
    PEOPLE.map((name, i) =>
      onceOnL1(job, `fund-${name}`, faucet, ({ onSigned }) =>
        fundAddress(faucet, {
          to: devAccount(name).address,
          amountWei: DEPOSITS[name].fundedWei,
          nonce: firstNonce + i,
          onSigned,
        }),
      ),
    ),
  );
  for (const [i, name] of PEOPLE.entries()) {
    const { transactionHash, gasUsed } = funded[i]!;
    job.console.done(
      `${name} gets ${formatOpen(DEPOSITS[name].fundedWei)} OPEN on L1: ${transactionHash}, ${gasUsed} gas`,
    );
  }
}

async function nextNonce({ faucet, journal }: Job): Promise<number> {
  const nonce = await faucet.l1.getTransactionCount({ address: devAccount("faucet").address });
  await journal.set("fund-first-nonce", nonce);
  return nonce;
}
