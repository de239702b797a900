/** Address under which a server is asked, for links in its answers. */
import type { FastifyRequest } from "fastify";

/**
 * Address of a server without a slash at its end.
 * @param publicUrl setting of the server; empty: the name that it is asked by
 */
export const ownUrl = (
  { host, protocol }: Pick<FastifyRequest, "host" | "protocol">,
  publicUrl = "",
): string => (publicUrl === "" ? `${protocol}://${host}` : publicUrl).replace(/\/+$/, "");
