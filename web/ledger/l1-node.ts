/** Client of an Ethereum node for the pages to read from: the site's node, else the wallet's. */
import { createPublicClient, custom, http, type PublicClient } from "viem";
import { session } from "./session.ts";
import type { Site } from "./site.ts";

/** Any Ethereum node to read from: the page's, else the wallet's; null if there is neither. */
export function l1Node({ l1Url }: Site): PublicClient | null {
  if (l1Url !== null) return createPublicClient({ transport: http(l1Url) });
  const provider = session.value?.wallet.provider;
  return provider === undefined ? null : createPublicClient({ transport: custom(provider) });
}
