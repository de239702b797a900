/** All contracts of a language model's disputes: games over its queries, postings of its rows, games over those. */

import {
  deployGenesisGates,
  deployLedgerMath,
  deployTextDisputes,
  missingChunks,
  storeChunks,
} from "@openledger/contracts/build/deploy-disputes";
import { deployTraceGame } from "@openledger/contracts/build/deploy-trace-game";
import { parseEther } from "viem";
import { parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface DeployGameOptions {
  windowDays: string;
  sideHours: string;
  math?: string;
  beside?: string[];
  bond: string;
  stake: string;
  postingWindowDays: string;
  postingBond: string;
  demandFee: string;
  rows: string;
}

export async function deployGame({ options, output }: CommandContext<DeployGameOptions>): Promise<void> {
  const mostRows = parseId(options.rows);
  const sender = await l1SenderOf(options);
  const clients = { walletClient: sender.walletClient, publicClient: sender.publicClient };
  const math = options.math === undefined ? await deployLedgerMath(clients) : parseAddress(options.math);
  const missing = await missingChunks(sender.publicClient, math, mostRows);
  output.progress(`storing ${missing.length} chunks of constants, some 5 million gas each`);
  await storeChunks(clients, math, missing, (done) =>
    output.progress(`constants: ${done} of ${missing.length}`),
  );
  const playing = {
    sideSeconds: BigInt(Math.round(Number(options.sideHours) * 3_600)),
    stakeWei: parseEther(options.stake),
  };
  const { game, rules } = await deployTraceGame(
    clients,
    { ...playing, windowSeconds: daysToSeconds(options.windowDays), leastBondWei: parseEther(options.bond) },
    math,
  );
  const posting = {
    windowSeconds: daysToSeconds(options.postingWindowDays),
    leastBondWei: parseEther(options.postingBond),
    demandFeeWei: parseEther(options.demandFee),
  };
  const around = { math, rules, settlements: game };
  const { disputes, games: rowGames } = await deployTextDisputes(clients, { ...posting, ...playing }, around);
  const members = [game, disputes, ...(options.beside ?? []).map(parseAddress)];
  const gate = await deployGenesisGates(clients, members);
  const lines = [
    `LedgerTraces ${game}, TraceRules ${rules}, LedgerMath ${math}`,
    `TextDisputes ${disputes}, RowTraces ${rowGames}; constants are enough for ${mostRows} rows`,
    `GenesisGates ${gate} before ${members.length} contracts: a rollup's deploy.json says "genesisGate": "${gate}"`,
  ];
  output.answer(lines, { game, disputes, rowGames, rules, math, gate, members });
}

const daysToSeconds = (days: string) => BigInt(Math.round(Number(days) * 86_400));
