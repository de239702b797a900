import { verifySignature } from "@openledger/circuits/field/curve/eddsa";
import { datanetError } from "../datanet-errors.ts";
import {
  type HostRequest,
  MAX_REQUEST_MS,
  type RequestProof,
  requestMessage,
  requestProofSchema,
} from "../records/signed-request.ts";
import type { HostLeaf, HostLedger } from "../store/ledger-view.ts";

/** Clocks differ by so much. */
const CLOCK_SLACK_MS = 30_000;
const MAX_HEADER_CHARACTERS = 1_000;

/**
 * Says who has signed a request. A nonce is kept until its request runs out, in memory alone: a request of before the
 * host's start names another session, and is refused for it.
 */
export class RequestGuard {
  readonly #domain: bigint;
  readonly #ledger: HostLedger;
  readonly #session: string;
  readonly #nowMs: () => number;
  /** Nonce → when its request runs out; oldest first, as far as requests live equally long. */
  readonly #seen = new Map<string, number>();

  constructor(options: { domain: bigint; session: string; ledger: HostLedger; nowMs: () => number }) {
    this.#domain = options.domain;
    this.#session = options.session;
    this.#ledger = options.ledger;
    this.#nowMs = options.nowMs;
  }

  /**
   * Reads the header before the body that it signs, so that a request without a signature puts no body into memory.
   * @param header undefined if the request has none
   * @throws DNT_REQUEST_UNSIGNED, SRV_BAD_REQUEST, DNT_SESSION_OTHER, DNT_REQUEST_REPLAYED
   */
  read(header: string | undefined): RequestProof {
    if (header === undefined) throw datanetError("DNT_REQUEST_UNSIGNED", "the request is not signed");
    const proof = parseProof(header);
    const { expiresAtMs, nonce, session } = proof;
    const nowMs = this.#nowMs();
    if (expiresAtMs <= nowMs || expiresAtMs > nowMs + MAX_REQUEST_MS + CLOCK_SLACK_MS)
      throw datanetError("DNT_REQUEST_UNSIGNED", `the request is good until ${expiresAtMs}, it is ${nowMs}`, {
        data: { reason: "request-expired", expiresAtMs, nowMs, maxMs: MAX_REQUEST_MS },
      });
    if (session !== this.#session)
      throw datanetError("DNT_SESSION_OTHER", "the request is signed for another session of this host", {
        data: { session: this.#session },
      });
    if (this.#seen.has(nonce)) throw replayed(nonce);
    return proof;
  }

  /**
   * The leaf that has signed the request.
   * @param header undefined if the request has none
   * @throws DNT_REQUEST_UNSIGNED, and what `read` throws
   */
  async signer(request: HostRequest, header: string | undefined): Promise<HostLeaf> {
    const proof = this.read(header);
    const { expiresAtMs, leafId, nonce, signature } = proof;
    const leaf = await this.#ledger.leaf(leafId);
    const unsigned = () =>
      datanetError("DNT_REQUEST_UNSIGNED", `leaf ${leafId} has not signed this request to this host`, {
        data: { reason: "request-signature", leafId },
      });
    if (leaf === null) throw unsigned();
    const bodyHash = await sha256Aside(request.body ?? new Uint8Array());
    const message = requestMessage(this.#domain, { ...request, bodyHash }, proof);
    const { r8x, r8y, s } = signature;
    const parsed = { r8x: BigInt(r8x), r8y: BigInt(r8y), s: BigInt(s) };
    if (!verifySignature({ keyX: leaf.keyX, message, signature: parsed })) throw unsigned();
    // no replay: the check and the entry are one step, and only signed requests take room.
    if (this.#seen.has(nonce)) throw replayed(nonce);
    this.#forget(this.#nowMs());
    this.#seen.set(nonce, expiresAtMs);
    return leaf;
  }

  #forget(nowMs: number): void {
    for (const [nonce, untilMs] of this.#seen) {
      if (untilMs > nowMs) return;
      this.#seen.delete(nonce);
    }
  }
}

/**
 * Hashes on a thread of the runtime. Attack: a forged signature shows only after the whole body is hashed, and on this
 * thread everybody would wait for that.
 */
async function sha256Aside(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)).toString("hex");
}

const replayed = (nonce: string) =>
  datanetError("DNT_REQUEST_REPLAYED", "this signed request was taken before", { data: { nonce } });

function parseProof(header: string): RequestProof {
  const malformed = (cause?: unknown) =>
    datanetError("SRV_BAD_REQUEST", "the signature's header is not of the documented form", { cause });
  if (header.length > MAX_HEADER_CHARACTERS) throw malformed();
  try {
    return requestProofSchema.parse(JSON.parse(header));
  } catch (cause) {
    throw malformed(cause);
  }
}
