/**
 * Names of Ethereum's own name service, if the chain has its universal resolver: mainnet and its public test networks. A devnet
 * has none, so nothing is asked there. Recipients, the search and pages of addresses use them.
 */
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { type Address, createPublicClient, custom, type PublicClient } from "viem";
import { mainnet, sepolia } from "viem/chains";

const CHAINS = [mainnet, sepolia];
const found = new RecentAnswers<Address, string | null>({ maxItems: 2_000 });

/** The node with the resolver that its chain has; null if it has none. */
function resolving(node: PublicClient, chainId: number) {
  const chain = CHAINS.find(({ id }) => id === chainId);
  return chain === undefined ? null : createPublicClient({ chain, transport: custom(node) });
}

/** The name that the address has set, and that leads back to it; null for none. Asked once. */
export function ensNameOf(node: PublicClient, chainId: number, address: Address): Promise<string | null> {
  const resolver = resolving(node, chainId);
  if (resolver === null) return Promise.resolve(null);
  // A node that does not answer has said nothing of the name: a later visit asks again.
  return found.get(address, () => resolver.getEnsName({ address })).catch(() => null);
}

export const isEnsName = (text: string) => /^[^\s/]+\.eth$/i.test(text);

/** null if nobody has the name, or the chain has no names. */
export async function ensAddressOf(
  node: PublicClient,
  chainId: number,
  name: string,
): Promise<Address | null> {
  return (await resolving(node, chainId)?.getEnsAddress({ name })) ?? null;
}
