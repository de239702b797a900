/**
 * `openledger operator bond`: shows the sequencer's bond, adds to it, announces a withdrawal and takes it. Amounts are typed and
 * printed in ETH, and are wei in JSON.
 */
import type { L1Result } from "@openledger/client/actions/l1/l1-result";
import { SequencerBond } from "@openledger/client/bond/sequencer-bond";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { type BondState, securedWei } from "@openledger/contracts/bond/equivocation";
import type { Command } from "commander";
import { formatEther, parseEther } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import { deploymentOf, type GlobalOptions, openReader, openSigner, parseAddress } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { defineOptions } from "../../cli/options.ts";
import { type Output, renderTable } from "../../cli/output.ts";
import { command, withExample } from "../../cli/run-command.ts";

const DAY_SECONDS = 86_400n;

export const BOND_OPTION = defineOptions({
  "--bond <address>": "address of the bond's contract; default: the deployment record's",
});

export function addBondCommands(operator: Command): void {
  const bond = operator.command("bond").description("the sequencer's bond (docs/explanation/trust.md)");
  withExample(bond, "operator bond show", "operator bond deposit 5 --private-key-file key");
  addShow(bond);
  addDeposit(bond);
  addAnnounce(bond);
  addWithdraw(bond);
}

const addShow = command({
  usage: "show",
  about: "print what is bonded, what is announced to leave, and what a preconfirmation of now is secured by",
  options: BOND_OPTION,
  examples: ["operator bond show", "operator bond show --rpc https://… --rollup 0x… --bond 0x…"],
  run: async ({ options, output }) => {
    const bond = await openBond(options, await openReader(options));
    const state = await bond.state();
    const securedWeiDay = securedWei(state, state.timeSeconds + DAY_SECONDS);
    output.answer(describeBond(state, securedWeiDay), { address: bond.address, ...state, securedWeiDay });
  },
});

const addDeposit = command({
  usage: "deposit <eth>",
  about: "add ETH to the bond; anyone can, the sequencer alone can take it back",
  options: BOND_OPTION,
  examples: ["operator bond deposit 5 --private-key-file key"],
  run: async ({ options, args, output }) => {
    const amountWei = parseEth(args[0] as string);
    const { client } = await openSigner(options);
    const sent = await (await openBond(options, client)).deposit(amountWei);
    answer(output, `${formatEther(amountWei)} ETH deposited`, sent, { amountWei });
  },
});

const addAnnounce = command({
  usage: "announce <eth>",
  about:
    "announce that the sequencer takes ETH back, 45 to 52 days from now; it replaces any earlier announcement, and 0 takes that back",
  options: BOND_OPTION,
  examples: [
    "operator bond announce 5 --private-key-file key",
    "operator bond announce 0 --private-key-file key",
  ],
  run: async ({ options, args, output }) => {
    const amountWei = parseEth(args[0] as string);
    const { client } = await openSigner(options);
    const bond = await openBond(options, client);
    const sent = await bond.announceWithdrawal(amountWei);
    const { availableAt } = await bond.state();
    const text = amountWei === 0n ? "no withdrawal is announced" : `${formatEther(amountWei)} ETH announced`;
    answer(output, amountWei === 0n ? text : `${text}, from ${dateOf(availableAt)}`, sent, {
      amountWei,
      availableAt,
    });
  },
});

const addWithdraw = command({
  usage: "withdraw",
  about: "pay the announced ETH to the sequencer's account",
  options: BOND_OPTION,
  examples: ["operator bond withdraw --private-key-file key"],
  run: async ({ options, output }) => {
    const { client } = await openSigner(options);
    const bond = await openBond(options, client);
    const { announcedWei } = await bond.state();
    const sent = await bond.withdraw();
    answer(output, `${formatEther(announcedWei)} ETH paid to ${client.sequencerAddress}`, sent, {
      amountWei: announcedWei,
    });
  },
});

/** @throws CMD_USAGE if neither the option nor the record names it; CLI_BOND_INVALID */
export function openBond(
  { bond }: GlobalOptions & { bond?: string },
  client: LedgerClient,
): Promise<SequencerBond> {
  const known = bond === undefined ? deploymentOf(client.rollupAddress)?.bond : parseAddress(bond);
  if (known === undefined)
    throw commandError("CMD_USAGE", "no record names a bond of this rollup's sequencer: give --bond");
  return SequencerBond.open(client, known);
}

function describeBond(state: BondState, securedWeiDay: bigint): string[] {
  const { announcedWei, availableAt, bondWei, isForfeited } = state;
  if (isForfeited) return ["the bond was taken: the sequencer has signed two operations for one place"];
  return renderTable([
    ["bonded", `${formatEther(bondWei)} ETH`],
    [
      "announced to leave",
      announcedWei === 0n ? "nothing" : `${formatEther(announcedWei)} ETH from ${dateOf(availableAt)}`,
    ],
    ["secures a deadline of a day", `${formatEther(securedWeiDay)} ETH, of which half is burned in any case`],
  ]);
}

const dateOf = (seconds: bigint) => new Date(Number(seconds) * 1_000).toISOString();

function parseEth(text: string): bigint {
  if (!/^\d{1,9}(\.\d{1,18})?$/.test(text)) throw commandError("CMD_USAGE", `"${text}" is no amount of ETH`);
  return parseEther(text);
}

function answer(output: Output, what: string, sent: L1Result, facts: object): void {
  const { gasCostWei, gasUsed, transactionHash } = sent;
  const lines = [what, `L1 transaction ${transactionHash}, ${describeGas(sent)}`];
  output.answer(lines, { ...facts, transactionHash, gasUsed, gasCostWei });
}
