/**
 * Requests that a host serves to some leaves only, or counts against a leaf's quota: signed for one host, one session of
 * it, one method, path and body, a moment, and once (docs/explanation/datanets.md, "Signed requests").
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Signature } from "@openledger/circuits/field/curve/eddsa";
import { toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { z } from "zod";
import { signatureSchema, taggedMessage } from "./record.ts";

export const REQUEST_HEADER = "x-openledger-request";
/** Maximum lifetime of a signed request. */
export const MAX_REQUEST_MS = 300_000;

export const requestProofSchema = z.strictObject({
  leafId: z
    .int()
    .min(0)
    .max(2 ** 24 - 1),
  session: z.string().max(64),
  /** 16 random bytes. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
  expiresAtMs: z.int().min(0),
  signature: signatureSchema,
});
export type RequestProof = z.output<typeof requestProofSchema>;

/** Request as it is signed, and to which host. `origin` is the host's address as the client has it, so another host cannot pass the request on. */
export interface HostRequest {
  readonly origin: string;
  readonly method: string;
  /** Path with the query. */
  readonly path: string;
  readonly body: Uint8Array | null;
}

/** @param bodyHash SHA-256, 64 hexadecimal digits; of no bytes where there is no body */
export function requestMessage(
  domain: bigint,
  { bodyHash, method, origin, path }: Omit<HostRequest, "body"> & { readonly bodyHash: string },
  proof: Omit<RequestProof, "signature">,
): bigint {
  const { expiresAtMs, leafId, nonce, session } = proof;
  const value = { origin, method, path, bodyHash, leafId, session, nonce, expiresAtMs };
  return taggedMessage("OpenLedger datanet request v1", domain, value);
}

/** Builds the header's value. @param lifeMs at most MAX_REQUEST_MS */
export function signRequest(
  domain: bigint,
  request: HostRequest,
  signer: {
    readonly leafId: number;
    readonly session: string;
    readonly nowMs: number;
    readonly lifeMs: number;
    sign(message: bigint): Signature;
  },
): string {
  const { leafId, lifeMs, nowMs, session } = signer;
  const bodyHash = bytesToHex(sha256(request.body ?? new Uint8Array()));
  const nonce = bytesToHex(crypto.getRandomValues(new Uint8Array(16)));
  const unsigned = { leafId, session, nonce, expiresAtMs: nowMs + lifeMs };
  const signature = signer.sign(requestMessage(domain, { ...request, bodyHash }, unsigned));
  return JSON.stringify({ ...unsigned, signature: toHexSignature(signature) });
}
