import { setCost } from "@openledger/foundation/http/answer-costs";
import { isRollupError, type RollupError } from "@openledger/foundation/rollup-error";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Card } from "../card/card.ts";
import { datanetError, datanetErrors } from "../datanet-errors.ts";
import { checkRecords, recordId, type SignedRecord, signedRecordSchema } from "../records/record.ts";
import { outcomeOf } from "../records/record-state.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import type { HostLeaf } from "../store/ledger-view.ts";
import type { RecordOffer } from "../store/record-offer.ts";
import { requireMaySay } from "./access.ts";
import type { HostContext } from "./host-context.ts";
import { cardOf, idParams, MAX_LEAD_MS } from "./host-request.ts";
import { entriesCost, scanCost } from "./scan-costs.ts";
import { requireOnLedger } from "./verified-check.ts";

const MAX_RECORDS_A_REQUEST = 500;

const recordsBody = z.strictObject({ records: z.array(z.unknown()).min(1).max(MAX_RECORDS_A_REQUEST) });
const recordsQuery = z.strictObject({ from: countFromText.default(0), limit: limit(1_000, 200) });
const verifiedQuery = recordsQuery.extend({ model: countFromText.optional() });

/** Labels, disputes, approvals, objections, requests for access, recomputations: records signed by ledger keys. */
export function registerRecordRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { domain, ledger, metrics, nowMs, quotas, registry } = context;

  route(
    "POST /v1/datanets/:id/records",
    {
      tag: "records",
      summary: "Signed records; each is taken or refused by itself",
      params: idParams,
      body: recordsBody,
    },
    async ({ body, params: { id } }) => {
      const datanet = registry.require(id);
      const read = body.records.map((value) => readRecord(datanet, value));
      const sound = checkRecords(
        domain,
        read.flatMap((one) => (isRollupError(one) ? [] : [one])),
      );
      const card = await cardOf(context, datanet);
      const offers: { place: number; offer: RecordOffer }[] = [];
      const errors: (RollupError | null)[] = read.map((one) => (isRollupError(one) ? one : null));
      let next = 0;
      for (const [place, record] of read.entries()) {
        if (isRollupError(record)) continue;
        const isSound = sound[next++]!;
        const signer = await ledger.leaf(record.body.leafId);
        const isKnown = datanet.hasRecord(recordId(domain, record.body));
        if (isKnown) continue;
        if (!isSound || signer === null || signer.keyX !== BigInt(record.keyX)) {
          errors[place] = notSigned(record.body.leafId);
          continue;
        }
        if (record.body.kind === "verified") {
          errors[place] = await refusalOf(requireOnLedger(ledger, record.body));
          if (errors[place] !== null) continue;
        }
        const check = () => requireTakeable(datanet, card, record.body, signer);
        offers.push({ place, offer: { record, check, account: () => quotas.takeRecords(signer.id, 1) } });
      }
      const refusals = await datanet.addRecords(offers.map(({ offer }) => offer));
      for (const [i, refusal] of refusals.entries()) {
        const { offer, place } = offers[i]!;
        if (refusal === null) metrics.records.inc({ kind: offer.record.body.kind });
        else if ((datanetErrors.statusOf(refusal.code) ?? 500) >= 500) throw refusal;
        errors[place] = refusal;
      }
      const results = read.map((record, i) => {
        const error = errors[i];
        if (error != null) {
          metrics.errors.inc({ code: error.code });
          return { id: null, error: error.toJSON() };
        }
        return { id: recordId(domain, (record as SignedRecord).body), error: null };
      });
      return { results };
    },
  );

  route(
    "GET /v1/datanets/:id/records",
    {
      tag: "records",
      summary: "All records in the order in which they came",
      params: idParams,
      querystring: recordsQuery,
      config: { maxCost: ({ query }) => entriesCost((query as z.output<typeof recordsQuery>).limit) },
    },
    async (request) => {
      const { id } = request.params;
      const { from, limit } = request.query;
      const datanet = registry.require(id);
      const card = await cardOf(context, datanet);
      const records: SignedRecord[] = [];
      let seenCount = 0;
      for await (const record of datanet.records(from)) {
        if (seenCount === limit) break;
        seenCount += 1;
        if (isPublic(datanet, card, record)) records.push(record);
      }
      // Read from the disk, shown or not.
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
    },
    ({ params: { id }, query: { from, limit, model } }) => {
      const all = registry.require(id).verified.list(model ?? null);
      const next = from + limit;
      return {
        records: all.slice(from, next),
        total: all.length,
        nextFrom: next < all.length ? next : null,
      };
    },
  );

  route(
    "GET /v1/datanets/:id/access",
    {
      tag: "records",
      summary: "Requests for access, with their answers",
      params: idParams,
    },
    ({ params: { id } }) =>
      registry
        .require(id)
        .recordState.accessCases()
        .map(({ answer, id: requestId, request }) => ({
          id: requestId,
          leafId: request.leafId,
          purpose: request.purpose,
          askedAtMs: request.atMs,
          answer:
            answer === null
              ? null
              : {
                  answer: answer.answer,
                  untilMs: answer.untilMs,
                  note: answer.note,
                  answeredAtMs: answer.atMs,
                },
          isOpen: answer?.answer === "grant" && answer.untilMs > nowMs(),
        })),
  );

  route(
    "GET /v1/datanets/:id/left-out",
    {
      tag: "records",
      summary: "Rows that are left out, why, by whom, and who objects",
      params: idParams,
      config: { maxCost: ({ params }) => scanCost(context, (params as { id: number }).id) },
    },
    async (request) => {
      const { id } = request.params;
      const datanet = registry.require(id);
      const card = await cardOf(context, datanet);
      const leftOut = [...datanet.recordState.rows()].flatMap(([digest, row]) => {
        const outcome = outcomeOf(card, row);
        if (outcome.state !== "leftOut" && row.objections.length === 0) return [];
        return [
          { digest, contributorId: datanet.contributorOf(digest), outcome, objections: row.objections },
        ];
      });
      setCost(request, scanCost(context, id) + entriesCost(leftOut.length));
      return leftOut;
    },
  );

  /** Reads a record. An error of its form is returned, not thrown. */
  function readRecord(datanet: HostedDatanet, value: unknown): SignedRecord | RollupError {
    const parsed = signedRecordSchema.safeParse(value);
    if (!parsed.success) return invalid(z.prettifyError(parsed.error).slice(0, 500));
    const { body } = parsed.data;
    if (body.datanetId !== datanet.id) return invalid(`it is of Datanet ${body.datanetId}`);
    return body.atMs > nowMs() + MAX_LEAD_MS ? invalid("it is from the future") : parsed.data;
  }

  function requireTakeable(
    datanet: HostedDatanet,
    card: Card,
    body: SignedRecord["body"],
    signer: HostLeaf,
  ): void {
    const lastAtMs = datanet.recordState.lastAtMs(body);
    if (body.atMs <= lastAtMs)
      throw datanetError("DNT_RECORD_OUTDATED", `leaf ${signer.id} has said something newer of this`, {
        data: { atMs: lastAtMs },
      });
    requireMaySay(body, signer, {
      card,
      recordState: datanet.recordState,
      datanetId: datanet.id,
      isRowKnown: (digest) => datanet.rows.find(digest) !== undefined,
      isCommitKnown: (root) => datanet.commit(root) !== undefined,
      contributorOf: (digest) => datanet.contributorOf(digest),
      requireRoomFor: (verified, isOfTeam) => datanet.verified.requireRoomFor(verified, isOfTeam),
    });
  }
}

/** Error of the record; null if it passes. @throws other errors, which are no fault of the record */
async function refusalOf(check: Promise<void>): Promise<RollupError | null> {
  try {
    await check;
    return null;
  } catch (error) {
    if (isRollupError(error, "DNT_RECORD_INVALID")) return error;
    throw error;
  }
}

/** Gold rows never, and labels once their row has enough of them: before, they would tell the next labeller what to say. */
function isPublic({ recordState }: HostedDatanet, card: Card, { body }: SignedRecord): boolean {
  if (body.kind === "gold") return false;
  return body.kind !== "label" || outcomeOf(card, recordState.row(body.row)).state !== "waiting";
}

const notSigned = (leafId: number) =>
  datanetError("DNT_RECORD_INVALID", `the record is not signed by the key of leaf ${leafId}`, {
    data: { reason: "record-signature", leafId },
  });

const invalid = (why: string) =>
  datanetError("DNT_RECORD_INVALID", `the record cannot be taken: ${why}`, { data: { why } });
