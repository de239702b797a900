/** Turns the directory of a full node into a sequencer's: what restores end with. */
import { replaceStoreRecord, type StoreRollup } from "@openledger/foundation/store/store-identity";
import { FOLLOW_MARKER } from "../../store/follow-marker.ts";
import { LedgerLog } from "../../store/ledger-log.ts";
import { storeKindOf } from "../../store/store-failure.ts";
import { type StoreWrite, storeKeys, underPrefix } from "../../store/store-keys.ts";
import { ALARM_PREFIX } from "../follow-alarms.ts";
import { PRECONFIRMATION_PREFIX } from "../follow-preconfirmations.ts";

/**
 * Gives a directory to a sequencer. Its unpromised places must be durable in it: from here on a sequencer may start on it.
 * @param path of a full node's directory that no process has open
 * @throws SRV_STORE_*
 */
export async function promoteDirectory(path: string, rollup: StoreRollup): Promise<void> {
  replaceStoreRecord(path, { kind: storeKindOf("sequencer"), rollup });
  const log = await LedgerLog.open(path, rollup);
  try {
    await forgetFullNode(log);
  } finally {
    await log.close();
  }
}

/**
 * Leaves what a sequencer would have: no marker, no evidence, no opening that stands in for forgotten entries, and no
 * queue entries that wait: the bridge hands them over.
 */
async function forgetFullNode(log: LedgerLog): Promise<void> {
  const writes: StoreWrite[] = [{ key: FOLLOW_MARKER }];
  for (const prefix of [PRECONFIRMATION_PREFIX, ALARM_PREFIX]) {
    for (const [key] of await log.keyed(underPrefix(prefix))) writes.push({ key });
  }
  const { queueHead, sequence: finalSequence } = (await log.finalPosition())!;
  for (const { queueIndex, status } of await log.queueEntriesFrom(queueHead))
    if (status === "queued") writes.push({ key: storeKeys.queueEntry(queueIndex) });
  let [last, before] = [-1, -1];
  let isOpening = false;
  for await (const [sequence, { type }] of log.entries(Math.max(0, finalSequence))) {
    [before, last] = [last, sequence];
    isOpening = type === "opened";
  }
  if (isOpening) {
    writes.push({ key: storeKeys.log(last) });
    log.endAt(before);
  }
  await log.write(writes);
}
