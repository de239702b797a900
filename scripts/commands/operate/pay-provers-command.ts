/** `openledger operator pay-provers`: OPEN for each proof that a worker handed in and the sequencer took. */

import { renameSync, writeFileSync } from "node:fs";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { takeFileLock } from "@openledger/foundation/file-lock";
import { decidePayment } from "@openledger/operations/payments/known-payments";
import { paymentMetrics, payProvers, reportWorkers } from "@openledger/operations/payments/pay-provers";
import { PaymentJournal, readWorkerAccounts } from "@openledger/operations/payments/payment-journal";
import { readProofCredits } from "@openledger/prover/jobs/proof-credits";
import { commandError } from "../../cli/cli-errors.ts";
import { openSigner } from "../../cli/context.ts";
import { collect } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { command } from "../../cli/run-command.ts";

export const addPayProversCommand = command({
  usage: "pay-provers",
  about: "pay workers for each accepted proof, identified by their keys (operator worker-key)",
  options: {
    "--credits <file>": {
      about: "file that the dispatcher writes to DISPATCHER_CREDITS_PATH",
      isRequired: true,
    },
    "--journal <file>": {
      about: "file that records what was paid; keep it safe, as you keep money",
      isRequired: true,
    },
    "--accounts <file>": {
      about: 'file with the leaf of each worker: {"worker-1": {"leaf": 7, "owner": "0x…"}}',
      isRequired: true,
    },
    "--per-proof <amount>": { about: "OPEN paid for a proof", isRequired: true },
    "--max-per-day <amount>": { about: "most OPEN in a day (UTC); the rest waits", fallback: "100" },
    "--report": { about: "pay nothing, and print what was paid and what is due", fallback: false },
    "--paid <hash>": {
      about: "mark an unclear or unknown payment as made (CMD_PAYMENTS_UNCLEAR)",
      fallback: [],
      parse: collect,
    },
    "--void <hash>": {
      about: "mark an unclear payment as never made, or an unknown one as not for proofs",
      fallback: [],
      parse: collect,
    },
    "--metrics-file <file>": "file to write the same to, for Prometheus' textfile collector",
  },
  examples: [
    "operator pay-provers --credits credits.jsonl --journal paid.jsonl --accounts workers.json --per-proof 0.5 --account operator",
    "operator pay-provers --credits credits.jsonl --journal paid.jsonl --accounts workers.json --per-proof 0.5 --report",
  ],
  run: async ({ options, output }) => {
    const weiPerProof = parseOpen(options.perProof);
    // Refused now, not with the first payment.
    encodeAmount(weiPerProof);
    const accounts = readWorkerAccounts(options.accounts);
    const release = takeFileLock(`${options.journal}.lock`, (processId) =>
      commandError("CMD_FILE_UNREADABLE", `process ${processId} pays by this journal now`, {
        data: { reason: "payments-invalid", processId },
      }),
    );
    try {
      const credits = readProofCredits(options.credits);
      const decisions = [
        ...options.paid.map((hash) => ({ hash, kind: "paid" }) as const),
        ...options.void.map((hash) => ({ hash, kind: "void" }) as const),
      ];
      const isPaying = !options.report || decisions.length > 0;
      const client = isPaying ? (await openSigner(options)).client : null;
      const journal = new PaymentJournal(options.journal, client && storeRollupOf(client));
      if (client !== null) {
        const maxWeiPerDay = parseOpen(options.maxPerDay);
        const paying = { weiPerProof, maxWeiPerDay, accounts, nowMs: Date.now() };
        for (const decision of decisions) await decidePayment(client, credits, journal, decision, paying);
        if (!options.report) await payProvers(client, credits, journal, paying);
      }
      const workers = reportWorkers(credits, journal, { accounts, weiPerProof });
      if (options.metricsFile !== undefined) {
        writeFileSync(`${options.metricsFile}.draft`, paymentMetrics(workers));
        renameSync(`${options.metricsFile}.draft`, options.metricsFile);
      }
      const rows = workers.map(({ dueWei, hasAccount, paidWei, proofCount, worker }) => [
        worker,
        String(proofCount),
        formatOpen(paidWei),
        hasAccount ? formatOpen(dueWei) : `${formatOpen(dueWei)}, no account`,
      ]);
      output.answer(renderTable([["worker", "proofs", "paid OPEN", "due OPEN"], ...rows]), { workers });
    } finally {
      release();
    }
  },
});
