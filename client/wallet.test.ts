import { type Anvil, startAnvil } from "@openledger/contracts/l1/anvil";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { connect, deployFixture, type Fixture, OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { BaseError, createTestClient, type Hex, http, parseGwei, publicActions, walletActions } from "viem";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { approveToken } from "./actions/l1/approve-token.ts";
import { deposit } from "./actions/l1/deposit.ts";
import { deriveKey } from "./l2-key.ts";
import { createLedgerClient, type LedgerClient } from "./ledger-client.ts";
import { ensureChain, requestAccount, type WalletProvider, walletSigner } from "./wallet.ts";

let f: Fixture;
let anvil: Anvil;
let node: ReturnType<typeof createNode>;
beforeAll(async () => {
  anvil = await startAnvil();
  f = await deployFixture(await connect(anvil));
  node = createNode();
});
afterAll(() => anvil?.stop());

/** The fixture's own client waits for each transaction to be mined. */
const createNode = () =>
  createTestClient({ chain: foundry, mode: "anvil", transport: http(anvil.url) })
    .extend(publicActions)
    .extend(walletActions);

type Answers = Record<string, (params: readonly unknown[]) => unknown>;
const fails = (code: number) => () => {
  throw Object.assign(new Error("the wallet says no"), { code });
};

/** An EIP-1193 wallet: the node's own accounts, and a person who answers some requests otherwise. */
function walletOf(answers: Answers = {}): WalletProvider & { readonly methods: string[] } {
  const methods: string[] = [];
  return {
    methods,
    request: async ({ method, params }) => {
      methods.push(method);
      const own = answers[method];
      return own === undefined
        ? node.request({ method, params } as never)
        : own((params ?? []) as readonly unknown[]);
    },
  };
}

/** Client with the wallet alone, which is also its node. */
const clientOf = (provider: WalletProvider): Promise<LedgerClient> =>
  createLedgerClient({
    rollupAddress: f.deployment.rollup,
    wallet: { provider, address: f.roles.alice },
  });

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: { code?: string }) => error.code,
  );

describe("a client with an EIP-1193 wallet", () => {
  it("deposits by a permit, and tells the transaction's hash before it is mined", async () => {
    const client = await clientOf(walletOf());
    await approveToken(client, { amountWei: 0n });
    const hashes: Hex[] = [];
    const { transactionHash, queueIndex } = await deposit(client, {
      amountWei: 2n * OPEN,
      keyX: 7n,
      isNew: true,
      onSent: (hash) => void hashes.push(hash),
    });
    expect(hashes).toEqual([transactionHash]);
    expect(await f.rollup.read.queueTail()).toBe(BigInt(queueIndex + 1));
  });

  it("holds the wallet's transaction to the cap, and sends none above it", async () => {
    const wallet = walletOf();
    const capped = {
      ...(await clientOf(wallet)),
      spendingCap: { maxFeePerGasWei: 1n, maxPriorityFeePerGasWei: parseGwei("10") },
    };
    expect(await codeOf(approveToken(capped, { amountWei: 1n }))).toBe("CON_L1_COST_ABOVE_CAP");
    expect(wallet.methods).not.toContain("eth_sendTransaction");
  });

  it("names a refusal of the owner, for transactions and for permits", async () => {
    const client = await clientOf(
      walletOf({ eth_sendTransaction: fails(4001), eth_signTypedData_v4: fails(4001) }),
    );
    expect(await codeOf(approveToken(client, { amountWei: 1n }))).toBe("CLI_WALLET_REJECTED");
    await approveToken(await clientOf(walletOf()), { amountWei: 0n });
    expect(await codeOf(deposit(client, { amountWei: OPEN, isNew: true }))).toBe("CLI_WALLET_REJECTED");
  });

  it("sends nothing through a wallet that is on another network", async () => {
    let chainId = "0x7a69";
    const elsewhere = walletOf({ eth_chainId: () => chainId });
    const client = await clientOf(elsewhere);
    // It has moved on since.
    chainId = "0x1";
    expect(await codeOf(approveToken(client, { amountWei: 1n }))).toBe("CLI_WALLET_WRONG_CHAIN");
    expect(elsewhere.methods).not.toContain("eth_sendTransaction");
  });

  it.each([
    ["sped up", true],
    ["cancelled", false],
  ])("follows a transaction that the wallet has %s", async (_how, isSame) => {
    const wallet = walletOf();
    const client = await clientOf(wallet);
    await node.setAutomine(false);
    try {
      let replacedBy: Hex | null = null;
      const replace = async (hash: Hex) => {
        const { nonce, to, input, maxFeePerGas } = await node.getTransaction({ hash });
        // Somebody has to have seen the first one before.
        await expect.poll(() => wallet.methods).toContain("eth_getTransactionByHash");
        replacedBy = await node.sendTransaction({
          account: f.roles.alice,
          nonce,
          to: isSame ? to! : f.roles.alice,
          data: isSame ? input : "0x",
          maxFeePerGas: maxFeePerGas! + parseGwei("20"),
          maxPriorityFeePerGas: parseGwei("9"),
        });
        await node.mine({ blocks: 1 });
      };
      const sent = approveToken(client, {
        amountWei: isSame ? 11n : 12n,
        onSent: (hash) => void replace(hash),
      });
      if (isSame) expect((await sent).transactionHash).toBe(replacedBy);
      else expect(await codeOf(sent)).toBe("CLI_L1_CANCELLED");
    } finally {
      await node.setAutomine(true);
    }
  });
});

