/**
 * Parsing of requests to the Datanet host, shared by its routes: schemas of parameters, who has signed, and whether they may
 * read.
 */

import { Readable } from "node:stream";
import { isStorableText } from "@openledger/foundation/database/storable-text";
import { setCost } from "@openledger/foundation/http/answer-costs";
import { rawBodyOf } from "@openledger/foundation/http/bodies";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { countFromText } from "@openledger/foundation/wire/query-text";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Card } from "../card/card.ts";
import { datanetError } from "../datanet-errors.ts";
import { REQUEST_HEADER } from "../records/signed-request.ts";
import type { HostedDatanet } from "../store/hosted-datanet.ts";
import type { HostLeaf } from "../store/ledger-view.ts";
import { requireReader } from "./access.ts";
import type { HostContext } from "./host-context.ts";

/**
 * Maximum lead of a signed record's or name's time over the host's clock, in milliseconds. It may be old: mirrors bring old
 * ones.
 */
export const MAX_LEAD_MS = 600_000;

export const rootText = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "is not 0x-hex of 32 bytes")
  .transform((text) => text.toLowerCase());
/** Text that is searched for, or a part of it. */
export const queryText = (max: number) =>
  z.string().max(max).refine(isStorableText, "has a NUL or half of a surrogate pair");
export const digestText = z.string().regex(/^[0-9a-f]{64}$/, "is not 64 hexadecimal digits");
/** Digests with commas between them: no more than fit an address. */
export const digestsText = z
  .string()
  .regex(/^(?:[0-9a-f]{64}(?:,[0-9a-f]{64}){0,49})?$/, "is no list of at most 50 digests")
  .transform((text) => (text === "" ? [] : text.split(",")))
  .default([]);
export const idParams = z.object({ id: countFromText });
export const rootParams = z.object({ id: countFromText, root: rootText });
export const digestParams = z.object({ id: countFromText, digest: digestText });

/** OpenAPI's mark of routes that require a signature. */
export const SIGNED = { security: [{ signed: [] }] };

/** Returns the body as it came; empty if there is none. @throws SRV_BAD_REQUEST if it is no binary body */
export function binaryBody(request: FastifyRequest): Uint8Array {
  const { body } = request;
  if (!Buffer.isBuffer(body))
    throw datanetError("SRV_BAD_REQUEST", "the body has to be application/octet-stream");
  return body;
}

const headerOf = ({ headers }: FastifyRequest): string | undefined => {
  const header = headers[REQUEST_HEADER];
  return typeof header === "string" ? header : undefined;
};

/**
 * Checks the signature's header before a byte of the body is read: for routes that take large bodies.
 * @throws what `RequestGuard.read` throws
 */
export const signedFirst = ({ guard }: Pick<HostContext, "guard">) => ({
  onRequest: async (request: FastifyRequest) => {
    await guard.read(headerOf(request));
  },
});

/** Returns the leaf that has signed the request. @throws DNT_REQUEST_UNSIGNED and what else `RequestGuard.signer` throws */
export function signerOf({ guard, origin }: HostContext, request: FastifyRequest): Promise<HostLeaf> {
  return guard.signer(
    { origin: origin(), method: request.method, path: request.url, body: rawBodyOf(request) },
    headerOf(request),
  );
}

/** Returns the reader's leaf; null if the request is not signed. @throws as `signerOf` */
export async function readerOf(context: HostContext, request: FastifyRequest): Promise<HostLeaf | null> {
  return request.headers[REQUEST_HEADER] === undefined ? null : signerOf(context, request);
}

/**
 * A Datanet whose rows the request may read, with the card that holds.
 * @throws DNT_NOT_HOSTED, DNT_REQUEST_UNSIGNED, DNT_ACCESS_NOT_GRANTED, DNT_KEY_NOTICE
 */
export async function openForReading(
  context: HostContext,
  request: FastifyRequest,
  id: number,
): Promise<{ card: Card; datanet: HostedDatanet; leaf: HostLeaf | null }> {
  const datanet = await context.store.require(id);
  const card = await cardOf(context, datanet);
  const leaf = await readerOf(context, request);
  const { keyX } = await context.ledger.datanet(id);
  await requireReader({ card, datanet, keyX }, { leaf }, context.nowMs());
  if (card.access !== "public" && leaf !== null) await context.keyNotices.refuse(leaf, "reads no rows");
  return { card, datanet, leaf };
}

/** True if the request may read the Datanet's rows; it needs no signature to be answered. @throws as `openForReading` for a wrong signature */
export async function mayRead(context: HostContext, request: FastifyRequest, id: number): Promise<boolean> {
  try {
    await openForReading(context, request, id);
    return true;
  } catch (error) {
    const isUnsigned =
      isRollupError(error, "DNT_REQUEST_UNSIGNED") && request.headers[REQUEST_HEADER] === undefined;
    if (
      isUnsigned ||
      isRollupError(error, "DNT_ACCESS_NOT_GRANTED") ||
      isRollupError(error, "DNT_KEY_NOTICE")
    )
      return false;
    throw error;
  }
}

/**
 * Card of the ledger's policy, or the newest one in the store while the present one is missing or under notice.
 * @throws DNT_NOT_HOSTED, DNT_UNKNOWN, SRV_SEQUENCER_UNREACHABLE
 */
export async function cardOf({ keyNotices, ledger }: HostContext, datanet: HostedDatanet): Promise<Card> {
  return (await keyNotices.cardOf(datanet, await ledger.datanet(datanet.id))).card;
}

/** Octets of an answer that cost a unit, as in foundation/http/answer-costs.ts. */
export const OCTETS_PER_UNIT = 262_144;

/** Sends bytes as they are read from the database. @param bytes their number */
export function sendPieces(reply: FastifyReply, pieces: AsyncIterable<Buffer>, bytes: number): FastifyReply {
  setCost(reply.request, Math.floor(bytes / OCTETS_PER_UNIT));
  return reply.type("application/octet-stream").header("content-length", bytes).send(Readable.from(pieces));
}

/** A page of a list, with the place that the next one begins at; null at its end. */
export function pageOf<Found extends { readonly total: number }>(
  found: Found,
  { from, limit }: { readonly from: number; readonly limit: number },
): Found & { nextFrom: number | null } {
  const next = from + limit;
  return { ...found, nextFrom: next < found.total ? next : null };
}
