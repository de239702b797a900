/**
 * Requests to a Datanet host or a factory, signed where necessary, and their answers. Every verb of client/datanets/ and the
 * factory's client send theirs by it.
 */

import { REQUEST_HEADER, signRequest } from "@openledger/datanets/records/signed-request";
import { encodeDigests } from "@openledger/datanets/rows/row-wire";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { textOfBytes } from "@openledger/foundation/utf8";
import { BodyTooLong, boundedBytes } from "@openledger/foundation/wire/bounded-body";
import type { z } from "zod";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, requireL2Key } from "../ledger-client.ts";
import { getLeaf, resolveSigner } from "../sequencer/ledger-reads.ts";
import type { SequencerAccess } from "../sequencer/sequencer-request.ts";
import { serverRefusal } from "../server-refusal.ts";
import {
  failureSchema,
  type HostInfo,
  type HostName,
  hostInfoSchema,
  hostNameSchema,
} from "./host-schemas.ts";

/**
 * Maximum SHA-256 digests in one request.
 * @internal
 */
export const MAX_DIGESTS_A_REQUEST = 4_096;

/**
 * Request that fetches rows by their SHA-256.
 * @internal
 */
export function rowsRequest(datanetId: number, digests: readonly string[]) {
  return {
    method: "POST",
    path: `/v1/datanets/${datanetId}/rows/fetch`,
    body: encodeDigests(digests),
  } as const;
}

/** Error codes of every call to a host; a host's own refusals keep their codes. */
export type HostErrorCode =
  | "CLI_UNREACHABLE"
  | "CLI_ANSWER_INVALID"
  | "CLI_NOT_CONFIGURED"
  | "CLI_LEAF_NOT_FOUND"
  | "CLI_INPUT_INVALID"
  | `DNT_${string}`
  | `SRV_${string}`
  | `SEQ_${string}`
  | `OP_${string}`;

/** Access to a host: a client, or a reader who has no key and signs nothing. */
export type HostAccess = SequencerAccess &
  Pick<LedgerClient, "domain" | "l2Key" | "leafId"> & {
    /** Signature headers that a reader has made for requests of this client, by their addresses: a factory reads for whom it works for. */
    readonly signedRequests?: ReadonlyMap<string, string>;
  };

/** Address of a Datanet. */
export interface HostedDatanetLocation {
  /** URL of the host, as the host names itself: requests are signed for this address. */
  hostUrl: string;
  datanetId: number;
}

/** Kind of the server in `data` of an error. */
export type ServerKind = "datanet host" | "factory" | "answer server";
const DATANET_HOST: ServerKind = "datanet host";

/** Address of a Datanet to read, which may be permissioned. */
export interface ReadableLocation extends HostedDatanetLocation {
  /** True signs the request, as a permissioned Datanet requires; default: false. */
  isSigned?: boolean;
  /** Leaf that signs; default: the client's. */
  from?: number;
}

/**
 * Part of a call's parameters that is about reading.
 * @internal
 */
export const readingOf = ({ from, isSigned = false }: ReadableLocation) => ({ isSigned, from });

export interface HostCall {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  /** Bytes, or a value that is sent as JSON. */
  readonly body?: Uint8Array | object;
  /** True signs by the client's key for its leaf, or for `from`. */
  readonly isSigned?: boolean;
  readonly from?: number | undefined;
  /** Signature header that somebody else has made for just this call. */
  readonly header?: string;
  /** Signal that ends the call; default: after the client's `requestTimeoutMs`. */
  readonly signal?: AbortSignal;
}

/** Milliseconds for which a signed request is valid. */
const REQUEST_LIFE_MS = 120_000;
const MAX_QUOTED_CHARACTERS = 300;
/** Maximum bytes of an answer: the list of a version of ten million rows has less. */
const MAX_ANSWER_BYTES = 400_000_000;
/** Maximum bytes of a JSON answer: lists come in pages. */
const MAX_JSON_BYTES = 64_000_000;

const names = new WeakMap<HostAccess, Map<string, HostName>>();
const infos = new WeakMap<HostAccess, Map<string, HostInfo>>();

/**
 * Facts that the host publishes about itself, requested once for each client.
 * @throws CLI_ANSWER_INVALID where it is another rollup's or names another address
 * @internal
 */
export async function hostInfo(client: HostAccess, hostUrl: string): Promise<HostInfo> {
  const known = infos.get(client)?.get(hostUrl);
  if (known !== undefined) return known;
  const info = await askName(client, hostUrl, hostInfoSchema, DATANET_HOST);
  return remember(infos, client, hostUrl, info);
}

