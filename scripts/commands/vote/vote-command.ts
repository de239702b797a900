/** `openledger vote`: OPEN's votes on Ethereum: list, delegate, propose, cast, execute. Amounts are in OPEN. */
import type { L1Result } from "@openledger/client/actions/l1/l1-result";
import {
  cutListText,
  Governance,
  type GovernedCall,
  VOTE,
  type VoteName,
} from "@openledger/client/governance/governance";
import {
  announceRollup,
  payFromTreasury,
  withdrawFromTreasury,
} from "@openledger/client/governance/governed-calls";
import { type LedgerClient, rollupContract } from "@openledger/client/ledger-client";
import { parseOpen } from "@openledger/client/sequencer/open-amount";
import type { Command } from "commander";
import { type Hex, zeroHash } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import { REGISTRY_OPTION } from "../../cli/common-options.ts";
import { type GlobalOptions, openReader, openSigner, parseAddress, resolveLeaf } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { defineOptions, type OptionsOf } from "../../cli/options.ts";
import type { Output } from "../../cli/output.ts";
import { command, withExample } from "../../cli/run-command.ts";
import {
  FROM_BLOCK_OPTION,
  firstBlockOf,
  GOVERNOR_OPTION,
  type GovernedOptions,
  governorOf,
  registryOf,
} from "./governed.ts";
import { describeProposals } from "./proposal-lines.ts";

/** Maximum fee of a forced operation as a multiple of the base fee, in a queue that others have filled. */
const HIGHEST_QUEUE_FACTOR = 8n;

export function addVoteCommands(program: Command): void {
  const vote = program
    .command("vote")
    .description("vote with OPEN on Ethereum: on payments of the treasury, and on the next rollup");
  withExample(vote, "vote list", "vote cast 1234… for --account alice");
  addList(vote);
  addDelegate(vote);
  addPropose(vote);
  addCast(vote);
  addExecute(vote);
}

const COMMON_OPTIONS = defineOptions({ ...GOVERNOR_OPTION, ...FROM_BLOCK_OPTION });

const addList = command({
  usage: "list",
  about: "list proposals with their votes and next steps",
  options: COMMON_OPTIONS,
  examples: ["vote list", "vote list --json"],
  run: async ({ options, output }) => {
    const { first, governance } = governed(options, await openReader(options));
    const list = await governance.proposals(first);
    const lines = describeProposals(list.proposals, await governance.delaySeconds());
    const cut = cutListText(list);
    output.answer([...lines, ...(cut === null ? [] : [cut])], list);
  },
});

const addDelegate = command({
  usage: "delegate [to]",
  about: "delegate this wallet's votes to an address; default: to itself",
  options: COMMON_OPTIONS,
  examples: ["vote delegate --account alice", "vote delegate 0x… --account alice"],
  run: async ({ options, args, output }) => {
    const { client, account } = await openSigner(options);
    const to = args[0] === undefined ? account.l1.address : parseAddress(args[0] as string);
    const sent = await governed(options, client).governance.delegate(to);
    answer(output, `${to} votes with what ${account.l1.address} holds`, sent, { to });
  },
});

const PROPOSE_OPTIONS = defineOptions({
  "--text <words>": {
    about: "description of the proposal; a repeated proposal needs another text",
    isRequired: true,
  },
  "--pay <leaf>": "pay this leaf: an id, an account's name or an address; with --amount",
  "--to-l1 <address>": "pay this address on Ethereum instead; with --amount",
  "--amount <amount>": "amount in OPEN, or all",
  "--next-rollup <address>": "address of the next rollup",
  "--sources-hash <hex>": "with --next-rollup: contractsHash of its record",
  ...REGISTRY_OPTION,
  ...COMMON_OPTIONS,
});

const addPropose = command({
  usage: "propose",
  about: "propose a payment of the treasury, or the next rollup; needs votes of your own",
  options: PROPOSE_OPTIONS,
  examples: ['vote propose --pay 7 --amount 250 --text "audit" --account alice'],
  run: async ({ options, output }) => {
    const { client } = await openSigner(options);
    const calls = await callsOf(client, options);
    const { id, ...sent } = await governed(options, client).governance.propose(calls, options.text);
    answer(output, `proposal ${id}`, sent, { id, calls });
  },
});

