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
  /** Milliseconds to wait for each part. The first one waits for a turn, so the limit is long. */
  readonly patienceMs?: number;
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

/** Longest silence of a stream: before its first word a large model reads the prompt. */
const PATIENCE_MS = 300_000;

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
  { claim, maxTokens, model, patienceMs = PATIENCE_MS, prompt, serverUrl }: CompletionOrder,
  onText: (text: string) => void,
): Promise<unknown> {
  const url = `${serverUrl.replace(/\/+$/, "")}/v1/completions`;
  const body = { model, prompt, stream: true, max_tokens: maxTokens, openledger: claim };
  let text = "";
  let last: unknown;
  for await (const event of eventsOf(url, body, patienceMs)) {
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
 * @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID, and ATT_, MOD_ and SRV_ codes as the server refuses
 * @internal
 */
export async function streamAnswer(
  serverUrl: string,
  body: object,
  onText: (text: string) => void,
): Promise<unknown> {
  const url = `${serverUrl.replace(/\/+$/, "")}/v1/answers`;
  for await (const event of eventsOf(url, body, PATIENCE_MS)) {
    const part = parsed(event);
    const text = soFarSchema.safeParse(part);
    if (!text.success) return part;
    onText(text.data.soFar);
  }
  throw invalidAnswer(url, "it ends early");
}

/** Parts of an answer as they come; the whole answer from a server that sends it in one piece. */
async function* eventsOf(url: string, body: object, patienceMs: number): AsyncGenerator<string> {
  const silent = new AbortController();
  const within = async <T>(work: Promise<T>): Promise<T> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Not by the signal alone: a body that an abort does not reach would be waited for until fetch's own limit of five minutes.
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        silent.abort();
        reject(silent.signal.reason);
      }, patienceMs);
    });
    try {
      return await Promise.race([work, silence]);
    } catch (cause) {
      throw clientError("CLI_UNREACHABLE", `no answer from ${url}`, {
        data: { server: "answer server", url },
        cause,
      });
    } finally {
      clearTimeout(timer);
    }
  };
  const response = await within(
    fetch(url, {
      method: "POST",
      headers: { accept: EVENT_STREAM, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: silent.signal,
      // A signed question is for one server. Following a redirect would send it to any address that the server names.
      redirect: "error",
    }),
  );
  if (!response.ok)
    throw (
      refusalOf(url, await within(refusalText(response)), response.status) ?? invalidAnswer(url, "no error")
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
  try {
    for (;;) {
      const { done, value } = await within(reader.read());
      if (done) {
        unread += textOf();
        if (isWhole) yield unread;
        return;
      }
      const text = unread + textOf(value);
      const lines = isWhole ? [] : text.split("\n");
      unread = isWhole ? text : lines.pop()!;
      if (unread.length > MAX_LINE_CHARACTERS) throw invalidAnswer(url, "a part is too long");
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
