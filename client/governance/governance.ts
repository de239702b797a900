/**
 * Votes of OPEN on Ethereum: proposals, their states, and the five steps from a proposal to its effect. The commands of `vote`
 * and the votes page call it; votes are in wei of OPEN.
 */

import { governanceTimelockAbi, openGovernorAbi } from "@openledger/contracts/build/governance-abi";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { type Address, getAddress, type Hex, keccak256, stringToHex } from "viem";
import { type L1Result, l1Error } from "../actions/l1/l1-result.ts";
import { callContract, type L1Options } from "../actions/l1/l1-transaction.ts";
import { logsIncomplete, readEvents } from "../actions/l1/read-events.ts";
import { logsCut, type SearchedBlocks, searchNewestFirst } from "../actions/l1/search-events.ts";
import { clientError } from "../client-errors.ts";
import { effectOf, type L1Effect } from "../l1-proposal.ts";
import { type LedgerClient, requireWallet } from "../ledger-client.ts";

/** One of a proposal's calls. The timelock makes them in order, all or none. */
export interface GovernedCall {
  readonly target: Address;
  readonly data: Hex;
  /** Wei of ETH that the call carries, out of the timelock's balance. */
  readonly valueWei: bigint;
}

/** OpenZeppelin's IGovernor.ProposalState, in its order. */
const STATES = [
  "pending",
  "active",
  "canceled",
  "defeated",
  "succeeded",
  "queued",
  "expired",
  "executed",
] as const;
export type ProposalState = (typeof STATES)[number];

export const VOTE = { against: 0, for: 1, abstain: 2 } as const;
/**
 * Gas that a vote may need beyond its estimate. The vote that reaches the quorum also writes a deadline: a fresh slot of
 * 22,100 gas, and an event of some 2,000. A vote estimated before others were mined may turn out to be that one.
 */
const QUORUM_GAS = 40_000n;
export type VoteName = keyof typeof VOTE;

const VOTE_NAMES = ["against", "for", "abstain"] as const satisfies readonly VoteName[];

interface CastVote {
  readonly voter: Address;
  readonly vote: VoteName;
  readonly votesWei: bigint;
}

export interface Proposal {
  readonly id: bigint;
  readonly proposer: Address;
  readonly description: string;
  readonly calls: readonly GovernedCall[];
  /** Block as of which votes are counted; `deadlineBlock` is the last in which they are cast. */
  readonly snapshotBlock: bigint;
  readonly deadlineBlock: bigint;
  readonly state: ProposalState;
  /** Votes in wei of OPEN. */
  readonly votes: Readonly<Record<VoteName, bigint>>;
  readonly quorumWei: bigint | null;
  /** L1 time from which anybody may carry it out, in seconds; 0 where it is not queued. */
  readonly executableFrom: bigint;
}

/** Proposals that a node shows. */
export interface ProposalList {
  /** Newest first. */
  readonly proposals: readonly Proposal[];
  /** First block whose logs the node shows, where that is not the governor's: earlier proposals are missing. null: none is. */
  readonly firstShownBlock: number | null;
}

/** A proposal as its event has it. */
interface CreatedProposal
  extends Pick<Proposal, "calls" | "description" | "id" | "proposer" | "snapshotBlock"> {
  readonly createdBlock: bigint;
}

function createdOf(
  {
    calldatas,
    description,
    proposalId: id,
    proposer,
    targets,
    values,
    voteStart,
  }: {
    readonly calldatas: readonly Hex[];
    readonly description: string;
    readonly proposalId: bigint;
    readonly proposer: Address;
    readonly targets: readonly Address[];
    readonly values: readonly bigint[];
    readonly voteStart: bigint;
  },
  createdBlock: bigint,
): CreatedProposal {
  const calls = targets.map((target, i) => ({
    target: getAddress(target),
    data: calldatas[i]!,
    valueWei: values[i]!,
  }));
  return { id, proposer, description, calls, snapshotBlock: voteStart, createdBlock };
}

/** Sentence for people about a list that is cut; null for a whole one. */
export const cutListText = ({ firstShownBlock }: Pick<ProposalList, "firstShownBlock">): string | null =>
  firstShownBlock === null
    ? null
    : `this Ethereum node does not show blocks before ${firstShownBlock}: earlier proposals are missing`;

const descriptionHash = (text: string) => keccak256(stringToHex(text));

/** The functions of the governor that take a proposal whole. */
function hashedArguments({ calls, description }: Pick<Proposal, "calls" | "description">) {
  return [
    calls.map(({ target }) => target),
    calls.map(({ valueWei }) => valueWei),
    calls.map(({ data }) => data),
    descriptionHash(description),
  ] as const;
}

