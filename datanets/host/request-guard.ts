/**
 * Authentication of signed requests, for the Datanet host and the factory: finds out which leaf has signed, and takes each
 * request once.
 */
import { verifySignature } from "@openledger/circuits/field/curve/eddsa";
import { fromHexSignature } from "@openledger/circuits/wire/hex-signature";
import { datanetError } from "../datanet-errors.ts";
import {
  type HostRequest,
  MAX_REQUEST_MS,
  type RequestProof,
  requestMessage,
  requestProofSchema,
} from "../records/signed-request.ts";
import type { HostLeaf, HostLedger } from "../store/ledger-view.ts";
import type { RequestSessions } from "./request-sessions.ts";

/** Clocks differ by so much. */
const CLOCK_SLACK_MS = 30_000;
const MAX_HEADER_CHARACTERS = 1_000;

/** Says who has signed a request. A request is taken once, as long as it is good. */
export class RequestGuard {
  readonly #domain: bigint;
  readonly #ledger: HostLedger;
  readonly #sessions: RequestSessions;
  readonly #nowMs: () => number;

  constructor(options: {
    domain: bigint;
    sessions: RequestSessions;
    ledger: HostLedger;
    nowMs: () => number;
  }) {
    this.#domain = options.domain;
    this.#ledger = options.ledger;
    this.#sessions = options.sessions;
    this.#nowMs = options.nowMs;
  }

  /**
   * Reads the header before the body that it signs, so that a request without a signature puts no body into memory.
   * @param header undefined if the request has none
   * @throws DNT_REQUEST_UNSIGNED, SRV_BAD_REQUEST, DNT_SESSION_OTHER
   */
  async read(header: string | undefined): Promise<RequestProof> {
    if (header === undefined) throw datanetError("DNT_REQUEST_UNSIGNED", "the request is not signed");
    const proof = parseProof(header);
    const { expiresAtMs, session } = proof;
    const nowMs = this.#nowMs();
    if (expiresAtMs <= nowMs || expiresAtMs > nowMs + MAX_REQUEST_MS + CLOCK_SLACK_MS)
      throw datanetError("DNT_REQUEST_UNSIGNED", `the request is good until ${expiresAtMs}, it is ${nowMs}`, {
        data: { reason: "request-expired", expiresAtMs, nowMs, maxMs: MAX_REQUEST_MS },
      });
    if (session !== (await this.#sessions.current())) throw await this.#otherSession();
    return proof;
  }

  /**
   * The leaf that has signed the request.
   * @param header undefined if the request has none
   * @throws DNT_REQUEST_REPLAYED, DNT_REQUEST_UNSIGNED, and what `read` throws
   */
  async signer(request: HostRequest, header: string | undefined): Promise<HostLeaf> {
    const proof = await this.read(header);
    const { leafId, nonce, signature } = proof;
    const leaf = await this.#ledger.leaf(leafId);
    const unsigned = () =>
      datanetError("DNT_REQUEST_UNSIGNED", `leaf ${leafId} has not signed this request to this host`, {
        data: { reason: "request-signature", leafId },
      });
    if (leaf === null) throw unsigned();
    const bodyHash = await sha256Aside(request.body ?? new Uint8Array());
    const message = requestMessage(this.#domain, { ...request, bodyHash }, proof);
    if (!verifySignature({ keyX: leaf.keyX, message, signature: fromHexSignature(signature) }))
      throw unsigned();
    // Only signed requests take room.
    const taken = await this.#sessions.take(proof, this.#nowMs());
    if (taken === "replayed") throw replayed(nonce);
    if (taken === "other-session") throw await this.#otherSession();
    return leaf;
  }

  async #otherSession() {
    return datanetError("DNT_SESSION_OTHER", "the request is signed for another session of this host", {
      data: { session: await this.#sessions.current() },
    });
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
