import { deployGenesisGates } from "@openledger/contracts/build/deploy-disputes";
import { parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export async function deployGate({ options, args, output }: CommandContext<object>): Promise<void> {
  const members = args.map(parseAddress);
  const { publicClient, walletClient } = await l1SenderOf(options);
  const gate = await deployGenesisGates({ publicClient, walletClient }, members);
  const lines = [
    `GenesisGates ${gate} admits what one of ${members.join(", ")} has admitted`,
    `a rollup asks it before every genesis where its deploy.json says "genesisGate": "${gate}"`,
  ];
  output.answer(lines, { gate, members });
}
