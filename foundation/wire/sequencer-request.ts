/**
 * Request to a sequencer (docs/reference/api.md), for all callers: bridge, provers, clients, answer servers. Failures are
 * classified here, once; each caller raises them as its own errors.
 */
import * as z from "zod/mini";
import { pause } from "../retry.ts";
import { textOfBytes } from "../utf8.ts";
import { BodyTooLong, boundedBytes } from "./bounded-body.ts";

export interface SequencerEndpoint {
  readonly sequencerUrl: string;
  /** Bearer token: the operator's, for its routes; or its servers', whose requests are not limited as strangers' are. */
  readonly token?: string | undefined;
  /** Timeout of one request, in milliseconds. */
  readonly timeoutMs?: number;
  /**
   * Maximum sum of the waits that the sequencer asks for by Retry-After, in milliseconds. The call is made again after each. Default:
   * none, the caller waits.
   */
  readonly maxWaitMs?: number;
}

export interface SequencerRequest {
  /** Path with a leading slash, and the query. */
  readonly path: string;
  /**
   * Body, sent as JSON by POST, bigints as decimal text; bytes are sent as they are, and answered by bytes.
   * Without a body the request is a GET.
   */
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}

export interface SequencerFailure {
  /**
   * Kind of the failure.
   * - unreachable: no answer, or none in time.
   * - aborted: by the caller's signal.
   * - unauthorized: the token is missing or wrong.
   * - passing: the same call may succeed later.
   * - refused: the same call will not succeed.
   * - unreadable: an answer in another form than documented.
   */
  readonly kind: "unreachable" | "aborted" | "unauthorized" | "passing" | "refused" | "unreadable";
  /** Description with method, address and answer. */
  readonly reason: string;
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly path: string;
  /** HTTP status; null without an answer. */
  readonly status: number | null;
  /** Error that the sequencer itself sent; null if, for example, a proxy answered. */
  readonly error: z.output<typeof errorSchema>["error"] | null;
  /** Wait that the server asks for, by Retry-After of a 429 or 503, in milliseconds; null if it asks for none. */
  readonly retryAfterMs: number | null;
  readonly cause: unknown;
}

type SequencerAnswer<T> =
  | { readonly value: T; readonly failure: null }
  | { readonly value: null; readonly failure: SequencerFailure };

const DEFAULT_TIMEOUT_MS = 30_000;
/** Maximum bytes of an answer: lists come in pages. */
const MAX_ANSWER_BYTES = 2 ** 28;
/** Maximum characters of an answer that a message quotes. */
const MAX_QUOTED_CHARACTERS = 500;

const errorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z._default(z.string(), ""),
    data: z._default(z.record(z.string(), z.unknown()), {}),
    remedy: z.optional(z.string()),
  }),
});

/** Address of a path below a server's URL, which may have a path of its own, and slashes at its end. */
const urlBelow = (base: string, path: string) => `${base.replace(/\/+$/, "")}${path}`;

/** Address of the sequencer's feed, a WebSocket. */
export const feedUrlOf = (sequencerUrl: string, topics: readonly string[]): string =>
  urlBelow(sequencerUrl.replace(/^http/, "ws"), `/v1/feed?topics=${topics.join(",")}`);

/** @param schema of the answer, which is null if the body is empty */
export async function askSequencer<Schema extends z.core.$ZodType>(
  endpoint: SequencerEndpoint,
  request: SequencerRequest,
  schema: Schema,
): Promise<SequencerAnswer<z.output<Schema>>> {
  for (let leftMs = endpoint.maxWaitMs ?? 0; ; ) {
    const answer = await askOnce(endpoint, request, schema);
    const waitMs = answer.failure?.retryAfterMs ?? Number.POSITIVE_INFINITY;
    if (waitMs > leftMs) return answer;
    leftMs -= waitMs;
    await pause(waitMs, request.signal);
  }
}

async function askOnce<Schema extends z.core.$ZodType>(
  { sequencerUrl, timeoutMs = DEFAULT_TIMEOUT_MS, token }: SequencerEndpoint,
  { body, path, signal }: SequencerRequest,
  schema: Schema,
): Promise<SequencerAnswer<z.output<Schema>>> {
  const method: SequencerFailure["method"] = body === undefined ? "GET" : "POST";
  const url = urlBelow(sequencerUrl, path);
  const timeout = AbortSignal.timeout(timeoutMs);
  const fail = (
    kind: SequencerFailure["kind"],
    reason: string,
    facts: Partial<Pick<SequencerFailure, "status" | "error" | "retryAfterMs" | "cause">> = {},
  ) => {
    const rest = { status: null, error: null, retryAfterMs: null, cause: undefined, ...facts };
    const failure: SequencerFailure = { kind, reason, method, url, path, ...rest };
    return { value: null, failure };
  };
  const isRaw = body instanceof Uint8Array;
  let status: number;
  let retryAfter: string | null;
  let bytes: Uint8Array;
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": `application/${isRaw ? "octet-stream" : "json"}` }),
      },
      ...(body === undefined
        ? {}
        : { body: isRaw ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body, bigintsToText) }),
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      // Following a redirect would send the request to any address that the server names.
      redirect: "error",
    });
    status = response.status;
    retryAfter = response.headers.get("retry-after");
    bytes = await boundedBytes(response, MAX_ANSWER_BYTES);
  } catch (cause) {
    if (signal?.aborted) return fail("aborted", `${method} ${url} was aborted`, { cause });
    if (cause instanceof BodyTooLong)
      return fail("unreadable", `the answer to ${method} ${url} does not end`, { cause });
    return fail("unreachable", `no answer to ${method} ${url}`, { cause });
  }
  let text = "";
  let answer: unknown = isRaw && status < 400 ? bytes : null;
  let cause: unknown;
  try {
    if (!isRaw || status >= 400) text = textOfBytes(bytes);
    if (text !== "") answer = JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  if (status >= 400) {
    const error = errorSchema.safeParse(answer).data?.error ?? null;
    const reason = `${method} ${url} answered ${status}: ${text.slice(0, MAX_QUOTED_CHARACTERS)}`;
    // 429: the same call may succeed later, just as with a server's own failure.
    const other = status >= 500 || status === 429 ? "passing" : "refused";
    const retryAfterMs = status === 429 || status === 503 ? waitOf(retryAfter) : null;
    return fail(status === 401 ? "unauthorized" : other, reason, { status, error, retryAfterMs });
  }
  if (cause !== undefined)
    return fail("unreadable", `${method} ${url} did not answer with JSON`, { status, cause });
  let problems: string;
  try {
    const read = z.safeParse(schema, answer);
    if (read.success) return { value: read.data, failure: null };
    cause = read.error;
    problems = z.prettifyError(read.error);
  } catch (thrown) {
    // A schema's own checks throw, too.
    cause = thrown;
    problems = String(thrown);
  }
  const quoted = problems.slice(0, MAX_QUOTED_CHARACTERS);
  const reason = `${method} ${url} answers in another form than is documented: ${quoted}`;
  return fail("unreadable", reason, { status, cause });
}

/** Milliseconds of a Retry-After in seconds, one second at least; null for its other form, a date, and for none. */
const waitOf = (header: string | null): number | null =>
  header !== null && /^\d{1,6}$/.test(header) ? 1_000 * Math.max(1, Number(header)) : null;

const bigintsToText = (_key: string, value: unknown) =>
  typeof value === "bigint" ? value.toString() : value;
