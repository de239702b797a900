/** Routes of the Datanet host for events: lists, Atom feeds, and webhooks of the leaf that signs. host-api.ts registers them. */
import { entriesCost, setCost } from "@openledger/foundation/http/answer-costs";
import { MAX_URL_CHARACTERS } from "@openledger/foundation/http/post-to-stranger";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { atomFeed, eventEntry, type FeedEntry } from "../notices/atom-feed.ts";
import { EVENT_KINDS, type StoredEvent, sentenceOf } from "../notices/event.ts";
import { listEvents } from "../notices/event-store.ts";
import { type LeafAct, LeafActs } from "../notices/leaf-acts.ts";
import { addWebhook, listWebhooks, removeWebhook, replaceSecret, testWebhook } from "../notices/webhooks.ts";
import type { HostContext } from "./host-context.ts";
import { idParams, SIGNED, signerOf } from "./host-request.ts";

/** Entries of a feed. */
const FEED_ENTRIES = 50;
const eventsQuery = z.strictObject({
  after: z
    .union([z.string().regex(/^[0-9a-f]{32}$/, "is no uid of an event"), countFromText])
    .nullable()
    .default(null)
    .meta({ description: "uid of an event, or its id: those behind it, oldest first; 0 for all" }),
  limit: limit(200, 50),
});
const webhookBody = z.strictObject({
  url: z.string().min(1).max(MAX_URL_CHARACTERS),
  kinds: z.array(z.enum(EVENT_KINDS)).min(1).max(EVENT_KINDS.length),
});
const webhookParams = z.object({ id: z.string().regex(/^[0-9a-f]{32}$/, "is not the id of a webhook") });

/** Cost of a leaf's acts: a request to the sequencer, and 2,000 records that are gone through. */
const ACTS_COST = 2;
const actEntry = ({ atMs, by, kind, text, uid }: LeafAct, pageUrl: string): FeedEntry => ({
  uid,
  pageUrl,
  title: by === "key" ? "The key signed" : "The owner acted through Ethereum",
  category: kind,
  atMs,
  text,
});

