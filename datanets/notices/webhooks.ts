/**
 * Webhooks of leaves: who is told of which events, and the calls themselves, signed after the Standard Webhooks specification
 * (https://www.standardwebhooks.com). A call that is not taken is made again, less and less often, and given up in the end. After
 * `MAX_FAILURES` of those in a row a webhook is off: its deliveries are held, as long as events stay, until a trial is taken.
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Queries, Transactions } from "@openledger/foundation/database/queries";
import { postToStranger, strangersUrl } from "@openledger/foundation/http/post-to-stranger";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { datanetError } from "../datanet-errors.ts";
import { type EventKind, type StoredEvent, sentenceOf } from "./event.ts";
import { EVENT_COLUMNS, type EventRow, eventOf, MAX_FAILURES } from "./event-store.ts";

/** Webhooks of one leaf, of all leaves of an L1 owner, and of a whole host. */
const MAX_WEBHOOKS_OF_LEAF = 5;
const MAX_WEBHOOKS_OF_OWNER = 25;
const MAX_WEBHOOKS = 10_000;
/** Pauses before the second call, the third, …, in milliseconds; after the last call a delivery is given up. */
export const RETRY_MS = [5_000, 60_000, 300_000, 1_800_000, 7_200_000, 21_600_000] as const;
/** Maximum time until a call, twice the longest pause; one that is later was set by a clock that was wrong. */
const MAX_DELAY_MS = 2 * Math.max(...RETRY_MS);
const TIMEOUT_MS = 5_000;
/** Calls that are made at a time: a slow receiver holds up nobody else. */
const AT_A_TIME = 8;
/** Time for which a delivery is this host's: longer than a call takes. */
const CLAIM_MS = 30_000;
const MAX_RESULT_CHARACTERS = 100;
const SECRET_PREFIX = "whsec_";
/** Time for which calls are signed by the former secret, too. */
const FORMER_SECRET_MS = 86_400_000;

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly kinds: readonly EventKind[];
  readonly createdAtMs: number;
  /** False once too many deliveries in a row were given up. */
  readonly isOn: boolean;
  /** Status of the last call, or why there was no answer; null before the first. */
  readonly lastResult: string | null;
  readonly lastAtMs: number | null;
  /** Deliveries that wait: for their time, or for the webhook to be on again. */
  readonly waitingCount: number;
}

/** Webhooks of a leaf, the oldest first. */
export async function listWebhooks(queries: Queries, leafId: number): Promise<Webhook[]> {
  const found = await queries.query<Omit<Webhook, "isOn"> & { failures: number }>(
    `select id, url, kinds, created_at_ms::float8 as "createdAtMs", failures, last_result as "lastResult",
            last_at_ms::float8 as "lastAtMs",
            (select count(*)::int from deliveries where webhook_id = webhooks.id) as "waitingCount"
       from webhooks where leaf_id = $1 order by created_at_ms, id`,
    [leafId],
  );
  return found.map(({ failures, ...webhook }) => ({ ...webhook, isOn: failures < MAX_FAILURES }));
}

const newSecret = () => `${SECRET_PREFIX}${randomBytes(32).toString("base64")}`;

export interface NewWebhook {
  readonly leafId: number;
  /** Leaves with the leaf's L1 owner, that one among them: a person has as many as they pay for. */
  readonly ownerLeafIds: readonly number[];
  readonly url: string;
  readonly kinds: readonly EventKind[];
  readonly nowMs: number;
  readonly allowedHosts: readonly string[];
}

/**
 * Adds a webhook. In a full host it takes the place of another: one that is off, or the newest of a leaf that has more than this one
 * would have. So whoever fills the host keeps out nobody else.
 * @returns its id and the secret that signs its calls, which is shown this once
 * @throws SRV_ADDRESS_REFUSED, SRV_QUOTA_USED
 */
