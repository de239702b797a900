/** Windows of committed models, as L1 has them: bonds, who has recomputed, what was shown. Runs in pages, too. */

import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type Address, getContract, type Hex, type PublicClient } from "viem";
import {
  type DisputesEvents,
  deploymentBlock,
  type EventRange,
  readDisputeEvents,
} from "./dispute-events.ts";
import { readRegistry } from "./registry.ts";

/** In the contract's order. */
const FAULT_NAMES = [
  ...["Entry", "Tokens", "Residual", "RowLength", "Lengths", "Factor", "Input", "Optimum"],
  ...["RowTooLong", "Unanswered", "Cell", "Point", "Statics", "VersionRow", "Clip", "Duplicate"],
  ...["Size", "Curvature", "Inverse", "Logit", "Peak", "Digest", "Scale", "Row"],
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

export interface ModelCommitmentWindow {
  readonly id: bigint;
  readonly modelId: number;
  readonly staticsHash: bigint;
  readonly owner: Address;
  /** By whose rules it is judged; null where they are not this software's. */
  readonly family: FamilyName | null;
  /** In whose state its rows are, and which may take the model's activation by it. */
  readonly rollup: Address;
  readonly bondWei: bigint;
  readonly endsAtSeconds: bigint;
  /** "open": anyone may still refute it. "counts": the window has ended and nothing was shown. */
  readonly state: "open" | "counts" | "refuted";
  /** Data-availability challenges that nobody has answered. */
  readonly openAvailabilityChallengeCount: number;
  /** Who refuted it, else null. */
  readonly refutedBy: Address | null;
  /** What he has shown: a fault's name, its place in the contract's counting, his reward. */
  readonly refutation: { fault: string; place: bigint; rewardWei: bigint; transactionHash: Hex } | null;
  /** Who says that he has recomputed it: claims, each address once, of those asked for. null where the node does not tell. */
  readonly attestedBy: readonly Address[] | null;
}

export interface WindowOptions {
  /** Of this model alone. */
  readonly modelId?: number;
  /** Default: the block that the contract was deployed in. */
  readonly fromBlock?: bigint;
  /** Whose attestations are read; default: anyone's. */
  readonly attestor?: Address;
}

export const readWindows = async (
  client: PublicClient,
  address: Address,
  options: WindowOptions = {},
): Promise<ModelCommitmentWindow[]> =>
  (await readPostedEvents(client, address, options)).map(({ window }) => window);

/** All model commitments, oldest first, each with its statement as the contract has it: all of one block. */
export async function readPostedEvents(
  client: PublicClient,
  address: Address,
  { attestor, modelId, fromBlock }: WindowOptions,
) {
  const disputes = getContract({ address, abi: disputesAbi, client });
  const blockNumber = await client.getBlockNumber({ cacheTime: 0 });
  const from = fromBlock ?? (await deploymentBlock(client, address, blockNumber));
  const range = { fromBlock: from, toBlock: blockNumber };
  const ofModel: Readonly<Record<string, bigint>> = modelId === undefined ? {} : { modelId: BigInt(modelId) };
  const [registry, posted, refuted, attested] = await Promise.all([
    readRegistry(client, address),
    readDisputeEvents(client, address, "ModelCommitted", ofModel, range),
    readDisputeEvents(client, address, "Refuted", {}, range),
    readAttested(client, address, attestor, range),
  ]);
  return Promise.all(
    posted.map(async ({ args }) => {
      const id = args.id!;
      const [[, endsAt, , , openAvailabilityChallenges], isCounted] = await Promise.all([
        disputes.read.modelCommitments([id], { blockNumber }),
        disputes.read.counts([id], { blockNumber }),
      ]);
      const shown = refuted.find((event) => event.args.id === id);
      const window: ModelCommitmentWindow = {
        id,
        modelId: Number(args.modelId!),
        staticsHash: args.statement!.staticsHash,
        family: registry?.families[args.family!] ?? null,
        owner: args.owner!,
        rollup: args.rollup!,
        bondWei: args.bondWei!,
        endsAtSeconds: endsAt,
        // By the event: a node may answer calls by a newer state than it has events of.
        state: shown !== undefined ? "refuted" : isCounted ? "counts" : "open",
        openAvailabilityChallengeCount: openAvailabilityChallenges,
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
        attestedBy:
          attested === null
            ? null
            : [...new Set(attested.filter((event) => event.args.id === id).map((e) => e.args.who!))],
      };
      return { window, statement: args.statement! };
    }),
  );
}

/**
 * Attack: attesting costs nothing but gas, so one block may hold more attestations than a node answers, and whoever asks
 * for all of them is refused. That must hide no model commitment.
 * @returns null where the node refuses even a single block
 */
async function readAttested(
  client: PublicClient,
  address: Address,
  attestor: Address | undefined,
  range: EventRange,
): Promise<DisputesEvents<"Attested"> | null> {
  try {
    const of: Readonly<Record<string, Address>> = attestor === undefined ? {} : { who: attestor };
    return await readDisputeEvents(client, address, "Attested", of, range);
  } catch (error) {
    if (isRollupError(error, "BRG_L1_REFUSED")) return null;
    throw error;
  }
}
