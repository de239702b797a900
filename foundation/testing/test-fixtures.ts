import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";

/** A folder of a test file, which is gone once its tests are over. */
export function testFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * What `start` makes before the tests of a file, in the order of such lines; what has a `stop` is stopped behind them. Its parts are
 * there once it is started: no sooner than in a hook or test.
 */
export function started<Fixture extends object>(start: () => Promise<Fixture>): Fixture {
  let made: Fixture & { stop?: () => Promise<unknown> };
  beforeAll(async () => {
    made = await start();
  });
  afterAll(() => made?.stop?.());
  return new Proxy({} as Fixture, {
    get: (_, name) => Reflect.get(made, name),
    // Of a copy with other parts.
    ownKeys: () => Reflect.ownKeys(made),
    getOwnPropertyDescriptor: (_, name) => ({
      ...Reflect.getOwnPropertyDescriptor(made, name),
      configurable: true,
    }),
  });
}

/** A server on this machine alone. */
export async function listening(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** The same until the test that asks for it is over. @returns its address */
export async function testServer(answer: RequestListener): Promise<string> {
  const { stop, url } = await listening(answer);
  onTestFinished(stop);
  return url;
}
