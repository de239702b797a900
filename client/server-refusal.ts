/**
 * Refusals of servers as this library's errors. A refusal is a stranger's word: it has a code of its kind of server alone, and the
 * words of a model's server are shown as its own, within a bound. The client's readers of answers call it.
 */
import { RollupError } from "@openledger/foundation/rollup-error";
import { clientError } from "./client-errors.ts";

/** Kind of a server, as `data.server` names it. */
export type RefusingServer = "answer server" | "sequencer" | "datanet host" | "factory";

/** Error as a server sends it. */
export interface SentError {
  readonly code: string;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly remedy?: string | undefined;
}

/**
 * Codes that a kind of server may send.
 *
 * Attack: a model's server sends GAT_BUDGET_TOO_LOW with the leaf that a person should send OPEN to, and the gateway says it. CLI_,
 * GAT_ and CMD_ are what this library, the gateway and the command line say themselves. A factory is its owner's own, and passes on
 * what this library said to it.
 */
const CODES: Readonly<Record<RefusingServer, RegExp>> = {
  // DNT_: it asks whoever reads rows of permissioned Datanets for a signature and a grant, as their hosts do.
  "answer server": /^(ATT|DNT|MOD|SRV)_[A-Z0-9_]{1,60}$/,
  sequencer: /^(?!CLI_|GAT_|CMD_)[A-Z0-9]{2,4}_[A-Z0-9_]{1,60}$/,
  "datanet host": /^(?!CLI_|GAT_|CMD_)[A-Z0-9]{2,4}_[A-Z0-9_]{1,60}$/,
  factory: /^(?!GAT_|CMD_)[A-Z0-9]{2,4}_[A-Z0-9_]{1,60}$/,
};
/** Maximum characters of a message of a model's server, and of its remedy. */
const MAX_WORDS = 400;
/** Maximum characters of a refusal's data in JSON. */
const MAX_DATA = 2 ** 14;

/**
 * Makes an error of a server's refusal.
 * @param facts fields of `data` that are the caller's own: the server's do not replace them
 * @returns CLI_ANSWER_INVALID where the code is none of this kind of server
 */
export function serverRefusal(
  server: RefusingServer,
  { code, data, message, remedy }: SentError,
  { isRetryable, url, ...facts }: { isRetryable: boolean; url?: string } & Readonly<Record<string, unknown>>,
): RollupError {
  if (!CODES[server].test(code))
    return clientError(
      "CLI_ANSWER_INVALID",
      `the refusal of ${url ?? `the ${server}`} is not as documented: its code is none of such a server`,
      { data: { server, url, ...facts } },
    );
  if (server !== "answer server")
    return new RollupError(code, message, { data: { ...data, ...facts }, isRetryable, remedy });
  const isShort = JSON.stringify(data).length <= MAX_DATA;
  return new RollupError(code, `The model's server says: ${quoted(message)}`, {
    data: { ...(isShort ? data : {}), ...facts, server },
    isRetryable,
    ...(remedy === undefined ? {} : { remedy: `The model's server suggests: ${quoted(remedy)}` }),
  });
}

/** Whether an error is a model server's refusal: its message and its data are a stranger's. */
export const isServersWord = ({ code, data }: RollupError): boolean =>
  CODES["answer server"].test(code) && (data as { server?: unknown }).server === "answer server";

/** A stranger's words in one line: characters that break lines, or change the direction of reading, become blanks. */
function quoted(words: string): string {
  const line = words.replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return line.length <= MAX_WORDS ? line : `${line.slice(0, MAX_WORDS).trimEnd()} …`;
}
