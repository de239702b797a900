/**
 * Claim of all that an account's rows have earned, share after share: every refusal before the first signature. The command, the page
 * and the devnet draw it. Amounts are in wei.
 */
import { type ClaimRewardsErrorCode, claimRewards } from "../actions/ledger/reward-operations.ts";
import type { SendResult, SignedSubmission } from "../actions/ledger/send-operation.ts";
import type { LedgerClient } from "../ledger-client.ts";
import { getRewards } from "../sequencer/model-reads.ts";
import type { LeafRewards } from "../sequencer/model-schemas.ts";
import { requireSigner } from "./before-signing.ts";

/** A payee's share that waits: model, place in its table, role, and the amount at the time of reading. */
export type ClaimableReward = Pick<
  LeafRewards["rewards"][number],
  "claimableWei" | "modelId" | "payeeIndex" | "role"
>;

export interface ClaimAllRewardsParameters {
  /** Account that claims; default: the client's leaf. Its key signs. */
  from?: number;
  /** Only rewards of this model; default: of all. */
  modelId?: number;
  /** Sends a share's claim in another way, such as once for all calls; default: `send` alone. */
  once?: (
    reward: ClaimableReward,
    send: (options: ClaimSigning) => Promise<SendResult>,
  ) => Promise<SendResult>;
  /** Called when a share's claim is accepted, and awaited. @param left shares that are still to be claimed */
  onClaimed?: (claimed: ClaimedReward, left: number) => void | Promise<void>;
}
interface ClaimSigning {
  readonly onSigned?: (signed: SignedSubmission) => void | Promise<void>;
}
export interface ClaimedReward extends ClaimableReward {
  readonly sent: SendResult;
}
export interface ClaimAllRewardsReturnType {
  readonly leafId: number;
  /** Claimed shares; none where nothing waits. */
  readonly claimed: readonly ClaimedReward[];
  readonly totalWei: bigint;
}
export type ClaimAllRewardsErrorCode = "OP_BAD_SIGNATURE" | ClaimRewardsErrorCode;

/**
 * Claims all that waits for an account, by its rewards at the sequencer: an operation for each model, share and role. What is accepted
 * before a failure stays claimed, and a second call claims the rest.
 * @throws OP_BAD_SIGNATURE where the account has another key than the client's; CLI_LEAF_NOT_FOUND; OP_BALANCE_TOO_LOW where the
 *   account cannot pay the fee
 * @example
 * ```ts
 * const { totalWei } = await claimAllRewards(client, { from: 7 });
 * console.log(totalWei);
 * ```
 */
export async function claimAllRewards(
  client: LedgerClient,
  { from, modelId, onClaimed, once = (_, send) => send({}) }: ClaimAllRewardsParameters = {},
): Promise<ClaimAllRewardsReturnType> {
  const { id: leafId } = await requireSigner(client, from);
  const { rewards } = await getRewards(client, leafId);
  const open = rewards.filter(
    (one) => one.claimableWei > 0n && (modelId === undefined || one.modelId === modelId),
  );
  const claimed: ClaimedReward[] = [];
  for (const { claimableWei, modelId: of, payeeIndex, role } of open) {
    const share = { modelId: of, payeeIndex, role };
    const reward = { ...share, claimableWei };
    const sent = await once(reward, (signing) =>
      claimRewards(client, { ...signing, ...share, from: leafId }),
    );
    const done = { ...reward, sent };
    claimed.push(done);
    await onClaimed?.(done, open.length - claimed.length);
  }
  return { leafId, claimed, totalWei: claimed.reduce((sum, one) => sum + one.claimableWei, 0n) };
}
