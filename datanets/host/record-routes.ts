/**
 * Routes of the Datanet host for signed records: labels, disputes, approvals, terms, objections, withdrawals, requests for
 * access, recomputations, reports. host-api.ts registers them.
 */
import { entriesCost, setCost } from "@openledger/foundation/http/answer-costs";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { datanetError, datanetErrors } from "../datanet-errors.ts";
import {
  checkSignatures,
  idOfMessage,
  type RecordBody,
  recordMessage,
  type SignedRecord,
  signedRecordSchema,
} from "../records/record.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import { isJournalled } from "../store/journal-files.ts";
import type { HostLeaf } from "../store/ledger-view.ts";
import { accessRecords, earningsConsents, leftOutRows, publicRecords } from "../store/listed-records.ts";
import { RecordIntake } from "../store/record-intake.ts";
import type { RecordKnowledge, RecordOffer } from "../store/record-offer.ts";
import { listTerms, requireTermsOfCard } from "../store/signed-terms.ts";
import { recordsHere, requireNewest } from "../store/take-records.ts";
import { listRecomputations } from "../store/verified-records.ts";
import { listWithdrawals } from "../store/withdrawn-rows.ts";
import { requireMaySay } from "./access.ts";
import type { HostContext } from "./host-context.ts";
import { cardOf, digestText, idParams, MAX_LEAD_MS, openForReading, pageOf, SIGNED } from "./host-request.ts";
import { requireOnLedger } from "./ledger-check.ts";
import { scanCost } from "./scan-costs.ts";

const MAX_RECORDS_A_REQUEST = 500;

/** Records whose signatures are checked in the time of a unit: 500 take 23 ms of the processor, a plain request 0.7. */
const CHECKED_PER_UNIT = 16;

const recordsBody = z.strictObject({ records: z.array(z.unknown()).min(1).max(MAX_RECORDS_A_REQUEST) });
const recordsQuery = z.strictObject({ from: countFromText.default(0), limit: limit(1_000, 200) });
const withdrawalsQuery = recordsQuery.extend({ row: digestText.optional() });
const verifiedQuery = recordsQuery.extend({ model: countFromText.optional() });

const recordsCost = ({ records }: z.output<typeof recordsBody>) => records.length / CHECKED_PER_UNIT;

type RecordsPage = z.output<typeof recordsQuery>;

/** A list of one kind of records, which anyone may read. */
interface RecordList {
  readonly name: string;
  readonly summary: string;
  list(datanet: HostedDatanet, page: RecordsPage): Promise<{ records: SignedRecord[]; total: number }>;
}

