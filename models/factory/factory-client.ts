/** Client of a factory's API, for the commands `openledger factory …` and the factory's pages. Runs in browsers. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { useOfKind } from "@openledger/attribution/rows/row-kinds";
import { clientError } from "@openledger/client/client-errors";
import { getHostedDatanet } from "@openledger/client/datanets/datanet-card";
import {
  askHostName,
  askServer,
  type HostCall,
  requestServer,
  rowsRequest,
} from "@openledger/client/datanets/host-request";
import { recordPaths } from "@openledger/client/datanets/sound-records";
import { type LedgerClient, requireL2Key } from "@openledger/client/ledger-client";
import { resolveSigner } from "@openledger/client/sequencer/ledger-reads";
import type { SignedFigure } from "@openledger/datanets/records/signed-figure";
import { type HostRequest, signRequest } from "@openledger/datanets/records/signed-request";
import { pause } from "@openledger/foundation/retry";
import { BodyTooLong, boundedBytes } from "@openledger/foundation/wire/bounded-body";
import { z } from "zod";
import {
  baseCopySchema,
  basePlanSchema,
  baseSchema,
  type compareRequestSchema,
  compareSchema,
  type DatasetRequest,
  datasetSchema,
  type ExportForm,
  estimateSchema,
  exportSchema,
  type FactoryBase,
  type FactoryBaseCopy,
  type FactoryBasePlan,
  type FactoryComparison,
  type FactoryDataset,
  type FactoryEstimate,
  type FactoryExport,
  type FactoryInfo,
  type FactoryJob,
  type FactoryLineage,
  type FactoryRegistration,
  type FormView,
  formViewSchema,
  infoSchema,
  type JobEvent,
  type JobRequest,
  jobEventSchema,
  jobSchema,
  lineageSchema,
  registrationSchema,
} from "./factory-api.ts";

const FACTORY = "factory";

/** Lifetime of a signature for a Datanet's host, in ms: the factory uses it at once. */
const HEADER_LIFE_MS = 120_000;
/** Timeout of a measurement, a comparison or a merged model. */
const LONG_MS = 600_000;
/** Wait before a broken stream of events is requested again. */
const RETRY_MS = 1_000;

/** Maximum characters of one event of a job. */
const MAX_EVENT_CHARACTERS = 2 ** 22;

/** Interval between two questions about a base that is fetched. */
const COPY_POLL_MS = 1_000;

interface FollowOptions {
  /** Number of the last event that the caller has; 0 = from the first on. */
  readonly after?: number;
  readonly signal?: AbortSignal;
  /** Called when the stream breaks, before it is requested again. */
  readonly onBreak?: (error: unknown) => void;
}

/** Datanets of a data set, in their places. */
const positionsOf = (request: DatasetRequest) => [request, ...(request.further ?? [])];

export class FactoryClient {
  readonly url: string;
  readonly #client: LedgerClient;
  readonly #from: number | undefined;

  /** @param client its key signs, for its leaf or for `from`; without a key only `info` and `bases` answer */
  constructor(client: LedgerClient, url: string, from?: number) {
    this.#client = client;
    this.#from = from;
    this.url = url.replace(/\/+$/, "");
  }

  info(): Promise<FactoryInfo> {
    return this.#ask({ path: "/v1/info", isSigned: false }, infoSchema);
  }

  bases(): Promise<FactoryBase[]> {
    return this.#ask({ path: "/v1/bases", isSigned: false }, z.array(baseSchema));
  }

  /** Disk and memory that a hub's base takes. @throws MOD_FACTORY_REFUSED, and what the base is refused for */
  planBase(place: string): Promise<FactoryBasePlan> {
    return this.#post("/v1/bases/plans", { place }, basePlanSchema, LONG_MS);
  }

  /** Resolves once the base is listed; one of a hub is fetched before. */
  async addBase(place: string, onProgress: (copy: FactoryBaseCopy) => void = () => {}): Promise<FactoryBase> {
    for (;;) {
      const answer = await this.#post("/v1/bases", { place }, z.union([baseSchema, baseCopySchema]), LONG_MS);
      if (!("state" in answer)) return answer;
      onProgress(answer);
      await pause(COPY_POLL_MS);
    }
  }

  datasets(): Promise<FactoryDataset[]> {
    return this.#ask({ path: "/v1/datasets" }, z.array(datasetSchema));
  }

  dataset(id: string): Promise<FactoryDataset> {
    return this.#ask({ path: `/v1/datasets/${id}` }, datasetSchema);
  }

  deleteDataset(id: string): Promise<object> {
    return this.#ask({ method: "DELETE", path: `/v1/datasets/${id}` }, z.object({}));
  }

