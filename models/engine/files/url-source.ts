/**
 * Models at an address of HTTP, such as a hub's folder, as `FileSource`: reads byte ranges, so that only the needed
 * parts of a file are transferred. base-address.ts opens one where a base is named by its address.
 */
import { type ByteSource, type FileSource, unreadable } from "./byte-source.ts";

/** Limit of one request, beside the time that its bytes may take. */
const TIMEOUT_MS = 60_000;
/** Slowest line whose large parts are awaited: 16 kB/s. */
const MIN_BYTES_PER_MS = 16;
/** Hubs lead to their storage in one or two steps. */
const MAX_REDIRECTS = 5;

/**
 * Files below an address; only the parts that are needed are fetched (HTTP Range).
 *
 * @param token goes to the address's own origin alone, not where that leads on to
 */
export function urlSource(base: string, token: string | null = null): FileSource {
  return {
    name: base,
    async open(file) {
      const url = `${base.replace(/\/+$/, "")}/${file}`;
      const first = await fetchRange(url, 0, 1, token);
      if (first === null) return null;
      return rangeSource(url, first, token);
    },
  };
}

function rangeSource(
  url: string,
  { total: byteLength, etag }: { readonly total: number; readonly etag: string | null },
  token: string | null,
): ByteSource {
  return {
    name: url,
    byteLength,
    etag,
    async read(at, length) {
      if (at + length > byteLength) throw unreadable(url, `it ends at ${byteLength}`);
      if (length === 0) return new Uint8Array(0);
      const part = await fetchRange(url, at, length, token);
      if (part === null || part.total !== byteLength) throw unreadable(url, "the file changed meanwhile");
      return part.bytes;
    },
    close: async () => {},
  };
}

/** null for 404. */
async function fetchRange(
  url: string,
  at: number,
  length: number,
  token: string | null,
): Promise<{ bytes: Uint8Array; total: number; etag: string | null } | null> {
  const headers = { range: `bytes=${at}-${at + length - 1}`, "accept-encoding": "identity" };
  const signal = AbortSignal.timeout(TIMEOUT_MS + Math.ceil(length / MIN_BYTES_PER_MS));
  const answer = await follow(url, { headers, signal }, token);
  const fail = async (reason: string) => {
    await answer.body?.cancel().catch(() => undefined);
    return unreadable(url, reason);
  };
  if (answer.status === 404) {
    await answer.body?.cancel();
    return null;
  }
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(answer.headers.get("content-range") ?? "");
  if (answer.status !== 206 || range === null)
    throw await fail(`the server answers ${answer.status}, not with a part of it`);
  const [from, to, total] = [Number(range[1]), Number(range[2]), Number(range[3])];
  if (from !== at || to !== at + length - 1 || to >= total) throw await fail("the server gives another part");
  const etag = answer.headers.get("etag");
  return { bytes: await readBody(answer, url, length), total, etag: etag?.startsWith('"') ? etag : null };
}

/**
 * Hubs send readers on to where their files lie. Attack: a hub that a factory may read sends it to a service of the factory's
 * own network. So another origin has to be https: such a service has no certificate for a stranger's name, and without
 * one no request is sent. If a browser hides the target of a redirect, it is not followed.
 */
async function follow(
  url: string,
  { headers, signal }: { readonly headers: Record<string, string>; readonly signal: AbortSignal },
  token: string | null,
): Promise<Response> {
  let offset = url;
  for (let count = 0; count <= MAX_REDIRECTS; count++) {
    const isOwn = new URL(offset).origin === new URL(url).origin;
    const answer = await fetch(offset, {
      headers: isOwn && token !== null ? { ...headers, authorization: `Bearer ${token}` } : headers,
      signal,
      redirect: "manual",
    }).catch((error: Error) => Promise.reject(unreadable(url, error.message, error)));
    if (answer.type !== "opaqueredirect" && ![301, 302, 303, 307, 308].includes(answer.status)) return answer;
    await answer.body?.cancel().catch(() => undefined);
    const to = answer.headers.get("location");
    if (to === null || !URL.canParse(to, offset)) throw unreadable(url, "it leads nowhere");
    const next = new URL(to, offset);
    if (next.origin !== new URL(offset).origin && next.protocol !== "https:")
      throw unreadable(url, `it leads to ${next.origin}, which is not https`);
    offset = next.href;
  }
  throw unreadable(url, `it leads on more than ${MAX_REDIRECTS} times`);
}

/** Reads no more bytes than were requested, whatever the server sends. */
async function readBody(answer: Response, url: string, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let have = 0;
  const reader = answer.body!.getReader();
  for (;;) {
    const { done, value } = await reader
      .read()
      .catch((error: Error) => Promise.reject(unreadable(url, error.message, error)));
    if (done) break;
    if (have + value.length > length) {
      await reader.cancel().catch(() => undefined);
      throw unreadable(url, "the server sends more than its answer says");
    }
    bytes.set(value, have);
    have += value.length;
  }
  if (have !== length) throw unreadable(url, "the answer ends early");
  return bytes;
}
