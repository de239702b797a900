/** Whether a promise of a sequencer with a standby may be believed (docs/how-to/fail-over.md). */

/**
 * The answer was made while that much time was left. Where asking took longer, the machine may have been paused with the
 * answer in its hand, while the standby took over: then the same operation is sent again. No clock is compared with another.
 * @param lease of the answer; absent where the operator has one machine
 * @param tookMs from the request to the answer
 * @internal
 */
export const isInTime = (
  lease: { readonly remainingMs: number } | null | undefined,
  tookMs: number,
): boolean => lease == null || tookMs <= lease.remainingMs;
