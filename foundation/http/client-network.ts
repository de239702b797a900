/** Client key of requests, by which servers bound clients: an IPv4 address, or an IPv6 /64 network. */
import { isIPv6 } from "node:net";
import type { FastifyRequest } from "fastify";

/**
 * Client key of a request, wherever clients are bounded: requests a minute, places of the feed, turns, bodies
 * in memory. The address is the one that trusted proxies name (`TrustedProxies`); a stranger's own
 * X-Forwarded-For is ignored.
 */
export const clientNetwork = ({ ip }: Pick<FastifyRequest, "ip">): string => networkOf(ip);

/**
 * Network of an address. Anyone with one IPv6 address has the 2^64 of its network, so these count as one.
 * IPv4 addresses count each.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, "");
  const ipv4 = /^::ffff:([\d.]+)$/i.exec(plain)?.[1];
  if (ipv4 !== undefined || !isIPv6(plain)) return ipv4 ?? address;
  const [left, right] = plain.split("::").map((side) => side.split(":").filter((group) => group !== ""));
  const zeros = Array(Math.max(0, 8 - left!.length - (right?.length ?? 0))).fill("0");
  const groups = [...left!, ...zeros, ...(right ?? [])].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
