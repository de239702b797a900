/**
 * Trust in reverse proxies, by address: whose X-Forwarded-For names the client. create-server.ts asks it for
 * each request.
 */
import { BlockList, isIP, isIPv6 } from "node:net";
import { z } from "zod";

/**
 * Addresses of the operator's own reverse proxies. What they say of a client in X-Forwarded-For is taken; what
 * anybody else says is not. By address and not by count: anyone who reaches the port past the proxy gains nothing
 * with a header.
 */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly isEmpty: boolean;

  /**
   * @param entries addresses and CIDR networks: "127.0.0.1", "10.0.0.0/8", "fd00::/8".
   * @throws TypeError, RangeError for another
   */
  constructor(entries: readonly string[] = []) {
    this.isEmpty = entries.length === 0;
    for (const entry of entries) {
      const [, address = "", bits] = /^([^/]*)(?:\/(.*))?$/.exec(entry) ?? [];
      const family = isIPv6(address) ? "ipv6" : "ipv4";
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN, family);
    }
  }

  has(address: string | undefined): boolean {
    const plain = address?.replace(/^::ffff:(?=[\d.]+$)/i, "").replace(/%.*$/, "") ?? "";
    return isIP(plain) !== 0 && this.#list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  }
}

/** Schema of the setting and option: addresses separated by spaces; empty means no proxies. */
export const trustedProxies = z.string().transform((text, context) => {
  try {
    return new TrustedProxies(text.split(" ").filter((entry) => entry !== ""));
  } catch {
    context.addIssue({ code: "custom", message: "is no list of addresses and networks (10.0.0.0/8)" });
    return z.NEVER;
  }
});
