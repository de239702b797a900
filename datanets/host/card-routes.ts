/**
 * Routes of the Datanet host for the host itself, the directory of its Datanets, and their cards. host-api.ts registers them.
 */
import { hex32 } from "@openledger/foundation/hex";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { MAX_CARD_BYTES, readCardBytes } from "../card/card.ts";
import { requireHiddenRows } from "../card/hidden-rows.ts";
import { datanetError } from "../datanet-errors.ts";
import { datanetFacts } from "../store/datanet-facts.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import type { HostContext } from "./host-context.ts";
import { binaryBody, idParams, queryText, rootText } from "./host-request.ts";

const directoryQuery = z.strictObject({
  text: queryText(200).optional().meta({ description: "beginnings of words; the best matches come first" }),
  tag: queryText(40).optional(),
  field: queryText(60).optional(),
  access: z.enum(["public", "permissioned"]).optional(),
  from: countFromText.default(0),
  limit: limit(100, 50),
});

type DirectoryQuery = z.output<typeof directoryQuery>;

/** Datanets that the directory shows in the time of a unit. */
const CARDS_PER_UNIT = 20;

/** The host itself, its directory, and cards. */
export function registerCardRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, keyNotices, ledger, store } = context;

  route("GET /v1/info", { tag: "host", summary: "The host, its session and its limits" }, async () => ({
    origin: context.origin(),
    session: await context.sessions.current(),
    chainId: context.chainId,
    rollupAddress: context.rollupAddress,
    domain: hex32(context.domain),
    nowMs: context.nowMs(),
    limits: {
      maxRowBytes: config.maxRowBytes,
      maxChunkBytes: config.maxChunkBytes,
      maxCommitRows: config.maxCommitRows,
      maxCardBytes: MAX_CARD_BYTES,
      quotaBytesPerDay: config.quotaBytesPerDay,
      quotaRecordsPerDay: config.quotaRecordsPerDay,
      requestsPerMinute: config.rateLimitPerMinute,
    },
  }));

  route(
    "GET /v1/datanets",
    {
      tag: "cards",
      summary: "The directory, by text, tag, field and access",
      querystring: directoryQuery,
      config: { maxCost: ({ query }) => (query as DirectoryQuery).limit / CARDS_PER_UNIT },
    },
    async (request) => {
      const { query } = request;
      setCost(request, query.limit / CARDS_PER_UNIT);
      const { datanets, total } = await store.find(query);
      const views = await Promise.all(datanets.map((datanet) => datanetView(context, datanet)));
      return { total, datanets: views.map(directoryView) };
    },
  );

  route(
    "GET /v1/datanets/:id",
    { tag: "cards", summary: "A Datanet: its card, the ledger's facts, what is here", params: idParams },
    async ({ params: { id } }) => datanetView(context, await store.require(id)),
  );

  const policyParams = z.object({ id: countFromText, policy: rootText });
  route(
    "GET /v1/datanets/:id/cards/:policy",
    { tag: "cards", summary: "A card by its hash, as its canonical text", params: policyParams },
    async ({ params: { id, policy } }, reply) => {
      const card = await (await store.require(id)).card(BigInt(policy));
      if (card === null)
        throw datanetError("DNT_NOT_HOSTED", `this host has no card ${policy}`, { data: { policy } });
      reply.type("application/json; charset=utf-8");
      return reply.serializer((text: string) => text).send(card.text);
    },
  );

  route(
    "PUT /v1/datanets/:id/card",
    {
      bodyLimit: MAX_CARD_BYTES,
      tag: "cards",
      summary:
        "Bring the card whose hash is the Datanet's policy on the ledger; the body is its canonical text",
      params: idParams,
      consumes: ["application/octet-stream"],
    },
    async (request) => {
      const { id } = request.params;
      const card = readCardBytes(binaryBody(request));
      ledger.forget(id);
      const leaf = await ledger.datanet(id);
      const { datanet } = leaf;
      // card is the ledger's: a changed card is a new version, signed by the Datanet's key.
      if (card.policy !== datanet.policy)
        throw datanetError("DNT_NOT_ON_LEDGER", `the ledger's card of Datanet ${id} is another one`, {
          data: {
            reason: "card-not-on-ledger",
            policy: hex32(card.policy),
            onLedger: hex32(datanet.policy),
            version: datanet.version,
          },
        });
      const hosted = await store.openOrMake(id);
      const last = (await hosted.lastCard())?.card ?? null;
      await requireHiddenRows(card.card, last, async () => (await ledger.history(id)).commits.length);
      // Attack: a stolen owner wallet opens permissioned rows by a card that everybody, or a reviewer of its own, may read by.
      if (last?.access === "permissioned") await keyNotices.refuseCard(leaf, datanet.policy);
      await hosted.addCard(card);
      return { policy: hex32(card.policy), version: datanet.version };
    },
  );
}

type DatanetView = Awaited<ReturnType<typeof datanetView>>;

async function datanetView({ keyNotices, ledger }: HostContext, datanet: HostedDatanet) {
  const leaf = await ledger.datanet(datanet.id);
  const { policy, publishedAt, rowCount, rowsRoot, version } = leaf.datanet;
  const [named, facts] = await Promise.all([
    keyNotices.cardOf(datanet, leaf),
    datanetFacts(datanet, hex32(rowsRoot)),
  ]);
  return {
    id: datanet.id,
    card: named.card,
    policy: hex32(named.policy),
    /** false: the ledger has another card, which nobody has brought here, or which is under notice. */
    isCardCurrent: named.policy === policy,
    ledger: {
      l1Owner: leaf.l1Owner,
      keyX: hex32(leaf.keyX),
      version,
      rowCount,
      publishedAt,
      rowsRoot: hex32(rowsRoot),
      policy: hex32(policy),
    },
    here: {
      rowCount: datanet.rowCount,
      commitCount: datanet.commitCount,
      completeCommitCount: facts.completeCommitCount,
      hasVersion: facts.hasVersion,
      recordCount: datanet.recordCount,
    },
    access: {
      askedCount: facts.askedCount,
      unansweredCount: facts.unansweredCount,
      oldestUnansweredAtMs: facts.oldestUnansweredAtMs,
    },
  };
}

function directoryView({ access, card, here, id, isCardCurrent, ledger, policy }: DatanetView) {
  const { contact, description, field, labels, languages, licence, name, row, tags } = card;
  return {
    id,
    name,
    field,
    tags,
    licence,
    languages,
    contact,
    policy,
    isCardCurrent,
    description: description.slice(0, 400),
    rowKind: row.kind,
    labels: labels.map((label) => label.name),
    access: { kind: card.access, ...access },
    version: ledger.version,
    rowCount: ledger.rowCount,
    here,
  };
}