export async function addWebhook(
  database: Transactions,
  { allowedHosts, kinds, leafId, nowMs, ownerLeafIds, url }: NewWebhook,
): Promise<{ id: string; secret: string }> {
  const { href } = strangersUrl(url, { allowedHosts });
  const id = randomBytes(16).toString("hex");
  const secret = newSecret();
  await database.transaction(async (queries) => {
    await queries.query("lock table webhooks in share row exclusive mode");
    const [counts] = await queries.query<{ own: number; ofOwner: number; all: number }>(
      `select (count(*) filter (where leaf_id = $1))::int as own, (count(*) filter (where leaf_id = any($2)))::int as "ofOwner",
              count(*)::int as all from webhooks`,
      [leafId, ownerLeafIds],
    );
    const { all, ofOwner, own } = counts!;
    const hasShare = own < MAX_WEBHOOKS_OF_LEAF && ofOwner < MAX_WEBHOOKS_OF_OWNER;
    if (!hasShare || (all >= MAX_WEBHOOKS && !(await makeRoom(queries, own))))
      throw datanetError(
        "SRV_QUOTA_USED",
        `leaf ${leafId} has ${own} webhooks here, and its owner ${ofOwner}: it gets no more`,
        {
          data: { maxOfLeaf: MAX_WEBHOOKS_OF_LEAF, maxOfOwner: MAX_WEBHOOKS_OF_OWNER, max: MAX_WEBHOOKS },
        },
      );
    await queries.query(
      "insert into webhooks (id, leaf_id, url, kinds, secret, created_at_ms) values ($1, $2, $3, $4, $5, $6)",
      [id, leafId, href, kinds, secret, nowMs],
    );
  });
  return { id, secret };
}

/** Removes one webhook in favour of a leaf that has `ownCount`. @returns whether there was one to remove */
async function makeRoom(queries: Queries, ownCount: number): Promise<boolean> {
  const removed = await queries.query(
    `delete from webhooks where id = (
       select id from (select *, count(*) over (partition by leaf_id) as of_leaf from webhooks) as counted
        where failures >= $1 or of_leaf > $2
        order by failures >= $1 desc, of_leaf desc, created_at_ms desc, id limit 1) returning 1`,
    [MAX_FAILURES, ownCount + 1],
  );
  return removed.length > 0;
}

/** Removes a webhook of a leaf, with what is on its way. @throws DNT_NOT_HOSTED */
export async function removeWebhook(queries: Queries, leafId: number, id: string): Promise<void> {
  const removed = await queries.query("delete from webhooks where id = $1 and leaf_id = $2 returning 1", [
    id,
    leafId,
  ]);
  if (removed.length === 0) throw unknown(id, leafId);
}

/**
 * Gives a webhook of a leaf a new secret. For a day calls have the former one's signature as well, so that its receiver can change
 * over without losing one.
 * @returns the new secret, which is shown this once
 * @throws DNT_NOT_HOSTED
 */
export async function replaceSecret(
  queries: Queries,
  { id, leafId, nowMs }: { id: string; leafId: number; nowMs: number },
): Promise<string> {
  const secret = newSecret();
  const own = await queries.query(
    `update webhooks set former_secret = secret, former_until_ms = $4, secret = $3 where id = $1 and leaf_id = $2 returning 1`,
    [id, leafId, secret, nowMs + FORMER_SECRET_MS],
  );
  if (own.length === 0) throw unknown(id, leafId);
  return secret;
}

/** Time between two trials of one leaf. */
const TEST_EVERY_MS = 10_000;

