/**
 * Time from which a model of a Datanet's version can be approved: a day after its publication, by Ethereum's clock. The models
 * tab and the factory show it.
 */
import { APPROVAL_DELAY_SECONDS } from "@openledger/circuits/protocol";
import type { Live } from "../ledger/live.ts";

/** Formats a moment in the reader's clock and zone, to the minute. */
const showMoment = (atMs: number): string =>
  new Date(atMs).toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });

export interface ApprovalTime {
  /** Time left in milliseconds; 0 if the time has come. */
  readonly leftMs: number;
  /** Time by the reader's clock: a chain for tests may be days ahead of it. */
  readonly at: string;
}

/**
 * Reads signals: call it while rendering.
 * @param publishedAtSeconds 0 if no version is published: it would be published now
 */
export function approvalTime(live: Live, publishedAtSeconds: number): ApprovalTime {
  const nowSeconds = live.status.value?.l1.timestamp ?? Math.floor(live.nowMs.value / 1000);
  const from = publishedAtSeconds === 0 ? nowSeconds : publishedAtSeconds;
  const leftMs = Math.max(0, 1000 * (from + APPROVAL_DELAY_SECONDS - nowSeconds));
  return { leftMs, at: showMoment(live.nowMs.value + leftMs) };
}