  /**
   * Brings rows into the factory; where their Datanet is permissioned, the client's key signs the requests for them.
   * @throws DNT_ACCESS_NOT_GRANTED, MOD_FACTORY_REFUSED, SRV_TOO_LARGE
   */
  async addDataset(request: DatasetRequest): Promise<FactoryDataset> {
    const records = await this.#signRecords(request);
    const signed = records.length === 0 ? request : { ...request, records };
    let dataset = await this.#post("/v1/datasets", signed, datasetSchema, LONG_MS);
    for (let received = -1; dataset.state === "waiting"; ) {
      if (dataset.receivedCount <= received)
        throw clientError("CLI_ANSWER_INVALID", `no more rows of data set ${dataset.id} come`, {
          data: { id: dataset.id, receivedCount: received },
        });
      received = dataset.receivedCount;
      const headers = await this.#signRows(request, dataset);
      dataset = await this.#post(
        `/v1/datasets/${dataset.id}/signatures`,
        { headers },
        datasetSchema,
        LONG_MS,
      );
    }
    return dataset;
  }

  /** @param baseId null for a model that sorts */
  form(baseId: string | null, datasetId: string): Promise<FormView> {
    return this.#post("/v1/forms", { baseId, datasetId }, formViewSchema);
  }

  estimate(request: JobRequest): Promise<FactoryEstimate> {
    return this.#post("/v1/estimates", request, estimateSchema, LONG_MS);
  }

  begin(request: JobRequest): Promise<FactoryJob> {
    return this.#post("/v1/jobs", request, jobSchema, LONG_MS);
  }

  jobs(): Promise<FactoryJob[]> {
    return this.#ask({ path: "/v1/jobs" }, z.array(jobSchema));
  }

  job(id: string): Promise<FactoryJob> {
    return this.#ask({ path: `/v1/jobs/${id}` }, jobSchema);
  }

  /** Sends a wish to a job. @param wish stop = its present state becomes the model */
  wish(id: string, wish: "pause" | "resume" | "stop"): Promise<FactoryJob> {
    return this.#post(`/v1/jobs/${id}/${wish}`, undefined, jobSchema);
  }

  deleteJob(id: string): Promise<object> {
    return this.#ask({ method: "DELETE", path: `/v1/jobs/${id}` }, z.object({}));
  }

  /**
   * A job's events, each once and in order, for as long as the signal lets it: a broken stream is asked for again from
   * where it broke, also over a restart of the factory.
   */
  async *follow(id: string, { after = 0, onBreak, signal }: FollowOptions = {}): AsyncGenerator<JobEvent> {
    const isOver = () => signal?.aborted === true;
    for (let last = after; !isOver(); ) {
      try {
        for await (const event of this.#stream(id, last, signal)) {
          last = event.number;
          yield event;
        }
        onBreak?.(null);
      } catch (error) {
        if (isOver()) return;
        if (!isPassing(error)) throw error;
        onBreak?.(error);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  compare(id: string, request: z.input<typeof compareRequestSchema>): Promise<FactoryComparison> {
    return this.#post(`/v1/jobs/${id}/compare`, request, compareSchema, LONG_MS);
  }

  registration(id: string): Promise<FactoryRegistration> {
    return this.#ask({ path: `/v1/jobs/${id}/registration` }, registrationSchema);
  }

  /** Has the activation of a model proven that was created with the registration's statics. */
  proveActivation(id: string, modelId: number): Promise<FactoryRegistration> {
    return this.#post(`/v1/jobs/${id}/registration`, { modelId }, registrationSchema);
  }

  /** Brings the figure that the model's leaf has signed: the factory shows it where it serves the model. */
  bringFigure(id: string, signed: SignedFigure): Promise<FactoryRegistration> {
    return this.#post(`/v1/jobs/${id}/figure`, signed, registrationSchema);
  }

  export(id: string, form: ExportForm): Promise<FactoryExport> {
    return this.#post(`/v1/jobs/${id}/exports`, { form }, exportSchema, LONG_MS);
  }

  /** A file of an export. @throws CLI_ANSWER_INVALID if its bytes, or their number, are not those that the export names */
  async file(
    id: string,
    form: ExportForm,
    { name, sha256: digest, sizeBytes }: FactoryExport["files"][number],
  ): Promise<Uint8Array<ArrayBuffer>> {
    const call = { path: `/v1/jobs/${id}/files/${form}/${encodeURIComponent(name)}` };
    const response = await requestServer(this.#client, this.url, this.#signed(call, LONG_MS), FACTORY);
    const differs = (foundBytes: number | null) =>
      clientError("CLI_ANSWER_INVALID", `${name} has other bytes than the export names`, {
        data: { url: this.url, name, sizeBytes, found: foundBytes },
      });
    const bytes = await boundedBytes(response, sizeBytes).catch((error: unknown) => {
      throw error instanceof BodyTooLong ? differs(null) : error;
    });
    if (bytes.length === sizeBytes && bytesToHex(sha256(bytes)) === digest) return bytes;
    throw differs(bytes.length);
  }

  /** Has questions to the job's registered model answered, and its closed epochs settled, or no more. */
  serve(id: string, isServed: boolean): Promise<FactoryJob> {
    return this.#post(`/v1/jobs/${id}/served`, { isServed }, jobSchema, LONG_MS);
  }

  lineage(id: string): Promise<FactoryLineage> {
    return this.#ask({ path: `/v1/jobs/${id}/lineage` }, lineageSchema);
  }

  /** Signs for the records of permissioned Datanets, by which the factory finds the rows' labels. */
  async #signRecords(request: DatasetRequest): Promise<{ url: string; header: string }[]> {
    const signed: { url: string; header: string }[] = [];
    for (const { datanetId, hostUrl } of positionsOf(request)) {
      const { card, here } = await getHostedDatanet(this.#client, { datanetId, hostUrl });
      if (card.access === "public" || useOfKind(card.row.kind) === "write") continue;
      const { origin, session } = await askHostName(this.#client, hostUrl);
      for (const path of recordPaths(datanetId, here.recordCount))
        signed.push({
          url: `${origin}${path}`,
          header: await this.#header({ origin, session, method: "GET", path, body: null }),
        });
    }
    return signed;
  }

  async #header({ session, ...request }: HostRequest & { readonly session: string }): Promise<string> {
    const key = requireL2Key(this.#client);
    const { id: leafId } = await resolveSigner(this.#client, this.#from);
    const signer = { leafId, session, nowMs: Date.now(), lifeMs: HEADER_LIFE_MS };
    return signRequest(this.#client.domain, request, { ...signer, sign: (message) => key.sign(message) });
  }

  /** Signs for the rows of this Datanet at this host, and for nothing else that a factory might ask for. */
  async #signRows(request: DatasetRequest, { asked }: FactoryDataset): Promise<string[]> {
    const headers: string[] = [];
    for (const { digests, method, origin, path, session } of asked) {
      const expected = positionsOf(request)
        .filter(({ hostUrl }) => origin === hostUrl.replace(/\/+$/, ""))
        .map(({ datanetId }) => rowsRequest(datanetId, digests))
        .find((one) => one.path === path && one.method === method);
      if (expected === undefined)
        throw clientError(
          "CLI_ANSWER_INVALID",
          `the factory asks for a signature for ${method} ${origin}${path}`,
          {
            data: { origin, path },
          },
        );
      headers.push(await this.#header({ origin, session, method, path, body: expected.body }));
    }
    return headers;
  }

  async *#stream(id: string, after: number, signal?: AbortSignal): AsyncGenerator<JobEvent> {
    const path = `/v1/jobs/${id}/events?after=${after}`;
    // It lasts as long as the job: only its beginning is held to a time limit.
    const call = { path, isSigned: true, from: this.#from, signal: signal ?? new AbortController().signal };
    const { body } = await requestServer(this.#client, this.url, call, FACTORY);
    const reader = body!.pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
    try {
      let text = "";
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        text += next.value;
        const parts = text.split("\n\n");
        text = parts.pop()!;
        if (text.length > MAX_EVENT_CHARACTERS)
          throw clientError("CLI_ANSWER_INVALID", `an event of ${path} does not end`, {
            data: { server: FACTORY, path },
          });
        for (const part of parts)
          if (part.startsWith("data: ")) yield jobEventSchema.parse(JSON.parse(part.slice(6)));
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  #ask<Schema extends z.ZodType>(call: HostCall, schema: Schema): Promise<z.output<Schema>> {
    return askServer(this.#client, this.url, this.#signed(call), schema, FACTORY);
  }

  #post<Schema extends z.ZodType>(
    path: string,
    body: object | undefined,
    schema: Schema,
    timeoutMs?: number,
  ): Promise<z.output<Schema>> {
    const call: HostCall = { method: "POST", path, ...(body === undefined ? {} : { body }) };
    return askServer(this.#client, this.url, this.#signed(call, timeoutMs), schema, FACTORY);
  }

  #signed(call: HostCall, timeoutMs?: number): HostCall {
    const signal = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) };
    return { isSigned: true, from: this.#from, ...signal, ...call };
  }
}

/** Returns true if a stream may recover by itself: the connection broke, or the factory's error is retryable. */
function isPassing(error: unknown): boolean {
  const { code, isRetryable } = error as { code?: string; isRetryable?: boolean };
  return code === undefined || code === "CLI_UNREACHABLE" || isRetryable === true;
}
