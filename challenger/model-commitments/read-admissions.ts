/** Which rollups may take which models' Activations, by the registry. */
import { type Address, type PublicClient, zeroAddress } from "viem";
import { readDisputeEvents } from "./dispute-events.ts";

export interface ReadAdmission {
  readonly modelId: number;
  /** J. */
  readonly word: bigint;
  /** null where its statics promise no window, and so for every rollup. */
  readonly rollup: Address | null;
  readonly modelCommitmentId: bigint | null;
}

/** All, oldest first. @param options.modelId of this model alone */
export async function readAdmissions(
  client: PublicClient,
  address: Address,
  { modelId, ...range }: { modelId?: number; fromBlock?: bigint } = {},
): Promise<ReadAdmission[]> {
  const filter: Readonly<Record<string, bigint>> = modelId === undefined ? {} : { modelId: BigInt(modelId) };
  const events = await readDisputeEvents(client, address, "Admitted", filter, range);
  return events.map(({ args }) => {
    const isPosted = args.rollup !== zeroAddress;
    return {
      modelId: Number(args.modelId!),
      word: args.word!,
      rollup: isPosted ? args.rollup! : null,
      modelCommitmentId: isPosted ? args.id! : null,
    };
  });
}
