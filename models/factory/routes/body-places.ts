import type { FastifyReply, FastifyRequest } from "fastify";
import { factoryError } from "../factory-errors.ts";

/** A body up to so much is not counted. */
const SMALL_BYTES = 2 ** 20;
const MOST_OF_ADDRESS = 4;
const MOST_IN_ALL = 16;

/**
 * Places for large bodies, taken before a byte of them is read. Attack: a signature covers the body, so whoever has none
 * could have as many bodies in memory as there are connections.
 */
export class BodyPlaces {
  readonly #taken = new Map<string, number>();
  #count = 0;

  /** Until the answer is sent or the connection ends. @throws MOD_FACTORY_RATE_LIMITED */
  async take({ headers, ip }: FastifyRequest, { raw }: FastifyReply): Promise<void> {
    if (Number(headers["content-length"] ?? Number.POSITIVE_INFINITY) <= SMALL_BYTES) return;
    const own = this.#taken.get(ip) ?? 0;
    if (own >= MOST_OF_ADDRESS || this.#count >= MOST_IN_ALL)
      throw factoryError("MOD_FACTORY_RATE_LIMITED", "other large requests are being read; try again", {
        data: { most: own >= MOST_OF_ADDRESS ? MOST_OF_ADDRESS : MOST_IN_ALL },
      });
    this.#count += 1;
    this.#taken.set(ip, own + 1);
    raw.once("close", () => {
      this.#count -= 1;
      const left = this.#taken.get(ip)! - 1;
      if (left === 0) this.#taken.delete(ip);
      else this.#taken.set(ip, left);
    });
  }
}
