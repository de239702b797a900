import { contractsBehind, rowContractsOf } from "@openledger/challenger/playing/disputes-contracts";
import { type DisputesTerms, readTerms } from "@openledger/challenger/playing/disputes-sender";
import { type RowVerdict, readVerdict } from "@openledger/challenger/playing/row-verdicts";
import type { GateContract } from "@openledger/challenger/postings/gate-contracts";
import { postingLines } from "@openledger/challenger/postings/posting-lines";
import { type ReadAdmission, readAdmissions } from "@openledger/challenger/postings/read-admissions";
import { type Posting, readPostings } from "@openledger/challenger/postings/read-postings";
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
    const verdicts = kind === "text" ? await readVerdicts(publicClient, address, postings) : null;
    shown.push({ address, kind, terms, postings, admissions, verdicts });
  }
  output.answer(shown.flatMap(linesOf), {
    contracts: shown.map(({ postings, verdicts, ...contract }) => ({
      ...contract,
      postings: postings.map(({ statement: _, ...posting }, i) => ({ ...posting, ...verdicts?.[i] })),
    })),
  });
}

interface Shown extends GateContract {
  readonly terms: Omit<DisputesTerms, "math">;
  readonly postings: readonly Posting[];
  readonly admissions: readonly ReadAdmission[];
  /** Of each posting; null where there are no games over rows. */
  readonly verdicts: readonly RowVerdict[] | null;
}

async function readVerdicts(client: PublicClient, disputes: Address, postings: readonly Posting[]) {
  const contracts = await rowContractsOf(client, disputes);
  return Promise.all(postings.map(({ id }) => readVerdict(client, contracts, id)));
}

function linesOf({ address, admissions, kind, postings, terms, verdicts }: Shown): string[] {
  const days = (Number(terms.windowSeconds) / 86_400).toFixed(1);
  return [
    `${address}, of ${kind} models: windows of ${days} days, bonds of at least ${formatEther(terms.leastBondWei)} ETH`,
    ...postings.flatMap((posting, i) => [
      ...postingLines(posting),
      ...(verdicts === null ? [] : verdictLines(posting, verdicts[i]!)),
    ]),
    ...admissions.map(({ modelId, postingId, rollup }) =>
      postingId === null
        ? `model ${modelId}: every rollup may take its genesis; its statics promise no window`
        : `model ${modelId}: rollup ${rollup} may take its genesis, by posting ${postingId}`,
    ),
    ...(postings.length === 0 ? ["nothing is posted"] : []),
  ];
}

/** What games over its rows have found. A posting with an open one counts only when that is over. */
function verdictLines({ id, state }: Posting, { lostRow, openGames }: RowVerdict): string[] {
  return [
    ...(openGames === 0 ? [] : [`  ${openGames} open games over its rows`]),
    ...(lostRow === null || state === "refuted"
      ? []
      : [`  a game has refuted row ${lostRow}: openledger watch or disputes play takes it to posting ${id}`]),
  ];
}