/**
 * Requests the host's present name and session again.
 * @internal
 */
export function askHostName(client: HostAccess, hostUrl: string): Promise<HostName> {
  return askName(client, hostUrl, hostNameSchema, DATANET_HOST);
}

async function askName<Schema extends typeof hostNameSchema>(
  client: HostAccess,
  hostUrl: string,
  schema: Schema,
  server: ServerKind,
): Promise<z.output<Schema>> {
  const origin = hostUrl.replace(/\/+$/, "");
  const path = `${origin}/v1/info`;
  const info = await readJson(await send(client, path, {}, server), schema, origin, server);
  if (BigInt(info.domain) !== client.domain || info.origin !== origin)
    throw clientError(
      "CLI_ANSWER_INVALID",
      `the host at ${origin} says that it is ${info.origin}, of rollup ${info.rollupAddress}`,
      { data: { url: origin, origin: info.origin, rollupAddress: info.rollupAddress } },
    );
  return info;
}

function remember<Info>(
  cache: WeakMap<HostAccess, Map<string, Info>>,
  client: HostAccess,
  hostUrl: string,
  info: Info,
): Info {
  const map = cache.get(client) ?? new Map<string, Info>();
  cache.set(client, map.set(hostUrl, info));
  return info;
}

/**
 * Requests JSON and parses it by a schema.
 * @internal
 */
export async function askHost<Schema extends z.ZodType>(
  client: HostAccess,
  hostUrl: string,
  call: HostCall,
  schema: Schema,
): Promise<z.output<Schema>> {
  return askServer(client, hostUrl, call, schema, DATANET_HOST);
}

/**
 * Asks about rows of a Datanet, unsigned first: a host asks for a signature where it is permissioned. The client signs as the Datanet
 * where it has its key, else as `from`, by default its own leaf.
 * @param answer JSON of a schema, or bytes
 * @internal
 */
export async function askAsReader<Answer extends "bytes" | z.ZodType>(
  client: HostAccess,
  { datanetId, hostUrl }: HostedDatanetLocation,
  call: HostCall,
  answer: Answer,
): Promise<Answer extends z.ZodType ? z.output<Answer> : Uint8Array> {
  type Read = Answer extends z.ZodType ? z.output<Answer> : Uint8Array;
  const { l2Key } = client;
  const ask = async (one: HostCall): Promise<Read> =>
    (answer === "bytes"
      ? await askHostForBytes(client, hostUrl, one)
      : await askHost(client, hostUrl, one, answer as z.ZodType)) as Read;
  try {
    return await ask(call);
  } catch (error) {
    if (call.isSigned === true || !isRollupError(error, "DNT_REQUEST_UNSIGNED")) throw error;
    const header = client.signedRequests?.get(`${hostUrl.replace(/\/+$/, "")}${call.path}`);
    if (header !== undefined) return ask({ ...call, header });
    if (l2Key === null) throw error;
    const isOwn = (await getLeaf(client, datanetId)).keyX === l2Key.keyX;
    return ask({ ...call, isSigned: true, from: isOwn ? datanetId : call.from });
  }
}

/**
 * Requests JSON from any server whose requests are signed in this way.
 * @internal
 */
export async function askServer<Schema extends z.ZodType>(
  client: HostAccess,
  hostUrl: string,
  call: HostCall,
  schema: Schema,
  server: ServerKind,
): Promise<z.output<Schema>> {
  return readJson(await requestServer(client, hostUrl, call, server), schema, call.path, server);
}

/**
 * Requests bytes, at most MAX_ANSWER_BYTES.
 * @internal
 */
export async function askHostForBytes(
  client: HostAccess,
  hostUrl: string,
  call: HostCall,
): Promise<Uint8Array> {
  return bytesOf(await requestServer(client, hostUrl, call, DATANET_HOST), call.path, DATANET_HOST);
}

async function bytesOf(
  response: Response,
  path: string,
  server: ServerKind,
  maxBytes = MAX_ANSWER_BYTES,
): Promise<Uint8Array> {
  try {
    return await boundedBytes(response, maxBytes);
  } catch (cause) {
    if (!(cause instanceof BodyTooLong))
      throw clientError("CLI_UNREACHABLE", `the answer of ${path} broke off`, {
        data: { server, path },
        cause,
      });
    throw clientError("CLI_ANSWER_INVALID", `the answer of ${path} does not end`, {
      data: { server, path, maxBytes },
    });
  }
}

/**
 * Sends a request and returns the answer with its body unread.
 * @internal
 */
