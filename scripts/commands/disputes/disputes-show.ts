import { l1Http } from "@openledger/bridge/l1/l1-client";
import { readGame } from "@openledger/challenger/events/read-contracts";
import {
  type ModelCommitment,
  readModelCommitments,
} from "@openledger/challenger/model-commitments/read-model-commitments";
import {
  modelCommitmentLines,
  type ReadAdmission,
  readAdmissions,
} from "@openledger/challenger/model-commitments/read-windows";
import { type RegistryTerms, readTerms } from "@openledger/challenger/model-commitments/registry";
import { requireRegistry } from "@openledger/challenger/playing/disputes-contracts";
import { type Address, createPublicClient, formatEther } from "viem";
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
  const publicClient = createPublicClient({ transport: l1Http(resolveRpcUrl(options)) });
  const ofModel = options.modelId === undefined ? {} : { modelId: parseId(options.modelId) };
  const { address, games } = await requireRegistry(publicClient, parseAddress(args[0]!));
  const [{ math: _, ...terms }, modelCommitments, admissions] = await Promise.all([
    readTerms(publicClient, address),
    readModelCommitments(publicClient, address, ofModel),
    readAdmissions(publicClient, address, ofModel),
  ]);
  const openGames = await Promise.all(
    modelCommitments.map(async ({ family, id }) =>
      games === null || family !== "text"
        ? null
        : Number(await readGame(publicClient, games)("rowGamesOf", [id])),
    ),
  );
  output.answer(linesOf({ address, terms, modelCommitments, admissions, openGames }), {
    ...{ address, terms, admissions },
    modelCommitments: modelCommitments.map(({ statement: _, ...modelCommitment }, i) => ({
      ...modelCommitment,
      ...(openGames[i] === null ? {} : { openGames: openGames[i] }),
    })),
  });
}

interface Shown {
  readonly address: Address;
  readonly terms: Omit<RegistryTerms, "math">;
  readonly modelCommitments: readonly ModelCommitment[];
  readonly admissions: readonly ReadAdmission[];
  /** Over rows of each model commitment, which counts only when they are over; null where there are none. */
  readonly openGames: readonly (number | null)[];
}

function linesOf({ address, admissions, modelCommitments, terms, openGames }: Shown): string[] {
  const days = (Number(terms.windowSeconds) / 86_400).toFixed(1);
  return [
    `${address}: windows of ${days} days, bonds of at least ${formatEther(terms.leastBondWei)} ETH`,
    ...modelCommitments.flatMap((modelCommitment, i) => [
      ...modelCommitmentLines(modelCommitment),
      ...(openGames[i] ? [`  ${openGames[i]} open games over its rows`] : []),
    ]),
    ...admissions.map(({ modelId, modelCommitmentId, rollup }) =>
      modelCommitmentId === null
        ? `model ${modelId}: every rollup may take its activation; its statics promise no window`
        : `model ${modelId}: rollup ${rollup} may take its activation, by model commitment ${modelCommitmentId}`,
    ),
    ...(modelCommitments.length === 0 ? ["nothing is posted"] : []),
  ];
}
