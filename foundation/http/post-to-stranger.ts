/**
 * Requests to addresses that strangers have named, such as webhooks. Attack: a stranger names an address inside the operator's
 * network, or a name that resolves to one, now or at the second look (DNS rebinding).
 */
import dns from "node:dns/promises";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { BlockList, isIP, isIPv6 } from "node:net";
import { processErrors } from "../error-table.ts";

/** IPv4 networks that are not the public internet: IANA's registry of special addresses (RFC 6890), multicast and reserved. */
const SPECIAL_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
/** Networks within 2000::/3 that are no public addresses, or hold IPv4 addresses (Teredo, 6to4). */
const SPECIAL_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const listOf = (networks: readonly string[], family: "ipv4" | "ipv6"): BlockList => {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split("/") as [string, string];
    list.addSubnet(address, Number(bits), family);
  }
  return list;
};
const special = { ipv4: listOf(SPECIAL_IPV4, "ipv4"), ipv6: listOf(SPECIAL_IPV6, "ipv6") };
/** All public IPv6 addresses: loopback, mapped IPv4, unique local and link-local ones are outside. */
const globalIpv6 = listOf(["2000::/3"], "ipv6");

/** True for an address of the public internet; false for any other text. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes("%")) return false;
  if (!isIPv6(address)) return !special.ipv4.check(address, "ipv4");
  return globalIpv6.check(address, "ipv6") && !special.ipv6.check(address, "ipv6");
}

/** Maximum length of a URL. */
export const MAX_URL_CHARACTERS = 2_000;

export interface StrangerOptions {
  /** Host names and addresses that the operator allows, whatever they resolve to, and without TLS. */
  readonly allowedHosts: readonly string[];
}

const refused = (why: string, data: object = {}) =>
  processErrors.raise("SRV_ADDRESS_REFUSED", `the address is not called: ${why}`, { data });

/** Name or address of a URL, as a lookup takes it. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");

/**
 * Parses the URL of a stranger, and refuses what is never called.
 * @throws SRV_ADDRESS_REFUSED
 */
export function strangersUrl(text: string, { allowedHosts }: StrangerOptions): URL {
  if (text.length > MAX_URL_CHARACTERS || !URL.canParse(text)) throw refused("it is no URL");
  const url = new URL(text);
  const host = hostOf(url);
  if (url.username !== "" || url.password !== "") throw refused("it has a user or a password");
  if (allowedHosts.includes(host) && /^https?:$/.test(url.protocol)) return url;
  if (url.protocol !== "https:") throw refused("it is not https");
  // Other spellings of an address, as 0x7f.1, are written out by the parser.
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw refused("it is no public address", { host });
  return url;
}

interface Address {
  readonly address: string;
  readonly family: number;
}

/**
 * Every address of a name. Names of strangers are asked of DNS alone, which holds no thread. Attack: names whose servers are silent
 * hold the four threads of `lookup`, on which files wait, too.
 */
async function addressesOf(
  host: string,
  { isAllowed, signal }: { readonly isAllowed: boolean; readonly signal: AbortSignal },
): Promise<readonly Address[]> {
  if (isIP(host) !== 0) return [{ address: host, family: isIP(host) }];
  if (isAllowed) return dns.lookup(host, { all: true, verbatim: true });
  // RFC 6761: never asked of DNS.
  if (/(^|\.)localhost\.?$/i.test(host)) return [{ address: "127.0.0.1", family: 4 }];
  const names = new dns.Resolver();
  names.setServers(dns.getServers());
  signal.addEventListener("abort", () => names.cancel(), { once: true });
  const [four, six] = await Promise.allSettled([names.resolve4(host), names.resolve6(host)]);
  const found = [four, six].flatMap((result, i) =>
    result.status === "rejected" ? [] : result.value.map((address) => ({ address, family: i === 0 ? 4 : 6 })),
  );
  if (found.length === 0 && four.status === "rejected") throw four.reason;
  return found;
}

/** Ends with the signal's reason where the work does not end before; the work goes on, and nobody waits for it. */
const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((settle, fail) => {
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    work.then(settle, fail);
  });

export interface StrangerRequest extends StrangerOptions {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Limit of the whole call with the search for the name's addresses, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Sends a POST to a stranger's URL, and reads no more of the answer than its status. Redirects are not followed. The name is
 * resolved once, all its addresses have to be public, and one of these is connected to.
 * @returns the status
 * @throws SRV_ADDRESS_REFUSED; Node's errors of a name or a connection, or a TimeoutError
 */
export async function postToStranger(
  text: string,
  { body, headers, timeoutMs, ...options }: StrangerRequest,
): Promise<number> {
  const url = strangersUrl(text, options);
  const host = hostOf(url);
  const signal = AbortSignal.timeout(timeoutMs);
  const isAllowed = options.allowedHosts.includes(host);
  const found = await untilAborted(addressesOf(host, { isAllowed, signal }), signal);
  const [pinned] = found;
  if (pinned === undefined) throw refused("it has no address", { host });
  if (!isAllowed && !found.every(({ address }) => isPublicAddress(address)))
    throw refused("its name leads to an address that is not public", { host });
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((settle, fail) => {
    const call = send(
      url,
      {
        method: "POST",
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
        // A connection of its own, to the address that was checked.
        agent: false,
        lookup: (_host, { all }, settleLookup) =>
          all === true ? settleLookup(null, [pinned]) : settleLookup(null, pinned.address, pinned.family),
        signal,
      },
      (answer) => {
        settle(answer.statusCode ?? 0);
        answer.destroy();
      },
    );
    call.on("error", (error) => fail(signal.aborted ? signal.reason : error));
    call.end(body);
  });
}
