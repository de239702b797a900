/**
 * The name that a leaf goes by: chosen and signed by its own key, whether it is an account, a Datanet or a model. Nobody owns
 * a name, and several leaves may have the same one, so a name is shown beside the leaf's number, never instead of it.
 */
import { type Signature, verifySignatures } from "@openledger/circuits/field/curve/eddsa";
import { fromHexSignature, toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { hex32 } from "@openledger/foundation/hex";
import { z } from "zod";
import { signatureSchema, taggedMessage } from "./record.ts";

/** Maximum size of a display name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 48;
/** Pattern of allowed characters. No brackets, "#" or "@": pages write a leaf's number behind its name. No invisible or turning characters. */
const SHOWN_AS_WRITTEN = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} .,'’&+/_-]*$/u;
/** Marks on marks grow over the lines around. */
const STACKED = /\p{M}{3}/u;
/** Names that pages give to some leaves themselves. */
const TAKEN = new Set(["you", "treasury", "operator", "operator's fees", "ethereum"]);

/** Returns why a text is no display name; null if it is one. */
export function displayNameProblem(name: string): string | null {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > MAX_NAME_BYTES) return `it has ${bytes} bytes, ${MAX_NAME_BYTES} are the most`;
  if (name !== name.normalize("NFC")) return "it is not in Unicode's form NFC";
  if (!SHOWN_AS_WRITTEN.test(name))
    return "it has other characters than letters, digits, spaces and . , ' & + / _ -";
  if (!/\p{L}/u.test(name) || /^0x/i.test(name)) return "it reads as a number or a hash";
  if (STACKED.test(name)) return "it has marks on marks";
  if (name !== name.trim() || name.includes("  ")) return "it has spaces too many";
  return TAKEN.has(name.toLowerCase()) ? "it is a name of the ledger's own" : null;
}

/** Turns a text into a display name: without forbidden characters, and cut to its length. "" if nothing is left. */
export function nearestDisplayName(text: string): string {
  const allowed = text
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N} .,'’&+/_-]/gu, " ")
    .replace(/ +/g, " ");
  let name = allowed.replace(/^[^\p{L}\p{N}]+/u, "").trim();
  while (new TextEncoder().encode(name).length > MAX_NAME_BYTES) name = name.slice(0, -1).trim();
  return displayNameProblem(name) === null ? name : "";
}

const bodySchema = z.strictObject({
  leafId: z
    .int()
    .min(0)
    .max(2 ** 24 - 1),
  /** "" takes the name back. */
  name: z.string().refine((name) => name === "" || displayNameProblem(name) === null, {
    error: ({ input }) => displayNameProblem(String(input).slice(0, 2 * MAX_NAME_BYTES)) ?? "it is no name",
  }),
  /** Time of the signature, in Unix milliseconds. The later name holds. */
  atMs: z.int().min(0).max(8_640_000_000_000_000),
});
type DisplayNameBody = z.output<typeof bodySchema>;

const key = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/)
  .transform((text) => hex32(BigInt(text)));
export const signedNameSchema = z.strictObject({ body: bodySchema, keyX: key, signature: signatureSchema });
export type SignedName = z.output<typeof signedNameSchema>;

const messageOf = (domain: bigint, body: DisplayNameBody): bigint =>
  taggedMessage("OpenLedger display name v1", domain, body);

export function signName(
  domain: bigint,
  body: DisplayNameBody,
  signer: { readonly keyX: bigint; sign(message: bigint): Signature },
): SignedName {
  const signature = toHexSignature(signer.sign(messageOf(domain, body)));
  return { body, keyX: hex32(signer.keyX), signature };
}

/** Returns, for each name, true if the key that it carries has signed it. The caller checks that the key is the leaf's. */
export function checkNames(domain: bigint, names: readonly SignedName[]): boolean[] {
  return verifySignatures(
    names.map(({ body, keyX, signature }) => ({
      keyX: BigInt(keyX),
      message: messageOf(domain, body),
      signature: fromHexSignature(signature),
    })),
  );
}
