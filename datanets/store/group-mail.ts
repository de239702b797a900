/**
 * Messages of groups' members in a host's database: one for each member and step of a session, until it is over. group-routes.ts
 * stores and lists them.
 */
import type { Database } from "@openledger/foundation/database/database";
import type { Queries } from "@openledger/foundation/database/queries";
import { datanetError } from "../datanet-errors.ts";
import { type GroupMessage, MAX_SESSION_MS } from "../records/group-message.ts";
import type { Quotas } from "./quotas.ts";

/** Messages of one answer: every step of 32 members, who are the most that a replacement has. */
const MAX_MESSAGES = 288;
const MAX_SESSIONS = 1_000;
/** Messages of all groups, most of them below 4 KiB. */
const MAX_STORED = 50_000;
/** Messages of one key: hundreds of sessions in eight days. */
const MAX_OF_MEMBER = 1_000;
/** Time after which a message is deleted: no session lasts longer, and clocks differ. */
const STORED_MS = MAX_SESSION_MS + 86_400_000;
const DELETED_AT_ONCE = 1_000;

/**
 * Stores a member's message of a step; the same again is nothing new.
 * @throws DNT_GROUP_MESSAGE_DIFFERS, SRV_QUOTA_USED, SRV_DISK_FULL
 */
export function storeMessage(
  database: Database,
  message: GroupMessage,
  { atMs, leafId, quotas }: { atMs: number; leafId: number; quotas: Quotas },
): Promise<void> {
  const { from, session, step } = message;
  const text = JSON.stringify(message);
  return database.transaction(async (queries) => {
    // Locks the leaf: of two messages of a step at once the second one sees the first.
    await quotas.begin(queries, [leafId]);
    const [known] = await queries.query<{ message: string }>(
      "select message from group_messages where session = $1 and author = $2 and step = $3",
      [session, from, step],
    );
    if (known?.message === text) return;
    if (known !== undefined)
      throw datanetError(
        "DNT_GROUP_MESSAGE_DIFFERS",
        `the member has sent another message of the step "${step}" before`,
        { data: { session, step } },
      );
    // Attack: one account fills the mailbox of all groups with small messages, far below its bytes of a day.
    const [own] = await queries.query<{ count: number }>(
      `select count(*)::int as count from (select 1 from group_messages where author = $1 limit ${MAX_OF_MEMBER}) as counted`,
      [from],
    );
    if (own!.count === MAX_OF_MEMBER)
      throw datanetError(
        "SRV_QUOTA_USED",
        `the host stores ${MAX_OF_MEMBER} messages of leaf ${leafId}'s key and no more`,
        { data: { reason: "quota-used", leafId, what: "group messages", max: MAX_OF_MEMBER } },
      );
    const [stored] = await queries.query<{ count: number }>(
      `select count(*)::int as count from (select 1 from group_messages limit ${MAX_STORED}) as counted`,
    );
    if (stored!.count === MAX_STORED)
      throw datanetError("SRV_DISK_FULL", `the host stores ${MAX_STORED} messages of groups and no more`, {
        data: { maxMessages: MAX_STORED },
      });
    await quotas.takeBytes(queries, leafId, Buffer.byteLength(text));
    await queries.query(
      "insert into group_messages (session, author, step, at_ms, message) values ($1, $2, $3, $4::bigint, $5)",
      [session, from, step, atMs, text],
    );
  });
}

/**
 * Messages of a session, as they came. @param from keys whose messages are listed; null: everybody's, of whom strangers may have been
 * the first
 */
export async function listMessages(
  { query }: Queries,
  session: string,
  from: readonly string[] | null,
): Promise<GroupMessage[]> {
  const found = await query<{ message: string }>(
    `select message from group_messages where session = $1 and ($2::text[] is null or author = any($2))
      order by at_ms, author, step limit ${MAX_MESSAGES}`,
    [session, from],
  );
  return found.map(({ message }) => JSON.parse(message) as GroupMessage);
}

/** Sessions that these keys have invited to, or in which they propose, newest first. */
export async function listSessions({ query }: Queries, from: readonly string[]): Promise<string[]> {
  const found = await query<{ session: string }>(
    `select session from group_messages where author = any($1) and step in ('invite', 'propose')
      order by at_ms desc, session limit ${MAX_SESSIONS}`,
    [from],
  );
  return found.map(({ session }) => session);
}

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
