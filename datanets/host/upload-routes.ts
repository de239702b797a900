/**
 * Routes of the Datanet host to upload commits: the list of a commit's rows first, then the rows in pieces, in any order and
 * any number of times. host-api.ts registers them.
 */
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { countFromText } from "@openledger/foundation/wire/query-text";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { DIGEST_BYTES, decodeRows, encodeRows } from "../rows/row-wire.ts";
import { requireTermsSigned } from "../store/signed-terms.ts";
import type { StoredCommit } from "../store/stored-datanet.ts";
import { requireDigestForm, requireListReader } from "./digest-form.ts";
import type { HostContext } from "./host-context.ts";
import {
  binaryBody,
  cardOf,
  idParams,
  mayRead,
  openForReading,
  rootParams,
  SIGNED,
  sendPieces,
  signedFirst,
  signerOf,
} from "./host-request.ts";

const MAX_MISSING_RUNS = 1_000;
const BINARY = { consumes: ["application/octet-stream"] };

/** Commits and their rows: lists first, then rows in pieces, in any order and any number of times. */
export function registerUploadRoutes(app: FastifyInstance, context: HostContext): void {
  const route = routesOf(app);
  const { config, journal, ledger, metrics, quotas, store } = context;

  route(
    "GET /v1/datanets/:id/commits",
    {
      tag: "rows",
      summary:
        "The ledger's commits, and what is here of each; reviewers' notes are for who may read the rows",
      params: idParams,
      ...SIGNED,
    },
    async (request) => {
      const { id } = request.params;
      // Attack: whoever names Datanets that are not here has their histories read from the sequencer.
      const datanet = await store.require(id);
      const { commits } = await ledger.history(id);
      const isReader = await mayRead(context, request, id);
      const [stored, state] = await Promise.all([
        datanet.commits(),
        datanet.stateOf("row_number is null and kind = 'verdict'"),
      ]);
      const storedOf = new Map(stored.map((commit) => [commit.rowsRoot, commit]));
      return commits.map(({ committedAtMs, contributorId, isFinal, rowCount, rowsRoot }, commitIndex) => {
        const root = hex32(rowsRoot);
        const here = storedOf.get(root);
        return {
          commitIndex,
          rowsRoot: root,
          contributorId,
          rowCount,
          isFinal,
          committedAtMs,
          receivedCount: here?.receivedCount ?? 0,
          isComplete: here !== undefined && isComplete(here),
          verdict: isReader ? state.verdict(root) : withoutNote(state.verdict(root)),
        };
      });
    },
  );

  route(
    "PUT /v1/datanets/:id/commits/:root/list",
    {
      bodyLimit: DIGEST_BYTES * config.maxCommitRows,
      ...signedFirst(context),
      tag: "rows",
      summary: "The list behind a final commit: SHA-256 of each row, 32 bytes each",
      params: rootParams,
      ...BINARY,
      ...SIGNED,
    },
    async (request) => {
      const { id, root } = request.params;
      const signer = await signerOf(context, request);
      const datanet = await store.require(id);
      const known = await datanet.commit(root);
      if (known !== undefined) return commitView(known);
      const final = await finalCommit(id, BigInt(root));
      const stored = await datanet.addList(binaryBody(request), final, { leafId: signer.id, quotas });
      // What was withdrawn of these rows before the database was put back is not to come again.
      await journal.putWaiting(id);
      return commitView(stored);
    },
  );

  const fromQuery = z.strictObject({ from: countFromText.default(0) });
  route(
    "PUT /v1/datanets/:id/commits/:root/rows",
    {
      bodyLimit: config.maxChunkBytes + 1,
      ...signedFirst(context),
      tag: "rows",
      summary: "Rows from place `from` on; each its length as uint32, then its bytes",
      params: rootParams,
      querystring: fromQuery,
      ...BINARY,
      ...SIGNED,
    },
    async (request) => {
      const { id, root } = request.params;
      const signer = await signerOf(context, request);
      const datanet = await store.require(id);
      const commit = await datanet.requireCommit(root);
      const card = await cardOf(context, datanet);
      await requireTermsSigned(ledger, datanet, card, commit);
      const rows = decodeRows(binaryBody(request), config);
      await requireDigestForm(context, datanet, commit, { from: request.query.from, rows });
      const { from } = request.query;
      if (from + rows.length > commit.rowCount)
        throw datanetError("DNT_LIST_MISMATCH", `the commit has ${commit.rowCount} rows`, {
          data: { reason: "row-mismatch", index: commit.rowCount, from, rowCount: rows.length },
        });
      await store.boundUndescribed(id);
      const { version, rowsRoot } = (await ledger.datanet(id)).datanet;
      const published = version === 0 ? null : hex32(rowsRoot);
      const account = { leafId: signer.id, quotas };
      const newCount = await datanet.addRows(commit, from, rows, account, published);
      metrics.rowsReceived.inc(newCount);
      return { ...commitView(await datanet.requireCommit(root)), newCount };
    },
  );

  route(
    "GET /v1/datanets/:id/commits/:root/missing",
    { tag: "rows", summary: "Which rows have not come: runs of `count` from `from`", params: rootParams },
    async ({ params: { id, root } }) => {
      const datanet = await store.require(id);
      const commit = await datanet.requireCommit(root);
      return { ...commitView(commit), missing: await datanet.missing(commit, MAX_MISSING_RUNS) };
    },
  );

  route(
    "GET /v1/datanets/:id/commits/:root/list",
    { tag: "rows", summary: "The list behind a commit", params: rootParams, ...SIGNED },
    async (request, reply) => {
      const { id, root } = request.params;
      const datanet = await store.require(id);
      const commit = await datanet.requireCommit(root);
      await requireListReader(context, request, datanet, [{ of: "commit", opIndex: commit.opIndex }]);
      return sendPieces(reply, datanet.list(commit), DIGEST_BYTES * commit.rowCount);
    },
  );

  route(
    "GET /v1/datanets/:id/commits/:root/rows",
    {
      tag: "rows",
      summary: "Rows of a commit from place `from` on, as many as fit one answer",
      params: rootParams,
      querystring: fromQuery,
      ...SIGNED,
    },
    async (request, reply) => {
      const { id, root } = request.params;
      const { datanet } = await openForReading(context, request, id);
      const { from } = request.query;
      const rows = await datanet.readRows(await datanet.requireCommit(root), from, config.maxChunkBytes);
      if (rows.length === 0)
        throw datanetError("DNT_NOT_HOSTED", `row ${rowNumber(from)} of the commit is not here`, {
          data: { index: from },
        });
      return reply.type("application/octet-stream").send(Buffer.from(encodeRows(rows).buffer));
    },
  );

  /** @throws DNT_UNKNOWN, DNT_NOT_ON_LEDGER */
  async function finalCommit(id: number, rowsRoot: bigint) {
    const find = async () => {
      const { commits } = await ledger.history(id);
      const commitIndex = commits.findIndex((commit) => commit.rowsRoot === rowsRoot);
      return commitIndex < 0 ? null : { commit: commits[commitIndex]!, commitIndex };
    };
    let found = await find();
    if (found?.commit.isFinal !== true) {
      ledger.forget(id);
      found = await find();
    }
    const data = { datanetId: id, rowsRoot: hex32(rowsRoot) };
    if (found === null)
      throw datanetError("DNT_UNKNOWN", `Datanet ${id} has no commit of this root`, {
        data: { reason: "commit", ...data },
      });
    // not before it is final: until then anyone who sees the rows could commit them first.
    if (!found.commit.isFinal)
      throw datanetError("DNT_NOT_ON_LEDGER", `the commit to Datanet ${id} is not final yet`, {
        data: { reason: "commit-not-final", ...data },
      });
    return found;
  }
}

const withoutNote = <Verdict extends { readonly note: string }>(verdict: Verdict | null) =>
  verdict === null ? null : { ...verdict, note: "" };

const isComplete = ({ receivedCount, rowCount }: StoredCommit) => receivedCount === rowCount;

function commitView(commit: StoredCommit) {
  const { commitIndex, contributorId, receivedCount, rowCount, rowsRoot } = commit;
  return { rowsRoot, contributorId, commitIndex, rowCount, receivedCount, isComplete: isComplete(commit) };
}