/** Sends a trial to a webhook of a leaf; one that is off is on again once it takes it. @throws DNT_NOT_HOSTED, SRV_QUOTA_USED */
export async function testWebhook(
  database: Transactions,
  { id, leafId, nowMs }: { id: string; leafId: number; nowMs: number },
): Promise<void> {
  await database.transaction(async (queries) => {
    const own = await queries.query("select 1 from webhooks where id = $1 and leaf_id = $2", [id, leafId]);
    if (own.length === 0) throw unknown(id, leafId);
    const recent = await queries.query(
      "select 1 from events where leaf_id = $1 and kind = 'test' and at_ms > $2 and at_ms <= $3 limit 1",
      [leafId, nowMs - TEST_EVERY_MS, nowMs],
    );
    if (recent.length > 0)
      throw datanetError("SRV_QUOTA_USED", `leaf ${leafId} had a trial a moment ago`, {
        data: { everyMs: TEST_EVERY_MS },
      });
    // Attack: trials of a receiver that never answers, each called again for hours. A leaf has one at a time.
    await queries.query("delete from events where leaf_id = $1 and kind = 'test'", [leafId]);
    const [event] = await queries.query<{ id: string }>(
      `insert into events (name, leaf_id, kind, at_ms, body) values ($1, $2, 'test', $3, '{}') returning id`,
      [`test/${randomBytes(16).toString("hex")}`, leafId, nowMs],
    );
    await queries.query("insert into deliveries (webhook_id, event_id, next_at_ms) values ($1, $2, $3)", [
      id,
      event!.id,
      nowMs,
    ]);
  });
}

const unknown = (id: string, leafId: number) =>
  datanetError("DNT_NOT_HOSTED", `leaf ${leafId} has no webhook ${id} here`, { data: { webhookId: id } });

/** Body of a call: type, time and data, with the event's sentence. */
const payloadOf = (event: StoredEvent): string =>
  JSON.stringify({
    type: event.kind,
    timestamp: new Date(event.atMs).toISOString(),
    data: { ...event.data, leafId: event.leafId, text: sentenceOf(event) },
  });

/**
 * Headers of a call after Standard Webhooks: HMAC-SHA256 of "id.timestamp.body" under each secret.
 * @param seconds Unix time of this call, against which a receiver refuses old ones
 */
function signedHeaders(
  secrets: readonly string[],
  { body, id, seconds }: { id: string; seconds: number; body: string },
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
  });
  return {
    "content-type": "application/json",
    "user-agent": "OpenLedger-Webhooks/1",
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.join(" "),
  };
}

interface Claimed extends EventRow {
  readonly webhookId: string;
  readonly attempts: number;
  readonly url: string;
  readonly secret: string;
  /** Secret before it, while calls are signed by it, too. */
  readonly formerSecret: string | null;
}

interface DeliverModules {
  readonly database: Transactions;
  readonly nowMs: () => number;
  readonly allowedHosts: readonly string[];
}

/** Condition of a delivery that is due. */
const DUE = "not is_held and (next_at_ms <= $1::bigint or next_at_ms > $1::bigint + $4::bigint)";

/**
 * Makes the calls that are due, some at a time: the oldest one of each leaf, and leaves in the order of their last calls, so that one
 * with thousands of events or a slow receiver holds up no other.
 * @returns whether more may be due
 */
