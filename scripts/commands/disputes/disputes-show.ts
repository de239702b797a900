import type { GateContract } from "@openledger/challenger/model-commitments/gate-contracts";
import { modelCommitmentLines } from "@openledger/challenger/model-commitments/model-commitment-lines";
import { type ReadAdmission, readAdmissions } from "@openledger/challenger/model-commitments/read-admissions";
import {
  type ModelCommitment,
  readModelCommitments,
} from "@openledger/challenger/model-commitments/read-model-commitments";
import { contractsBehind, gamesOver } from "@openledger/challenger/playing/disputes-contracts";
import { type DisputesTerms, readTerms } from "@openledger/challenger/playing/disputes-sender";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { type Address, createPublicClient, formatEther, http, type PublicClient } from "viem";
import { parseAddress, resolveRpcUrl } from "../../cli/context.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface ShowOptions {
  modelId?: string;
}

export async function showModelCommitments({
  options,
  args,
  output,
}: CommandContext<ShowOptions>): Promise<void> {
  const publicClient = createPublicClient({ transport: http(resolveRpcUrl(options)) });
  const ofModel = options.modelId === undefined ? {} : { modelId: parseId(options.modelId) };
  const shown: Shown[] = [];
  for (const { address, kind } of await contractsBehind(publicClient, parseAddress(args[0]!))) {
    const [{ math: _, ...terms }, modelCommitments, admissions] = await Promise.all([
      readTerms(publicClient, address),
      readModelCommitments(publicClient, address, ofModel),
      readAdmissions(publicClient, address, ofModel),
    ]);
    const openGames = kind === "text" ? await readOpenGames(publicClient, address, modelCommitments) : null;
    shown.push({ address, kind, terms, modelCommitments, admissions, openGames });
  }
  output.answer(shown.flatMap(linesOf), {
    contracts: shown.map(({ openGames, modelCommitments, ...contract }) => ({
      ...contract,
      modelCommitments: modelCommitments.map(({ statement: _, ...modelCommitment }, i) => ({
        ...modelCommitment,
        ...(openGames === null ? {} : { openGames: openGames[i] }),
      })),
    })),
  });
}

interface Shown extends GateContract {
  readonly terms: Omit<DisputesTerms, "math">;
  readonly modelCommitments: readonly ModelCommitment[];
  readonly admissions: readonly ReadAdmission[];
  /** Over rows of each model commitment, which counts only when they are over; null where there are none. */
  readonly openGames: readonly number[] | null;
}

async function readOpenGames(
  client: PublicClient,
  disputes: Address,
  modelCommitments: readonly ModelCommitment[],
) {
  const address = await gamesOver(client, disputes);
  const call = { address, abi: traceGameAbi, functionName: "rowGamesOf" } as const;
  const read = modelCommitments.map(({ id }) => client.readContract({ ...call, args: [id] }));
  return (await Promise.all(read)).map(Number);
}

function linesOf({ address, admissions, kind, modelCommitments, terms, openGames }: Shown): string[] {
  const days = (Number(terms.windowSeconds) / 86_400).toFixed(1);
  return [
    `${address}, of ${kind} models: windows of ${days} days, bonds of at least ${formatEther(terms.leastBondWei)} ETH`,
    ...modelCommitments.flatMap((modelCommitment, i) => [
      ...modelCommitmentLines(modelCommitment),
      ...(openGames?.[i] ? [`  ${openGames[i]} open games over its rows`] : []),
    ]),
    ...admissions.map(({ modelId, modelCommitmentId, rollup }) =>
      modelCommitmentId === null
        ? `model ${modelId}: every rollup may take its activation; its statics promise no window`
        : `model ${modelId}: rollup ${rollup} may take its activation, by model commitment ${modelCommitmentId}`,
    ),
    ...(modelCommitments.length === 0 ? ["nothing is posted"] : []),
  ];
}