export async function requestServer(
  client: HostAccess,
  hostUrl: string,
  call: HostCall,
  server: ServerKind,
): Promise<Response> {
  try {
    return await attempt(client, hostUrl, call, server);
  } catch (error) {
    // The host has restarted: its new session is requested, once.
    if (!isRollupError(error, "DNT_SESSION_OTHER")) throw error;
    names.get(client)?.delete(hostUrl);
    return attempt(client, hostUrl, call, server);
  }
}

async function attempt(
  client: HostAccess,
  hostUrl: string,
  call: HostCall,
  server: ServerKind,
): Promise<Response> {
  const { body, from, isSigned, method = "GET", path } = call;
  const origin = hostUrl.replace(/\/+$/, "");
  const isBinary = body instanceof Uint8Array;
  const bytes = body === undefined || isBinary ? body : new TextEncoder().encode(JSON.stringify(body));
  const headers: Record<string, string> =
    bytes === undefined ? {} : { "content-type": isBinary ? "application/octet-stream" : "application/json" };
  if (call.header !== undefined) headers[REQUEST_HEADER] = call.header;
  else if (isSigned === true)
    headers[REQUEST_HEADER] = await signatureOf(
      client,
      hostUrl,
      { method, path, body: bytes ?? null, from },
      server,
    );
  const init = {
    method,
    headers,
    ...(bytes === undefined ? {} : { body: bytes as Uint8Array<ArrayBuffer> }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  };
  return send(client, `${origin}${path}`, init, server);
}

async function signatureOf(
  client: HostAccess,
  hostUrl: string,
  { from, ...request }: { method: string; path: string; body: Uint8Array | null; from?: number | undefined },
  server: ServerKind,
): Promise<string> {
  const known = names.get(client)?.get(hostUrl);
  const { session } =
    known ?? remember(names, client, hostUrl, await askName(client, hostUrl, hostNameSchema, server));
  const key = requireL2Key(client);
  const leafId = from ?? client.leafId ?? (await resolveSigner(client)).id;
  return signRequest(
    client.domain,
    { origin: hostUrl.replace(/\/+$/, ""), ...request },
    { leafId, session, nowMs: Date.now(), lifeMs: REQUEST_LIFE_MS, sign: (message) => key.sign(message) },
  );
}

/**
 * Signs requests for files of a model, whose index has rows of permissioned Datanets: model servers give it to readers.
 * @param serverUrl of the model
 * @param from leaf that reads; default: the client's
 * @internal
 */
export const modelReader =
  (client: HostAccess, serverUrl: string, from?: number) =>
  async (path: string): Promise<Readonly<Record<string, string>>> => {
    // A session ends with the server's: these requests are few.
    names.get(client)?.delete(serverUrl);
    const request = { method: "GET", path, body: null, from };
    return { [REQUEST_HEADER]: await signatureOf(client, serverUrl, request, "answer server") };
  };

async function send(
  client: HostAccess,
  url: string,
  init: RequestInit,
  server: ServerKind,
): Promise<Response> {
  let response: Response;
  try {
    // A signed request is for one host. Following a redirect would send it to any address that this host names.
    const signal = AbortSignal.timeout(client.requestTimeoutMs);
    response = await fetch(url, { signal, redirect: "error", ...init });
  } catch (cause) {
    throw clientError("CLI_UNREACHABLE", `no answer from ${url}`, { data: { server, url }, cause });
  }
  if (response.ok) return response;
  const text = await boundedBytes(response, MAX_JSON_BYTES)
    .then(textOfBytes)
    .catch(() => "");
  const error = failureSchema.safeParse(parsed(text)).data?.error;
  if (error === undefined) {
    const answered = `${url} answered ${response.status}: ${text.slice(0, MAX_QUOTED_CHARACTERS)}`;
    throw clientError(response.status >= 500 ? "CLI_UNREACHABLE" : "CLI_ANSWER_INVALID", answered, {
      data: { server, url, httpStatus: response.status },
    });
  }
  throw serverRefusal(server, error, {
    isRetryable: response.headers.has("retry-after"),
    url,
    httpStatus: response.status,
  });
}

async function readJson<Schema extends z.ZodType>(
  response: Response,
  schema: Schema,
  url: string,
  server: ServerKind,
): Promise<z.output<Schema>> {
  const bytes = await bytesOf(response, url, server, MAX_JSON_BYTES);
  const answer = schema.safeParse(jsonOf(bytes));
  if (answer.success) return answer.data;
  throw clientError("CLI_ANSWER_INVALID", `the answer of ${url} is not as documented`, {
    data: { server, url },
    cause: answer.error,
  });
}

/** undefined for what is no JSON, or no UTF-8. */
function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOfBytes(bytes));
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
