/** Badge for the status of a batch, operation or queue entry, in the same words and colours on all pages. */
import { Badge, type Tone } from "../design/badge.tsx";

/** Statuses of batches, of their operations, and of entries of the queue. */
const STATUSES: Readonly<Record<string, { tone: Tone; text: string }>> = {
  pending: { tone: "wait", text: "waiting" },
  acknowledged: { tone: "wait", text: "accepted" },
  closed: { tone: "wait", text: "being proven" },
  proven: { tone: "wait", text: "proven" },
  submitted: { tone: "wait", text: "sent to Ethereum" },
  posted: { tone: "info", text: "on Ethereum" },
  final: { tone: "good", text: "final" },
  dropped: { tone: "bad", text: "dropped" },
  queued: { tone: "wait", text: "in the queue" },
  executed: { tone: "good", text: "executed" },
  invalid: { tone: "bad", text: "without effect" },
};

/**
 * Status of a batch, operation or queue entry, in the words and the colour that people see. Unknown ones are shown as they are.
 */
export function StatusBadge({ status }: { status: string }) {
  const known = STATUSES[status] ?? { tone: "plain" as const, text: status };
  return <Badge tone={known.tone}>{known.text}</Badge>;
}
