/** Webhook of whoever runs a watcher: one POST for each event that alarm-teller.ts hands over. */
import type { Logger } from "@openledger/foundation/logger";

/** Event that a watcher sends to whoever runs it, as the JSON body of a POST. */
export interface WatchEvent {
  /** "differs" for a recomputation; else the full node's alarm ("l1-stalled", "queue-overdue" …), or "unavailable". */
  readonly kind: string;
  /** A recomputation that differs stays so: it never ends. */
  readonly state: "raised" | "ended";
  /** Event in one sentence. */
  readonly text: string;
  readonly atMs: number;
  readonly chainId: number;
  readonly rollupAddress: string;
  readonly modelId?: number;
  readonly epoch?: number | null;
  readonly file?: string;
  readonly row?: number | null;
}

/** Limit of one call of the webhook. */
const TIMEOUT_MS = 10_000;

/** @returns whether it was taken; a refusal is logged, and the caller tries again */
export async function callWebhook(url: string, event: WatchEvent, logger: Logger): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    if (response.ok) return true;
    logger.warn(
      { status: response.status, kind: event.kind },
      "the webhook refuses an event; it is sent again",
    );
  } catch (error) {
    logger.warn({ err: error, kind: event.kind }, "the webhook does not answer; the event is sent again");
  }
  return false;
}
