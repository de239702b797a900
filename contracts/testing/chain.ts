/** A node of the test's own, without any contract, and what tests ask of it besides. */
import { type Address, createPublicClient, createWalletClient, custom, type Hex } from "viem";
import { beforeEach } from "vitest";
import { startAnvil } from "../l1/anvil.ts";
import { connect } from "./rollup-fixture.ts";

export async function startChain() {
  const { stop, url } = await startAnvil();
  const client = await connect({ stop, url });
  return {
    ...{ client, stop, url, ...onClient(client) },
    /** The node's own, which hold ether. */
    accounts: await client.getAddresses(),
    /** Time of the next block, this many seconds after the last one; a block is mined. */
    async passTime(seconds: bigint): Promise<void> {
      await client.increaseTime({ seconds: Number(seconds) });
      await client.mine({ blocks: 1 });
    },
    async gasOf(hash: Hex): Promise<bigint> {
      return (await client.getTransactionReceipt({ hash })).gasUsed;
    },
  };
}

/** What functions that deploy take. */
export function onClient(client: Awaited<ReturnType<typeof connect>>) {
  const { chain } = client;
  const transport = custom(client);
  const walletOf = (account: Address) => createWalletClient({ account, chain, transport });
  return {
    walletOf,
    clientsOf: (account: Address) => ({
      walletClient: walletOf(account),
      publicClient: createPublicClient({ chain, transport, pollingInterval: 10 }),
    }),
  };
}

/** Each test of the file begins with the chain as the first one found it. */
export function revertEachTest(
  fixture: () => { client: Pick<Awaited<ReturnType<typeof connect>>, "revert" | "snapshot"> },
): void {
  let snapshot: Hex | undefined;
  beforeEach(async () => {
    const { client } = fixture();
    if (snapshot !== undefined) await client.revert({ id: snapshot });
    snapshot = await client.snapshot();
  });
}
