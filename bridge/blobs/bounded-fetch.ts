/**
 * One GET of an untrusted server, an archive or a beacon node: its answer is bounded in bytes and milliseconds,
 * and no redirect is followed.
 */
import { BodyTooLong, boundedBytes } from "@openledger/foundation/wire/bounded-body";

type BoundedAnswer =
  | { readonly status: number; readonly body: Uint8Array; readonly problem: null }
  | { readonly status: number | null; readonly body: null; readonly problem: string };

interface BoundedRequest {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly accept: string;
}

/** Never throws: `problem` names the failure, without the URL, which may hold a key. */
export async function boundedGet(url: string, request: BoundedRequest): Promise<BoundedAnswer> {
  const { accept, maxBytes, timeoutMs } = request;
  let status: number | null = null;
  try {
    const response = await fetch(url, {
      headers: { accept },
      // Attack: a node sends its asker on to a service of the machine's own.
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = response.status;
    return { status, body: await boundedBytes(response, maxBytes), problem: null };
  } catch (error) {
    if (error instanceof BodyTooLong) return { status, body: null, problem: error.message };
    const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
    return { status, body: null, problem: isTimeout ? `no answer in ${timeoutMs} ms` : "no answer" };
  }
}
