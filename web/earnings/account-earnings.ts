/** Earnings of an account for the earnings page: by model, share, role and epoch, in wei, with an estimate for the open epoch. */
import { PAYEE_ROLE, roleShareWei } from "@openledger/circuits/ledger/rewards";
import { drawShares, rewardPerUnit, splitEarnings } from "@openledger/circuits/settlement/settlement-split";
import {
  getModel,
  getRewards,
  listSettlements,
  settlementsUpTo,
} from "@openledger/client/sequencer/model-reads";
import type {
  LeafRewards,
  LedgerModelLeaf,
  LedgerSettlement,
} from "@openledger/client/sequencer/model-schemas";
import type { SequencerAccess } from "@openledger/client/sequencer/sequencer-request";

export type Reward = LeafRewards["rewards"][number];

export interface EpochEarning {
  readonly epoch: number;
  /** State of the settlement, or of the epoch before it has one. */
  readonly state: { readonly settled: string } | "closed" | "drawn" | "open";
  /** Amount earned; an estimate if the epoch is not settled. */
  readonly wei: bigint;
  readonly isRewardClaimed: boolean;
}

export interface RewardEarnings {
  readonly reward: Reward;
  /** Newest first. */
  readonly epochs: readonly EpochEarning[];
}

export interface AccountEarnings {
  readonly leafId: number;
  readonly rewards: readonly RewardEarnings[];
}

interface ModelSettlements {
  readonly model: LedgerModelLeaf;
  readonly settlements: readonly LedgerSettlement[];
}

/** @throws CLI_SEQUENCER_… */
export async function readEarnings(access: SequencerAccess, leafId: number): Promise<AccountEarnings> {
  const { rewards } = await getRewards(access, leafId);
  const models = new Map<number, ModelSettlements>();
  // One after another, and no longer than needed: a sequencer refuses many long lists at once.
  for (const { modelId } of rewards) {
    if (models.has(modelId)) continue;
    const model = await getModel(access, modelId);
    const limit = settlementsUpTo(model.counters.epoch);
    models.set(modelId, { model, settlements: await listSettlements(access, modelId, { limit }) });
  }
  return {
    leafId,
    rewards: rewards.map((reward) => {
      const { model, settlements } = models.get(reward.modelId)!;
      return {
        reward,
        epochs: [...waitingEpochs(reward, model, settlements), ...settledEpochs(reward, model, settlements)],
      };
    }),
  };
}

/**
 * Cumulative parts, as the ledger rounds them: the sum over epochs is what the ledger says. Settlements that the sequencer has pruned
 * count in what the payee had accrued before the listed ones.
 */
export function settledEpochs(
  { claimedWei, role, payeeIndex }: Pick<Reward, "claimedWei" | "role" | "payeeIndex">,
  {
    model,
    payees,
  }: Pick<LedgerModelLeaf, "payees"> & { readonly model: Pick<LedgerModelLeaf["model"], "validatorParts"> },
  settlements: readonly Pick<LedgerSettlement, "earnedWei" | "epoch" | "kind" | "status">[],
): EpochEarning[] {
  const share = (accruedWei: bigint) =>
    roleShareWei(accruedWei, PAYEE_ROLE[role], BigInt(model.validatorParts));
  const oldestFirst = settlements.filter(({ kind }) => kind === "settle").sort((x, y) => x.epoch - y.epoch);
  const earned = (one: Pick<LedgerSettlement, "earnedWei">) => one.earnedWei?.[payeeIndex] ?? 0n;
  const listedWei = oldestFirst.reduce((sum, one) => sum + earned(one), 0n);
  const allWei = payees.find(({ index }) => index === payeeIndex)?.accruedWei ?? 0n;
  // A settlement that came between the two answers is in one of them alone.
  let accruedWei = allWei > listedWei ? allWei - listedWei : 0n;
  const earnings = oldestFirst.map(({ earnedWei, epoch, status }): EpochEarning => {
    const before = share(accruedWei);
    accruedWei += earned({ earnedWei });
    // Claiming takes everything up to then.
    const isRewardClaimed = share(accruedWei) <= claimedWei;
    return { epoch, state: { settled: status }, wei: share(accruedWei) - before, isRewardClaimed };
  });
  return earnings.reverse();
}

function waitingEpochs(
  reward: Reward,
  model: LedgerModelLeaf,
  settlements: readonly LedgerSettlement[],
): EpochEarning[] {
  const { counters, openAmountWei, closedEpoch } = model;
  const waiting: EpochEarning[] = [];
  if (counters.isReady) {
    const wei = estimateWei(reward, model, openAmountWei);
    waiting.push({ epoch: counters.epoch, state: "open", wei, isRewardClaimed: false });
  }
  if (closedEpoch !== null && !settlements.some(({ epoch }) => epoch === closedEpoch.epoch)) {
    const wei = estimateWei(reward, model, closedEpoch.amountWei);
    const state = closedEpoch.seed === null ? "closed" : "drawn";
    waiting.push({ epoch: closedEpoch.epoch, state, wei, isRewardClaimed: false });
  }
  return waiting;
}

/**
 * Estimates what a role would get of an epoch if every row scored alike. Only those who settle know the rows' scores,
 * and nobody knows the drawn payments before the close: so this is the best that public data gives.
 */
export function estimateWei(
  { role, rowCount }: Pick<Reward, "role" | "rowCount">,
  {
    model,
    payees,
  }: Pick<LedgerModelLeaf, "payees"> & {
    readonly model: Pick<LedgerModelLeaf["model"], "drawCount" | "ownerParts" | "validatorParts">;
  },
  amountWei: bigint,
): bigint {
  const rows = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  if (rows === 0) return 0n;
  const validatorParts = BigInt(model.validatorParts);
  const split = { ownerParts: BigInt(model.ownerParts), validatorParts };
  const shares = drawShares(amountWei, model.drawCount, split);
  const unit = rewardPerUnit(shares, BigInt(rows)) * BigInt(model.drawCount);
  const { earnedWei } = splitEarnings(unit * BigInt(rowCount), shares);
  return roleShareWei(earnedWei, PAYEE_ROLE[role], validatorParts);
}
