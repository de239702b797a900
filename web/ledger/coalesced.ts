/** One run at a time of work that many events ask for, as a look at the sequencer's state. */

/**
 * Calls during a run cause one more run after it, however many they are: the present one may have begun before what they tell of.
 * @param run never rejects
 */
export function coalesced(run: () => Promise<void>): () => void {
  let isRunning = false;
  let isAgain = false;
  const start = async () => {
    isAgain = isRunning;
    if (isRunning) return;
    isRunning = true;
    await run();
    isRunning = false;
    if (isAgain) void start();
  };
  return () => void start();
}
