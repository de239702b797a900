/**
 * `openledger verify equivocation`: anyone shows the bond two preconfirmations that contradict each other. A commitment goes to
 * L1 first, so that nobody copies them; half of the bond is paid out.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, formatEther, type Hex, keccak256, stringToHex } from "viem";
import { openSigner, parseAddress } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { defineOptions } from "../../cli/options.ts";
import { command } from "../../cli/run-command.ts";
import { BOND_OPTION, openBond } from "../operate/bond-command.ts";
import { readEvidence } from "./verify-preconfirmations-command.ts";

/** Interval between two looks at L1's block number. */
const POLL_MS = 1_000;

export const addVerifyEquivocationCommand = command({
  usage: "equivocation <first> <second>",
  about:
    "show two preconfirmations of one place with different operations to the sequencer's bond: half of it is paid out, half burned; started again, it goes on",
  options: {
    ...BOND_OPTION,
    ...defineOptions({ "--beneficiary <address>": "account that is paid; default: the one that signs" }),
  },
  examples: ["verify equivocation one.json other.json --private-key-file key --rpc https://… --rollup 0x…"],
  run: async ({ options, args, output }) => {
    const [first, second] = await Promise.all((args as [string, string]).map(readEvidence));
    const { account, client } = await openSigner(options);
    const bond = await openBond(options, client);
    const equivocation = await bond.equivocation(first!.preconfirmation, second!.preconfirmation);
    const beneficiary: Address =
      options.beneficiary === undefined ? account.l1.address : parseAddress(options.beneficiary);
    const { bondWei } = await bond.state();
    const shown = [equivocation.first, equivocation.second]
      .map(({ operationHash }) => operationHash)
      .join(" ");
    // Nobody else can guess it, and a later start finds the same one: the signature is deterministic.
    const salt: Hex = keccak256(
      await account.l1.signMessage({ message: stringToHex(`OpenLedger bond ${bond.address} ${shown}`) }),
    );
    let fromBlock = await bond.showableFromBlock(equivocation, beneficiary, salt);
    if (fromBlock === null) {
      await bond.commit(equivocation, beneficiary, salt);
      fromBlock = (await bond.showableFromBlock(equivocation, beneficiary, salt))!;
    }
    output.progress(`committed; the preconfirmations can be shown from block ${fromBlock} on`);
    while ((await client.l1.getBlockNumber({ cacheTime: 0 })) < fromBlock) await sleep(POLL_MS);
    const sent = await bond.show(equivocation, beneficiary, salt);
    const { gasCostWei, gasUsed, transactionHash } = sent;
    output.answer(
      [
        `the bond of ${formatEther(bondWei)} ETH is taken: half to ${beneficiary}, half burned`,
        `L1 transaction ${transactionHash}, ${describeGas(sent)}`,
      ],
      { bondWei, beneficiary, opIndex: equivocation.opIndex, transactionHash, gasUsed, gasCostWei },
    );
  },
});
