/**
 * Seals shares for one member by HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM). Each member makes a key pair for one setup and
 * publishes its public part in a message that their ledger key signs; the private part lives in the process of that setup, so that
 * who steals a ledger key later opens nothing.
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from "hpke";
import { z } from "zod";

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);

export const sealKeySchema = z.string().regex(/^[0-9a-f]{64}$/);
export const sealedSchema = z.strictObject({
  /** The sender's part of the key agreement. */
  encapsulated: sealKeySchema,
  /** 32 bytes with a tag of 16. */
  ciphertext: z.string().regex(/^[0-9a-f]{96}$/),
});
type SealedShare = z.output<typeof sealedSchema>;

/** A member's key pair of one setup. */
export interface SealKey {
  readonly publicKey: string;
  /** @throws if it was not sealed for this key, setup, dealer and member */
  open(sealed: SealedShare, place: SealPlace): Promise<Uint8Array>;
}

/** What a sealed share is bound to. */
export interface SealPlace {
  readonly session: string;
  readonly from: string;
  readonly to: string;
}

const infoOf = ({ from, session, to }: SealPlace) =>
  utf8ToBytes(`OpenLedger group share v1/${session}/${from}/${to}`);

export async function createSealKey(): Promise<SealKey> {
  const pair = await suite.GenerateKeyPair();
  return {
    publicKey: bytesToHex(await suite.SerializePublicKey(pair.publicKey)),
    open: ({ ciphertext, encapsulated }, place) =>
      suite.Open(pair, hexToBytes(encapsulated), hexToBytes(ciphertext), { info: infoOf(place) }),
  };
}

export async function sealShare(
  publicKey: string,
  share: Uint8Array,
  place: SealPlace,
): Promise<SealedShare> {
  const { ciphertext, encapsulatedSecret } = await suite.Seal(
    await suite.DeserializePublicKey(hexToBytes(publicKey)),
    share,
    { info: infoOf(place) },
  );
  return { encapsulated: bytesToHex(encapsulatedSecret), ciphertext: bytesToHex(ciphertext) };
}
