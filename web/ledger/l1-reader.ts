/** Node of Ethereum to read Safes and leaves' owners from: the site's, else the wallet's; one object each. */
import type { L1Reader } from "@openledger/client/safe/read-safe";
import { l1Node } from "./l1-node.ts";
import { session } from "./session.ts";
import type { Site } from "./site.ts";

/** Readers by address of their node: each remembers what L1 said. */
const readers = new Map<string, L1Reader>();

/** Node of Ethereum to read from; null if there is none. */
export function l1Reader(site: Site): L1Reader | null {
  const key = site.l1Url ?? session.value?.wallet.id;
  if (key === undefined) return null;
  const known = readers.get(key) ?? l1Node(site);
  if (known !== null) readers.set(key, known);
  return known;
}
