/** Step of the devnet's job that times one transfer's way, from its signature to its final place on L1, and how that is told. */
import type { SendResult, SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import { transferOpen } from "@openledger/client/tasks/transfer-open";
import type { Job } from "../job.ts";
import { onceOnLedger } from "../job.ts";
import type { Leaves } from "./deposit.ts";
import { LAST_TRANSFER, planTransfer } from "./transfer.ts";

/** Stages that a person waits for, in their order: L1 takes a batch together with its proof. */
const WAY_STAGES = ["acknowledged", "proven", "posted", "final"] as const;
export type WayStage = (typeof WAY_STAGES)[number];

/** Milliseconds since the signature at which each stage was seen. */
export type TransferWay = Readonly<Record<WayStage, number>>;

interface WayModules {
  /** Signs and sends; resolves once the transfer is acknowledged. */
  readonly send: (onSigned: () => void) => Promise<void>;
  readonly reached: (stage: Exclude<WayStage, "acknowledged">) => Promise<unknown>;
  readonly nowMs?: () => number;
}

/**
 * Times a transfer's way. @returns once L1 has it, the whole way as a promise: it is final many blocks later
 */
export async function timeWay({
  nowMs = () => performance.now(),
  reached,
  send,
}: WayModules): Promise<{ readonly whole: Promise<TransferWay> }> {
  let signedAtMs: number | null = null;
  await send(() => {
    signedAtMs ??= nowMs();
  });
  if (signedAtMs === null) throw new TypeError("a transfer was sent without a signature");
  const fromMs: number = signedAtMs;
  const sinceSigned = () => Math.round(nowMs() - fromMs);
  const acknowledged = sinceSigned();
  await reached("proven");
  const proven = sinceSigned();
  await reached("posted");
  const posted = sinceSigned();
  const whole = reached("final").then(() => ({ acknowledged, proven, posted, final: sinceSigned() }));
  // A failure shows where it is awaited.
  whole.catch(() => {});
  return { whole };
}

/** "signed → acknowledged 9 ms → proven 1.1 s → …" */
export const describeWay = (way: TransferWay): string =>
  ["signed", ...WAY_STAGES.map((stage) => `${stage} ${formatWait(way[stage])}`)].join(" → ");

const formatWait = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`);

/**
 * Sends the last planned transfer once nothing else waits for a proof: what anybody meets who uses the devnet alone.
 * @returns null where an earlier start has signed it: its times are not known
 */
export async function sendOnItsWay(
  job: Job,
  leaves: Leaves,
): Promise<{ readonly whole: Promise<TransferWay | null> }> {
  const { amountWei, from, index, to } = planTransfer(LAST_TRANSFER);
  const client = job.people[from];
  const key = `transfer-${index}`;
  const isKnown = job.journal.get<SignedSubmission>(key) !== undefined;
  let sent: SendResult | undefined;
  const way = await timeWay({
    send: async (noteSigned) => {
      if (isKnown) noteSigned();
      sent = await onceOnLedger(job, key, client, ({ onSigned }) =>
        transferOpen(client, {
          from: leaves[from],
          to: leaves[to],
          amountWei,
          onSigned: (fresh) => {
            noteSigned();
            return onSigned(fresh);
          },
        }),
      );
    },
    reached: (stage) => waitFor(client, { hash: sent!.hash }, stage, { signal: job.signal }),
  });
  return isKnown ? { whole: way.whole.then(() => null) } : way;
}
