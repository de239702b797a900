import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { deployContract } from "@openledger/contracts/build/deploy";
import { sequencerLeaseAbi } from "@openledger/contracts/build/lease-abi";
import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { createLogger } from "@openledger/foundation/logger";
import { Registry } from "prom-client";
import { type Address, createTestClient, createWalletClient, http, parseGwei, publicActions } from "viem";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createL1Client } from "../l1/l1-client.ts";
import { encodeExtend, encodeTake, LeaseContract } from "../l1/lease-contract.ts";
import { createBridgeMetrics } from "../metrics.ts";
import { LeaseExtender } from "./lease-extender.ts";
import { OperatorNonce } from "./publishing/operator-nonce.ts";
import { releaseLease, type TakeLeaseModules, takeLease } from "./take-lease.ts";

const [operator, stranger] = [0, 1].map(anvilAccount);
const account = operator!;
const DURATION_SECONDS = 600;
let anvil: Anvil;
let client: ReturnType<typeof clientOf>;
let lease: LeaseContract;

const clientOf = (url: string) =>
  createTestClient({ chain: foundry, mode: "anvil", transport: http(url), pollingInterval: 20 }).extend(
    publicActions,
  );
const walletOf = (from = account) =>
  createWalletClient({ chain: foundry, transport: http(anvil.url), account: from });

beforeAll(async () => {
  anvil = await startAnvil();
  client = clientOf(anvil.url);
});
afterAll(() => anvil.stop());
beforeEach(async () => {
  const contract = pickContract(await compileContracts({ set: "lease" }), "SequencerLease");
  const clients = { walletClient: walletOf(stranger), publicClient: client as never };
  const { contractAddress: address } = await deployContract(clients, "SequencerLease", contract, [
    account.address,
  ]);
  lease = new LeaseContract({ client: createL1Client({ rpcUrl: anvil.url }), address });
});

const call = (functionName: "take" | "extend" | "release", args: readonly unknown[], from = account) =>
  client.simulateContract({
    ...{ abi: sequencerLeaseAbi, address: lease.address, functionName, account: from.address },
    args: args as never,
  });
const send = async (data: `0x${string}`) => {
  const hash = await walletOf().sendTransaction({ to: lease.address, data });
  return client.waitForTransactionReceipt({ hash });
};
const nowSeconds = async () => Number((await client.getBlock()).timestamp);

describe("the contract", () => {
  it("is the operator's alone, and takes no duration that would lock the standby out", async () => {
    for (const [name, args] of [
      ["take", [0n, 60n, "u"]],
      ["extend", [0n, 60n]],
      ["release", [0n]],
    ] as const)
      await expect(call(name, args, stranger!)).rejects.toThrow("LeaseNotOperator");
    for (const seconds of [0n, 86_401n])
      await expect(call("take", [0n, seconds, "u"])).rejects.toThrow("LeaseDurationInvalid");
  });

  it("gives each epoch once, and to nobody while it lasts", async () => {
    await send(encodeTake(0, DURATION_SECONDS, "http://a"));
    const { endsAtSeconds, ...state } = await lease.read();
    expect(state).toEqual({ epoch: 1, url: "http://a" });
    expect(endsAtSeconds).toBe((await nowSeconds()) + DURATION_SECONDS);
    await expect(call("take", [1n, 60n, "u"])).rejects.toThrow("LeaseHeld");
    await expect(call("take", [0n, 60n, "u"])).rejects.toThrow("LeaseOtherEpoch");
    // It never ends sooner by an extension.
    await send(encodeExtend(1, 60));
    expect((await lease.read()).endsAtSeconds).toBe(endsAtSeconds);
    await client.setNextBlockTimestamp({ timestamp: BigInt(endsAtSeconds) - 1n });
    await client.mine({ blocks: 1 });
    await client.setNextBlockTimestamp({ timestamp: BigInt(endsAtSeconds) });
    await send(encodeTake(1, DURATION_SECONDS, "http://b"));
    expect(await lease.read()).toMatchObject({ epoch: 2, url: "http://b" });
    await expect(call("extend", [1n, 60n])).rejects.toThrow("LeaseOtherEpoch");
    await expect(call("release", [1n])).rejects.toThrow("LeaseOtherEpoch");
  });

  it("may be extended after its end, as long as nobody has taken it", async () => {
    await send(encodeTake(0, 60, "http://a"));
    await client.increaseTime({ seconds: 3_600 });
    await client.mine({ blocks: 1 });
    await send(encodeExtend(1, 60));
    expect((await lease.read()).endsAtSeconds).toBe((await nowSeconds()) + 60);
  });
});

const toolsOf = (): TakeLeaseModules & { told: string[]; hashes: string[] } => {
  const told: string[] = [];
  const hashes: string[] = [];
  const nonce = new OperatorNonce(
    {
      ...{ chainId: foundry.id, confirmations: 1, resendAfterMs: 300, pollIntervalMs: 20 },
      maxFeePerGasWei: parseGwei("500"),
      maxPriorityFeePerGasWei: parseGwei("3"),
    },
    {
      account,
      client: lease.client,
      tell: (text) => told.push(text),
      onSigned: (hash) => void hashes.push(hash),
    },
  );
  return {
    lease,
    nonce,
    intent: () => null,
    onIntent: () => {},
    tell: (text) => told.push(text),
    told,
    hashes,
  };
};
const taking = { durationSeconds: 60, url: "http://b", isPatient: false, pollIntervalMs: 20 };

