import { setTimeout } from "node:timers/promises";
import {
  behindLimit,
  dropsBlocksBefore,
  type Limit,
  rpcResult,
} from "@openledger/bridge/testing/limited-node";
import { KIND } from "@openledger/circuits/protocol";
import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { connect, deployFixture, type Fixture, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { type Hex, hashTypedData, pad } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { force } from "./actions/forced/force.ts";
import { approveToken } from "./actions/l1/approve-token.ts";
import { awaitProposal, findProposal } from "./actions/l1/await-proposal.ts";
import { deposit } from "./actions/l1/deposit.ts";
import { sendToken } from "./actions/l1/send-token.ts";
import { signPermit } from "./actions/l1/sign-permit.ts";
import { isContractWallet } from "./contract-wallet.ts";
import type { L1Proposal } from "./l1-proposal.ts";
import { deriveKey } from "./l2-key.ts";
import { createLedgerClient, type LedgerClient } from "./ledger-client.ts";
import { deploySafe, type SafeWallet } from "./testing/safe-wallet.ts";
import { walletSigner } from "./wallet.ts";

const owners = [7, 8, 9].map(anvilAccount);

let anvil: Anvil;
let f: Fixture;
let safe: SafeWallet;
let client: LedgerClient;
beforeAll(async () => {
  anvil = await startAnvil();
  f = await deployFixture(await connect(anvil));
});
afterAll(() => anvil?.stop());
// One Safe for each test: waiting proposals block later ones.
beforeEach(async () => {
  safe = await deploySafe(anvil.url, owners, 2);
  await f.token.write.transfer([safe.address, 100n * OPEN], { account: f.roles.holder });
  client = await createLedgerClient({
    rollupAddress: f.deployment.rollup,
    wallet: { provider: safe, address: safe.address },
  });
});

const bothSign = () => {
  safe.signers = owners.slice(0, 2);
};
const queueTail = async () => Number(await f.rollup.read.queueTail());
interface Failure {
  code?: string;
  data?: Record<string, unknown>;
}
const ended = (call: Promise<unknown>) =>
  call.then(
    (): Failure => ({ code: "no error" }),
    (error: Failure) => error,
  );

describe("a client with a Safe of two out of three owners", () => {
  it("knows that it is a contract, and an address that delegates its own key is none", async () => {
    expect(await isContractWallet(client)).toBe(true);
    const own = { provider: safe, address: f.roles.alice };
    const ofAlice = await createLedgerClient({ rollupAddress: f.deployment.rollup, wallet: own });
    expect(await isContractWallet(ofAlice)).toBe(false);
    await f.client.setCode({ address: f.roles.alice, bytecode: `0xef0100${safe.address.slice(2)}` });
    expect(await isContractWallet(ofAlice)).toBe(false);
    await f.client.setCode({ address: f.roles.alice, bytecode: "0x" });
  });

  it("has to say how the rollup may take its OPEN: it can sign, but no permit", async () => {
    const refused = await ended(deposit(client, { amountWei: OPEN, isNew: true }));
    expect(refused).toMatchObject({
      code: "CLI_WALLET_UNSUPPORTED",
      data: { reason: "no-permit", address: safe.address },
    });
    expect(await ended(signPermit(client, OPEN))).toMatchObject({
      code: "CLI_WALLET_UNSUPPORTED",
      data: { reason: "no-permit" },
    });
    // No request reached the owners.
    expect(safe.methods).not.toContain("eth_signTypedData_v4");
    expect(safe.pending).toEqual([]);
    // It is a wallet of EIP-1271: its owners' joint signature holds for the Safe, though not as ECDSA.
    const message = {
      domain: { name: "OpenLedger" },
      types: { Word: [{ name: "word", type: "string" }] },
      primaryType: "Word",
      message: { word: "open" },
    } as const;
    const signature = await walletSigner(safe, safe.address).signTypedData(message as never);
    expect(await safe.isValidSignature(hashTypedData(message), signature)).toBe(true);
  });

  it.each([
    ["one after the other", "approve", 2],
    ["as one", "batch", 1],
  ] as const)("approves and deposits %s", async (_how, permission, executed) => {
    bothSign();
    const proposals: L1Proposal[] = [];
    const before = await queueTail();
    const result = await deposit(client, {
      amountWei: 20n * OPEN,
      keyX: 7n,
      isNew: true,
      permission,
      onProposed: (proposal) => void proposals.push(proposal),
    });
    expect(result.queueIndex).toBe(before);
    expect(result.receipt.logs.at(-1)?.address.toLowerCase()).toBe(safe.address.toLowerCase());
    expect(proposals).toMatchObject([{ account: safe.address }]);
    // The Safe's own name for it, not the transaction's hash.
    expect(proposals[0]!.hash).not.toBe(result.transactionHash);
    expect(safe.methods.filter((method) => /send/i.test(method))).toHaveLength(executed);
    expect(await f.token.read.allowance([safe.address, f.deployment.rollup])).toBe(0n);
    // The allowance is there already.
    await f.client.setBalance({ address: safe.address, value: 0n });
    await approveToken(client, { amountWei: 50n * OPEN });
    expect(await deposit(client, { amountWei: 2n * OPEN, keyX: 7n, isNew: true })).toMatchObject({
      queueIndex: before + 1,
    });
  });

  it("names a wallet that takes no batch, and sends nothing", async () => {
    safe.takesBatches = false;
    const refused = await ended(deposit(client, { amountWei: OPEN, permission: "batch", isNew: true }));
    expect(refused.code).toBe("CLI_WALLET_UNSUPPORTED");
    expect(safe.pending).toEqual([]);
  });

  it("hands over what waits for an owner, and goes on where it was left, in another process, too", async () => {
    const before = await queueTail();
    const stored = await proposedDeposit(9n, 700);
    expect(await queueTail()).toBe(before);
    const other = await createLedgerClient({ rpcUrl: anvil.url, rollupAddress: f.deployment.rollup });
    expect(await findProposal(other, stored)).toBeNull();
    const waiting = awaitProposal(other, stored);
    await f.client.mine({ blocks: 3 });
    const [hash] = await safe.sign(owners[2]!);
    expect((await waiting).transactionHash).toBe(hash);
    expect((await findProposal(other, stored))?.transactionHash).toBe(hash);
    expect(await queueTail()).toBe(before + 1);
  });

  it("finds what was executed though the node left it out when its block was searched", async () => {
    const proposal = await proposedDeposit(19n);
    const [hash] = await safe.sign(owners[2]!);
    await f.client.mine({ blocks: 80 });
    const [from, upTo] = [BigInt(proposal.fromBlock), await f.client.getBlockNumber()];
    let wholeCount = 0;
    const limit: Limit = ({ method, params }) => {
      if (method !== "eth_getLogs") return null;
      const { fromBlock, toBlock } = params![0] as { fromBlock: Hex; toBlock: Hex };
      const isWhole = BigInt(fromBlock) <= from && BigInt(toBlock) >= upTo;
      // The first look asks for the Safe's events, then for the call's effect.
      return isWhole && ++wholeCount <= 2 ? { body: rpcResult([]) } : null;
    };
    const { result } = await behindLimit(anvil.url, limit, async (rpcUrl) => {
      const other = await createLedgerClient({ rpcUrl, rollupAddress: f.deployment.rollup });
      return awaitProposal(other, proposal, { timeoutMs: 400 });
    });
    expect(result.transactionHash).toBe(hash);
  });

  it("finds what was executed in blocks that the node shows, and says where it cannot know", async () => {
    const proposal = await proposedDeposit(29n);
    await f.client.mine({ blocks: 80 });
    const headNumber = async () => Number(await f.client.getBlockNumber({ cacheTime: 0 }));
    const look = async <T>(run: (other: LedgerClient) => Promise<T>) => {
      const now = await headNumber();
      return behindLimit(anvil.url, dropsBlocksBefore(now - 49, now, "refused"), async (rpcUrl) =>
        run(await createLedgerClient({ rpcUrl, rollupAddress: f.deployment.rollup })),
      );
    };
    const head = await headNumber();
    const unknown = { code: "CLI_L1_LOGS_INCOMPLETE", data: { firstShownBlock: head - 49, proposal } };
    await expect(look((other) => findProposal(other, proposal))).rejects.toMatchObject(unknown);
    await expect(look((other) => awaitProposal(other, proposal, { timeoutMs: 300 }))).rejects.toMatchObject(
      unknown,
    );
    const [hash] = await safe.sign(owners[2]!);
    await f.client.mine({ blocks: 20 });
    const { result: found } = await look((other) => findProposal(other, proposal));
    expect(found?.transactionHash).toBe(hash);
    const { result: awaited } = await look((other) => awaitProposal(other, proposal, { timeoutMs: 300 }));
    expect(awaited.transactionHash).toBe(hash);
  });

  it("is not fooled by a Safe's transaction that went through while the call in it failed", async () => {
    await approveBy(2);
    safe.safeTxGas = 1n;
    safe.signers = owners.slice(0, 1);
    const sent = ended(deposit(client, { amountWei: 3n * OPEN, keyX: 9n, isNew: true }));
    await expect.poll(() => safe.pending.length).toBe(1);
    // The OPEN is gone meanwhile: a call that could be simulated before fails now.
    await f.client.impersonateAccount({ address: safe.address });
    await f.client.setBalance({ address: safe.address, value: 10n ** 18n });
    await f.token.write.transfer([f.roles.bob, 99n * OPEN], { account: safe.address });
    await safe.sign(owners[1]!);
    expect((await sent).code).toBe("CLI_L1_REVERTED");
  });

  it("forces operations, tells its fee's approval along, and finds each entry by its content", async () => {
    bothSign();
    const tail = await queueTail();
    const fee = { permission: "batch" } as const;
    const { queueIndex } = await force(client, { type: "withdraw", id: 4, amountWei: 2n * OPEN, ...fee });
    expect(queueIndex).toBe(tail);
    await force(client, { type: "setKey", id: 4, keyX: 11n });
    await force(client, {
      type: "transfer",
      id: 4,
      to: 5,
      amountWei: "all",
      expectedOwner: f.roles.bob,
      ...fee,
    });
    await force(client, { type: "closeEpoch", modelId: 6, ...fee });
    const added = await f.rollup.getEvents.QueueEntryAdded({ sender: safe.address }, { fromBlock: 0n });
    expect(added.map(({ args }) => args.kind)).toEqual([
      KIND.forcedWithdraw,
      KIND.forcedSetKey,
      KIND.forcedTransfer,
      KIND.forcedCloseEpoch,
    ]);
    expect(BigInt(pad(added[0]!.args.sender!))).toBe(added[0]!.args.word1);
    await sendToken(client, { to: f.roles.bob, amountWei: 5n });
  });

  it("tells two entries that wait at the same time from each other by the Safe's own events", async () => {
    await approveBy(2);
    safe.signers = owners.slice(0, 1);
    const before = await queueTail();
    const same = { amountWei: 2n * OPEN, keyX: 9n, isNew: true };
    const first = deposit(client, same);
    await expect.poll(() => safe.pending.length).toBe(1);
    const second = deposit(client, same);
    await expect.poll(() => safe.pending.length).toBe(2);
    const last = safe.takeBack();
    const hashes: Hex[] = await safe.sign(owners[1]!);
    expect((await first).queueIndex).toBe(before);
    // The other one goes on waiting, although an entry like its own is there.
    await f.client.mine({ blocks: 2 });
    expect(await Promise.race([second, setTimeout(1_500, "waits")])).toBe("waits");
    safe.putBack(last);
    hashes.push(...(await safe.sign(owners[1]!)));
    const results = await Promise.all([first, second]);
    expect(results.map(({ transactionHash }) => transactionHash)).toEqual(hashes);
    expect(results.map(({ queueIndex }) => queueIndex)).toEqual([before, before + 1]);
  });

  it("finds its own entry where one transaction executes several", async () => {
    await approveBy(2);
    safe.signers = owners.slice(0, 1);
    safe.isRelayed = true;
    const before = await queueTail();
    const first = deposit(client, { amountWei: 3n * OPEN, keyX: 9n, isNew: true });
    await expect.poll(() => safe.pending.length).toBe(1);
    const second = deposit(client, { amountWei: 4n * OPEN, keyX: 9n, isNew: true });
    await expect.poll(() => safe.pending.length).toBe(2);
    const hashes = await safe.sign(owners[1]!);
    expect(hashes).toHaveLength(1);
    const results = await Promise.all([first, second]);
    expect(results.map(({ queueIndex }) => queueIndex)).toEqual([before, before + 1]);
  });

  it("has no ledger key of its own: an owner derives one for it", async () => {
    const deployment = { chainId: 31337, rollupAddress: f.deployment.rollup };
    const own = deriveKey({ wallet: walletSigner(safe, safe.address), ...deployment });
    expect((await ended(own)).code).toBe("CLI_WALLET_UNSUPPORTED");
    const key = await deriveKey({ wallet: owners[0]!, ...deployment, contractWallet: safe.address });
    const again = await deriveKey({ wallet: owners[0]!, ...deployment, contractWallet: safe.address });
    expect(again.keyX).toBe(key.keyX);
  });

  async function approveBy(count: number): Promise<void> {
    const { signers } = safe;
    safe.signers = owners.slice(0, count);
    await approveToken(client, { amountWei: 50n * OPEN });
    safe.signers = signers;
  }

  /** Deposits by one of the two signatures that the Safe asks for. @returns the proposal that waits for the other, out of JSON */
  async function proposedDeposit(keyX: bigint, timeoutMs = 300): Promise<L1Proposal> {
    safe.signers = owners.slice(0, 1);
    await approveBy(2);
    const refused = await ended(deposit(client, { amountWei: 3n * OPEN, keyX, isNew: true, timeoutMs }));
    expect(refused.code).toBe("CLI_L1_PROPOSED");
    return JSON.parse(JSON.stringify(refused.data!.proposal)) as L1Proposal;
  }
});
