/** Bodies stay beside what they say: a signed request is signed over its bytes. */
import type { FastifyInstance, FastifyRequest } from "fastify";

/** Takes JSON and octets, and nothing else. @param refuse makes the error for a body that is no JSON */
export function keepRawBodies(app: FastifyInstance, refuse: (cause: unknown) => Error): void {
  app.removeAllContentTypeParsers();
  const keep = (request: FastifyRequest, body: Buffer) => {
    (request as { rawBody?: Buffer }).rawBody = body;
  };
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    keep(request, body);
    try {
      done(null, JSON.parse(body.toString("utf8")));
    } catch (cause) {
      done(refuse(cause));
    }
  });
  app.addContentTypeParser(
    "application/octet-stream",
    { parseAs: "buffer" },
    (request, body: Buffer, done) => {
      keep(request, body);
      done(null, body);
    },
  );
}

/** The body's bytes; null where there was none. */
export function rawBodyOf(request: FastifyRequest): Uint8Array | null {
  return (request as { rawBody?: Buffer }).rawBody ?? null;
}