describe("taking the lease", () => {
  it("uses up every nonce under which another machine may still have a transaction", async () => {
    await client.setAutomine(false);
    try {
      const first = await client.getTransactionCount({ address: account.address });
      // What the old bridge has on its way: a batch, and one behind it.
      const old = await Promise.all(
        [0, 1].map((i) =>
          walletOf().sendTransaction({ to: stranger!.address, value: 1n, gas: 30_000n, nonce: first + i }),
        ),
      );
      const mining = setInterval(() => void client.mine({ blocks: 1 }), 1_500);
      const tools = toolsOf();
      const { epoch, filledCount } = await takeLease(taking, tools).finally(() => clearInterval(mining));
      expect(epoch).toBe(1);
      const mined = await client.getTransactionCount({ address: account.address });
      expect(mined).toBeGreaterThanOrEqual(first + 2);
      // Each of them was mined before the lease was taken, or never is.
      for (const hash of old) {
        const receipt = await client.getTransactionReceipt({ hash }).catch(() => null);
        if (receipt === null) expect(filledCount + tools.hashes.length).toBeGreaterThan(1);
      }
      expect(await client.getTransactionCount({ address: account.address, blockTag: "pending" })).toBe(mined);
    } finally {
      await client.setAutomine(true);
    }
  });

  it("is one machine's alone where two take it at once with the same key, url and fees", async () => {
    const machines = [toolsOf(), toolsOf()];
    const both = await Promise.allSettled(machines.map((tools) => takeLease(taking, tools)));
    const taken = both.filter(({ status }) => status === "fulfilled");
    expect(taken).toHaveLength(1);
    const [one, other] = machines.map(({ hashes }) => new Set(hashes));
    expect([...one!].filter((hash) => other!.has(hash))).toEqual([]);
    expect((await lease.read()).epoch).toBe(1);
  });

  it("waits for nobody unless told to, and knows its own transaction after a kill", async () => {
    const tools = toolsOf();
    await takeLease(taking, tools);
    await expect(takeLease(taking, toolsOf())).rejects.toMatchObject({ code: "BRG_LEASE_HELD" });
    const intent = () => ({ afterEpoch: 0, transactionHashes: tools.hashes as `0x${string}`[] });
    expect(await takeLease(taking, { ...toolsOf(), intent })).toMatchObject({ epoch: 1 });
    await releaseLease(1, tools);
    expect(await takeLease(taking, toolsOf())).toMatchObject({ epoch: 2 });
    await expect(takeLease(taking, { ...toolsOf(), intent })).rejects.toMatchObject({
      code: "BRG_LEASE_LOST",
    });
  });
});

describe("the bridge's extender", () => {
  const rollup = "0x00000000000000000000000000000000000000aa" as Address;

  it("extends in time, and has nothing else signed without the lease", async () => {
    let epoch: number | null = null;
    let nowMs = 0;
    const metrics = createBridgeMetrics(new Registry());
    const extender = new LeaseExtender(
      { durationSeconds: DURATION_SECONDS, marginMs: 20_000, confirmations: 1 },
      {
        lease,
        metrics,
        logger: createLogger("test", "silent"),
        sequencer: { leaseEpoch: async () => epoch },
        nowMs: () => nowMs,
      },
    );
    await expect(extender.requireHeld(rollup)).rejects.toMatchObject({ code: "BRG_LEASE_LOST" });
    await send(encodeTake(0, DURATION_SECONDS, "http://a"));
    epoch = 1;
    const { endsAtSeconds } = await lease.read();
    nowMs = (endsAtSeconds - DURATION_SECONDS) * 1_000;
    expect(await extender.nextErrand()).toBeNull();
    await extender.requireHeld(rollup);
    expect([...metrics.raised]).toEqual([]);
    nowMs += 250_000;
    expect(await extender.nextErrand()).toMatchObject({ to: lease.address, name: "extend the lease" });
    nowMs = endsAtSeconds * 1_000 - 20_000;
    await expect(extender.requireHeld(rollup)).rejects.toMatchObject({ code: "BRG_LEASE_ENDED" });
    // An extension may always be tried: the contract refuses one of a past epoch.
    await extender.requireHeld(lease.address);
    await client.setNextBlockTimestamp({ timestamp: BigInt(endsAtSeconds) });
    await send(encodeTake(1, DURATION_SECONDS, "http://b"));
    await expect(extender.requireHeld(lease.address)).rejects.toMatchObject({ code: "BRG_LEASE_LOST" });
    expect(await extender.nextErrand()).toBeNull();
    expect([...metrics.raised]).toEqual(["BRG_LEASE_LOST"]);
  });
});
