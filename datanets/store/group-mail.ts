/** Messages of groups' members in a host's database, which earlier versions took: what is left of them is deleted after eight days. */
import type { Queries } from "@openledger/foundation/database/queries";
import { MAX_SESSION_MS } from "../records/group-message.ts";

/** Time after which a message is deleted: no session lasts longer, and clocks differ. */
const STORED_MS = MAX_SESSION_MS + 86_400_000;
const DELETED_AT_ONCE = 1_000;

/** Deletes messages of sessions that are over, a part at a time. @returns false if nothing is left to delete */
export async function deleteOldMessages({ query }: Queries, nowMs: number): Promise<boolean> {
  const deleted = await query(
    `delete from group_messages using (
        select session, author, step from group_messages where at_ms < $1::bigint limit $2 for update skip locked) as old
      where group_messages.session = old.session and group_messages.author = old.author and group_messages.step = old.step
      returning 1`,
    [nowMs - STORED_MS, DELETED_AT_ONCE],
  );
  return deleted.length === DELETED_AT_ONCE;
}