it.each([true, false])(
  "asks whether a node that refuses a transaction has it all the same: %s",
  async (hasIt) => {
    const where = { rpcUrl: anvil.url, rollupAddress: f.deployment.rollup };
    const client = await createLedgerClient({ ...where, wallet: anvilAccount(8) });
    // EDR answers so for a transaction that it has mined and seen revert.
    const sendRawTransaction: typeof client.l1.sendRawTransaction = async (sent) => {
      if (hasIt) await client.l1.sendRawTransaction(sent);
      throw new BaseError("VM Exception while processing transaction");
    };
    const sent = approveToken({ ...client, l1: { ...client.l1, sendRawTransaction } }, { amountWei: 3n });
    expect(await codeOf(sent)).toBe(hasIt ? "no error" : "CLI_UNREACHABLE");
  },
);

describe("the ledger key of a wallet", () => {
  const derive = (provider: WalletProvider, knownKeysX: readonly bigint[] = []) =>
    deriveKey({
      wallet: walletSigner(provider, f.roles.bob),
      chainId: 31337,
      rollupAddress: f.deployment.rollup,
      knownKeysX,
    });

  it("takes two signatures the first time, and one where the account has that key", async () => {
    const wallet = walletOf();
    const { keyX } = await derive(wallet);
    expect(wallet.methods.filter((method) => method === "eth_signTypedData_v4")).toHaveLength(2);
    const again = walletOf();
    expect((await derive(again, [5n, keyX])).keyX).toBe(keyX);
    expect(again.methods.filter((method) => method === "eth_signTypedData_v4")).toHaveLength(1);
  });

  it("is not made where the owner declines", async () => {
    expect(await codeOf(derive(walletOf({ eth_signTypedData_v4: fails(4001) })))).toBe("CLI_WALLET_REJECTED");
  });
});