const addCast = command({
  usage: "cast <id> <vote>",
  about: "vote: for, against or abstain",
  options: COMMON_OPTIONS,
  examples: ["vote cast 1234… for --account alice"],
  run: async ({ options, args, output }) => {
    const [id, name] = args as [string, string];
    if (!(name in VOTE)) throw commandError("CMD_USAGE", `"${name}" is not for, against or abstain`);
    const { client } = await openSigner(options);
    const sent = await governed(options, client).governance.cast(parseId(id), name as VoteName);
    answer(output, `voted ${name} ${id}`, sent, { id, vote: name });
  },
});

const addExecute = command({
  usage: "execute <id>",
  about: "queue a proposal that has won, and execute it once its delay is over; anyone can",
  options: COMMON_OPTIONS,
  examples: ["vote execute 1234… --account alice"],
  run: async ({ options, args, output }) => {
    const { client } = await openSigner(options);
    const { first, governance } = governed(options, client);
    const proposal = await governance.proposal(parseId(args[0] as string), first);
    const step = proposal.state === "queued" ? "execute" : "queue";
    const sent = await governance[step](proposal);
    answer(output, `${step === "queue" ? "queued" : "carried out"}: ${proposal.description}`, sent, {
      id: proposal.id,
      step,
    });
  },
});

function governed(options: GovernedOptions, client: LedgerClient) {
  const { rollupAddress } = client;
  const governance = new Governance(client, governorOf(options, rollupAddress));
  return { governance, first: firstBlockOf(options, rollupAddress) };
}

function answer(output: Output, what: string, sent: L1Result, facts: object): void {
  const { gasCostWei, gasUsed, transactionHash } = sent;
  const lines = [what, `L1 transaction ${transactionHash}, ${describeGas(sent)}`];
  output.answer(lines, { ...facts, transactionHash, gasUsed, gasCostWei });
}

/** @throws CMD_USAGE if the options are no one proposal */
async function callsOf(
  client: LedgerClient,
  options: GlobalOptions & OptionsOf<typeof PROPOSE_OPTIONS>,
): Promise<GovernedCall[]> {
  const { amount, nextRollup, pay, toL1 } = options;
  if ([pay, toL1, nextRollup].filter((one) => one !== undefined).length !== 1)
    throw commandError("CMD_USAGE", "one of --pay, --to-l1 and --next-rollup");
  if (nextRollup !== undefined) {
    const registry = registryOf(options, client.rollupAddress);
    return announceRollup(registry, parseAddress(nextRollup), parseHash(options.sourcesHash));
  }
  if (amount === undefined) throw commandError("CMD_USAGE", "--amount is missing");
  const amountWei = amount === "all" ? "all" : parseOpen(amount);
  const call = { ...rollupContract(client), functionName: "queueBaseFeeWei" } as const;
  const maxFeeWei = HIGHEST_QUEUE_FACTOR * (await client.l1.readContract(call));
  if (toL1 !== undefined)
    return withdrawFromTreasury(client, { recipient: parseAddress(toL1), amountWei, maxFeeWei });
  const leaf = await resolveLeaf(client, options, pay!);
  return payFromTreasury(client, { to: leaf.id, expectedOwner: leaf.l1Owner, amountWei, maxFeeWei });
}

function parseId(text: string): bigint {
  if (!/^\d{1,78}$/.test(text)) throw commandError("CMD_USAGE", `"${text}" is no proposal's number`);
  return BigInt(text);
}

function parseHash(text: string | undefined): Hex {
  if (text === undefined) return zeroHash;
  const digits = text.replace(/^0x/, "");
  if (!/^[0-9a-fA-F]{64}$/.test(digits))
    throw commandError("CMD_USAGE", `"${text}" is no hash of 64 hex digits`);
  return `0x${digits.toLowerCase()}`;
}
