/**
 * Events that a Datanet host tells a leaf of, and the leaf's webhooks there: rows used and disputed, payouts, requests for access,
 * models that wait. Pages and programs read and choose here.
 */
import { EVENT_KINDS, type EventKind, eventDataSchema } from "@openledger/datanets/notices/event";
import { z } from "zod";
import type { LedgerClient } from "../ledger-client.ts";
import { askHost, type HostAccess, type HostErrorCode } from "./host-request.ts";

const eventSchema = z.object({
  id: z.int(),
  /** Name of the event, the same at every host. */
  uid: z.string().regex(/^[0-9a-f]{32}$/),
  kind: z.enum(EVENT_KINDS),
  leafId: z.int(),
  datanetId: z.int().nullable(),
  atMs: z.number(),
  data: eventDataSchema,
  /** Event in one sentence. */
  text: z.string().max(1_000),
});
export type HostEvent = z.output<typeof eventSchema>;
const eventsSchema = z.object({ events: z.array(eventSchema).max(200) });

export interface ListEventsParameters {
  hostUrl: string;
  /** Leaf that is told: an account, or a Datanet. */
  leafId: number;
  /**
   * `uid` of an event, or its `id`: those behind it, the oldest first; 0 for all. A host whose database was restored may not know
   * it, and begins with the oldest. Default: the newest first.
   */
  after?: number | string;
  /** Maximum number, 200 at most; default: 50. */
  limit?: number;
}
export type ListEventsErrorCode = HostErrorCode;

/**
 * Lists what a host tells a leaf: of the last 90 days, and by the host's word. All of it is public. A program that asks for those
 * behind the last event that it has had reads each one.
 * @throws CLI_UNREACHABLE, SRV_RATE_LIMITED
 * @example
 * ```ts
 * for (const { atMs, text } of await listEvents(client, { hostUrl, leafId: 7 })) console.log(new Date(atMs), text);
 * ```
 */
export async function listEvents(
  client: HostAccess,
  { after, hostUrl, leafId, limit = 50 }: ListEventsParameters,
): Promise<HostEvent[]> {
  const behind = after === undefined ? "" : `after=${after}&`;
  const path = `/v1/leaves/${leafId}/events?${behind}limit=${limit}`;
  return (await askHost(client, hostUrl, { path }, eventsSchema)).events;
}

interface OfLeaf {
  hostUrl: string;
  /** Leaf that signs; default: the client's. */
  from?: number;
}

const webhooksSchema = z.object({
  webhooks: z.array(
    z.object({
      id: z.string(),
      url: z.string(),
      kinds: z.array(z.enum(EVENT_KINDS)),
      createdAtMs: z.number(),
      isOn: z.boolean(),
      lastResult: z.string().nullable(),
      lastAtMs: z.number().nullable(),
      waitingCount: z.int(),
    }),
  ),
});
/** A webhook; `isOn` is false once ten deliveries in a row were given up, until it takes a trial. Its events wait meanwhile. */
export type HostWebhook = z.output<typeof webhooksSchema>["webhooks"][number];

export interface AddWebhookParameters extends OfLeaf {
  /** Public https address. */
  url: string;
  kinds: readonly EventKind[];
}
export type AddWebhookErrorCode = "SRV_ADDRESS_REFUSED" | "SRV_QUOTA_USED" | HostErrorCode;

/**
 * Has a host call an address for each event of the signing leaf, signed after Standard Webhooks: HMAC-SHA256 under the secret that
 * is returned, and never shown again. At most five a leaf.
 * @throws SRV_ADDRESS_REFUSED, SRV_QUOTA_USED
 * @example
 * ```ts
 * const { secret } = await addWebhook(client, { hostUrl, url: "https://example.org/hook", kinds: ["row.used", "paid.out"] });
 * ```
 */
export async function addWebhook(
  client: LedgerClient,
  { from, hostUrl, kinds, url }: AddWebhookParameters,
): Promise<{ id: string; secret: string }> {
  const call = { method: "POST", path: "/v1/webhooks", body: { url, kinds }, isSigned: true, from } as const;
  return askHost(client, hostUrl, call, z.object({ id: z.string(), secret: z.string() }));
}

export type ListWebhooksParameters = OfLeaf;
export type ListWebhooksErrorCode = HostErrorCode;

/**
 * Lists the webhooks of the signing leaf at a host, with the result of each one's last call.
 * @throws CLI_NOT_CONFIGURED
 * @example
 * ```ts
 * const broken = (await listWebhooks(client, { hostUrl })).filter(({ isOn }) => !isOn);
 * ```
 */
export async function listWebhooks(
  client: LedgerClient,
  { from, hostUrl }: ListWebhooksParameters,
): Promise<HostWebhook[]> {
  const call = { path: "/v1/webhooks", isSigned: true, from } as const;
  return (await askHost(client, hostUrl, call, webhooksSchema)).webhooks;
}

export interface RemoveWebhookParameters extends OfLeaf {
  id: string;
}
export type RemoveWebhookErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;
const named = z.object({ id: z.string() });

/**
 * Removes a webhook of the signing leaf, with what is on its way.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * for (const { id } of await listWebhooks(client, { hostUrl })) await removeWebhook(client, { hostUrl, id });
 * ```
 */
export async function removeWebhook(
  client: LedgerClient,
  { from, hostUrl, id }: RemoveWebhookParameters,
): Promise<void> {
  const call = { method: "DELETE", path: `/v1/webhooks/${id}`, isSigned: true, from } as const;
  await askHost(client, hostUrl, call, named);
}

export type ReplaceWebhookSecretParameters = RemoveWebhookParameters;
export type ReplaceWebhookSecretErrorCode = "DNT_NOT_HOSTED" | HostErrorCode;

/**
 * Gives a webhook of the signing leaf a new secret, which is returned and never shown again. For a day calls have two signatures, by
 * the former secret, too.
 * @throws DNT_NOT_HOSTED
 * @example
 * ```ts
 * const [first] = await listWebhooks(client, { hostUrl });
 * if (first !== undefined) console.log((await replaceWebhookSecret(client, { hostUrl, id: first.id })).secret);
 * ```
 */
export async function replaceWebhookSecret(
  client: LedgerClient,
  { from, hostUrl, id }: ReplaceWebhookSecretParameters,
): Promise<{ id: string; secret: string }> {
  const call = { method: "POST", path: `/v1/webhooks/${id}/secret`, isSigned: true, from } as const;
  return askHost(client, hostUrl, call, z.object({ id: z.string(), secret: z.string() }));
}

export type TestWebhookParameters = RemoveWebhookParameters;
export type TestWebhookErrorCode = "DNT_NOT_HOSTED" | "SRV_QUOTA_USED" | HostErrorCode;

/**
 * Has a host send a trial to a webhook of the signing leaf. One that is off is on again once it takes it, and gets what waits.
 * @throws DNT_NOT_HOSTED, SRV_QUOTA_USED for a second one within ten seconds
 * @example
 * ```ts
 * const [first] = await listWebhooks(client, { hostUrl });
 * if (first !== undefined) await testWebhook(client, { hostUrl, id: first.id });
 * ```
 */
export async function testWebhook(
  client: LedgerClient,
  { from, hostUrl, id }: TestWebhookParameters,
): Promise<void> {
  const call = { method: "POST", path: `/v1/webhooks/${id}/test`, isSigned: true, from } as const;
  await askHost(client, hostUrl, call, named);
}
