/**
 * Request to a sequencer (docs/reference/api.md), for all callers: bridge, provers, clients, answer servers. Failures are
 * classified here, once; each caller raises them as its own errors.
 */
import * as z from "zod/mini";
import { textOfBytes } from "../utf8.ts";
import { BodyTooLong, boundedBytes } from "./bounded-body.ts";

export interface SequencerEndpoint {
  readonly sequencerUrl: string;
  /** Bearer token for the operator's routes. */
  readonly operatorToken?: string;
  readonly timeoutMs?: number;
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
  { operatorToken, sequencerUrl, timeoutMs = DEFAULT_TIMEOUT_MS }: SequencerEndpoint,
  { body, path, signal }: SequencerRequest,
  schema: Schema,
): Promise<SequencerAnswer<z.output<Schema>>> {
  const method: SequencerFailure["method"] = body === undefined ? "GET" : "POST";
  const url = urlBelow(sequencerUrl, path);
  const timeout = AbortSignal.timeout(timeoutMs);
  const fail = (
    kind: SequencerFailure["kind"],
    reason: string,
    facts: Partial<Pick<SequencerFailure, "status" | "error" | "cause">> = {},
  ) => {
    const rest = { status: null, error: null, cause: undefined, ...facts };
    const failure: SequencerFailure = { kind, reason, method, url, path, ...rest };
    return { value: null, failure };
  };
  const isRaw = body instanceof Uint8Array;
  let status: number;
  let bytes: Uint8Array;
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...(operatorToken === undefined ? {} : { authorization: `Bearer ${operatorToken}` }),
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
    return fail(status === 401 ? "unauthorized" : other, reason, { status, error });
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

const bigintsToText = (_key: string, value: unknown) =>
  typeof value === "bigint" ? value.toString() : value;