/** Events, all of them from public facts, and who is told of them. */
export function registerNoticeRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, chainId, ledger, nowMs, rollupAddress, store } = context;
  const { database } = store;
  const sendFeed = (
    reply: FastifyReply,
    entries: readonly FeedEntry[],
    { path, title }: { readonly path: string; readonly title: string },
  ) => {
    const idPrefix = `urn:openledger:${chainId}:${rollupAddress.toLowerCase()}`;
    reply.type("application/atom+xml; charset=utf-8");
    return reply
      .serializer((text: string) => text)
      .send(atomFeed(entries, { title, url: `${context.origin()}${path}`, idPrefix, nowMs: nowMs() }));
  };
  const pagesUrl = (config.pagesUrl || config.sequencerUrl).replace(/\/$/, "");
  const view = (event: StoredEvent) => ({ ...event, text: sentenceOf(event) });

  for (const [room, about] of [
    ["leaves", "leafId"],
    ["datanets", "datanetId"],
  ] as const) {
    const whose = room === "leaves" ? "a leaf" : "a Datanet";
    const list = (id: number, { after, limit }: z.output<typeof eventsQuery>) =>
      listEvents(database, { ...({ [about]: id } as { leafId: number }), after, limit });
    route(
      `GET /v1/${room}/:id/events`,
      {
        tag: "notices",
        summary: `Events of ${whose}, newest first; with \`after\` those behind an event, oldest first`,
        params: idParams,
        querystring: eventsQuery,
        config: { maxCost: ({ query }) => entriesCost((query as z.output<typeof eventsQuery>).limit) },
      },
      async (request) => {
        const events = await list(request.params.id, request.query);
        setCost(request, entriesCost(events.length));
        return { events: events.map(view) };
      },
    );
    route(
      `GET /v1/${room}/:id/feed`,
      { tag: "notices", summary: `Events of ${whose} as an Atom feed`, params: idParams },
      async ({ params: { id } }, reply) => {
        const events = await list(id, { after: null, limit: FEED_ENTRIES });
        const title = room === "leaves" ? `OpenLedger account ${id}` : `OpenLedger Datanet ${id}`;
        const entries = events.map((event) => eventEntry(event, pagesUrl));
        return sendFeed(reply, entries, { title, path: `/v1/${room}/${id}/feed` });
      },
    );
  }

  const acts = new LeafActs({ ledger, database });
  route(
    "GET /v1/leaves/:id/acts",
    {
      tag: "notices",
      summary: "What a leaf's key has signed, and what its owner had done through L1; newest first",
      params: idParams,
      config: { maxCost: () => ACTS_COST },
    },
    async (request) => {
      setCost(request, ACTS_COST);
      return { acts: await acts.of(request.params.id) };
    },
  );
  route(
    "GET /v1/leaves/:id/acts/feed",
    {
      tag: "notices",
      summary: "The acts of a leaf as an Atom feed: a Safe's members follow their delegate by it",
      params: idParams,
      config: { maxCost: () => ACTS_COST },
    },
    async (request, reply) => {
      const { id } = request.params;
      setCost(request, ACTS_COST);
      const entries = (await acts.of(id)).map((act) => actEntry(act, `${pagesUrl}/#/leaf/${id}`));
      return sendFeed(reply, entries, {
        title: `OpenLedger acts of leaf ${id}`,
        path: `/v1/leaves/${id}/acts/feed`,
      });
    },
  );

  route(
    "GET /v1/webhooks",
    { tag: "notices", summary: "Webhooks of the leaf that signs", ...SIGNED },
    async (request) => ({ webhooks: await listWebhooks(database, (await signerOf(context, request)).id) }),
  );
  route(
    "POST /v1/webhooks",
    {
      tag: "notices",
      summary: "Add a webhook of the leaf that signs; the answer has its secret, this once",
      body: webhookBody,
      ...SIGNED,
    },
    async (request) => {
      const { id: leafId, l1Owner } = await signerOf(context, request);
      const ownerLeafIds = await ledger.leafIdsOf(l1Owner);
      // Of an owner with so many leaves that the ledger does not list this one.
      if (!ownerLeafIds.includes(leafId))
        throw datanetError("SRV_QUOTA_USED", `the owner of leaf ${leafId} has too many leaves for webhooks`, {
          data: { leafId, listedCount: ownerLeafIds.length },
        });
      const allowedHosts = config.webhookHosts;
      return addWebhook(database, {
        ...request.body,
        leafId,
        ownerLeafIds,
        nowMs: nowMs(),
        allowedHosts,
      });
    },
  );
  route(
    "DELETE /v1/webhooks/:id",
    { tag: "notices", summary: "Remove a webhook of the leaf that signs", params: webhookParams, ...SIGNED },
    async (request) => {
      await removeWebhook(database, (await signerOf(context, request)).id, request.params.id);
      return { id: request.params.id };
    },
  );
  route(
    "POST /v1/webhooks/:id/secret",
    {
      tag: "notices",
      summary: "Give a webhook a new secret; calls have the former one's signature, too, for a day",
      params: webhookParams,
      ...SIGNED,
    },
    async (request) => {
      const { id: leafId } = await signerOf(context, request);
      const { id } = request.params;
      return { id, secret: await replaceSecret(database, { id, leafId, nowMs: nowMs() }) };
    },
  );
  route(
    "POST /v1/webhooks/:id/test",
    {
      tag: "notices",
      summary: "Send a trial to a webhook; one that is off is on again once it takes it",
      params: webhookParams,
      ...SIGNED,
    },
    async (request) => {
      const { id: leafId } = await signerOf(context, request);
      await testWebhook(database, { id: request.params.id, leafId, nowMs: nowMs() });
      return { id: request.params.id };
    },
  );
}
