/**
 * Transaction of a Safe as its owners sign it (EIP-712) and pass it on as JSON. It is a plain call: no ether, no delegate call, no
 * refund of gas. The format has no field for those, since each of them could take everything that the Safe has.
 */
import { getAddress, type Hex, hashTypedData, isAddress, zeroAddress } from "viem";
import { z } from "zod";
import { clientError } from "../client-errors.ts";

/** Maximum characters of a proposal that somebody pastes. */
const MAX_TEXT_CHARACTERS = 65_536;
const MAX_DATA_BYTES = 2_048;
const MAX_SIGNATURES = 100;

const addressSchema = z
  .string()
  .max(42)
  .refine((text) => isAddress(text, { strict: false }), "is no address")
  .transform((text) => getAddress(text));
const hexOf = (pattern: RegExp, what: string) =>
  z
    .string()
    .regex(pattern, `is no ${what}`)
    .transform((text) => text.toLowerCase() as Hex);

const signatureSchema = z.strictObject({
  owner: addressSchema,
  signature: hexOf(/^0x[0-9a-fA-F]{130}$/, "signature of 65 bytes"),
});

const proposalSchema = z.strictObject({
  /** Version of this format. */
  safeTransaction: z.literal(1),
  chainId: z.int().positive(),
  safe: addressSchema,
  to: addressSchema,
  data: z
    .string()
    .max(2 + 2 * MAX_DATA_BYTES)
    .pipe(hexOf(/^0x([0-9a-fA-F]{2})+$/, "bytes in hex")),
  nonce: z.int().min(0),
  /** L1's block when it was proposed: its execution is searched from there on. */
  fromBlock: z.int().min(0),
  signatures: z.array(signatureSchema).max(MAX_SIGNATURES),
});

/** A transaction of a Safe, with the signatures that are known of it. It survives JSON. */
export type SafeProposal = z.output<typeof proposalSchema>;
export type SafeSignature = SafeProposal["signatures"][number];

/**
 * Reads a proposal that somebody has sent. Whose signatures count is judged later, by L1.
 * @throws CLI_SAFE_PROPOSAL_REFUSED for another form
 * @example
 * ```ts
 * const { nonce, safe } = readProposal(text);
 * ```
 */
export function readProposal(text: string): SafeProposal {
  if (text.length > MAX_TEXT_CHARACTERS)
    throw refusedForm(`the proposal has ${text.length} characters, more than ${MAX_TEXT_CHARACTERS}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refusedForm("the proposal is no JSON", cause);
  }
  const parsed = proposalSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refusedForm(
    `the proposal's ${issue!.path.join(".") || "form"} is not as documented: ${issue!.message.slice(0, 200)}`,
    parsed.error,
  );
}

const refusedForm = (message: string, cause?: unknown) =>
  clientError("CLI_SAFE_PROPOSAL_REFUSED", message, { data: { reason: "form" }, cause });

/**
 * Writes a proposal as `readProposal` reads it.
 * @example
 * ```ts
 * console.log(writeProposal(safeProposal));
 * ```
 */
export const writeProposal = (proposal: SafeProposal): string => JSON.stringify(proposal, null, 2);

type Signed = Pick<SafeProposal, "chainId" | "safe" | "to" | "data" | "nonce">;

const TYPES = {
  SafeTx: [
    { name: "to", type: "address" },
    { name: "value", type: "uint256" },
    { name: "data", type: "bytes" },
    { name: "operation", type: "uint8" },
    { name: "safeTxGas", type: "uint256" },
    { name: "baseGas", type: "uint256" },
    { name: "gasPrice", type: "uint256" },
    { name: "gasToken", type: "address" },
    { name: "refundReceiver", type: "address" },
    { name: "nonce", type: "uint256" },
  ],
} as const;

/**
 * Message that an owner signs (`SafeTx` of the Safe's contract).
 * @internal
 */
export const safeTypedData = ({ chainId, data, nonce, safe, to }: Signed) =>
  ({
    domain: { chainId, verifyingContract: safe },
    types: TYPES,
    primaryType: "SafeTx",
    message: {
      to,
      value: 0n,
      data,
      operation: 0,
      safeTxGas: 0n,
      baseGas: 0n,
      gasPrice: 0n,
      gasToken: zeroAddress,
      refundReceiver: zeroAddress,
      nonce: BigInt(nonce),
    },
  }) as const;

/**
 * The Safe's name for a transaction, computed here.
 * @internal
 */
export const safeTxHashOf = (proposal: Signed): Hex => hashTypedData(safeTypedData(proposal));

/**
 * Arguments of the Safe's functions for a transaction, without the last one.
 * @internal
 */
export const safeArguments = (proposal: Signed) => {
  const { baseGas, data, gasPrice, gasToken, operation, refundReceiver, safeTxGas, to, value } =
    safeTypedData(proposal).message;
  return [to, value, data, operation, safeTxGas, baseGas, gasPrice, gasToken, refundReceiver] as const;
};

/** Maximum characters of a proposal in a link. */
const MAX_LINK_CHARACTERS = 8_192;

/**
 * Writes a proposal for a link.
 * @internal
 */
export const packProposal = (proposal: SafeProposal): string =>
  btoa(JSON.stringify(proposal)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/**
 * Reads a proposal from a link.
 * @throws CLI_SAFE_PROPOSAL_REFUSED
 * @internal
 */
export function unpackProposal(packed: string): SafeProposal {
  if (packed.length > MAX_LINK_CHARACTERS || !/^[\w-]+$/.test(packed))
    throw refusedForm("the link holds no proposal");
  let text: string;
  try {
    text = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  } catch (cause) {
    throw refusedForm("the link holds no proposal", cause);
  }
  return readProposal(text);
}