/** Proposals and votes of one governor. */
export class Governance {
  readonly #client: LedgerClient;
  readonly governor: Address;

  /** @param governor the OpenGovernor's address */
  constructor(client: LedgerClient, governor: Address) {
    this.#client = client;
    this.governor = governor;
  }

  get #contract() {
    return { address: this.governor, abi: openGovernorAbi } as const;
  }

  /** Owner of the treasury's leaf, which also names rollups. */
  timelock(): Promise<Address> {
    return this.#client.l1.readContract({ ...this.#contract, functionName: "timelock" });
  }

  /** Seconds between queueing and carrying out. */
  async delaySeconds(): Promise<bigint> {
    const address = await this.timelock();
    return this.#client.l1.readContract({ address, abi: governanceTimelockAbi, functionName: "getMinDelay" });
  }

  /** Votes that an address would have in a proposal whose snapshot were now, in wei. */
  votesOf(address: Address): Promise<bigint> {
    const token = { address: this.#client.tokenAddress, abi: openTokenAbi } as const;
    return this.#client.l1.readContract({ ...token, functionName: "getVotes", args: [address] });
  }

  hasVoted(id: bigint, voter: Address): Promise<boolean> {
    const call = { functionName: "hasVoted", args: [id, voter] } as const;
    return this.#client.l1.readContract({ ...this.#contract, ...call });
  }

  /**
   * Lists proposals, newest first: all that the node shows.
   * @param fromBlock first block to search; the governor's own block will do
   * @throws CLI_L1_REFUSED where the node shows no logs at all, CLI_UNREACHABLE
   */
  async proposals(fromBlock: bigint): Promise<ProposalList> {
    const found = new Map<bigint, CreatedProposal>();
    const { searched } = await this.#search(fromBlock, (created) => {
      for (const one of created) found.set(one.id, one);
      return null;
    });
    const head = await this.#client.l1.getBlockNumber({ cacheTime: 0 });
    const created = [...found.values()].sort((a, b) => Number(b.createdBlock - a.createdBlock));
    const proposals: Proposal[] = [];
    for (const one of created) proposals.push(await this.#withStanding(one, head));
    return { proposals, firstShownBlock: searched?.isCut === true ? searched.fromBlock : null };
  }

  /** Searches the logs of proposals, newest blocks first, until `read` returns one. */
  async #search(
    firstBlock: bigint,
    read: (created: readonly CreatedProposal[]) => CreatedProposal | null,
  ): Promise<{ readonly found: CreatedProposal | null; readonly searched: SearchedBlocks | null }> {
    const filter = { ...this.#contract, eventName: "ProposalCreated" } as const;
    const { l1 } = this.#client;
    try {
      const search = await searchNewestFirst(this.#client, { firstBlock }, async (fromBlock, toBlock) => {
        const events = await l1.getContractEvents({ ...filter, strict: true, fromBlock, toBlock });
        return read(events.map(({ args, blockNumber }) => createdOf(args, blockNumber)).reverse());
      });
      return search.found === null ? search : { found: search.found, searched: null };
    } catch (cause) {
      throw l1Error(cause, "the search for proposals");
    }
  }

  async #withStanding({ createdBlock: _, ...created }: CreatedProposal, head: bigint): Promise<Proposal> {
    return { ...created, ...(await this.#standing(created.id, created.snapshotBlock, head)) };
  }

  async #standing(id: bigint, snapshotBlock: bigint, head: bigint) {
    const read = { ...this.#contract, args: [id] } as const;
    const { l1 } = this.#client;
    const [state, [against, forIt, abstain], deadlineBlock, executableFrom, quorumWei] = await Promise.all([
      l1.readContract({ ...read, functionName: "state" }),
      l1.readContract({ ...read, functionName: "proposalVotes" }),
      // A quorum that comes late moves it.
      l1.readContract({ ...read, functionName: "proposalDeadline" }),
      l1.readContract({ ...read, functionName: "proposalEta" }),
      // The supply of a block is known once there is a later one.
      snapshotBlock < head
        ? l1.readContract({ ...this.#contract, functionName: "quorum", args: [snapshotBlock] })
        : null,
    ]);
    const votes = { against, for: forIt, abstain };
    return { state: STATES[state]!, votes, deadlineBlock, executableFrom, quorumWei };
  }

  /** Finds a proposal by its id. @throws CLI_UNKNOWN; CLI_L1_LOGS_INCOMPLETE where the governor has it, and the logs do not */
  async proposal(id: bigint, fromBlock: bigint): Promise<Proposal> {
    const { found, searched } = await this.#search(
      fromBlock,
      (created) => created.find((one) => one.id === id) ?? null,
    );
    if (found !== null)
      return this.#withStanding(found, await this.#client.l1.getBlockNumber({ cacheTime: 0 }));
    const call = { ...this.#contract, functionName: "proposalSnapshot", args: [id] } as const;
    if ((await this.#client.l1.readContract(call)) !== 0n) {
      if (searched?.isCut === true) throw logsCut(`proposal ${id}`, searched, { id });
      throw logsIncomplete(`proposal ${id}, or it is older than block ${fromBlock}`);
    }
    throw clientError("CLI_UNKNOWN", `the governor ${this.governor} has no proposal ${id}`, {
      data: { reason: "proposal", id, governor: this.governor },
    });
  }

  /**
   * Votes cast on a proposal, the largest first: together as many as the governor has counted. @throws CLI_L1_LOGS_INCOMPLETE
   */
  async votesCast({ id, snapshotBlock }: Pick<Proposal, "id" | "snapshotBlock">): Promise<CastVote[]> {
    const { l1 } = this.#client;
    const head = await l1.getBlockNumber({ cacheTime: 0 });
    const at = { ...this.#contract, args: [id], blockNumber: head } as const;
    const [deadlineBlock, counted] = await Promise.all([
      // A quorum that comes late has moved it.
      l1.readContract({ ...at, functionName: "proposalDeadline" }),
      l1.readContract({ ...at, functionName: "proposalVotes" }),
    ]);
    const cast: CastVote[] = [];
    const toBlock = deadlineBlock < head ? deadlineBlock : head;
    for (const eventName of ["VoteCast", "VoteCastWithParams"] as const) {
      const filter = { ...this.#contract, eventName };
      for await (const events of readEvents(this.#client, filter, { fromBlock: snapshotBlock, toBlock })) {
        for (const { args } of events) {
          const vote = VOTE_NAMES[args.support];
          if (args.proposalId === id && vote !== undefined)
            cast.push({ voter: args.voter, vote, votesWei: args.weight });
        }
      }
    }
    for (const [position, vote] of VOTE_NAMES.entries()) {
      const castWei = cast.reduce((sum, one) => sum + (one.vote === vote ? one.votesWei : 0n), 0n);
      if (castWei !== counted[position]) throw logsIncomplete(`votes on proposal ${id}`);
    }
    return cast.sort((a, b) => Number(b.votesWei - a.votesWei));
  }

  /** Lets `to` vote with the wallet's OPEN. To vote yourself, delegate to your own address. */
  delegate(to: Address, options: L1Options = {}): Promise<L1Result> {
    const delegator = requireWallet(this.#client).account.address;
    const effect = effectOf("token", "DelegateChanged", { delegator, toDelegate: to });
    const token = { address: this.#client.tokenAddress, abi: openTokenAbi };
    return callContract(this.#client, { ...token, functionName: "delegate", args: [to], effect }, options);
  }

  /** Proposes calls. @returns also the proposal's id, which follows from the calls and the text */
  async propose(
    calls: readonly GovernedCall[],
    description: string,
    options: L1Options = {},
  ): Promise<L1Result & { id: bigint }> {
    const hashed = hashedArguments({ calls, description });
    const read = { ...this.#contract, functionName: "hashProposal", args: hashed } as const;
    const id = await this.#client.l1.readContract(read);
    const [targets, values, datas] = hashed;
    const args = [targets, values, datas, description];
    return { ...(await this.#send("propose", args, "ProposalCreated", id, options)), id };
  }

  cast(id: bigint, vote: VoteName, options: L1Options = {}): Promise<L1Result> {
    return this.#send("castVote", [id, VOTE[vote]], "VoteCast", id, options, QUORUM_GAS);
  }

  /** Queues a proposal, and so begins the time to leave. Open to all, once a vote has succeeded. */
  queue(proposal: Proposal, options: L1Options = {}): Promise<L1Result> {
    return this.#send("queue", hashedArguments(proposal), "ProposalQueued", proposal.id, options);
  }

  /** Carries out a proposal. Open to all, once the time to leave is over. */
  execute(proposal: Proposal, options: L1Options = {}): Promise<L1Result> {
    return this.#send("execute", hashedArguments(proposal), "ProposalExecuted", proposal.id, options);
  }

  #send(
    functionName: string,
    args: readonly unknown[],
    event: L1Effect["event"],
    proposalId: bigint,
    options: L1Options,
    addedGas = 0n,
  ): Promise<L1Result> {
    const effect = { ...effectOf("governor", event, { proposalId }), address: this.governor };
    const call = { ...this.#contract, functionName, args, effect, addedGas };
    return callContract(this.#client, call, options);
  }
}
