/** Rewards claimed through L1's queue. Without a sequencer, what there is to claim is read from the ledger rebuilt from L1. */
import { packClaim } from "../../../circuits/batch/epoch-operations.ts";
import type { LeafRecord } from "../../../circuits/ledger/leaf.ts";
import { CLAIM_ROLE, claimPlace, claimShareWei, unpackSplit } from "../../../circuits/ledger/rewards.ts";
import { KIND } from "../../../circuits/protocol.ts";
import { forceClaim } from "../../../client/actions/forced/force-claim.ts";
import { getRewards } from "../../../client/sequencer/model-reads.ts";
import { formatOpen } from "../../../client/sequencer/open-amount.ts";
import { accountOf, type GlobalOptions, type Signer } from "../../cli/context.ts";
import { ledgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { checkForced } from "./forced-check.ts";
import { followForced } from "./forced-operation.ts";

export interface Claimable {
  readonly leafId: number;
  readonly modelId: number;
  readonly slotIndex: number;
  readonly role: keyof typeof CLAIM_ROLE;
  readonly claimableWei: bigint;
}

export interface ForcedClaims {
  /** null = of every model. */
  readonly modelId: number | null;
  readonly wait: string;
  readonly isUnchecked: boolean;
  /** The most OPEN that an entry may burn; default: what the queue asks. */
  readonly maxFeeWei?: bigint;
}

/** Queues one entry, and burns one fee, for each slot and role with something to claim. @throws CMD_FORCED_NO_EFFECT, BRG_* */
export async function claimThroughL1(
  signer: Signer,
  { isUnchecked, modelId, wait, ...fee }: ForcedClaims,
  options: GlobalOptions,
  output: Output,
): Promise<void> {
  const { client } = signer;
  const owner = signer.account.l1.address;
  const ledger = ledgerOnL1(options, output);
  const all =
    client.sequencerUrl === null
      ? claimableIn((await ledger()).ledger.records, BigInt(owner))
      : await claimableOf(client, (await accountOf(client, owner)).id);
  const wanted = all.filter((one) => modelId === null || one.modelId === modelId);
  const entries = wanted.map(({ leafId, modelId: b, role, slotIndex }) => ({
    kind: KIND.forcedClaim,
    a: leafId,
    b,
    word1: packClaim(slotIndex, CLAIM_ROLE[role]),
  }));
  const isChecked = await checkForced(entries, owner, { ledger, isUnchecked });
  const lines: string[] = [];
  const claims: object[] = [];
  let totalWei = 0n;
  for (const { claimableWei, leafId, ...slot } of wanted) {
    output.progress(`claiming slot ${slot.slotIndex} of model ${slot.modelId} through L1's queue`);
    const sent = await forceClaim(client, { id: leafId, ...slot, ...fee });
    const what = `${formatOpen(claimableWei)} OPEN for leaf ${leafId} as ${slot.role} of slot ${slot.slotIndex} of model ${slot.modelId}`;
    const followed = await followForced(signer, { what, sent, wait, isChecked }, output);
    lines.push(...followed.lines);
    claims.push({ leafId, ...slot, claimableWei, ...followed.facts });
    totalWei += claimableWei;
  }
  output.answer(wanted.length === 0 ? ["there is nothing to claim"] : lines, { totalWei, claims });
}

async function claimableOf(client: Signer["client"], leafId: number): Promise<Claimable[]> {
  const { rewards } = await getRewards(client, leafId);
  return rewards
    .filter(({ claimableWei }) => claimableWei > 0n)
    .map(({ claimableWei, modelId, role, slotIndex }) => ({
      leafId,
      modelId,
      slotIndex,
      role,
      claimableWei,
    }));
}

/** What leaves of this owner may claim, model by model. */
function claimableIn(records: ReadonlyMap<number, LeafRecord>, owner: bigint): Claimable[] {
  const found: Claimable[] = [];
  for (const [modelId, { model, rewards }] of records) {
    if (model === undefined || rewards === undefined) continue;
    const { validatorParts } = unpackSplit(model.statics.split);
    for (const [slotIndex, { contributorId, validatorId }] of rewards.slots.entries()) {
      for (const [role, leafId] of [
        ["contributor", contributorId],
        ["validator", validatorId],
      ] as const) {
        if (records.get(leafId)?.leaf.l1Owner !== owner) continue;
        const shareWei = claimShareWei(rewards.accruedWei[slotIndex] ?? 0n, CLAIM_ROLE[role], validatorParts);
        const claimableWei = shareWei - (rewards.claimedWei[claimPlace(slotIndex, CLAIM_ROLE[role])] ?? 0n);
        if (claimableWei > 0n) found.push({ leafId, modelId, slotIndex, role, claimableWei });
      }
    }
  }
  return found;
}
