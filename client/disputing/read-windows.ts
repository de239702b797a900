/** Windows of posted models, as L1 has them: bonds, who has recomputed, what was shown. Runs in pages, too. */
import { type Address, getContract, type Hex, type PublicClient } from "viem";
import { disputesAbi } from "../../contracts/build/disputes-abi.ts";
import { deploymentBlock, readDisputeEvents } from "./dispute-events.ts";

/** In the contract's order. */
const FAULT_NAMES = [
  ...["Entry", "Tokens", "Residual", "RowLength", "Lengths", "Factor", "Input", "Optimum"],
  ...["RowTooLong", "Unanswered", "Cell", "Point", "Statics", "VersionRow", "Clip", "Duplicate"],
  ...["Size", "Curvature", "Inverse", "Logit", "Peak", "Digest"],
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

export interface PostingWindow {
  readonly id: bigint;
  readonly modelId: number;
  readonly staticsHash: bigint;
  readonly owner: Address;
  /** In whose state its rows are, and which may take the model's genesis by it. */
  readonly rollup: Address;
  readonly bondWei: bigint;
  readonly endsAtSeconds: bigint;
  /** "open": anyone may still refute it. "counts": the window has ended and nothing was shown. */
  readonly state: "open" | "counts" | "refuted";
  /** Demands that nobody has answered. */
  readonly openDemandCount: number;
  /** Who refuted it, else null. */
  readonly refutedBy: Address | null;
  /** What he has shown: a fault's name, its place in the contract's counting, his reward. */
  readonly refutation: { fault: string; place: bigint; rewardWei: bigint; transactionHash: Hex } | null;
  /** Who says that he has recomputed it: claims, each address once. */
  readonly attestedBy: readonly Address[];
}

export interface WindowOptions {
  /** Of this model alone. */
  readonly modelId?: number;
  /** Default: the block that the contract was deployed in. */
  readonly fromBlock?: bigint;
}

export const readWindows = async (
  client: PublicClient,
  address: Address,
  options: WindowOptions = {},
): Promise<PostingWindow[]> => (await readPostedEvents(client, address, options)).map(({ window }) => window);

/** All postings, oldest first, each with its statement as the contract has it: all of one block. */
export async function readPostedEvents(
  client: PublicClient,
  address: Address,
  { modelId, fromBlock }: WindowOptions,
) {
  const disputes = getContract({ address, abi: disputesAbi, client });
  const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
  const from = fromBlock ?? (await deploymentBlock(client, address, blockNumber));
  const range = { fromBlock: from, toBlock: blockNumber };
  const ofModel: Readonly<Record<string, bigint>> = modelId === undefined ? {} : { modelId: BigInt(modelId) };
  const [posted, refuted, attested] = await Promise.all([
    readDisputeEvents(client, address, "Posted", ofModel, range),
    readDisputeEvents(client, address, "Refuted", {}, range),
    readDisputeEvents(client, address, "Attested", {}, range),
  ]);
  return Promise.all(
    posted.map(async ({ args }) => {
      const id = args.id!;
      const [[, endsAt, , , openDemands], isCounted] = await Promise.all([
        disputes.read.postings([id], { blockNumber }),
        disputes.read.counts([id], { blockNumber }),
      ]);
      const shown = refuted.find((event) => event.args.id === id);
      const window: PostingWindow = {
        id,
        modelId: Number(args.modelId!),
        staticsHash: args.statement!.staticsHash,
        owner: args.owner!,
        rollup: args.rollup!,
        bondWei: args.bondWei!,
        endsAtSeconds: endsAt,
        // By the event: a node may answer calls by a newer state than it has events of.
        state: shown !== undefined ? "refuted" : isCounted ? "counts" : "open",
        openDemandCount: openDemands,
        refutedBy: shown?.args.challenger ?? null,
        refutation:
          shown === undefined
            ? null
            : {
                fault: FAULT_NAMES[shown.args.fault!] ?? `fault ${shown.args.fault}`,
                place: shown.args.place!,
                rewardWei: shown.args.rewardWei!,
                transactionHash: shown.transactionHash,
              },
        attestedBy: [...new Set(attested.filter((event) => event.args.id === id).map((e) => e.args.who!))],
      };
      return { window, statement: args.statement! };
    }),
  );
}
