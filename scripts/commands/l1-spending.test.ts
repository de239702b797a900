/** Tests of the caps on L1 fees against an Ethereum node that names false prices. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { openTokenAbi } from "@openledger/contracts/build/rollup-abi";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { numberToHex, parseGwei, toHex } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { runInProcess } from "./testing/run-in-process.ts";

// An Ethereum node that is honest but for what it says a transaction costs.

const alice = anvilAccount(4);
let folder: string;
let f: HistoryFixture;
let node: Server;
let nodeUrl: string;
let lies: Record<string, string> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spending-"));
  await writeFile(join(folder, "alice"), toHex(alice.getHdKey().privateKey!));
  f = await startHistoryFixture();
  node = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    const lie = lies[method];
    const truth =
      lie === undefined
        ? await (
            await fetch(f.rpcUrl, { method: "POST", body, headers: { "content-type": "application/json" } })
          ).text()
        : JSON.stringify({ jsonrpc: "2.0", id, result: lie });
    response.writeHead(200, { "content-type": "application/json" }).end(truth);
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  nodeUrl = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
});
afterEach(() => {
  lies = {};
});
afterAll(async () => {
  node?.close();
  await f?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => {
  const position = ["--rpc", nodeUrl, "--rollup", f.rollup.address];
  return runInProcess(...args, ...position, "--private-key-file", join(folder, "alice"));
};
const sentCount = () => f.l1.client.getTransactionCount({ address: alice.address, blockTag: "pending" });
const tip = (gwei: string) => ({ eth_maxPriorityFeePerGas: numberToHex(parseGwei(gwei)) });

describe("an Ethereum node that names a price", () => {
  test("gets no signature for a tip above the cap, unless the user allows it", async () => {
    const before = await sentCount();
    lies = tip("5000");
    const refused = await run("force", "withdraw", "amount=all", "id=2", "--unchecked");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(
      "a tip of 5000 gwei a unit of gas, above 10 gwei (--max-priority-fee-gwei)",
    );
    expect(refused.stderr).toContain("[CON_L1_COST_ABOVE_CAP]");
    expect(await sentCount()).toBe(before);

    lies = tip("12");
    const allowed = ["--max-priority-fee-gwei", "12", "--json"];
    const sent = await run("force", "withdraw", "amount=all", "id=2", "--unchecked", ...allowed);
    const { burnedFeeWei, gasCostWei, gasUsed } = JSON.parse(sent.stdout).entries[0];
    expect(burnedFeeWei).toBe(String(OPEN));
    expect(BigInt(gasCostWei)).toBeGreaterThanOrEqual(BigInt(gasUsed) * parseGwei("12"));
    expect(await sentCount()).toBe(before + 1);
  });

  test("gets none for gas that no transaction may have", async () => {
    const before = await sentCount();
    lies = { ...tip("1"), eth_estimateGas: numberToHex(30_000_000) };
    const refused = await run("force", "withdraw", "amount=all", "id=9", "--unchecked", "--json");
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { code: "CON_L1_COST_ABOVE_CAP", data: { what: "gas", asked: "30000000", cap: "16777216" } },
    });
    expect(await sentCount()).toBe(before);
  });

  test("gets none above a cap that the user has lowered", async () => {
    lies = tip("1");
    const refused = await run(
      "force",
      "withdraw",
      "amount=1",
      "id=9",
      "--unchecked",
      "--max-fee-gwei",
      "0.5",
    );
    expect(refused.stderr).toMatch(/above 0\.5 gwei \(--max-fee-gwei\)/);
    const wrong = await run("finalize-withdrawal", "--max-fee-gwei", "much");
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining("[CMD_USAGE]") });
  });

  test("gets none by the bridge's contract, which freeze, exit, submit-queue and settle send by", async () => {
    const before = await sentCount();
    lies = tip("10.000000001");
    const rollup = new RollupContract({
      client: createL1Client({ rpcUrl: nodeUrl, pollIntervalMs: 10 }),
      address: f.rollup.address,
    });
    const address = await rollup.token();
    const approve = (amountWei: bigint) => {
      const args = [f.rollup.address, amountWei];
      return rollup.send(alice, "approve OPEN", {
        abi: openTokenAbi,
        address,
        functionName: "approve",
        args,
      });
    };
    await expect(approve(OPEN)).rejects.toMatchObject({ code: "CON_L1_COST_ABOVE_CAP" });
    expect(await sentCount()).toBe(before);
    lies = tip("10");
    await approve(1_000n * OPEN);
    expect(await sentCount()).toBe(before + 1);
  });
});
