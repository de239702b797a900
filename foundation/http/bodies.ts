/** Parsers of request bodies for all servers: JSON in UTF-8, and octets where a route allows them. */
import { isUtf8 } from "node:buffer";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { processErrors } from "../error-table.ts";

/** @param hasRawBodies takes octets too, and keeps the bytes: a signed request is signed over them */
export function readBodies(app: FastifyInstance, hasRawBodies: boolean): void {
  const parseJson = app.getDefaultJsonParser("error", "error");
  const keep = (request: FastifyRequest, body: Buffer) => {
    if (hasRawBodies) (request as { rawBody?: Buffer }).rawBody = body;
  };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    keep(request, body);
    // A decoder would put U+FFFD in their place, and another text would be signed, paid or answered.
    if (isUtf8(body)) parseJson(request, body.toString("utf8"), done);
    else done(processErrors.raise("SRV_BAD_REQUEST", "the body is not UTF-8"));
  });
  if (!hasRawBodies) return;
  app.addContentTypeParser(
    "application/octet-stream",
    { parseAs: "buffer" },
    (request, body: Buffer, done) => {
      keep(request, body);
      done(null, body);
    },
  );
}

/** Bytes of the body; null if there was none. */
export function rawBodyOf(request: FastifyRequest): Uint8Array | null {
  return (request as { rawBody?: Buffer }).rawBody ?? null;
}
