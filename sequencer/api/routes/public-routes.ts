/**
 * Public routes /v1/… of the API, and /health: info, leaves, operations, records, batches, queue, feed
 * (docs/reference/api.md). Costly requests count as several units of the rate limit.
 */
import { operationError } from "@openledger/circuits/circuit-errors";
import { datanetIds, type LeafState, unpackBinding } from "@openledger/circuits/ledger/leaf";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { operationBody } from "@openledger/circuits/wire/operation-json";
import { hex32 } from "@openledger/foundation/hex";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { clientNetwork } from "@openledger/foundation/http/client-network";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance } from "fastify";
import type { z } from "zod";
import { unknownBatch } from "../../batches/batch-registry.ts";
import { parseTopics } from "../../batches/feed.ts";
import { sequencerError } from "../../sequencer-errors.ts";
import { type ApiModules, type ApiOptions, MAX_BODY_BYTES } from "../api-options.ts";
import * as schemas from "../api-schemas.ts";
import {
  batchView,
  leafOperationView,
  leafView,
  operationView,
  postedLeafView,
  queueView,
  statusView,
  weightsView,
} from "../api-views.ts";
import { findHashes, MAX_LOOKED_AT } from "../found-hashes.ts";
import { latestRecords } from "../latest-records.ts";
import { PostedTree } from "../posted-tree.ts";

/** Maximum leaves in the answer to a search. */
const MAX_LEAVES_FOUND = 1_000;

/**
 * Items in a unit of the rate limit, by the time that they take, measured on the lists of a real sequencer
 * (docs/explanation/sequencer-speed.md).
 */
const PER_UNIT = { leaves: 16, operations: 4, records: 4, names: 250 };
/** Datanets and models, or chunks of the index of owners and keys, that a search visits in the time of a unit. */
const SEARCHED_PER_UNIT = 1_000;

/** Yields the leaves of an owner or of a key, or the models of Datanets, by ascending id. */
function* requestLeaves(
  { leaves }: Ledger,
  { datanetId, keyX, owner }: z.output<typeof schemas.leavesQuery>,
): Generator<[id: number, record: LeafState]> {
  if (owner !== undefined) return yield* leaves.of({ l1Owner: owner });
  if (keyX !== undefined) return yield* leaves.of({ keyX });
  const target = new Set(datanetId);
  for (const [id, record] of leaves.withMore()) {
    const binding = record.model?.statics.binding;
    if (binding !== undefined && datanetIds(unpackBinding(binding)).some((one) => target.has(one)))
      yield [id, record];
  }
}

