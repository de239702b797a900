/**
 * Bounds the request bodies that a server holds in memory, by client network and in all, in bytes; create-server.ts asks it
 * before it reads a body.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { clientNetwork } from "./client-network.ts";

/** Maximum bytes of an uncounted body: the bound of connections bounds those. */
const SMALL_BYTES = 65_536;
/** Maximum bytes of one network's bodies in memory, 32 MiB. */
const MAX_NETWORK_BYTES = 32 * 2 ** 20;
/** Maximum bytes of all bodies in memory, 128 MiB. */
const MAX_TOTAL_BYTES = 128 * 2 ** 20;

/**
 * Room for the bodies of a server, taken before a byte of them is read: 32 MiB for one network, 128 MiB in all.
 * Attack: a signature covers the body, so without it anyone who has none has as many bodies in memory as there are
 * connections. A body that is larger than the room is read while nobody else's is.
 */
export class BodySlots {
  readonly #bytesOf = new Map<string, number>();
  #bytes = 0;

  /**
   * Takes room for a request's body until the answer is sent or the connection ends.
   * @returns true if there was room
   */
  take(request: FastifyRequest, { raw }: FastifyReply): boolean {
    const bytes = bodyBytes(request);
    if (bytes <= SMALL_BYTES) return true;
    const network = clientNetwork(request);
    const own = this.#bytesOf.get(network) ?? 0;
    if (!fits(own, bytes, MAX_NETWORK_BYTES) || !fits(this.#bytes, bytes, MAX_TOTAL_BYTES)) return false;
    this.#bytes += bytes;
    this.#bytesOf.set(network, own + bytes);
    raw.once("close", () => {
      this.#bytes -= bytes;
      const left = this.#bytesOf.get(network)! - bytes;
      if (left === 0) this.#bytesOf.delete(network);
      else this.#bytesOf.set(network, left);
    });
    return true;
  }
}

const fits = (taken: number, more: number, max: number) => taken === 0 || taken + more <= max;

/**
 * Announced length of a body; the route's maximum without an announcement; 0 above the maximum, because such
 * a body is refused without being read.
 */
function bodyBytes({ headers, routeOptions }: FastifyRequest): number {
  const max = routeOptions.bodyLimit ?? 0;
  if (headers["transfer-encoding"] !== undefined) return max;
  const announced = Number(headers["content-length"] ?? 0);
  return announced > max ? 0 : announced;
}
