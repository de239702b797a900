/**
 * `openledger rewards claim --forced`: claims rewards through L1's queue. Without a sequencer, what there is to claim is read
 * from a ledger rebuilt from L1. Amounts are in wei.
 */
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { claimedPlace, PAYEE_ROLE, roleShareWei, unpackSplit } from "@openledger/circuits/ledger/rewards";
import { force } from "@openledger/client/actions/forced/force";
import { type ForcedClaim, forcedEntry } from "@openledger/client/actions/forced/forced-operation";
import { getRewards } from "@openledger/client/sequencer/model-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { checkForced } from "@openledger/verifier/without-operator/forced-check";
import { accountOf, type GlobalOptions, type Signer } from "../../cli/context.ts";
import { ledgerOnL1 } from "../../cli/ledger-on-l1.ts";
import type { Output } from "../../cli/output.ts";
import { type ForcedOptions, followForced, maxFeeOf } from "./forced-operation.ts";

export interface Claimable {
  readonly leafId: number;
  readonly modelId: number;
  readonly payeeIndex: number;
  readonly role: keyof typeof PAYEE_ROLE;
  readonly claimableWei: bigint;
}

/**
 * Queues one entry, and burns one fee, for each payee and role with something to claim.
 * @param modelId null: of every model
 * @throws CLI_FORCED_NO_EFFECT, BRG_*
 */
export async function claimThroughL1(
  signer: Signer,
  modelId: number | null,
  options: GlobalOptions & ForcedOptions,
  output: Output,
): Promise<void> {
  const { client } = signer;
  const owner = signer.account.l1.address;
  const ledger = ledgerOnL1(options, output);
  const all =
    client.sequencerUrl === null
      ? claimableIn((await ledger()).ledger.leaves, BigInt(owner))
      : await claimableOf(client, (await accountOf(client, owner)).id);
  const claims = all.filter((one) => modelId === null || one.modelId === modelId);
  const claimOf = ({ claimableWei: _, leafId: id, ...payee }: Claimable): ForcedClaim => ({
    type: "claimRewards",
    id,
    ...payee,
  });
  const entries = claims.map((one) => forcedEntry(claimOf(one), owner));
  const isUnchecked = options.unchecked === true;
  const isChecked = await checkForced(entries, owner, { ledger, isUnchecked });
  const lines: string[] = [];
  const rewardClaims: object[] = [];
  let totalWei = 0n;
  for (const one of claims) {
    const { claimableWei, leafId, ...payee } = one;
    output.progress(`claiming payee ${payee.payeeIndex} of model ${payee.modelId} through L1's queue`);
    const sent = await force(client, { ...claimOf(one), ...maxFeeOf(options) });
    const what = `${formatOpen(claimableWei)} OPEN for leaf ${leafId} as ${payee.role} of payee ${payee.payeeIndex} of model ${payee.modelId}`;
    const followed = await followForced(signer, { what, sent, wait: options.wait, isChecked }, output);
    lines.push(...followed.lines);
    rewardClaims.push({ leafId, ...payee, claimableWei, ...followed.facts });
    totalWei += claimableWei;
  }
  output.answer(claims.length === 0 ? ["there is nothing to claim"] : lines, { totalWei, rewardClaims });
}

async function claimableOf(client: Signer["client"], leafId: number): Promise<Claimable[]> {
  const { rewards } = await getRewards(client, leafId);
  return rewards
    .filter(({ claimableWei }) => claimableWei > 0n)
    .map(({ claimableWei, modelId, role, payeeIndex }) => ({
      leafId,
      modelId,
      payeeIndex,
      role,
      claimableWei,
    }));
}

/** Lists the amounts that leaves of this owner may claim, model by model. */
function claimableIn(records: Ledger["leaves"], owner: bigint): Claimable[] {
  const found: Claimable[] = [];
  for (const [modelId, { model, rewards }] of records.withMore()) {
    if (model === undefined || rewards === undefined) continue;
    const { validatorParts } = unpackSplit(model.statics.split);
    for (const [payeeIndex, { contributorId, validatorId }] of rewards.payees.entries()) {
      for (const [role, leafId] of [
        ["contributor", contributorId],
        ["validator", validatorId],
      ] as const) {
        if (records.get(leafId)?.leaf.l1Owner !== owner) continue;
        const shareWei = roleShareWei(rewards.accruedWei[payeeIndex] ?? 0n, PAYEE_ROLE[role], validatorParts);
        const claimableWei =
          shareWei - (rewards.claimedWei[claimedPlace(payeeIndex, PAYEE_ROLE[role])] ?? 0n);
        if (claimableWei > 0n) found.push({ leafId, modelId, payeeIndex, role, claimableWei });
      }
    }
  }
  return found;
}
