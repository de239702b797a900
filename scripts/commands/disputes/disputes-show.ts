import { createPublicClient, formatEther, http } from "viem";
import type { GateContract } from "../../../client/disputing/gate-contracts.ts";
import { type ReadAdmission, readAdmissions } from "../../../client/disputing/read-admissions.ts";
import { type Posting, readPostings } from "../../../client/disputing/read-postings.ts";
import { parseAddress, resolveRpcUrl } from "../../cli/context.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { contractsBehind } from "./disputes-contracts.ts";
import { type DisputesTerms, readTerms } from "./disputes-sender.ts";

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
    shown.push({ address, kind, terms, postings, admissions });
  }
  output.answer(shown.flatMap(linesOf), {
    contracts: shown.map(({ postings, ...contract }) => ({
      ...contract,
      postings: postings.map(({ statement: _, ...posting }) => posting),
    })),
  });
}

interface Shown extends GateContract {
  readonly terms: Omit<DisputesTerms, "math">;
  readonly postings: readonly Posting[];
  readonly admissions: readonly ReadAdmission[];
}

function linesOf({ address, admissions, kind, postings, terms }: Shown): string[] {
  const days = (Number(terms.windowSeconds) / 86_400).toFixed(1);
  return [
    `${address}, of ${kind} models: windows of ${days} days, bonds of at least ${formatEther(terms.leastBondWei)} ETH`,
    ...postings.flatMap(postingLines),
    ...admissions.map(({ modelId, postingId, rollup }) =>
      postingId === null
        ? `model ${modelId}: every rollup may take its genesis; its statics promise no window`
        : `model ${modelId}: rollup ${rollup} may take its genesis, by posting ${postingId}`,
    ),
    ...(postings.length === 0 ? ["nothing is posted"] : []),
  ];
}

/** What L1 knows of a posting. */
export function postingLines(posting: Posting): string[] {
  const { attestedBy, bondWei, endsAtSeconds, id, modelId, openDemandCount, refutedBy, rollup, state } =
    posting;
  const attested = attestedBy === null ? "more often than this node of L1 tells" : attestedBy.join(", ");
  const until = new Date(Number(endsAtSeconds) * 1000).toISOString();
  return [
    `posting ${id} of model ${modelId} of rollup ${rollup}: ${state}, window until ${until}, bond ${formatEther(bondWei)} ETH, ${openDemandCount} open demands`,
    `  recomputed, by their own word: ${attested === "" ? "nobody" : attested}`,
    ...(refutedBy === null ? [] : [`  refuted by ${refutedBy}`]),
  ];
}
