/** The registry of committed models, with the judges of all families and their games. */

import {
  deployLedgerMath,
  deployRegistry,
  missingChunks,
  storeChunks,
} from "@openledger/contracts/build/deploy-disputes";
import { parseEther } from "viem";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import type { DeployOptions } from "./disputes-options.ts";

/** Rows of a model that the stored constants are enough for; more constants can follow. */
const MOST_ROWS = 1_024;
/** Of a challenge for one leaf. Two answers of 1.5 million gas at 0.3 gwei; where gas is dearer, up to 0.06 ether from 20 gwei on. */
const AVAILABILITY_CHALLENGE_FEE_WEI = parseEther("0.001");

export async function deployContracts({ options, output }: CommandContext<DeployOptions>): Promise<void> {
  const { publicClient, walletClient } = await l1SenderOf(options);
  const clients = { walletClient, publicClient };
  const math = await deployLedgerMath(clients);
  const missing = await missingChunks(publicClient, math, MOST_ROWS);
  output.progress(`storing ${missing.length} chunks of constants, some 5 million gas each`);
  const chunkGas = await storeChunks(clients, math, missing, (done) =>
    output.progress(`constants: ${done} of ${missing.length}`),
  );
  const leastBondWei = parseEther(options.bond);
  const terms = {
    ...{ windowSeconds: secondsOf(options.windowDays, 86_400), leastBondWei },
    availabilityChallengeFeeWei: AVAILABILITY_CHALLENGE_FEE_WEI,
  };
  const games = {
    ...{ windowSeconds: secondsOf(options.claimWindowDays, 86_400), leastBondWei },
    ...{ sideSeconds: secondsOf(options.sideHours, 3_600), stakeWei: parseEther(options.stake) },
  };
  output.progress("deploying the registry, the judges of its families and its games");
  const { address: gate, games: deployed } = await deployRegistry(clients, terms, { math, games });
  const { game, rules } = deployed!;
  const lines = [
    `ModelCommitments ${gate}, LedgerTraces ${game}, TraceRules ${rules}, LedgerMath ${math}`,
    `${missing.length} chunks of constants stored for ${chunkGas.toLocaleString("en")} gas, enough for ${MOST_ROWS} rows`,
    `a rollup asks it before every activation where its deploy.json says "activationGate": "${gate}"`,
  ];
  output.answer(lines, { gate, game, rules, math, chunkCount: missing.length, chunkGas });
}

const secondsOf = (count: string, unit: number) => BigInt(Math.round(Number(count) * unit));
