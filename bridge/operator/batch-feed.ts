/**
 * Listens to the sequencer's feed, so that a proven batch goes to L1 at once and not at the next look. bridge.ts runs it beside
 * its loops.
 */

import { pause } from "@openledger/foundation/retry";
import { feedUrlOf } from "@openledger/foundation/wire/sequencer-request";
import { WebSocket } from "ws";
import { z } from "zod";

const RECONNECT_MS = 1_000;
/** The feed's messages are far below it. */
const MAX_MESSAGE_BYTES = 65_536;

const provenMessage = z.object({ event: z.literal("proven") });

interface BatchFeed {
  readonly sequencerUrl: string;
  readonly signal: AbortSignal;
  /** Called for each message that a batch is proven. It is only a hint: messages may be lost with the connection. */
  readonly onProven: () => void;
}

/** Connects, again and again, until the signal. Never throws: without a feed the loops look at their intervals. */
export async function followBatches({ onProven, sequencerUrl, signal }: BatchFeed): Promise<void> {
  const url = feedUrlOf(sequencerUrl, ["batches"]);
  while (!signal.aborted) {
    const socket = new WebSocket(url, { maxPayload: MAX_MESSAGE_BYTES });
    const end = () => socket.terminate();
    signal.addEventListener("abort", end, { once: true });
    socket.on("message", (bytes) => {
      if (isProven(String(bytes))) onProven();
    });
    // "close" follows.
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("close", resolve));
    signal.removeEventListener("abort", end);
    await pause(RECONNECT_MS, signal);
  }
}

function isProven(text: string): boolean {
  try {
    return provenMessage.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}
