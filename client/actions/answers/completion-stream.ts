/**
 * Client of the OpenAI routes of an answer server (docs/explanation/openlora.md): its list of adapters, and one answer
 * while it is made. `askAdapter`, `askModel` and pages use it.
 */

import type { RollupError } from "@openledger/foundation/rollup-error";
import { boundedBytes } from "@openledger/foundation/wire/bounded-body";
import * as z from "zod/mini";
import { clientError } from "../../client-errors.ts";
import type { LedgerClient } from "../../ledger-client.ts";
import { serverRefusal } from "../../server-refusal.ts";
import { requestModelServer } from "./model-answers.ts";

type Access = Pick<LedgerClient, "requestTimeoutMs">;

const adaptersSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      /** Adapter's base model; null for the base itself. */
      parent: z.nullable(z.string()),
      openledger: z.discriminatedUnion("charging", [
        z.object({ charging: z.literal("free") }),
        z.object({
          charging: z.literal("ledger"),
          /** Absent for an adapter that is not registered: it is not sold. */
          modelId: z.optional(z.int()),
          datanetId: z.optional(z.int()),
          version: z.optional(z.int()),
        }),
      ]),
    }),
  ),
});
export type ListedAdapter = z.output<typeof adaptersSchema>["data"][number];

/**
 * Lists the base, and all adapters in the order of their names.
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID
 * @internal
 */
export const listAdapters = async (access: Access, serverUrl: string): Promise<ListedAdapter[]> =>
  (await requestModelServer(access, serverUrl, "/v1/models", adaptersSchema)).data;

export interface CompletionOrder {
  readonly serverUrl: string;
  /** The name of an adapter, or of the base. */
  readonly model: string;
  readonly prompt: string;
  /** Maximum tokens of the answer; a registered model's recipe overrules it. */
  readonly maxTokens?: number;
  /** Payer, and their signature. */
  readonly claim?: object;
  /** Aborts the request: its asker has left. */
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<StreamLimits> | undefined;
}

/** Limits of an answer that a server streams. What is beyond them is CLI_UNREACHABLE by time, CLI_ANSWER_INVALID by size. */
export interface StreamLimits {
  /** Milliseconds to wait for each part. The first one waits for a turn, so the limit is long. */
  readonly patienceMs: number;
  /** Milliseconds of the whole answer. */
  readonly totalMs: number;
  /** Bytes of the whole answer, with all that is no text of it. */
  readonly maxBytes: number;
  /** Lines of the whole answer: a part has two, and a proxy that says that it is alive sends some. */
  readonly maxLines: number;
}

const EVENT_STREAM = "text/event-stream";
const soFarSchema = z.object({ soFar: z.string() });
const partSchema = z.object({
  choices: z.array(z.object({ text: z.string() })),
  openledger: z.optional(z.unknown()),
});
const refusal = z.object({
  code: z.string(),
  data: z._default(z.record(z.string(), z.unknown()), {}),
  remedy: z.optional(z.string()),
});
/** OpenAI's form, in which ours is a field, or an answer server's own. */
const errorSchema = z.union([
  z.pipe(
    z.object({ error: z.object({ message: z.string(), openledger: refusal }) }),
    z.transform(({ error: { message, openledger } }) => ({ message, ...openledger })),
  ),
  z.pipe(
    z.object({ error: z.extend(refusal, { message: z.string() }) }),
    z.transform(({ error }) => error),
  ),
]);
/** Maximum bytes of a refusal. */
const MAX_REFUSAL_BYTES = 2 ** 20;
/**
 * Maximum characters of a line, and of an answer's text. An answer's last part has its opening and its estimate; no honest line
 * comes near this.
 */
const MAX_LINE_CHARACTERS = 2 ** 22;

const LIMITS: StreamLimits = {
  // Before its first word a large model reads the prompt.
  patienceMs: 300_000,
  totalMs: 900_000,
  // Each part of an answer server repeats the text so far.
  maxBytes: 2 ** 28,
  maxLines: 2 ** 17,
};

const invalidAnswer = (url: string, reason: string, cause?: unknown) =>
  clientError("CLI_ANSWER_INVALID", `the answer of ${url} is not as documented: ${reason}`, {
    data: { server: "answer server", url },
    cause,
  });

/**
 * Reads one answer, part by part.
 *
 * @param onText called with the whole text so far, for every part that extends it
 * @returns `openledger` of the last part
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID, and ATT_, MOD_ and SRV_ codes as the server refuses
 * @internal
 */
export async function streamCompletion(
  { claim, limits, maxTokens, model, prompt, serverUrl, signal }: CompletionOrder,
  onText: (text: string) => void,
): Promise<unknown> {
  const url = `${serverUrl.replace(/\/+$/, "")}/v1/completions`;
  const body = { model, prompt, stream: true, max_tokens: maxTokens, openledger: claim };
  let text = "";
  let last: unknown;
  for await (const event of eventsOf(url, body, { signal, limits })) {
    if (event === "[DONE]") return last;
    const part = partSchema.safeParse(parsed(event));
    if (!part.success) throw invalidAnswer(url, "a part has another form", part.error);
    const more = part.data.choices[0]?.text ?? "";
    text += more;
    if (text.length > MAX_LINE_CHARACTERS) throw invalidAnswer(url, "it does not end");
    last = part.data.openledger ?? last;
    if (more !== "") onText(text);
  }
  throw invalidAnswer(url, "it ends early");
}

