import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createServer } from "./create-server.ts";

const MEGABYTE = 2 ** 20;
let app: Awaited<ReturnType<typeof createServer>>;
let port: number;
const sockets: Socket[] = [];
beforeEach(async () => {
  app = await createServer({
    limits: { rateLimitPerMinute: 10_000 },
    bodyLimitBytes: MEGABYTE,
    hasRawBodies: true,
    errors: {
      log: { error: () => {} },
      statusOf: ({ code }) => (code === "SRV_RATE_LIMITED" ? 429 : 400),
    },
  });
  app.put("/", { bodyLimit: 200 * MEGABYTE }, ({ body }) => ({ bytes: (body as Buffer).length }));
  await app.listen({ host: "127.0.0.1", port: 0 });
  port = (app.server.address() as { port: number }).port;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

/** Announces a body and sends none of it. Returns "" while the server does not answer. */
function announce(lengthHeader: string, from = "127.0.0.1") {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  sockets.push(socket);
  const answer = { text: "" };
  socket.on("error", () => {});
  socket.on("data", (data) => {
    answer.text += String(data);
  });
  socket.write(
    `PUT / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/octet-stream\r\n${lengthHeader}\r\n\r\n`,
  );
  return { socket, answer };
}

const send = (bytes: number) =>
  fetch(`http://127.0.0.1:${port}/`, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body: Buffer.alloc(bytes),
  }).then(({ status }) => status);

it("reads 32 MiB of one network's bodies at a time, and refuses the next before a byte of it", async () => {
  const first = announce(`content-length: ${20 * MEGABYTE}`);
  const second = announce(`content-length: ${20 * MEGABYTE}`);
  await expect.poll(() => first.answer.text + second.answer.text).toContain(" 429 ");
  expect(await send(60_000)).toBe(200);
  expect(await send(11 * MEGABYTE)).toBe(200);
  expect(await send(13 * MEGABYTE)).toBe(429);
  const held = first.answer.text === "" ? first : second;
  held.socket.destroy();
  await expect.poll(() => send(13 * MEGABYTE)).toBe(200);
});

it("reads 128 MiB of all networks', and one that is larger while there is no other", async () => {
  const large = announce(`content-length: ${150 * MEGABYTE}`);
  const other = announce(`content-length: ${MEGABYTE}`, "127.0.0.2");
  await expect.poll(() => large.answer.text + other.answer.text).toContain(" 429 ");
  large.socket.destroy();
  for (let i = 3; i < 7; i++) announce(`content-length: ${31 * MEGABYTE}`, `127.0.0.${i}`);
  await expect.poll(() => send(5 * MEGABYTE)).toBe(429);
  expect(await send(60_000)).toBe(200);
});

it("counts a body of unknown length as the longest that the route takes", async () => {
  const first = announce("transfer-encoding: chunked");
  const second = announce("transfer-encoding: chunked");
  await expect.poll(() => first.answer.text + second.answer.text).toContain(" 429 ");
});
