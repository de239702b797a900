/**
 * Reads proposals and voting power from Ethereum for the votes page. The server gives the contracts' addresses alone, and they
 * are checked against each other.
 */

import { TREASURY_ID } from "@openledger/circuits/protocol";
import { cutListText, Governance, type Proposal } from "@openledger/client/governance/governance";
import type { GovernedContracts } from "@openledger/client/governance/governed-calls";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import type { SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import { openGovernorAbi } from "@openledger/contracts/build/governance-abi";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { type Address, getAddress } from "viem";
import { session } from "../ledger/session.ts";
import type { Site } from "../ledger/site.ts";

export interface Votes {
  readonly governance: Governance;
  readonly client: LedgerClient;
  readonly contracts: GovernedContracts;
  readonly proposals: readonly Proposal[];
  /** Sentence about earlier proposals that the Ethereum node does not show; null where it shows all. */
  readonly cut: string | null;
  readonly delaySeconds: bigint;
  readonly thresholdWei: bigint;
  /** Head of Ethereum, with the recent average time of a block. */
  readonly head: { readonly block: bigint; readonly seconds: bigint; readonly msPerBlock: number };
  /** Balance of the treasury in the ledger, by the server. */
  readonly treasuryWei: bigint | null;
  /** True if the treasury's leaf is the timelock's: only then can votes spend it. */
  readonly isTreasuryTheirs: boolean | null;
  readonly mine: {
    readonly address: Address;
    readonly tokenWei: bigint;
    readonly votesWei: bigint;
    /** Delegate who votes with the wallet's tokens; null if there is none. */
    readonly delegate: Address | null;
    /** Open proposals that the wallet has voted about. */
    readonly votedIds: readonly bigint[];
  } | null;
}

const NOBODY = "0x0000000000000000000000000000000000000000";

let reader: { readonly key: string; readonly client: Promise<LedgerClient> } | null = null;

/** One client for all questions of a page without a wallet. */
function readerOf(site: Site, info: SequencerInfo): Promise<LedgerClient> {
  const key = `${site.l1Url} ${info.rollupAddress}`;
  if (reader?.key !== key) {
    const { rollupAddress } = info;
    const sequencerUrl = site.sequencer.sequencerUrl!;
    const at = site.l1Url === null ? {} : { rpcUrl: site.l1Url };
    reader = { key, client: createLedgerClient({ ...at, rollupAddress, sequencerUrl }) };
    reader.client.catch(() => {
      reader = null;
    });
  }
  return reader.client;
}

/** @throws CLI_UNREACHABLE; whatever the node says */
export async function readVotes(site: Site, info: SequencerInfo): Promise<Votes> {
  const { fromBlock, governor, registry } = site.governance!;
  const now = session.value;
  const client = now?.client ?? (await readerOf(site, info));
  const governance = new Governance(client, getAddress(governor));
  const { l1, rollupAddress, tokenAddress } = client;
  const threshold = {
    address: governance.governor,
    abi: openGovernorAbi,
    functionName: "proposalThreshold",
  } as const;
  const [timelock, list, delaySeconds, thresholdWei, head, treasury, mine] = await Promise.all([
    governance.timelock(),
    governance.proposals(BigInt(fromBlock)),
    governance.delaySeconds(),
    l1.readContract(threshold),
    l1.getBlock(),
    getLeaf(site.sequencer, TREASURY_ID).catch(() => null),
    now === null ? null : readMine(client, governance, now.address),
  ]);
  const { proposals } = list;
  return {
    governance,
    client,
    proposals,
    cut: cutListText(list),
    delaySeconds,
    thresholdWei,
    mine: mine && { ...mine, votedIds: await votedBy(governance, proposals, mine.address) },
    contracts: {
      rollupAddress,
      tokenAddress,
      timelock,
      governor: governance.governor,
      registry: getAddress(registry),
    },
    head: { block: head.number, seconds: head.timestamp, msPerBlock: await msPerBlock(l1, head) },
    treasuryWei: treasury?.balanceWei ?? null,
    isTreasuryTheirs: treasury === null ? null : getAddress(treasury.l1Owner) === getAddress(timelock),
  };
}

/** Blocks over which a block's time is averaged. */
const AVERAGED_BLOCKS = 100n;

async function msPerBlock(l1: LedgerClient["l1"], head: { number: bigint; timestamp: bigint }) {
  const blocks = head.number < AVERAGED_BLOCKS ? head.number : AVERAGED_BLOCKS;
  if (blocks === 0n) return 0;
  const earlier = await l1.getBlock({ blockNumber: head.number - blocks });
  return (1_000 * Number(head.timestamp - earlier.timestamp)) / Number(blocks);
}

async function votedBy(
  governance: Governance,
  proposals: readonly Proposal[],
  voter: Address,
): Promise<bigint[]> {
  const open = proposals.filter(({ state }) => state === "active");
  const votes = await Promise.all(open.map(({ id }) => governance.hasVoted(id, voter)));
  return open.filter((_, i) => votes[i]).map(({ id }) => id);
}

async function readMine(client: LedgerClient, governance: Governance, address: Address) {
  const token = { address: client.tokenAddress, abi: openTokenAbi, args: [address] } as const;
  const [tokenWei, delegate, votesWei] = await Promise.all([
    client.l1.readContract({ ...token, functionName: "balanceOf" }),
    client.l1.readContract({ ...token, functionName: "delegates" }),
    governance.votesOf(address),
  ]);
  return { address, tokenWei, votesWei, delegate: delegate === NOBODY ? null : getAddress(delegate) };
}
