import { contractsBehind, gamesOver } from "@openledger/challenger/playing/disputes-contracts";
import { type DisputesTerms, readTerms } from "@openledger/challenger/playing/disputes-sender";
import type { GateContract } from "@openledger/challenger/postings/gate-contracts";
import { postingLines } from "@openledger/challenger/postings/posting-lines";
import { type ReadAdmission, readAdmissions } from "@openledger/challenger/postings/read-admissions";
import { type Posting, readPostings } from "@openledger/challenger/postings/read-postings";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { type Address, createPublicClient, formatEther, http, type PublicClient } from "viem";
import { parseAddress, resolveRpcUrl } from "../../cli/context.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";

export interface ShowOptions {
  modelId?: string;
}

export async function showPostings({ options, args, output }: CommandContext<ShowOptions>): Promise<void> {
  const publicClient = createPublicClient({ transport: http(resolveRpcUrl(options)) });
  const ofModel = options.modelId === undefined ? {} : { modelId: parseId(options.modelId) };
  const shown: Shown[] = [];
  for (const { address, kind } of await contractsBehind(publicClient, parseAddress(args[0]!))) {
    const [{ math: _, ...terms }, postings, admissions] = await Promise.all([
      readTerms(publicClient, address),
      readPostings(publicClient, address, ofModel),
      readAdmissions(publicClient, address, ofModel),
    ]);
    const openGames = kind === "text" ? await readOpenGames(publicClient, address, postings) : null;
    shown.push({ address, kind, terms, postings, admissions, openGames });
  }
  output.answer(shown.flatMap(linesOf), {
    contracts: shown.map(({ openGames, postings, ...contract }) => ({
      ...contract,
      postings: postings.map(({ statement: _, ...posting }, i) => ({
        ...posting,
        ...(openGames === null ? {} : { openGames: openGames[i] }),
      })),
    })),
  });
}

interface Shown extends GateContract {
  readonly terms: Omit<DisputesTerms, "math">;
  readonly postings: readonly Posting[];
  readonly admissions: readonly ReadAdmission[];
  /** Over rows of each posting, which counts only when they are over; null where there are none. */
  readonly openGames: readonly number[] | null;
}

async function readOpenGames(client: PublicClient, disputes: Address, postings: readonly Posting[]) {
  const address = await gamesOver(client, disputes);
  const call = { address, abi: traceGameAbi, functionName: "rowGamesOf" } as const;
  const read = postings.map(({ id }) => client.readContract({ ...call, args: [id] }));
  return (await Promise.all(read)).map(Number);
}

function linesOf({ address, admissions, kind, postings, terms, openGames }: Shown): string[] {
  const days = (Number(terms.windowSeconds) / 86_400).toFixed(1);
  return [
    `${address}, of ${kind} models: windows of ${days} days, bonds of at least ${formatEther(terms.leastBondWei)} ETH`,
    ...postings.flatMap((posting, i) => [
      ...postingLines(posting),
      ...(openGames?.[i] ? [`  ${openGames[i]} open games over its rows`] : []),
    ]),
    ...admissions.map(({ modelId, postingId, rollup }) =>
      postingId === null
        ? `model ${modelId}: every rollup may take its activation; its statics promise no window`
        : `model ${modelId}: rollup ${rollup} may take its activation, by posting ${postingId}`,
    ),
    ...(postings.length === 0 ? ["nothing is posted"] : []),
  ];
}
