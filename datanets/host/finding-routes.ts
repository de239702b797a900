/**
 * Routes of the Datanet host for cleaning: checks of rows, their findings, reviewers' decisions, and notices to contributors.
 * host-api.ts registers them.
 */
import { entriesCost, setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Card } from "../card/card.ts";
import { FINDING_KINDS, type Finding } from "../cleaning/finding.ts";
import { datanetError } from "../datanet-errors.ts";
import { FINDING_STATES, noticesFor, objectionOf, stateOf } from "../store/decisions.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import type { HostLeaf } from "../store/ledger-view.ts";
import { RowChecks } from "../store/row-check.ts";
import { decisionOf } from "../store/row-decision.ts";
import { requireMayCheck } from "./access.ts";
import type { HostContext } from "./host-context.ts";
import { cardOf, idParams, openForReading, readerOf, SIGNED } from "./host-request.ts";
import { checkCost, scanCost } from "./scan-costs.ts";

const findingsQuery = z.strictObject({
  kind: z.enum(FINDING_KINDS).optional(),
  state: z.enum(FINDING_STATES).optional(),
  contributor: countFromText.optional(),
  from: countFromText.default(0),
  limit: limit(1_000, 100),
});
const noticesQuery = z.strictObject({
  contributor: countFromText,
  from: countFromText.default(0),
  limit: limit(1_000, 100),
});

