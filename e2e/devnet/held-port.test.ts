import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, isFree } from "@openledger/foundation/testing/free-port";
import { afterEach, beforeEach, expect, it } from "vitest";
import { healthOf } from "../world/process.ts";
import { holdPort, startOnPort } from "./held-port.ts";
import { Supervisor } from "./supervisor.ts";

let folder: string;
let supervisor: Supervisor;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "held-port-"));
  supervisor = new Supervisor({
    logDir: join(folder, "logs"),
    recordPath: join(folder, "processes.json"),
    console: { title() {}, line() {}, done() {}, progress() {}, alarm() {} },
    onGiveUp: () => {},
  });
});
afterEach(async () => {
  await supervisor.stop();
  rmSync(folder, { recursive: true });
});

/** A real server of one route. */
const specAt = (url: string, port: number) => ({
  name: "worker",
  command: process.execPath,
  args: ["-e", `require("http").createServer((_, r) => r.end("own")).listen(${port}, "127.0.0.1")`],
  isReady: healthOf(url),
});
const said = async (url: string) => (await fetch(`${url}/health`)).text();

it("holds a port until its service starts, so that another devnet chooses the next one", async () => {
  const expected = await freePort();
  const first = await holdPort(expected);
  expect(first.port).toBe(expected);
  expect(await isFree(expected)).toBe(false);
  const second = await holdPort(expected);
  expect(second.port).toBeGreaterThan(expected);
  await second.release();
  expect(await startOnPort(supervisor, first, specAt)).toBe(first.url);
  expect(await said(first.url)).toBe("own");
});

it("takes no stranger's answer for the service's", async () => {
  const held = await holdPort(await freePort());
  const stranger = createHttpServer((_request, response) => response.end("stranger"));
  const release = async () => {
    await held.release();
    await new Promise<void>((resolve) => stranger.listen(held.port, "127.0.0.1", resolve));
  };
  const url = await startOnPort(supervisor, { ...held, release }, specAt);
  expect(url).not.toBe(held.url);
  expect(await said(url)).toBe("own");
  await new Promise((resolve) => stranger.close(resolve));
});

it("tries the next port at once where another program takes it while the service starts", async () => {
  const held = await holdPort(await freePort());
  const stranger = createServer((socket) => socket.destroy());
  const release = async () => {
    await held.release();
    setTimeout(() => stranger.listen(held.port, "127.0.0.1"), 300);
  };
  const slow = (url: string, port: number) => {
    const { args, ...spec } = specAt(url, port);
    return { ...spec, args: ["-e", `setTimeout(() => { ${args[1]} }, 1500)`] };
  };
  const startedAtMs = performance.now();
  const url = await startOnPort(supervisor, { ...held, release }, slow);
  expect(url).not.toBe(held.url);
  expect(await said(url)).toBe("own");
  // Not after the time that a service has to answer, nor after its fifth end.
  expect(performance.now() - startedAtMs).toBeLessThan(30_000);
  await new Promise((resolve) => stranger.close(resolve));
}, 60_000);

it("says so where no port is free", async () => {
  const expected = await freePort();
  const servers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => {
        server.once("error", () => resolve(server));
        server.listen(expected + i, "127.0.0.1", () => resolve(server));
      });
    }),
  );
  await expect(holdPort(expected)).rejects.toMatchObject({ code: "DEV_FAILED", data: { reason: "no-port" } });
  for (const server of servers) server.close();
});
