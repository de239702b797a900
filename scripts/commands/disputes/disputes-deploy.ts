/** The contracts of disputes about one kind of model, and a gate where a rollup has several kinds. */

import {
  type DisputesParameters,
  deployActivationGates,
  deployDirectDisputes,
  deployLedgerMath,
  deployTextDisputes,
  missingChunks,
  storeChunks,
} from "@openledger/contracts/build/deploy-disputes";
import { type Address, parseEther } from "viem";
import { parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import type { OptionsOf } from "../../cli/options.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import type { DEPLOY_OPTIONS } from "./disputes-options.ts";

/** Rows of a model that the stored constants are enough for; more constants can follow. */
const MOST_ROWS = 1_024;
/** Of a data-availability challenge for one unpublished leaf: more than an answer costs its owner, up to 37 gwei. */
const AVAILABILITY_CHALLENGE_FEE_WEI = parseEther("0.05");

export async function deployContracts({
  options,
  output,
}: CommandContext<OptionsOf<typeof DEPLOY_OPTIONS>>): Promise<void> {
  const sender = await l1SenderOf(options);
  const clients = { walletClient: sender.walletClient, publicClient: sender.publicClient };
  const math = await deployLedgerMath(clients);
  const missing = await missingChunks(sender.publicClient, math, MOST_ROWS);
  output.progress(`storing ${missing.length} chunks of constants, some 5 million gas each`);
  const chunkGas = await storeChunks(clients, math, missing, (done) =>
    output.progress(`constants: ${done} of ${missing.length}`),
  );
  const modelCommitment = {
    windowSeconds: secondsOf(options.windowDays, 86_400),
    leastBondWei: parseEther(options.bond),
    availabilityChallengeFeeWei: AVAILABILITY_CHALLENGE_FEE_WEI,
  };
  const made =
    options.kind === "text"
      ? await deployText(clients, modelCommitment, math, options)
      : await deployRows(clients, modelCommitment, math);
  const beside = (options.beside ?? []).map(parseAddress);
  const members = [...made.members, ...beside];
  const gate = members.length === 1 ? members[0]! : await deployActivationGates(clients, members);
  const lines = [
    `${made.line}, LedgerMath ${math}`,
    `${missing.length} chunks of constants stored for ${chunkGas.toLocaleString("en")} gas, enough for ${MOST_ROWS} rows`,
    ...(members.length === 1 ? [] : [`ActivationGates ${gate} admits what one of ${members.join(", ")} has`]),
    `a rollup asks it before every activation where its deploy.json says "activationGate": "${gate}"`,
  ];
  const facts = { math, gate, members, chunkCount: missing.length, chunkGas };
  output.answer(lines, { ...made.contracts, ...facts });
}

type Clients = Parameters<typeof deployDirectDisputes>[0];

async function deployRows(clients: Clients, modelCommitment: DisputesParameters, math: Address) {
  const disputes = await deployDirectDisputes(clients, modelCommitment, math);
  return { members: [disputes], line: `DirectDisputes ${disputes}`, contracts: { disputes } };
}

/** Model commitments of rows, and games over queries and rows. */
async function deployText(
  clients: Clients,
  modelCommitment: DisputesParameters,
  math: Address,
  { claimWindowDays, sideHours, stake }: OptionsOf<typeof DEPLOY_OPTIONS>,
) {
  const playing = { sideSeconds: secondsOf(sideHours, 3_600), stakeWei: parseEther(stake) };
  const { leastBondWei } = modelCommitment;
  const claims = { ...playing, windowSeconds: secondsOf(claimWindowDays, 86_400), leastBondWei };
  const { disputes, game, rules } = await deployTextDisputes(clients, modelCommitment, claims, math);
  const line = `LedgerTraces ${game}, TraceRules ${rules}, TextDisputes ${disputes}`;
  return { members: [game, disputes], line, contracts: { disputes, game, rules } };
}

const secondsOf = (count: string, unit: number) => BigInt(Math.round(Number(count) * unit));
