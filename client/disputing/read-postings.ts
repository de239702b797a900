/** What the contract Disputes says of a model: windows, bonds, and who has recomputed it. */
import { type Address, getContract, type PublicClient } from "viem";
import type { DisputeStatement } from "../../attribution/disputes/posted-model.ts";
import { disputesAbi } from "../../contracts/build/disputes-abi.ts";
import { readStatement, type StatementTuple } from "./dispute-calls.ts";

export interface Posting {
  readonly id: bigint;
  readonly modelId: number;
  readonly owner: Address;
  /** In whose state its rows are, and which may take the model's genesis by it. */
  readonly rollup: Address;
  readonly statement: DisputeStatement;
  readonly bondWei: bigint;
  readonly endsAtSeconds: bigint;
  /** "open": anyone may still refute it. "counts": the window has ended and nothing was shown. */
  readonly state: "open" | "counts" | "refuted";
  /** Demands that nobody has answered. */
  readonly openDemandCount: number;
  /** Who refuted it, else null. */
  readonly refutedBy: Address | null;
  /** Who says that he has recomputed it: claims, each address once. */
  readonly attestedBy: readonly Address[];
}

/** All postings, oldest first. @param options.modelId of this model alone */
export async function readPostings(
  client: PublicClient,
  address: Address,
  options: { modelId?: number; fromBlock?: bigint } = {},
): Promise<Posting[]> {
  const { modelId, fromBlock = 0n } = options;
  const disputes = getContract({ address, abi: disputesAbi, client });
  const [posted, refuted, attested] = await Promise.all([
    disputes.getEvents.Posted(modelId === undefined ? {} : { modelId: BigInt(modelId) }, { fromBlock }),
    disputes.getEvents.Refuted({}, { fromBlock }),
    disputes.getEvents.Attested({}, { fromBlock }),
  ]);
  return Promise.all(
    posted.map(async ({ args }) => {
      const id = args.id!;
      const [, endsAt, isRefuted, , openDemands] = await disputes.read.postings([id]);
      const isCounted = await disputes.read.counts([id]);
      return {
        id,
        modelId: Number(args.modelId!),
        owner: args.owner!,
        rollup: args.rollup!,
        statement: readStatement(args.statement as StatementTuple),
        bondWei: args.bondWei!,
        endsAtSeconds: endsAt,
        state: isRefuted ? "refuted" : isCounted ? "counts" : "open",
        openDemandCount: openDemands,
        refutedBy: refuted.find((event) => event.args.id === id)?.args.challenger ?? null,
        attestedBy: [...new Set(attested.filter((event) => event.args.id === id).map((e) => e.args.who!))],
      } as const;
    }),
  );
}
