/** Whether a published transcript is one chain, from the first key to its end. Runs in browsers. */
import { type CeremonyEntry, type CeremonyInfo, fromHex, toHex } from "./ceremony-api.ts";
import { checkRecord, contributionHash, splitRecord, TranscriptChain } from "./contribution-record.ts";
import { invalidContribution } from "./curve-points.ts";

/**
 * Recomputes every hash and checks that each author knew their secret: about 60 ms a contribution. That the finished key's
 * points follow from these contributions is what `ceremony verify` checks, with the circuit and the powers of tau.
 *
 * @throws RollupError PRV_CONTRIBUTION_INVALID with `data.index`
 */
export function checkTranscript(
  info: Pick<CeremonyInfo, "circuitHash" | "firstDelta" | "finished">,
  entries: readonly CeremonyEntry[],
  onProgress: (done: number, total: number) => void,
): void {
  const { circuitHash, finished, firstDelta } = info;
  const claims = [...entries, ...(finished === null ? [] : [finished])];
  const chain = new TranscriptChain(fromHex(circuitHash));
  let delta = fromHex(firstDelta);
  for (const [i, { hash, record: text }] of claims.entries()) {
    const index = i + 1;
    const record = splitRecord(fromHex(text));
    try {
      checkRecord(chain, delta, record);
    } catch (cause) {
      const { reason } = (cause as { data: { reason: string } }).data;
      throw invalidContribution(`contribution ${index}: ${reason}`, { cause, data: { index } });
    }
    if (toHex(contributionHash(record)) !== hash)
      throw invalidContribution(`contribution ${index}: its hash is another`, { data: { index } });
    chain.add(record);
    delta = record.deltaAfter;
    onProgress(index, claims.length);
  }
}
