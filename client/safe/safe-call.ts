/**
 * Meaning of a Safe's transaction by its bytes alone, whatever a file or a link says of it: an entry of this rollup's queue, or leave
 * for the rollup to take OPEN for the queue's fees. Anything else is not signed here.
 */
import { packClaim } from "@openledger/circuits/batch/epoch-operations";
import type { EntryRequest } from "@openledger/circuits/ledger/operation";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { KIND } from "@openledger/circuits/protocol";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { rollupUserAbi } from "@openledger/contracts/build/rollup-user-abi";
import { type Address, decodeFunctionData, encodeFunctionData, type Hex, isAddressEqual } from "viem";
import { forcedEffect } from "../actions/forced/force.ts";
import { clientError } from "../client-errors.ts";
import { type EffectContracts, effectOf, type L1Effect } from "../l1-proposal.ts";

export type SafeCall = (
  | {
      readonly kind: "operation";
      /** Entry as the queue takes it; the contract adds its time to an approval and a close. */
      readonly entry: EntryRequest;
      /** Maximum OPEN that the entry may burn, in wei. */
      readonly maxFeeWei: bigint;
    }
  /** The rollup may take as much OPEN from the Safe, in wei: the queue's fees. */
  | { readonly kind: "allowance"; readonly amountWei: bigint }
) & {
  /** Event by which the transaction is found. */
  readonly effect: L1Effect;
};

/** Kinds that the contract's `force` takes as whole entries. */
const WHOLE_ENTRIES: ReadonlySet<number> = new Set([
  KIND.forcedPayInference,
  KIND.forcedRevokeModel,
  KIND.forcedApproveModel,
  KIND.forcedCommitData,
  KIND.forcedPublishVersion,
]);
/** The ledger packs a payee's index into 12 bits. */
const MAX_PAYEE_INDEX = 0xfff;
/** Ids of leaves are below this. */
const LEAF_ID_LIMIT = 2n ** 24n;

interface Transaction {
  readonly safe: Address;
  readonly to: Address;
  readonly data: Hex;
}

/**
 * Reads a transaction's call.
 * @throws CLI_SAFE_PROPOSAL_REFUSED for any other contract, function or encoding
 * @internal
 */
export function readSafeCall(contracts: EffectContracts, { data, safe, to }: Transaction): SafeCall {
  const call = decoded(contracts, { data, safe, to });
  if (call !== null) return call;
  throw clientError(
    "CLI_SAFE_PROPOSAL_REFUSED",
    `the transaction to ${to} is no operation for this rollup's queue, and no allowance for its fees`,
    { data: { reason: "foreign-call", to } },
  );
}

function decoded(contracts: EffectContracts, { data, safe, to }: Transaction): SafeCall | null {
  try {
    if (isAddressEqual(to, contracts.tokenAddress)) return readAllowance(contracts, safe, data);
    if (!isAddressEqual(to, contracts.rollupAddress)) return null;
    const call = decodeFunctionData({ abi: rollupUserAbi, data });
    // Attack: bytes behind the arguments, or an encoding of its own, which another reader decodes to something else.
    if (encodeFunctionData({ abi: rollupUserAbi, ...call } as never) !== data.toLowerCase()) return null;
    const found = readEntry(call);
    if (found === null) return null;
    return { kind: "operation", ...found, effect: forcedEffect(found.entry, safe) };
  } catch {
    return null;
  }
}

function readAllowance({ rollupAddress }: EffectContracts, safe: Address, data: Hex): SafeCall | null {
  const call = decodeFunctionData({ abi: openTokenAbi, data });
  if (
    call.functionName !== "approve" ||
    encodeFunctionData({ abi: openTokenAbi, ...call }) !== data.toLowerCase()
  )
    return null;
  const [spender, amountWei] = call.args;
  if (!isAddressEqual(spender, rollupAddress)) return null;
  const effect = effectOf("token", "Approval", { owner: safe, spender, value: amountWei });
  return { kind: "allowance", amountWei, effect };
}

type RollupCall = ReturnType<typeof decodeFunctionData<typeof rollupUserAbi>>;

function readEntry(call: RollupCall): { readonly entry: EntryRequest; readonly maxFeeWei: bigint } | null {
  switch (call.functionName) {
    case "forceTransfer": {
      const [a, b, amountWei, owner, maxFeeWei] = call.args;
      return { entry: { kind: KIND.forcedTransfer, a, b, amountWei, word1: BigInt(owner) }, maxFeeWei };
    }
    case "forceWithdraw": {
      const [a, amountWei, recipient, maxFeeWei] = call.args;
      return { entry: { kind: KIND.forcedWithdraw, a, amountWei, word1: BigInt(recipient) }, maxFeeWei };
    }
    case "forceClaimRewards": {
      const [a, b, payeeIndex, isValidator, maxFeeWei] = call.args;
      if (payeeIndex > MAX_PAYEE_INDEX) return null;
      const role = isValidator ? PAYEE_ROLE.validator : PAYEE_ROLE.contributor;
      return {
        entry: { kind: KIND.forcedClaimRewards, a, b, word1: packClaim(payeeIndex, role) },
        maxFeeWei,
      };
    }
    case "forceCloseEpoch": {
      const [b, maxFeeWei] = call.args;
      return { entry: { kind: KIND.forcedCloseEpoch, b }, maxFeeWei };
    }
    case "forceSetKey": {
      const [a, word1, maxFeeWei] = call.args;
      return { entry: { kind: KIND.forcedSetKey, a, word1 }, maxFeeWei };
    }
    case "forceSetOwner": {
      const [a, owner, maxFeeWei] = call.args;
      return { entry: { kind: KIND.forcedSetOwner, a, word1: BigInt(owner) }, maxFeeWei };
    }
    case "force": {
      const [{ a, b, kind, ...words }, maxFeeWei] = call.args;
      if (a >= LEAF_ID_LIMIT || b >= LEAF_ID_LIMIT || !WHOLE_ENTRIES.has(Number(kind))) return null;
      return {
        entry: { kind: Number(kind) as EntryRequest["kind"], a: Number(a), b: Number(b), ...words },
        maxFeeWei,
      };
    }
    default:
      return null;
  }
}
