/**
 * Routes of the Datanet host for versions: uploads and reads of the lists of rows behind their roots, the difference of two,
 * and how to cite one. host-api.ts registers them.
 */
import { hex32 } from "@openledger/foundation/hex";
import { entriesCost, scannedCost, setCost } from "@openledger/foundation/http/answer-costs";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { VERSION_ROW_BYTES } from "../rows/row-wire.ts";
import { versionDifference } from "../store/version-difference.ts";
import { requireListReader } from "./digest-form.ts";
import type { HostContext } from "./host-context.ts";
import {
  binaryBody,
  cardOf,
  idParams,
  rootParams,
  rootText,
  SIGNED,
  sendPieces,
  signedFirst,
  signerOf,
} from "./host-request.ts";
import { scanCost } from "./scan-costs.ts";

const diffQuery = z.strictObject({
  before: rootText,
  after: rootText,
  from: countFromText.default(0),
  limit: limit(1_000, 100),
});

/** Versions: the lists behind their roots, differences, how to cite them. */
export function registerVersionRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, ledger, quotas, store } = context;

  const versionOf = async (id: number, root: string) => {
    const { versions } = await ledger.history(id);
    const version = versions.findLast(({ rowsRoot }) => hex32(rowsRoot) === root);
    if (version !== undefined) return version;
    throw datanetError("DNT_NOT_HOSTED", `Datanet ${id} has never had a version of root ${root}`, {
      data: { datanetId: id, rowsRoot: root },
    });
  };

  route(
    "GET /v1/datanets/:id/versions",
    { tag: "versions", summary: "The ledger's versions, and which are here", params: idParams },
    async ({ params: { id } }) => {
      const datanet = await store.require(id);
      const { versions } = await ledger.history(id);
      const here = await datanet.versionsHere(versions.map(({ rowsRoot }) => hex32(rowsRoot)));
      return versions.map(({ isFinal, policy, publishedAtMs, rowCount, rowsRoot, version }) => ({
        version,
        rowsRoot: hex32(rowsRoot),
        rowCount,
        policy: hex32(policy),
        isFinal,
        publishedAtMs,
        isHere: here.has(hex32(rowsRoot)),
      }));
    },
  );

  route(
    "PUT /v1/datanets/:id/versions/:root",
    {
      bodyLimit: VERSION_ROW_BYTES * config.maxCommitRows,
      ...signedFirst(context),
      tag: "versions",
      summary: "Bring the list behind a version's root: 38 bytes a row",
      params: rootParams,
      consumes: ["application/octet-stream"],
      ...SIGNED,
    },
    async (request) => {
      const { id, root } = request.params;
      const signer = await signerOf(context, request);
      const datanet = await store.require(id);
      ledger.forget(id);
      const { rowCount, version } = await versionOf(id, root);
      const list = binaryBody(request);
      await datanet.addVersion(list, BigInt(root), { leafId: signer.id, quotas });
      return { version, rowsRoot: root, rowCount };
    },
  );

  route(
    "GET /v1/datanets/:id/versions/:root",
    { tag: "versions", summary: "The list behind a version's root", params: rootParams, ...SIGNED },
    async (request, reply) => {
      const { id, root } = request.params;
      const datanet = await store.require(id);
      const { opIndex } = await versionOf(id, root);
      await requireListReader(context, request, datanet, [{ of: "version", opIndex }]);
      const { bytes, pieces } = await datanet.versionList(root);
      return sendPieces(reply, pieces, bytes);
    },
  );

  route(
    "GET /v1/datanets/:id/difference",
    {
      tag: "versions",
      summary: "Rows that came, went or changed owners between two versions",
      params: idParams,
      querystring: diffQuery,
      // Both lists are read and compared, whatever page is asked for.
      config: {
        maxCost: ({ params, query }) =>
          2 * scanCost(context, (params as { id: number }).id) +
          entriesCost((query as z.output<typeof diffQuery>).limit),
      },
    },
    async (request) => {
      const { id } = request.params;
      const { after, before, from, limit } = request.query;
      const datanet = await store.require(id);
      const roots = await Promise.all([before, after].map((root) => versionOf(id, root)));
      await requireListReader(
        context,
        request,
        datanet,
        roots.map(({ opIndex }) => ({ of: "version", opIndex })),
      );
      const [a, b] = await Promise.all([datanet.version(before), datanet.version(after)]);
      setCost(request, scannedCost(a.length + b.length) + entriesCost(limit));
      const { changes, ...counts } = versionDifference(a, b);
      return { ...counts, total: changes.length, from, changes: changes.slice(from, from + limit) };
    },
  );

  route(
    "GET /v1/datanets/:id/versions/:root/citation",
    { tag: "versions", summary: "How to cite a version, and its licence", params: rootParams },
    async ({ params: { id, root } }) => {
      const datanet = await store.require(id);
      const { publishedAtMs, rowCount, version } = await versionOf(id, root);
      const { contact, licence, name } = await cardOf(context, datanet);
      const year = publishedAtMs === null ? "n.d." : String(new Date(publishedAtMs).getUTCFullYear());
      const deployment = `OpenLedger rollup ${context.rollupAddress} on chain ${context.chainId}, Datanet ${id}, root ${root}`;
      const plain = (text: string) => text.replace(/[{}\\%#$&_~^\r\n]/g, " ");
      return {
        version,
        rowsRoot: root,
        rowCount,
        licence,
        contact,
        text: `${name}, version ${version} (${year}). ${rowCount} rows. ${deployment}. Licence: ${licence}.`,
        bibtex: `@misc{openledger-${id}-${version},\n  title = {{${plain(name)}}},\n  year = {${year}},\n  version = {${version}},\n  note = {${plain(deployment)}},\n}`,
      };
    },
  );
}
