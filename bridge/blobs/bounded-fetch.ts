/** One GET of an untrusted server: its answer is bounded in time and size, and no redirect is followed. */
import { concatBytes } from "@openledger/circuits/field/element-vector";

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
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    // Not every browser iterates over a body.
    const reader = response.body?.getReader();
    while (reader !== undefined) {
      const { done: isOver, value: part } = await reader.read();
      if (isOver) break;
      sizeBytes += part.length;
      if (sizeBytes > maxBytes) {
        // Ends the connection.
        await reader.cancel();
        return { status, body: null, problem: `more than ${maxBytes} bytes` };
      }
      parts.push(part);
    }
    return { status, body: concatBytes(parts), problem: null };
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
    return { status, body: null, problem: isTimeout ? `no answer in ${timeoutMs} ms` : "no answer" };
  }
}
