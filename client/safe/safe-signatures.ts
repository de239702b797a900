/**
 * Judge of signatures over a Safe's transaction, each by the Safe's own hash and the owners that L1 has now. Two forms count: an
 * owner's ECDSA signature of the hash (EIP-712), and the same under Ethereum's prefix (eth_sign). An approval on L1 is read there;
 * signatures of contracts (EIP-1271) are refused by name: such an owner approves on L1.
 */
import {
  type Address,
  concat,
  type Hex,
  hashMessage,
  isAddressEqual,
  numberToHex,
  pad,
  recoverAddress,
  slice,
} from "viem";
import { clientError } from "../client-errors.ts";
import { type SafeProposal, type SafeSignature, safeTxHashOf } from "./safe-transaction.ts";

/** Reason for which a signature does not count. */
export type SignatureFault =
  /** Signed by an address that is no owner of the Safe, now. */
  | "not-an-owner"
  /** Signature of another transaction, nonce, Safe or chain, or by somebody else than it names. */
  | "other-transaction"
  /** Signature of a contract (EIP-1271). */
  | "contract-signature"
  /** Word of an owner that the hash is approved on L1: L1 itself is asked. */
  | "pre-validated"
  | "malformed";

/** Value of v for a contract's signature, and for an approval on L1, as the Safe's contract has it. */
const V_CONTRACT = 0;
const V_APPROVED = 1;
/** Added to v where the hash was signed under Ethereum's prefix. */
const V_PREFIXED = 4;
/** Offsets of contracts' signatures are below this; the s of ECDSA practically never is. */
const MAX_OFFSET = 2n ** 32n;

interface Judged {
  /** Signature as the Safe takes it. */
  readonly signature: Hex;
  readonly signer: Address;
}

/**
 * Finds who has signed a transaction.
 * @returns the fault where nobody can be named
 */
async function judge(
  hash: Hex,
  signature: Hex,
): Promise<Judged | Exclude<SignatureFault, "not-an-owner" | "other-transaction">> {
  const v = Number(slice(signature, 64, 65));
  const s = BigInt(slice(signature, 32, 64));
  if (v === V_CONTRACT && s < MAX_OFFSET) return "contract-signature";
  if (v === V_APPROVED && s < MAX_OFFSET) return "pre-validated";
  // Attack, or a wallet that counts from 0: the Safe would read such a v as a contract's signature, or an approval.
  const sound = v < 2 ? concat([slice(signature, 0, 64), numberToHex(v + 27, { size: 1 })]) : signature;
  const recovered = (one: Hex, message: Hex) => recoverAddress({ hash: message, signature: one });
  try {
    if (v < 2 || v === 27 || v === 28) return { signature: sound, signer: await recovered(sound, hash) };
    if (v !== 27 + V_PREFIXED && v !== 28 + V_PREFIXED) return "malformed";
    const plain = concat([slice(signature, 0, 64), numberToHex(v - V_PREFIXED, { size: 1 })]);
    return { signature, signer: await recovered(plain, hashMessage({ raw: hash })) };
  } catch {
    return "malformed";
  }
}

/** Signatures of a proposal, apart by whether they count. */
export interface JudgedSignatures {
  /** One for each owner, as the Safe takes them. */
  readonly counting: readonly SafeSignature[];
  readonly refused: readonly (SafeSignature & { readonly fault: SignatureFault })[];
}

/**
 * Judges the signatures of a proposal.
 * @param owners owners of the Safe now
 * @internal
 */
export async function judgeSignatures(
  proposal: SafeProposal,
  owners: readonly Address[],
  signatures: readonly SafeSignature[] = proposal.signatures,
): Promise<JudgedSignatures> {
  const hash = safeTxHashOf(proposal);
  const counting = new Map<Address, SafeSignature>();
  const refused: (SafeSignature & { fault: SignatureFault })[] = [];
  for (const one of signatures) {
    const found = await judge(hash, one.signature);
    if (typeof found === "string") refused.push({ ...one, fault: found });
    else if (!isAddressEqual(found.signer, one.owner)) refused.push({ ...one, fault: "other-transaction" });
    else if (!owners.some((owner) => isAddressEqual(owner, one.owner)))
      refused.push({ ...one, fault: "not-an-owner" });
    else counting.set(one.owner, { owner: one.owner, signature: found.signature });
  }
  return { counting: [...counting.values()], refused };
}

/**
 * Gives a signature that was pasted alone the owner who made it.
 * @param owners owners of the Safe now
 * @throws CLI_SAFE_SIGNATURE_REFUSED
 * @internal
 */
export async function ownSignature(
  proposal: SafeProposal,
  owners: readonly Address[],
  signature: Hex,
): Promise<SafeSignature> {
  const found = await judge(safeTxHashOf(proposal), signature);
  if (typeof found === "string") throw refusedSignature({ fault: found, owner: null });
  const owner = owners.find((one) => isAddressEqual(one, found.signer));
  // ECDSA names somebody for any hash: another transaction's signature seems to be a stranger's.
  if (owner === undefined) throw refusedSignature({ fault: "not-an-owner", owner: found.signer });
  return { owner, signature: found.signature };
}

const FAULTS: Readonly<Record<SignatureFault, string>> = {
  "not-an-owner": "is by no owner of the Safe, or for another transaction, Safe or chain",
  "other-transaction": "is for another transaction, nonce, Safe or chain, or by somebody else",
  "contract-signature":
    "is a contract's (EIP-1271); an owner that is a contract approves the hash on L1 (approveHash)",
  "pre-validated": "only says that L1 has an approval; approvals on L1 are read there",
  malformed: "is malformed",
};

/**
 * Error of a signature that does not count.
 * @internal
 */
export function refusedSignature({
  fault,
  owner,
}: {
  readonly fault: SignatureFault;
  readonly owner: Address | null;
}): Error {
  const whose = owner === null ? "the signature" : `the signature of ${owner}`;
  return clientError("CLI_SAFE_SIGNATURE_REFUSED", `${whose} ${FAULTS[fault]}`, {
    data: { reason: fault, owner },
  });
}

/**
 * Signatures in the order and form that the Safe takes: by owner, as many as it needs.
 * @param approved owners who have approved the hash on L1
 * @internal
 */
export function packSignatures(
  signed: readonly SafeSignature[],
  approved: readonly Address[],
  threshold: number,
): Hex {
  const byOwner = new Map<bigint, Hex>(
    approved.map((owner) => [
      BigInt(owner),
      concat([pad(owner, { size: 32 }), pad("0x", { size: 32 }), numberToHex(V_APPROVED, { size: 1 })]),
    ]),
  );
  for (const { owner, signature } of signed) byOwner.set(BigInt(owner), signature);
  const ordered = [...byOwner].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  return concat(ordered.slice(0, threshold));
}
