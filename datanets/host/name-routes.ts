/** Routes of the Datanet host for display names that leaves have chosen and signed. host-api.ts registers them. */
import { setCost } from "@openledger/foundation/http/answer-costs";
import { countsFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { checkNames, signedNameSchema } from "../records/display-name.ts";
import { OPERATIONS_PAGE_SIZE } from "../store/ledger-view.ts";
import { findNames, namesOfLeaves, storeName } from "../store/names.ts";
import type { HostContext } from "./host-context.ts";
import { idParams, MAX_LEAD_MS, queryText } from "./host-request.ts";

const MAX_LEAVES = 100;

const namesQuery = z
  .strictObject({
    leaves: countsFromText(MAX_LEAVES).optional(),
    text: queryText(100).optional().meta({ description: "beginnings of words" }),
    limit: limit(100, 20),
  })
  .refine(
    ({ leaves, text }) => (leaves === undefined) !== (text === undefined),
    "needs one of leaves and text",
  );

type NamesQuery = z.output<typeof namesQuery>;
/** Names that are shown in the time of a unit. */
const NAMES_PER_UNIT = 50;
/** Operations of the sequencer that are read in the time of a unit. */
const OPERATIONS_PER_UNIT = 16;

/** Names that leaves have chosen, each signed by its leaf's key; and keys that are under notice. */
export function registerNameRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { domain, keyNotices, ledger, nowMs, quotas, store } = context;
  const { database } = store;

  const costOf = ({ leaves, limit }: NamesQuery) => (leaves?.length ?? limit) / NAMES_PER_UNIT;

  route(
    "PUT /v1/names",
    { tag: "names", summary: "Bring the signed name of a leaf", body: signedNameSchema },
    async ({ body: name }) => {
      const { atMs, leafId } = name.body;
      if (atMs > nowMs() + MAX_LEAD_MS) throw invalid("it is from the future", { leafId });
      const unsigned = () =>
        invalid(`it is not signed by the key of leaf ${leafId}`, { reason: "name-signature", leafId });
      if (!checkNames(domain, [name])[0]) throw unsigned();
      // The key as it is now: a new one signs names at once.
      ledger.forget(leafId);
      if ((await ledger.leaf(leafId))?.keyX !== BigInt(name.keyX)) throw unsigned();
      await storeName(database, quotas, name);
      return name.body;
    },
  );

  route(
    "GET /v1/names",
    {
      tag: "names",
      summary: "Names of leaves, or those with some words",
      querystring: namesQuery,
      config: { maxCost: ({ query }) => costOf(query as NamesQuery) },
    },
    async (request) => {
      const { leaves, limit, text } = request.query;
      setCost(request, costOf(request.query));
      const names =
        leaves === undefined
          ? await findNames(database, text!, limit)
          : await namesOfLeaves(database, leaves);
      return { names };
    },
  );

  route(
    "GET /v1/leaves/:id/key-notice",
    {
      tag: "names",
      summary:
        "Week's notice of a leaf whose key came without the old key's signature; null if there is none",
      params: idParams,
      config: { maxCost: () => OPERATIONS_PAGE_SIZE / OPERATIONS_PER_UNIT },
    },
    async (request) => {
      // A week of a busy leaf has many pages: they are charged as they are read, also where the call fails then.
      let units = 0;
      setCost(request, units);
      const leaf = await ledger.leaf(request.params.id);
      if (leaf === null) return { notice: null };
      const notice = await keyNotices.of(leaf, (operationCount) => {
        units += operationCount / OPERATIONS_PER_UNIT;
        setCost(request, units);
      });
      return { notice };
    },
  );
}

const invalid = (why: string, data: object) =>
  datanetError("DNT_RECORD_INVALID", `the name cannot be taken: ${why}`, { data: { why, ...data } });