/**
 * Reads an answer of an answer server, whose text comes as it is made.
 *
 * @param onText called with the whole text so far
 * @returns the answer
 * @throws CLI_UNREACHABLE, with `data.isSent` false where no byte of the question has left; CLI_ANSWER_INVALID, and ATT_, MOD_ and SRV_ codes as the server refuses
 * @internal
 */
export async function streamAnswer(
  serverUrl: string,
  body: object,
  onText: (text: string) => void,
  options: StreamOptions = {},
): Promise<unknown> {
  const url = `${serverUrl.replace(/\/+$/, "")}/v1/answers`;
  for await (const event of eventsOf(url, body, options)) {
    const part = parsed(event);
    const text = soFarSchema.safeParse(part);
    if (!text.success) return part;
    onText(text.data.soFar);
  }
  throw invalidAnswer(url, "it ends early");
}

type StreamOptions = Pick<CompletionOrder, "signal" | "limits">;

/** Parts of an answer as they come; the whole answer from a server that sends it in one piece. */
async function* eventsOf(
  url: string,
  body: object,
  { limits, signal }: StreamOptions,
): AsyncGenerator<string> {
  const { maxBytes, maxLines, patienceMs, totalMs } = { ...LIMITS, ...limits };
  const untilMs = Date.now() + totalMs;
  const ending = new AbortController();
  const end = () => ending.abort(signal?.reason);
  const within = async <T>(begin: () => Promise<T>): Promise<T> => {
    const timer = setTimeout(() => ending.abort(), Math.max(0, Math.min(patienceMs, untilMs - Date.now())));
    let refuse = () => {};
    // Not by the signal alone: a body that an abort does not reach would be waited for until fetch's own limit of five minutes.
    const over = new Promise<never>((_, reject) => {
      refuse = () => reject(ending.signal.reason);
      ending.signal.addEventListener("abort", refuse);
    });
    try {
      ending.signal.throwIfAborted();
      return await Promise.race([begin(), over]);
    } catch (cause) {
      throw clientError("CLI_UNREACHABLE", `no answer from ${url}`, {
        data: { server: "answer server", url, ...(isUnsent(cause) ? { isSent: false } : {}) },
        cause,
      });
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener("abort", refuse);
    }
  };
  if (signal?.aborted === true) end();
  signal?.addEventListener("abort", end, { once: true });
  try {
    yield* readEvents(url, body, { within, signal: ending.signal, maxBytes, maxLines });
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

interface Reading extends Pick<StreamLimits, "maxBytes" | "maxLines"> {
  /** Waits for a step as long as the limits allow. @throws CLI_UNREACHABLE */
  readonly within: <T>(begin: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

async function* readEvents(
  url: string,
  body: object,
  { maxBytes, maxLines, signal, within }: Reading,
): AsyncGenerator<string> {
  const response = await within(() =>
    fetch(url, {
      method: "POST",
      headers: { accept: EVENT_STREAM, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
      // A signed question is for one server. Following a redirect would send it to any address that the server names.
      redirect: "error",
    }),
  );
  if (!response.ok)
    throw (
      refusalOf(url, await within(() => refusalText(response)), response.status) ??
      invalidAnswer(url, "no error")
    );
  if (response.body === null) throw invalidAnswer(url, "it is empty");
  const isWhole = response.headers.get("content-type")?.startsWith(EVENT_STREAM) !== true;
  const reader = response.body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const textOf = (part?: Uint8Array) => {
    try {
      return decoder.decode(part, { stream: part !== undefined });
    } catch (cause) {
      throw invalidAnswer(url, "it is no UTF-8", cause);
    }
  };
  let unread = "";
  let byteCount = 0;
  let lineCount = 0;
  try {
    for (;;) {
      const { done, value } = await within(() => reader.read());
      if (done) {
        unread += textOf();
        if (isWhole) yield unread;
        return;
      }
      byteCount += value.length;
      const text = unread + textOf(value);
      const lines = isWhole ? [] : text.split("\n");
      unread = isWhole ? text : lines.pop()!;
      lineCount += lines.length;
      if (unread.length > MAX_LINE_CHARACTERS) throw invalidAnswer(url, "a part is too long");
      // Attack: a server that sends empty parts would hold the model, and a core, as long as it likes.
      if (byteCount > maxBytes || lineCount > maxLines) throw invalidAnswer(url, "it does not end");
      for (const line of lines) {
        if (!line.startsWith("data: ")) continue;
        const event = line.slice("data: ".length);
        const refused = refusalOf(url, event, response.status);
        if (refused !== null) throw refused;
        yield event;
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

/**
 * True if the request was given up before a byte of it left: the address was not found, or took no connection. Browsers do not say.
 */
function isUnsent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (syscall === "connect" || syscall === "getaddrinfo" || code === "UND_ERR_CONNECT_TIMEOUT") return true;
  // Ports to which `fetch` sends nothing have no code.
  if (error.message === "bad port") return true;
  // Several addresses of one name.
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isUnsent);
  return isUnsent(error.cause);
}

const refusalText = (response: Response) =>
  boundedBytes(response, MAX_REFUSAL_BYTES).then((bytes) => new TextDecoder().decode(bytes));

/** Error in the server's answer; null where it has none. */
function refusalOf(url: string, body: string, httpStatus: number): RollupError | null {
  const refused = errorSchema.safeParse(parsed(body));
  if (!refused.success) return null;
  const isRetryable = httpStatus === 429 || httpStatus >= 500;
  return serverRefusal("answer server", refused.data, { isRetryable, url, httpStatus });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
