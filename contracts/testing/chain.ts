/** A node of the test's own, without any contract, and what tests ask of it besides. */
import {
  type Abi,
  type Address,
  type ContractEventName,
  createPublicClient,
  createWalletClient,
  custom,
  encodeEventTopics,
  type Hex,
  type PublicClient,
} from "viem";
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

/** As a node is asked for events. */
export interface AskedLogs {
  readonly address: Address;
  readonly topics: readonly unknown[];
  readonly fromBlock: Hex;
  readonly toBlock: Hex;
}

/** Another client of the node, which hears of events what `tell` says. @param ask the node itself */
export function clientOfLogs(
  client: { request(asked: never): Promise<unknown> },
  tell: (asked: AskedLogs, ask: () => Promise<readonly { readonly topics: readonly Hex[] }[]>) => unknown,
): PublicClient {
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    const ask = () => client.request({ method, params } as never) as Promise<never>;
    return method === "eth_getLogs" ? tell((params as [AskedLogs])[0], ask) : ask();
  };
  return createPublicClient({ transport: custom({ request }, { retryCount: 0 }) }) as PublicClient;
}

/** The same, whose node leaves out such an event. @param hides whether it does so still; default: it does */
export function clientWithout<const Of extends Abi>(
  client: Parameters<typeof clientOfLogs>[0],
  abi: Of,
  eventName: ContractEventName<Of>,
  hides = () => true,
): PublicClient {
  const [hidden] = encodeEventTopics({ abi: abi as Abi, eventName });
  return clientOfLogs(client, async (_, ask) =>
    (await ask()).filter(({ topics }) => topics[0] !== hidden || !hides()),
  );
}
