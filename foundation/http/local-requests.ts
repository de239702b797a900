/**
 * Tests of a request's origin: whether it comes from this machine, and whether it names the server by one of
 * its names.
 */
import type { IncomingMessage } from "node:http";
import { networkOf } from "./client-network.ts";

const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

const isLoopback = (address: string | undefined): boolean => {
  const plain = networkOf(address ?? "");
  return plain.startsWith("127.") || address === "::1";
};

/** True for a request from this machine that came through no proxy on it. */
export function isLocal({ headers, socket }: IncomingMessage): boolean {
  return isLoopback(socket.remoteAddress) && PROXY_HEADERS.every((name) => headers[name] === undefined);
}

/**
 * True if the request uses one of the server's names. Attack: a stranger's page has its own name resolve to
 * 127.0.0.1 (DNS rebinding), and the browser lets it read the local server's answers as its own origin. The
 * Host header alone shows it.
 */
export function asksByName({ headers: { host }, socket }: IncomingMessage, publicUrl: string): boolean {
  if (host === undefined || !isLoopback(socket.localAddress)) return true;
  // Almost every request has such a host: no URL parser needed.
  if (/^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/.test(host)) return true;
  const name = hostnameOf(`http://${host}`);
  if (name === null) return false;
  if (name === "localhost" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name)) return true;
  return publicUrl !== "" && name === hostnameOf(publicUrl);
}

function hostnameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}