describe("ensureChain", () => {
  it("switches, adds what the wallet does not know, and says where it stayed", async () => {
    let chainId = "0x1";
    const added: unknown[] = [];
    const unknowing = walletOf({
      eth_chainId: () => chainId,
      wallet_switchEthereumChain: fails(4902),
      wallet_addEthereumChain: ([chain]) => {
        added.push(chain);
        chainId = "0x7a69";
        return null;
      },
    });
    expect(await codeOf(ensureChain(unknowing, { chainId: 31337, rpcUrl: null }))).toBe(
      "CLI_WALLET_WRONG_CHAIN",
    );
    expect(added).toEqual([]);
    await ensureChain(unknowing, { chainId: 31337, rpcUrl: "http://127.0.0.1:8545" });
    expect(added).toMatchObject([{ chainId: "0x7a69", rpcUrls: ["http://127.0.0.1:8545"] }]);
    const lying = walletOf({ eth_chainId: () => "0x1", wallet_switchEthereumChain: () => null });
    expect(await codeOf(ensureChain(lying, { chainId: 31337, rpcUrl: null }))).toBe("CLI_WALLET_WRONG_CHAIN");
  });

  const chainOf = (error: object, when: "adding" | "switching" | "later") => {
    let chainId = "0x1";
    let isAdded = false;
    const move = () => {
      chainId = "0x7a69";
      return null;
    };
    return walletOf({
      eth_chainId: () => chainId,
      wallet_switchEthereumChain: () => {
        if (!isAdded) throw error;
        if (when === "later") setTimeout(move, 50);
        return when === "switching" ? move() : null;
      },
      wallet_addEthereumChain: () => {
        isAdded = true;
        return when === "adding" ? move() : null;
      },
    });
  };
  const unknown = { code: 4902, message: "Unrecognized chain ID" };

  const saysUnknown: readonly [wallet: string, error: object][] = [
    ["EIP-3326", unknown],
    ["MetaMask Mobile", { code: -32603, message: "x", data: { originalError: unknown } }],
    ["one with the code in data", { code: -32000, data: unknown }],
    ["one behind a library", Object.assign(new Error("x"), { cause: { error: { code: "4902" } } })],
    ["ethers", { code: "UNKNOWN_ERROR", info: { error: unknown } }],
    ["JSON in data", { code: -32603, data: JSON.stringify({ originalError: unknown }) }],
  ];

  it("adds the network to a wallet that does not know it, however it says so", async () => {
    const cases = saysUnknown.flatMap(([name, error]) =>
      (["adding", "switching", "later"] as const).map((when) => ({ name, error, when })),
    );
    // At once: each waits for two seconds.
    await Promise.all(
      cases.map(async ({ error, name, when }) => {
        const wallet = chainOf(error, when);
        await ensureChain(wallet, { chainId: 31337, rpcUrl: "http://127.0.0.1:8545" });
        const switches = wallet.methods.filter((method) => method === "wallet_switchEthereumChain");
        expect(
          [wallet.methods.includes("wallet_addEthereumChain"), switches.length],
          `${name}, ${when}`,
        ).toEqual([true, when === "adding" ? 1 : 2]);
      }),
    );
  });

  it("waits for a wallet that switches after its answer", async () => {
    let chainId = "0x1";
    const late = walletOf({
      eth_chainId: () => chainId,
      wallet_switchEthereumChain: () => {
        setTimeout(() => {
          chainId = "0x7a69";
        }, 50);
        return null;
      },
    });
    await ensureChain(late, { chainId: 31337, rpcUrl: null });
  });
});

it.each([
  ["EIP-1193", { code: 4001 }],
  ["MetaMask Mobile", { code: -32603, data: { originalError: { code: 4001 } } }],
  ["WalletConnect", { code: 5000, message: "User rejected." }],
  ["ethers by its word", { code: "ACTION_REJECTED" }],
  ["ethers of before, as JSON", { code: "SERVER_ERROR", error: { body: '{"error":{"code":4001}}' } }],
  ["a library that asks several", { errors: [new Error("no answer"), { code: 4001 }] }],
  ["JSON in data", { code: -32603, data: '{"code":4001}' }],
])("a refusal of the owner is told as one by %s", async (_, error) => {
  const client = await clientOf(
    walletOf({
      eth_sendTransaction: () => {
        throw Object.assign(new Error("the wallet says no"), error);
      },
    }),
  );
  expect(await codeOf(approveToken(client, { amountWei: 1n }))).toBe("CLI_WALLET_REJECTED");
});

describe("requestAccount", () => {
  const failing = (error: object) => ({ request: () => Promise.reject(error) });

  it.each([
    [
      "by the wallet itself",
      { code: -32_002, message: "Request of type 'wallet_requestPermissions' already pending" },
    ],
    [
      "in a library's cause",
      Object.assign(new Error("failed"), { cause: { data: { originalError: { code: "-32002" } } } }),
    ],
  ])("tells a request that waits in the wallet apart from a refusal: %s", async (_where, error) => {
    await expect(requestAccount(failing(error))).rejects.toMatchObject({
      code: "CLI_WALLET_UNAVAILABLE",
      data: { reason: "pending" },
      remedy: expect.stringMatching(/answer what waits there/),
      isRetryable: true,
    });
  });

  it("calls a refusal a refusal, and no other failure", async () => {
    expect(await codeOf(requestAccount(failing({ code: 4001 })))).toBe("CLI_WALLET_REJECTED");
    await expect(requestAccount(failing({ code: -32_603 }))).rejects.toMatchObject({
      code: "CLI_WALLET_UNAVAILABLE",
      data: { reason: "failed" },
    });
  });

  it("gives the first account, or null", async () => {
    expect(await requestAccount({ request: async () => ["0xa", "0xb"] })).toBe("0xa");
    expect(await requestAccount({ request: async () => [] }, "eth_accounts")).toBeNull();
  });
});
