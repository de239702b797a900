/**
 * Settings that every server has, connections and requests a minute, for the tables of their processes
 * (foundation/settings.ts).
 */
import { z } from "zod";
import { baseUrl, type SERVER_NAMES, type Settings, shared, wholeNumber } from "../settings.ts";
import { type TrustedProxies, trustedProxies } from "./trusted-proxies.ts";

export const MAX_CONNECTIONS = 1_000;

export const SERVER_SETTINGS = shared({
  publicUrl: {
    schema: z.union([z.literal(""), baseUrl]),
    default: "",
    description: "public URL that clients use and sign requests for; empty = the address that it listens on",
  },
  proxies: {
    schema: trustedProxies,
    default: "",
    description:
      "reverse proxies whose X-Forwarded-For is believed; addresses or networks (10.0.0.0/8), by spaces; empty = none",
  },
  maxConnections: {
    schema: wholeNumber(1, 100_000),
    default: String(MAX_CONNECTIONS),
    description: "maximum concurrent connections; a quarter of them from one address, IPv6 by /64",
  },
} as const satisfies Settings & Record<(typeof SERVER_NAMES)[number], unknown>);

/** Limits of a server. An absent one has the settings' default. */
export interface ServerLimits {
  readonly publicUrl?: string | undefined;
  readonly proxies?: TrustedProxies | undefined;
  readonly maxConnections?: number | undefined;
  /** Requests of one network a minute. */
  readonly rateLimitPerMinute: number;
}
