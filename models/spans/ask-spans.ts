/** The spans of an answer over HTTP: how a client asks and checks. Runs in browsers. The server's side: host-spans.ts. */
import { z } from "zod";
import { modelError } from "../model-errors.ts";
import { type CheckedAnswer, checkCitations } from "./check-citations.ts";
import { evidenceFromJson } from "./evidence.ts";
import { falseEvidence } from "./span-errors.ts";

const givenSchema = z.object({ root: z.string().regex(/^[0-9a-f]{64}$/), evidence: z.unknown() });

interface AskSpansOptions {
  readonly serverUrl: string;
  /** The answer's text. */
  readonly text: string;
  /** Of the version that the ledger names: 64 hexadecimal digits. */
  readonly rowsRoot: string;
  /** Of an index that the client has, or trusts. Without, the server's is taken. */
  readonly root?: string | undefined;
  readonly timeoutMs?: number;
}

export interface HostedSpans extends CheckedAnswer {
  /** Of the index that everything was checked against. */
  readonly root: string;
}

/**
 * The spans of a text as a model's server gives them, checked. null where the server has no index.
 * @throws ATT_SERVER_UNREACHABLE, MOD_SPANS_EVIDENCE_FALSE
 */
export async function askSpans(options: AskSpansOptions): Promise<HostedSpans | null> {
  const { rowsRoot, serverUrl, text, timeoutMs = 10_000 } = options;
  const url = `${serverUrl.replace(/\/+$/, "")}/v1/spans`;
  let body: unknown;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`status ${response.status}`);
    body = await response.json();
  } catch (cause) {
    throw modelError("MOD_SOURCE_UNREADABLE", `no spans from ${url}`, { data: { url }, cause });
  }
  const given = givenSchema.safeParse(body);
  if (!given.success) throw falseEvidence("it is not of the documented form");
  const root = options.root ?? given.data.root;
  const evidence = evidenceFromJson(given.data.evidence);
  const checked = checkCitations(root, new TextEncoder().encode(text), evidence);
  if (evidence.header.rowsRoot !== rowsRoot)
    throw falseEvidence("its index is of another version", { rowsRoot: evidence.header.rowsRoot });
  return { ...checked, root };
}
