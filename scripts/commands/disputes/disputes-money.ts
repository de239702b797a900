import { readGames } from "@openledger/challenger/games/trace-contracts";
import { openWindows } from "@openledger/challenger/model-commitments/read-windows";
import { readRegistry } from "@openledger/challenger/model-commitments/registry";
import { withdrawAll } from "@openledger/challenger/playing/withdraw";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import type { CommandContext } from "../../cli/run-command.ts";

/**
 * Bonds of the account's model commitments that count, then all that the contract owes it: rewards, fees and bonds.
 * @throws CMD_USAGE where there is nothing
 */
export async function withdrawOwed({ options, args, output }: CommandContext<object>): Promise<void> {
  const given = parseAddress(args[0]!);
  const sender = await l1SenderOf(options);
  const { address: who, publicClient } = sender;
  const isRegistry = (await readRegistry(publicClient, given)) !== null;
  const registry = isRegistry ? openWindows(publicClient, given) : null;
  const game = await readGames(publicClient, given);
  const paid = await withdrawAll({ sender, registry, game, reader: null }, output.progress);
  if (paid.length === 0) throw commandError("CMD_USAGE", `${given} owes nothing to ${who}`);
  const paidWei = paid.reduce((sum, one) => sum + one.paidWei, 0n);
  output.answer(
    paid.map(({ line }) => line),
    { paidWei, to: who, withdrawals: paid.map(({ line: _, ...one }) => one) },
  );
}