/** Labels, disputes, approvals, objections, withdrawals, requests for access, recomputations, reports: records signed by ledger keys. */
export function registerRecordRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { domain, journal, keyNotices, ledger, metrics, nowMs, quotas, store } = context;
  const intake = new RecordIntake(quotas);

  route(
    "POST /v1/datanets/:id/records",
    {
      tag: "records",
      summary: "Signed records; each is taken or refused by itself",
      params: idParams,
      body: recordsBody,
      config: { maxCost: ({ body }) => recordsCost(body as z.output<typeof recordsBody>) },
    },
    async (request) => {
      const { body } = request;
      const { id } = request.params;
      setCost(request, recordsCost(body));
      const datanet = await store.require(id);
      const read = body.records.map((value) => readRecord(datanet, value));
      const records = read.flatMap((one) => (isRollupError(one) ? [] : [one]));
      const messages = records.map(({ body }) => recordMessage(domain, body));
      const ids = messages.map(idOfMessage);
      const card = await cardOf(context, datanet);
      const sound = checkSignatures(records, messages);
      // Attack: 500 forged records name 500 leaves. Nobody is asked for leaves whose records are not signed by the key that they name.
      const named = records.flatMap(({ body }, i) => (sound[i] ? modelAndLeafOf(body) : []));
      const signers = await ledger.leaves(named);
      const isSigned = records.map(
        ({ body, keyX }, i) => sound[i]! && signers.get(body.leafId)?.keyX === BigInt(keyX),
      );
      // A record that is here stays, though its leaf has another key by now. What passes is looked for when it is taken.
      const doubtful = records.flatMap(({ body }, i) =>
        isSigned[i] && body.kind !== "verified" ? [] : [{ id: ids[i]!, body }],
      );
      const here = await recordsHere(store.database, id, doubtful);
      const offers: { place: number; offer: RecordOffer }[] = [];
      const errors: (RollupError | null)[] = read.map((one) => (isRollupError(one) ? one : null));
      const readIds = read.map((): `0x${string}` | null => null);
      let next = 0;
      for (const [place, record] of read.entries()) {
        if (isRollupError(record)) continue;
        const i = next++;
        const ownId = ids[i]!;
        readIds[place] = ownId;
        if (here.has(ownId)) continue;
        if (!isSigned[i]) {
          errors[place] = notSigned(record.body.leafId);
          continue;
        }
        const signer = signers.get(record.body.leafId)!;
        errors[place] = await refusalOf(
          record.body.kind === "verified" || record.body.kind === "report"
            ? requireOnLedger(ledger, record.body)
            : requireLongKey(record.body, signer).then(async () => {
                if (record.body.kind === "terms") await requireTermsOfCard(ledger, datanet, record.body);
              }),
        );
        if (errors[place] !== null) continue;
        const check = (known: RecordKnowledge) => {
          requireNewest(known, record.body);
          requireMaySay(record.body, signer, { ...known, card, datanetId: id });
        };
        offers.push({ place, offer: { id: ownId, record, check } });
      }
      const refusals = await intake.take(
        datanet,
        offers.map(({ offer }) => offer),
      );
      for (const [i, refusal] of refusals.entries()) {
        const { offer, place } = offers[i]!;
        if (refusal === null) metrics.records.inc({ kind: offer.record.body.kind });
        else if ((datanetErrors.statusOf(refusal.code) ?? 500) >= 500) throw refusal;
        errors[place] = refusal;
      }
      // Before it is acknowledged. A record that is here may be one that could not be written when it came.
      const taken = offers.filter((_, i) => refusals[i] === null).map(({ offer }) => offer.record);
      if (records.some(isJournalled)) await journal.add(taken);
      const results = errors.map((error, i) => {
        if (error !== null) {
          metrics.errors.inc({ code: error.code });
          return { id: null, error: error.toJSON() };
        }
        return { id: readIds[i], error: null };
      });
      return { results };
    },
  );

  route(
    "GET /v1/datanets/:id/records",
    {
      tag: "records",
      summary:
        "All records in the order in which they came, for who may read the rows: labels and notes tell what they are",
      params: idParams,
      querystring: recordsQuery,
      ...SIGNED,
      config: { maxCost: ({ query }) => entriesCost((query as z.output<typeof recordsQuery>).limit) },
    },
    async (request) => {
      const { id } = request.params;
      const { from, limit } = request.query;
      const { card, datanet } = await openForReading(context, request, id);
      const { records, seenCount } = await publicRecords(datanet, card, { from, limit });
      // Read, shown or not.
      setCost(request, entriesCost(seenCount));
      const next = from + seenCount;
      return { records, total: datanet.recordCount, nextFrom: next < datanet.recordCount ? next : null };
    },
  );

  route(
    "GET /v1/datanets/:id/verified",
    {
      tag: "records",
      summary:
        "Who has recomputed models of the Datanet, or their settlements: differences first, then the newest",
      params: idParams,
      querystring: verifiedQuery,
      config: { maxCost: ({ query }) => entriesCost((query as RecordsPage).limit) },
    },
    async (request) => {
      const { id } = request.params;
      const { from, limit, model } = request.query;
      await store.require(id);
      const found = { model: model ?? null, from, limit };
      const { records, total } = await listRecomputations(store.database, id, found);
      setCost(request, entriesCost(records.length));
      return pageOf({ records, total }, { from, limit });
    },
  );

  route(
    "GET /v1/datanets/:id/withdrawals",
    {
      tag: "records",
      summary:
        "Rows that their contributors have withdrawn, by the signed withdrawals, in the order in which they came",
      params: idParams,
      querystring: withdrawalsQuery,
      config: { maxCost: ({ query }) => entriesCost((query as z.output<typeof withdrawalsQuery>).limit) },
    },
    async (request) => {
      const { from, limit, row } = request.query;
      const datanet = await store.require(request.params.id);
      const { records, total } = await listWithdrawals(store.database, datanet.id, {
        from,
        limit,
        row: row ?? null,
      });
      setCost(request, entriesCost(records.length));
      return pageOf({ records, total }, { from, limit });
    },
  );

  const lists = [
    {
      name: "terms",
      summary: "Terms that contributors have signed for their commits, in the order in which they came",
      list: ({ id }, page) => listTerms(store.database, id, page),
    },
    {
      name: "access",
      summary:
        "Requests for access, and the owner's answers, as signed records in the order in which they came",
      list: accessRecords,
    },
    {
      name: "earnings-consents",
      summary: "Accounts that let boards show what they earn, by their signed records",
      list: earningsConsents,
    },
  ] satisfies RecordList[];
  for (const { list, name, summary } of lists)
    route(
      `GET /v1/datanets/:id/${name}`,
      {
        tag: "records",
        summary,
        params: idParams,
        querystring: recordsQuery,
        config: { maxCost: ({ query }) => entriesCost((query as RecordsPage).limit) },
      },
      async (request) => {
        const found = await list(await store.require(request.params.id), request.query);
        setCost(request, entriesCost(found.records.length));
        return pageOf(found, request.query);
      },
    );

  route(
    "GET /v1/datanets/:id/left-out",
    {
      tag: "records",
      summary: "Rows that are left out, why, by whom, and who objects, for who may read the rows",
      params: idParams,
      ...SIGNED,
      config: { maxCost: ({ params }) => scanCost(context, (params as { id: number }).id) },
    },
    async (request) => {
      const { id } = request.params;
      const { card, datanet } = await openForReading(context, request, id);
      const leftOut = await leftOutRows(datanet, card);
      setCost(request, scanCost(context, id) + entriesCost(leftOut.length));
      return leftOut;
    },
  );

  /** Refuses what nobody can undo, as long as the signer's key is under notice. @throws DNT_KEY_NOTICE */
  async function requireLongKey(body: RecordBody, signer: HostLeaf): Promise<void> {
    if (body.kind === "withdrawal") await keyNotices.refuse(signer, "withdraws no row");
    if (body.kind === "terms") await keyNotices.refuse(signer, "signs no terms");
    if (body.kind === "accessAnswer" && body.answer === "grant")
      await keyNotices.refuse(signer, "grants no access");
  }

  /** Reads a record. An error of its form is returned, not thrown. */
  function readRecord(datanet: HostedDatanet, value: unknown): SignedRecord | RollupError {
    const parsed = signedRecordSchema.safeParse(value);
    if (!parsed.success) return invalid(z.prettifyError(parsed.error).slice(0, 500));
    const { body } = parsed.data;
    if (body.datanetId !== datanet.id) return invalid(`it is of Datanet ${body.datanetId}`);
    return body.atMs > nowMs() + MAX_LEAD_MS ? invalid("it is from the future") : parsed.data;
  }
}

/** Error of the record; null if it passes. @throws other errors, which are no fault of the record */
async function refusalOf(check: Promise<void>): Promise<RollupError | null> {
  try {
    await check;
    return null;
  } catch (error) {
    if (isRollupError(error, "DNT_RECORD_INVALID") || isRollupError(error, "DNT_KEY_NOTICE")) return error;
    throw error;
  }
}

/** Leaves that a record is checked by: its signer, and the model that it is about. */
function modelAndLeafOf(body: RecordBody): number[] {
  const modelId =
    body.kind === "verified" ? body.modelId : body.kind === "report" ? body.model?.id : undefined;
  return modelId === undefined ? [body.leafId] : [body.leafId, modelId];
}

const notSigned = (leafId: number) =>
  datanetError("DNT_RECORD_INVALID", `the record is not signed by the key of leaf ${leafId}`, {
    data: { reason: "record-signature", leafId },
  });

const invalid = (why: string) =>
  datanetError("DNT_RECORD_INVALID", `the record cannot be taken: ${why}`, { data: { why } });
