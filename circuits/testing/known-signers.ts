/** Signatures by the secrets of test worlds: each secret is expanded once a process. */
import { createSigner, type Message, type Signer } from "../field/curve/eddsa.ts";

const signers = new Map<bigint, Signer>();

function signerOf(secret: bigint): Signer {
  const signer = signers.get(secret) ?? createSigner(secret);
  signers.set(secret, signer);
  return signer;
}

export const derivePublicKey = (secret: bigint) => signerOf(secret).key;
export const signMessage = (secret: bigint, message: Message) => signerOf(secret).sign(message);