/** Registers the routes. */
export async function registerPublicRoutes(
  app: FastifyInstance,
  options: ApiOptions,
  modules: ApiModules,
): Promise<void> {
  const route = routesOf(app);
  const { clock, feed, proverFacts, sequencer } = modules;
  const { deployment } = options;
  const { ledger } = sequencer.pipeline.head;

  const searchedUnits = ({ datanetId }: Pick<z.output<typeof schemas.leavesQuery>, "datanetId">) =>
    (datanetId === undefined ? ledger.base.chunkCount : ledger.base.bodyCount) / SEARCHED_PER_UNIT;

  route("GET /v1/info", { tag: "ledger", summary: "What the rollup is made of" }, () => ({
    chainId: deployment.chainId,
    rollupAddress: deployment.rollupAddress,
    tokenAddress: deployment.tokenAddress,
    domain: hex32(deployment.domain),
    preconfirmationSigner: options.preconfirmationSigner,
    feePerUnitWei: sequencer.pipeline.feePerUnitWei.toString(),
    idFeeWei: deployment.idFeeWei.toString(),
    feeAccountId: sequencer.options.feeAccountId,
    weights: weightsView,
    circuits: deployment.circuits.map((circuit) => ({
      name: circuit.name,
      sort: circuit.sort,
      size0: circuit.size0,
      size1: circuit.size1,
      circuitId: hex32(circuit.circuitId),
      isDevelopment: circuit.isDevelopment,
    })),
    l1Confirmations: options.l1Confirmations,
    limits: {
      maxBodyBytes: MAX_BODY_BYTES,
      pendingPerLeaf: sequencer.options.pendingPerLeaf,
      pendingTotal: sequencer.options.pendingTotal,
      pendingTtlMs: sequencer.options.pendingTtlMs,
      requestsPerMinute: options.rateLimitPerMinute,
      closeIntervalMs: sequencer.options.closeIntervalMs,
    },
  }));

  route("GET /v1/status", { tag: "ledger", summary: "State of the ledger" }, () => statusView(sequencer));

  route(
    "GET /v1/leaves/:id",
    { tag: "ledger", summary: "One account, datanet or model", params: schemas.idParams },
    async ({ params: { id } }) => {
      await sequencer.pipeline.idle();
      return leafView(sequencer, id, ledger.requireLeaf(id));
    },
  );

  const posted = new PostedTree();
  route(
    "GET /v1/leaves/:id/path",
    {
      tag: "ledger",
      summary: "A leaf as L1 has it, with its path to the root in the contract",
      params: schemas.idParams,
    },
    async ({ params: { id } }) => {
      await sequencer.pipeline.idle();
      return postedLeafView(id, posted.leaf(sequencer.pipeline.head, sequencer.pipeline.registry, id));
    },
  );

  route(
    "GET /v1/leaves",
    {
      tag: "ledger",
      summary: "Leaves of an L1 owner or of a key, the models of Datanets, or those with some numbers",
      querystring: schemas.leavesQuery,
      config: {
        maxCost: ({ query }) => {
          const { datanetId, ids } = query as z.output<typeof schemas.leavesQuery>;
          if (ids !== undefined) return ids.length / PER_UNIT.leaves;
          return searchedUnits({ datanetId }) + MAX_LEAVES_FOUND / PER_UNIT.leaves;
        },
      },
    },
    async (request) => {
      const { after = -1, owner, keyX, datanetId, ids } = request.query;
      await sequencer.pipeline.idle();
      if (ids !== undefined) {
        const uniqueIds = [...new Set(ids)];
        setCost(request, uniqueIds.length / PER_UNIT.leaves);
        return uniqueIds.flatMap((id) => {
          const record = ledger.leaf(id);
          return record === undefined ? [] : [leafView(sequencer, id, record)];
        });
      }
      const found = [];
      for (const [id, record] of requestLeaves(ledger, { owner, keyX, datanetId })) {
        if (id <= after) continue;
        found.push(leafView(sequencer, id, record));
        if (found.length >= MAX_LEAVES_FOUND) break;
      }
      setCost(request, searchedUnits({ datanetId }) + found.length / PER_UNIT.leaves);
      return found;
    },
  );

  route(
    "POST /v1/operations",
    { tag: "operations", summary: "Send a signed operation", body: operationBody },
    async ({ body }, reply) => {
      const { hash, status, preconfirmation } = await sequencer.submit({
        ...body,
        kind: schemas.signedKind(body.kind),
      });
      reply.code(202);
      return {
        hash,
        status,
        ...(preconfirmation === null ? {} : { preconfirmation }),
      };
    },
  );

  route(
    "GET /v1/operations/:hash",
    { tag: "operations", summary: "One operation", params: schemas.hashParams },
    async ({ params: { hash } }) => operationView(sequencer, await sequencer.operation(hash), clock()),
  );

  route(
    "GET /v1/operations",
    {
      tag: "operations",
      summary: "Operations and executed queue entries of a leaf, newest first",
      querystring: schemas.operationsQuery,
      config: {
        maxCost: ({ query }) =>
          (query as z.output<typeof schemas.operationsQuery>).limit / PER_UNIT.operations,
      },
    },
    async (request) => {
      const { leaf, limit, before } = request.query;
      if (ledger.leaf(leaf) === undefined) {
        throw operationError("OP_UNKNOWN_LEAF", `there is no leaf ${leaf}`, { data: { id: leaf } });
      }
      const found = await sequencer.operationsOf(leaf, limit, before);
      const { hasOlder, isComplete } = found;
      setCost(request, found.operations.length / PER_UNIT.operations);
      const operations = found.operations.map((known) => leafOperationView(sequencer, known, clock()));
      const last = operations.at(-1);
      return {
        operations,
        nextBefore: hasOlder && last !== undefined ? (last.hash ?? last.queueIndex) : null,
        isComplete,
        prunedBeforeMs: await sequencer.log.prunedBeforeMs(),
      };
    },
  );

  route(
    "GET /v1/records",
    {
      tag: "operations",
      summary: "What was executed last, of every kind, newest first",
      querystring: schemas.recordsQuery,
      config: {
        maxCost: ({ query }) => (query as z.output<typeof schemas.recordsQuery>).limit / PER_UNIT.records,
      },
    },
    async (request) => {
      await sequencer.pipeline.idle();
      const found = await latestRecords(sequencer, request.query);
      setCost(request, found.records.length / PER_UNIT.records);
      return found;
    },
  );

  route(
    "GET /v1/hashes",
    {
      tag: "operations",
      summary: "What a piece of a hash may name: operations, transactions on L1, settlements",
      querystring: schemas.hashesQuery,
      config: { maxCost: () => (2 * MAX_LOOKED_AT) / PER_UNIT.names },
    },
    async (request) => {
      const { found, lookedAt } = await findHashes(sequencer, request.query);
      setCost(request, lookedAt / PER_UNIT.names);
      return found;
    },
  );

  route(
    "GET /v1/batches",
    {
      tag: "batches",
      summary: "Closed batches, newest first",
      querystring: schemas.batchesQuery,
      config: { maxCost: ({ query }) => (query as z.output<typeof schemas.batchesQuery>).limit },
    },
    async (request) => {
      const { before, limit } = request.query;
      const newest = Math.min(
        before === undefined ? Number.POSITIVE_INFINITY : before - 1,
        sequencer.pipeline.registry.closedNumber,
      );
      const oldest = (sequencer.log.prunedTo?.batchNumber ?? 0) + 1;
      if (newest >= 1 && newest < oldest)
        throw sequencer.log.prunedError(`batch ${newest}`, { batchNumber: newest });
      const count = Math.max(0, Math.min(limit, newest - oldest + 1));
      const numbers = Array.from({ length: count }, (_, i) => newest - i);
      const batches = await Promise.all(numbers.map((number) => sequencer.pipeline.batch(number)));
      setCost(request, batches.length);
      return batches.flatMap((batch) => (batch === undefined ? [] : [batchView(batch)]));
    },
  );

  route(
    "GET /v1/batches/:number",
    { tag: "batches", summary: "One closed batch", params: schemas.numberParams },
    async ({ params: { number } }) => {
      const batch = await sequencer.pipeline.batch(number);
      if (batch === undefined) throw unknownBatch(number);
      return batchView(batch);
    },
  );

  route(
    "GET /v1/queue/:index",
    { tag: "batches", summary: "One entry of the L1 queue", params: schemas.indexParams },
    async ({ params: { index } }) => {
      const entry = await sequencer.log.queueEntry(index);
      if (entry === undefined) {
        throw sequencerError("SEQ_UNKNOWN", `the bridge has not handed over queue entry ${index}`, {
          data: { reason: "queue-entry", queueIndex: index },
        });
      }
      return queueView(entry);
    },
  );

  const topics = (query: unknown) => parseTopics((query as { topics?: string }).topics);
  app.get(
    "/v1/feed",
    {
      websocket: true,
      schema: {
        tags: ["feed"],
        summary: "WebSocket: topics operations, batches, leaf:ID",
        querystring: schemas.feedQuery,
      },
      // Refused before the upgrade, so that the client sees an HTTP error; before anything else where there is no room.
      onRequest: async (request) => feed.requireRoom(clientNetwork(request)),
      preValidation: async ({ query }) => void topics(query),
    },
    (socket, request) => {
      socket.on("close", () => feed.remove(socket));
      socket.on("error", () => feed.remove(socket));
      socket.on("pong", () => feed.heard(socket));
      try {
        feed.add(socket, topics(request.query), clientNetwork(request));
      } catch {
        socket.terminate();
      }
    },
  );

  const unlimited = { config: { rateLimit: false }, schema: { hide: true } as object };
  app.get("/health", unlimited, (_request, reply) => {
    reply.code(sequencer.isHealthy ? 200 : 503);
    return {
      status: sequencer.isHealthy ? "ok" : "stopping",
      isL1HeadKnown: sequencer.pipeline.l1Head !== null,
      ...sequencer.healthFacts,
      ...(proverFacts === undefined ? {} : { prover: proverFacts() }),
    };
  });
}
