import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPublicClient, createTestClient, http } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anvilAccount } from "../testing/anvil-account.ts";
import { startAnvil } from "./anvil.ts";

const client = (url: string) => createPublicClient({ transport: http(url) });
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "anvil-test-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("startAnvil", () => {
  test("answers as soon as it is started, and no more once it is stopped", async () => {
    const anvil = await startAnvil({ chainId: 4242 });
    expect(await client(anvil.url).getChainId()).toBe(4242);
    await anvil.stop();
    await anvil.stop();
    await expect(
      createPublicClient({ transport: http(anvil.url, { retryCount: 0 }) }).getChainId(),
    ).rejects.toThrow();
  });

  test("keeps the chain in a file between two runs", async () => {
    const statePath = join(dir, "state.json");
    const first = await startAnvil({ statePath });
    await createTestClient({ mode: "anvil", transport: http(first.url) }).mine({ blocks: 5 });
    await first.stop();
    const second = await startAnvil({ statePath });
    try {
      expect(await client(second.url).getBlockNumber()).toBe(5n);
    } finally {
      await second.stop();
    }
  });

  test("keeps the states of the last 512 blocks, so that none goes to the disk", async () => {
    const anvil = await startAnvil();
    try {
      await createTestClient({ mode: "anvil", transport: http(anvil.url) }).mine({ blocks: 530 });
      const { address } = anvilAccount(0);
      const balanceAt = (blockNumber: bigint) => client(anvil.url).getBalance({ address, blockNumber });
      expect(await balanceAt(20n)).toBe(await balanceAt(530n));
      await expect(balanceAt(5n)).rejects.toThrow(/BlockOutOfRange/);
    } finally {
      await anvil.stop();
    }
  });

  test("refuses a port that is taken, with what anvil said", async () => {
    const server = createServer();
    await new Promise<void>((settle) => server.listen(0, "127.0.0.1", settle));
    const { port } = server.address() as { port: number };
    await expect(startAnvil({ port })).rejects.toMatchObject({
      code: "CON_ANVIL_FAILED",
      data: { output: expect.stringContaining("in use") },
    });
    server.close();
  });
});