/** Routes of cleaning: findings about the rows, decisions on them, and notices to contributors. */
export function registerFindingRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, keyNotices, ledger, logger, nowMs, store } = context;
  const { checkTimeoutMs: timeoutMs, maxCheckBytes: maxMemoryBytes } = config;
  const checks = new RowChecks(store, { maxMemoryBytes, nowMs, timeoutMs });
  app.addHook("onClose", () => checks.close());

  const stateOfCheck = async (datanet: HostedDatanet) => {
    const [running, last, failure] = await Promise.all([
      checks.running(),
      checks.last(datanet),
      checks.failure(datanet.id),
    ]);
    return {
      running: running?.datanetId === datanet.id ? running : null,
      failure,
      last:
        last === null
          ? null
          : {
              rowCount: last.rowCount,
              checkedAtMs: last.checkedAtMs,
              uncomparedCount: last.uncomparedCount,
              /** false: rows or records have come since. */
              isCurrent: last.rowCount === datanet.rowCount && last.recordCount === datanet.recordCount,
            },
    };
  };

  /**
   * True for a Datanet whose rows may be compared with others for the signer, and be named to them: a public one, or one of the signer's
   * own key, which no notice is on.
   */
  const isComparable = async (
    other: HostedDatanet,
    card: Card,
    signer: HostLeaf | null,
  ): Promise<boolean> => {
    if (card.access === "public") return true;
    // Attack: a Datanet of a stranger takes over another one's key word on the ledger. The signer has shown that they have the key.
    const leaf = signer === null ? null : await ledger.datanet(other.id);
    return leaf !== null && leaf.keyX === signer?.keyX && (await keyNotices.of(leaf)) === null;
  };

  route(
    "POST /v1/datanets/:id/findings/check",
    {
      tag: "cleaning",
      summary: "Have all rows looked at, as the Datanet or one of its reviewers; one Datanet at a time",
      params: idParams,
      config: { maxCost: () => checkCost(context) },
      ...SIGNED,
    },
    async (request, reply) => {
      setCost(request, 0);
      const { card, datanet, leaf } = await openForReading(context, request, request.params.id);
      if (leaf === null)
        throw datanetError("DNT_REQUEST_UNSIGNED", "reviewers have rows checked: sign the request");
      requireMayCheck(card, datanet.id, leaf);
      const check = await stateOfCheck(datanet);
      if (check.running !== null || check.last?.isCurrent === true) return check;
      const { done } = await checks.begin({ card, datanet }, async () => {
        const others = [];
        for (const other of await store.all()) {
          if (other.id === datanet.id) continue;
          const otherCard = await cardOf(context, other);
          if (await isComparable(other, otherCard, leaf)) others.push({ datanet: other, card: otherCard });
        }
        return others;
      });
      setCost(request, checkCost(context));
      // What fails is in the log, and the check is not current.
      done.then(
        ({ findings, rowCount }) =>
          logger.info({ datanetId: datanet.id, rowCount, found: findings.length }, "rows looked at"),
        (error: unknown) =>
          logger.error({ err: error, datanetId: datanet.id }, "rows could not be looked at"),
      );
      reply.code(202);
      return stateOfCheck(datanet);
    },
  );

  /**
   * Findings without those that name rows of other Datanets which are not compared for the reader: those of the owner's own, and of
   * Datanets that were public at the check. Checks of earlier releases named all, and how similar they are.
   */
  async function namedTo(
    reader: HostLeaf | null,
    datanetId: number,
    findings: readonly Finding[],
  ): Promise<Finding[]> {
    const isNamed = new Map<number, boolean>([[datanetId, true]]);
    const named: Finding[] = [];
    for (const finding of findings) {
      const { earlier } = finding.evidence;
      const id = earlier?.datanetId ?? datanetId;
      if (!isNamed.has(id)) {
        const other = await store.require(id);
        isNamed.set(id, await isComparable(other, await cardOf(context, other), reader));
      }
      if (isNamed.get(id) !== true) continue;
      named.push(
        id === datanetId
          ? finding
          : { ...finding, evidence: { ...finding.evidence, similarityPermille: null } },
      );
    }
    return named;
  }

  route(
    "GET /v1/datanets/:id/findings",
    {
      tag: "cleaning",
      summary: "What the last look at the rows has found, and what was decided",
      params: idParams,
      querystring: findingsQuery,
      config: {
        maxCost: ({ params, query }) =>
          scanCost(context, (params as { id: number }).id) +
          entriesCost((query as z.output<typeof findingsQuery>).limit),
      },
      ...SIGNED,
    },
    async (request) => {
      const { contributor, from, kind, limit, state } = request.query;
      setCost(request, scanCost(context, request.params.id) + entriesCost(limit));
      const { datanet, leaf } = await openForReading(context, request, request.params.id);
      const checked = await namedTo(leaf, datanet.id, (await checks.last(datanet))?.findings ?? []);
      const positions = await positionsOf(datanet, checked);
      // A check that ran while a row was withdrawn may have noticed something about it.
      const found = checked.filter(({ row }) => positions.get(row)?.isWithdrawn !== true);
      const recordState = await datanet.stateOfRows([...positions.values()].map(({ number }) => number));
      const all = found.map((finding) => {
        const records = recordState.row(finding.row);
        return { ...finding, state: stateOf(finding, records, datanet.id), records };
      });
      const counts = FINDING_KINDS.map((name) => {
        const own = all.filter((finding) => finding.kind === name);
        const count = (state: string) => own.filter((finding) => finding.state === state).length;
        const [open, leftOut, kept] = [count("open"), count("leftOut"), count("kept")];
        return { kind: name, total: own.length, open, leftOut, kept };
      });
      const matching = all.filter(
        (finding) =>
          (kind === undefined || finding.kind === kind) &&
          (state === undefined || finding.state === state) &&
          (contributor === undefined || finding.contributorId === contributor),
      );
      return {
        check: await stateOfCheck(datanet),
        counts,
        total: matching.length,
        from,
        findings: matching.slice(from, from + limit).map(({ records, ...finding }) => ({
          ...finding,
          // The place at which the row counts: in the first commit that has it.
          commit: positions.get(finding.row)?.commit ?? null,
          index: positions.get(finding.row)?.index ?? null,
          decision: decisionOf(records),
          objection: objectionOf(records, finding.contributorId),
        })),
      };
    },
  );

  route(
    "GET /v1/notices",
    {
      tag: "cleaning",
      summary:
        "Notices for a contributor: the rows left out, why, and by whom; of permissioned Datanets to the contributor alone",
      querystring: noticesQuery,
      ...SIGNED,
      config: {
        maxCost: ({ query }) =>
          scanCost(context, null) + entriesCost((query as z.output<typeof noticesQuery>).limit),
      },
    },
    async (request) => {
      const { contributor, from, limit } = request.query;
      setCost(request, scanCost(context, null) + entriesCost(limit));
      const isOwn = (await readerOf(context, request))?.id === contributor;
      const isShown = async (datanet: HostedDatanet) =>
        isOwn || (await cardOf(context, datanet)).access === "public";
      const { notices, total } = await noticesFor(store, contributor, { from, isShown, limit });
      return { total, from, notices };
    },
  );
}

/** Places of findings' rows, by digest. */
async function positionsOf(datanet: HostedDatanet, findings: readonly Finding[]) {
  const found = await datanet.database.query<{
    digest: Buffer;
    number: number;
    commit: string;
    index: number;
    isWithdrawn: boolean;
  }>(
    `select digest, rows.number, rows_root as commit, place as index, is_withdrawn as "isWithdrawn"
       from rows join commits on commits.datanet_id = rows.datanet_id and commits.number = commit_number
      where rows.datanet_id = $1 and digest = any($2)`,
    [datanet.id, [...new Set(findings.map(({ row }) => row))].map((row) => Buffer.from(row, "hex"))],
  );
  return new Map(found.map(({ digest, ...location }) => [digest.toString("hex"), location]));
}
