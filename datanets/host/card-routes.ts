import { hex32 } from "@openledger/foundation/hex";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { type Card, MAX_CARD_BYTES, readCardBytes } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import { wordsOf } from "../store/text-search.ts";
import type { HostContext } from "./host-context.ts";
import { binaryBody, idParams, rootText } from "./host-request.ts";

const directoryQuery = z.strictObject({
  text: z.string().max(200).optional(),
  tag: z.string().max(40).optional(),
  field: z.string().max(60).optional(),
  access: z.enum(["public", "permissioned"]).optional(),
  from: countFromText.default(0),
  limit: limit(100, 50),
});

/** Cards that the directory goes through in the time of a unit. */
const CARDS_PER_UNIT = 20;

/** The host itself, its directory, and cards. */
export function registerCardRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, ledger, registry } = context;

  route("GET /v1/info", { tag: "host", summary: "The host, its session and its limits" }, () => ({
    origin: context.origin(),
    session: context.session,
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
      config: { maxCost: () => registry.all().length / CARDS_PER_UNIT },
    },
    async (request) => {
      const { query } = request;
      setCost(request, registry.all().length / CARDS_PER_UNIT);
      const found = await Promise.all(
        registry.all().map(async (datanet) => ({ datanet, view: await datanetView(context, datanet) })),
      );
      const matching = found
        .filter(({ view }) => matches(view.card, query))
        .map(({ view }) => directoryView(view));
      return { total: matching.length, datanets: matching.slice(query.from, query.from + query.limit) };
    },
  );

  route(
    "GET /v1/datanets/:id",
    { tag: "cards", summary: "A Datanet: its card, the ledger's facts, what is here", params: idParams },
    async ({ params: { id } }) => datanetView(context, registry.known(id)),
  );

  const policyParams = z.object({ id: countFromText, policy: rootText });
  route(
    "GET /v1/datanets/:id/cards/:policy",
    { tag: "cards", summary: "A card by its hash, as its canonical text", params: policyParams },
    async ({ params: { id, policy } }, reply) => {
      const card = registry.known(id).card(BigInt(policy));
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
      const { datanet } = await ledger.datanet(id);
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
      await registry.openOrMake(id).addCard(card);
      return { policy: hex32(card.policy), version: datanet.version };
    },
  );
}

function loadingView({ loading: { doneCount, stage, totalCount } }: HostedDatanet) {
  return stage === null ? null : { stage, done: doneCount, total: totalCount };
}

type DatanetView = Awaited<ReturnType<typeof datanetView>>;

async function datanetView({ ledger }: HostContext, datanet: HostedDatanet) {
  const leaf = await ledger.datanet(datanet.id);
  const { policy, publishedAt, rowCount, rowsRoot, version } = leaf.datanet;
  const named = datanet.requireCard(policy);
  const unanswered = datanet.recordState.accessCases().filter(({ answer }) => answer === null);
  return {
    id: datanet.id,
    card: named.card,
    policy: hex32(named.policy),
    /** false: the ledger has a newer card, which nobody has brought here. */
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
      rowCount: datanet.rows.size,
      commitCount: datanet.commits.length,
      completeCommitCount: datanet.commits.filter(({ isComplete }) => isComplete).length,
      /** Progress of the read-back since the host's start; null if everything is loaded. */
      loading: loadingView(datanet),
      hasVersion: datanet.versions.some((one) => one.rowsRoot === hex32(rowsRoot)),
      recordCount: datanet.recordCount,
    },
    access: {
      askedCount: datanet.recordState.accessCases().length,
      unansweredCount: unanswered.length,
      oldestUnansweredAtMs: unanswered.reduce<number | null>(
        (oldest, { request }) => Math.min(oldest ?? request.atMs, request.atMs),
        null,
      ),
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

function matches(card: Card, { access, field, tag, text }: z.output<typeof directoryQuery>): boolean {
  if (access !== undefined && card.access !== access) return false;
  if (field !== undefined && card.field.toLowerCase() !== field.toLowerCase()) return false;
  if (tag !== undefined && !card.tags.some((one) => one.toLowerCase() === tag.toLowerCase())) return false;
  if (text === undefined) return true;
  const words = [...wordsOf([card.name, card.description, card.field, ...card.tags].join(" "))];
  return [...wordsOf(text)].every((start) => words.some((word) => word.startsWith(start)));
}