export async function deliverDue({ allowedHosts, database, nowMs }: DeliverModules): Promise<boolean> {
  // Claimed for a while: a host that ends meanwhile leaves them to the others.
  const claimed = await database.query<Claimed>(
    `with due as (
       select webhook_id, event_id from deliveries where ${DUE} and (webhook_id, event_id) in (
         select webhook_id, event_id from (
           select distinct on (leaf_id) oldest.*, last_at_ms from webhooks cross join lateral (
             select webhook_id, event_id, next_at_ms from deliveries where webhook_id = webhooks.id and ${DUE}
              order by next_at_ms limit 1) as oldest
            order by leaf_id, next_at_ms) as of_leaf
          order by last_at_ms nulls first limit $2)
        for update skip locked),
     claimed as (
       update deliveries set next_at_ms = $1::bigint + $3::bigint from due
        where deliveries.webhook_id = due.webhook_id and deliveries.event_id = due.event_id
        returning deliveries.webhook_id, deliveries.event_id, attempts)
     select claimed.webhook_id as "webhookId", attempts, url, secret,
            case when former_until_ms > $1::bigint then former_secret end as "formerSecret", ${EVENT_COLUMNS}
       from claimed join webhooks on webhooks.id = claimed.webhook_id join events on events.id = claimed.event_id`,
    [nowMs(), AT_A_TIME, CLAIM_MS, MAX_DELAY_MS],
  );
  await Promise.all(
    claimed.map(async ({ attempts, formerSecret, secret, url, webhookId, ...row }) => {
      const event = eventOf(row);
      const body = payloadOf(event);
      // The same at each attempt: a receiver knows what it has had. By the event's name: after a restore another event has the number.
      const id = `${webhookId}-${event.uid}`;
      const secrets = formerSecret === null ? [secret] : [secret, formerSecret];
      const headers = signedHeaders(secrets, { id, body, seconds: Math.floor(nowMs() / 1_000) });
      const result = await postToStranger(url, { body, headers, timeoutMs: TIMEOUT_MS, allowedHosts }).then(
        (status) => ({ isTaken: status >= 200 && status < 300, text: String(status) }),
        (error: unknown) => ({ isTaken: false, text: reasonOf(error) }),
      );
      const delivery = { webhookId, eventId: event.id, kind: event.kind, attempts: attempts + 1 };
      await database.transaction((queries) => noteResult(queries, delivery, { ...result, nowMs: nowMs() }));
    }),
  );
  return claimed.length > 0;
}

/** Stores the result of a call, and what follows from it for the webhook's other deliveries. */
async function noteResult(
  queries: Queries,
  delivery: { webhookId: string; eventId: number; kind: EventKind; attempts: number },
  { isTaken, nowMs, text }: { isTaken: boolean; text: string; nowMs: number },
): Promise<void> {
  const { attempts, eventId, kind, webhookId } = delivery;
  const pauseMs = RETRY_MS[attempts - 1];
  const isGivenUp = !isTaken && pauseMs === undefined;
  const [before] = await queries.query<{ failures: number }>(
    "select failures from webhooks where id = $1 for update",
    [webhookId],
  );
  // Removed meanwhile, with its deliveries.
  if (before === undefined) return;
  const failures = isTaken ? 0 : before.failures + (isGivenUp ? 1 : 0);
  await queries.query("update webhooks set last_result = $2, last_at_ms = $3, failures = $4 where id = $1", [
    webhookId,
    text,
    nowMs,
    failures,
  ]);
  const one = [webhookId, eventId];
  if (isTaken || (isGivenUp && kind === "test"))
    await queries.query("delete from deliveries where webhook_id = $1 and event_id = $2", one);
  else
    await queries.query(
      `update deliveries set attempts = $3, next_at_ms = $4, is_held = $5 where webhook_id = $1 and event_id = $2`,
      [...one, attempts, nowMs + (pauseMs ?? 0), isGivenUp],
    );
  if (isTaken && before.failures < MAX_FAILURES)
    // The receiver takes others: these it does not want.
    await queries.query("delete from deliveries where webhook_id = $1 and is_held and attempts > $2", [
      webhookId,
      RETRY_MS.length,
    ]);
  if (isTaken)
    await queries.query(
      "update deliveries set is_held = false, attempts = 0, next_at_ms = $2 where webhook_id = $1 and is_held",
      [webhookId, nowMs],
    );
  if (failures >= MAX_FAILURES)
    await queries.query(
      `update deliveries set is_held = true from events
        where webhook_id = $1 and events.id = event_id and events.kind <> 'test'`,
      [webhookId],
    );
}

/** Reason of a failed call, as its owner may read it: nothing about the operator's network. */
function reasonOf(error: unknown): string {
  if (isRollupError(error, "SRV_ADDRESS_REFUSED")) return error.message.slice(0, MAX_RESULT_CHARACTERS);
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${TIMEOUT_MS / 1_000} s`;
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[A-Z_]{1,40}$/.test(code) ? code : "no connection";
}
