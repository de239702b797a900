/**
 * What provers call. Their own token opens these routes alone, and may lie on machines that the operator does not trust: so
 * where there is one, each proof is verified before it is taken. L1 would refuse a false one, and the batch would wait.
 */

import { proofBody } from "@openledger/circuits/wire/operator-api";
import { routesOf } from "@openledger/foundation/wire/zod-routes";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Sequencer } from "../../sequencer.ts";
import type { StoredBatch } from "../../store/stored-batch.ts";
import type { ApiOptions } from "../api-options.ts";
import * as schemas from "../api-schemas.ts";
import { operatorRoute, requireToken } from "../operator-token.ts";

export async function registerProverRoutes(
  app: FastifyInstance,
  { operatorToken, provers }: Required<Pick<ApiOptions, "operatorToken">> & Pick<ApiOptions, "provers">,
  sequencer: Sequencer,
): Promise<void> {
  const route = routesOf(app);
  const { line } = sequencer;
  requireToken(app, provers === undefined ? [operatorToken] : [operatorToken, provers.token]);

  route(
    "GET /operator/prove-jobs/next",
    operatorRoute("The next batch to prove", { querystring: schemas.proveJobQuery }),
    async ({ query }, reply) => {
      sequencer.news.fromProver(query.prover);
      return sendJob(reply, sequencer.admission.leadsToL1 ? await line.nextProveJob(query.prover) : null);
    },
  );

  route(
    "GET /operator/prove-jobs",
    operatorRoute("All batches without a proof, in order", { querystring: schemas.proveJobQuery }),
    async ({ query }) => {
      sequencer.news.fromProver(query.prover);
      const batches = sequencer.admission.leadsToL1 ? await line.unprovenBatches() : [];
      return batches.map(({ number, batchHash, circuit, closedAtMs }) => ({
        batchNumber: number,
        ...{ batchHash, circuit, closedAtMs },
      }));
    },
  );

  route(
    "GET /operator/prove-jobs/:batchHash",
    operatorRoute("The job of one of them", { params: schemas.batchHashParams }),
    async ({ params }, reply) => sendJob(reply, await line.proveJobOf(params.batchHash)),
  );

  route(
    "POST /operator/batches/:number/proof",
    operatorRoute("A batch's proof", { params: schemas.numberParams, body: proofBody }),
    async ({ params, body }) => {
      const { batchHash, publicSignals, proof, timings, backend } = body;
      const isRight = (circuit: string) => provers?.isValid(circuit, proof, publicSignals) ?? true;
      await line.addProof(params.number, batchHash, publicSignals, { proof, timings, backend }, isRight);
      return {};
    },
  );
}

function sendJob(reply: FastifyReply, job: { batch: StoredBatch; inputs: unknown } | null): FastifyReply {
  if (job === null) return reply.code(204).send();
  const { number: batchNumber, batchHash, circuit } = job.batch;
  const text = (_key: string, value: unknown) =>
    typeof value === "bigint" ? `0x${value.toString(16)}` : value;
  return reply
    .serializer((body: object) => JSON.stringify(body, text))
    .send({ batchNumber, batchHash, circuit, inputs: job.inputs });
}
