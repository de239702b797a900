import { createPublicClient, custom, type Hex, RpcRequestError } from "viem";
import { describe, expect, it, test } from "vitest";
import { type SendAnswer, sendSigned } from "./send-signed.ts";

const hash = `0x${"ab".repeat(32)}` as const;
const account = `0x${"11".repeat(20)}` as const;

interface Node {
  readonly refusal: { readonly code: number; readonly message: string } | null;
  readonly hasIt?: boolean;
  /** Number of the account's mined transactions. */
  readonly count?: number;
}

function send({ count = 5, hasIt = false, refusal }: Node) {
  const methods: string[] = [];
  const request = async ({ method }: { method: string }) => {
    methods.push(method);
    if (method === "eth_sendRawTransaction" && refusal !== null)
      throw new RpcRequestError({ body: { method }, error: refusal, url: "http://node" });
    if (method === "eth_getTransactionCount") return `0x${count.toString(16)}`;
    if (method === "eth_getTransactionByHash") return hasIt ? { hash, type: "0x2", value: "0x0" } : null;
    return hash;
  };
  const client = createPublicClient({ transport: custom({ request }, { retryCount: 0 }), cacheTime: 0 });
  const sent = sendSigned(client, { raw: "0x02" as Hex, transactionHash: hash, account, nonce: 5 });
  return { sent, methods };
}

/** Texts in the clients' sources: client, file, text. Code -32000 unless the line names another. */
const TEXTS: readonly (readonly [string, string, SendAnswer])[] = [
  ["geth core/txpool/errors.go", "already known", "taken"],
  ["geth core/txpool/errors.go", "replacement transaction underpriced", "nonce held"],
  ["geth core/txpool/errors.go", "transaction underpriced", "underpriced"],
  ["geth core/txpool/errors.go", "address already reserved", "other pool"],
  ["geth core/error.go", "nonce too low: next nonce 7, tx nonce 5", "taken"],
  ["Nethermind TxPoolErrorMessages.cs", "already known", "taken"],
  ["Nethermind TxPoolErrorMessages.cs", "replacement transaction underpriced", "nonce held"],
  ["Nethermind TxPoolErrorMessages.cs", "pending transaction type conflict", "other pool"],
  ["Nethermind AcceptTxResult.cs, 2022 to 2025", "AlreadyKnown", "taken"],
  [
    "Nethermind AcceptTxResult.cs, 2022 to 2025",
    "OldNonce, Current nonce: 7, nonce of rejected tx: 5",
    "taken",
  ],
  ["Nethermind AcceptTxResult.cs, 2022 to 2025", "ReplacementNotAllowed", "nonce held"],
  ["Nethermind AcceptTxResult.cs, 2022 to 2025", "FeeTooLow, MaxFeePerGas too low", "underpriced"],
  ["Nethermind AcceptTxResult.cs, 2022 to 2025", "PendingTxsOfConflictingType", "other pool"],
  ["Besu RpcErrorType.java", "Known transaction", "taken"],
  ["Besu RpcErrorType.java, -32001", "Nonce too low", "taken"],
  ["Besu RpcErrorType.java", "Replacement transaction underpriced", "nonce held"],
  ["Besu RpcErrorType.java, -32009", "Gas price below configured minimum gas price", "underpriced"],
  ["Besu RpcErrorType.java, -32009", "Gas price below current base fee", "underpriced"],
  ["Besu RpcErrorType.java, -32009", "blob gas price below current blob base fee", "underpriced"],
  ["Erigon txpoolcfg.go", "already known", "taken"],
  ["Erigon txpoolcfg.go", "existing txn with same hash", "taken"],
  ["Erigon txpoolcfg.go, before 3", "existing tx with same hash", "taken"],
  ["Erigon txpoolcfg.go", "could not replace existing tx", "nonce held"],
  ["Erigon txpoolcfg.go", "underpriced", "underpriced"],
  ["Erigon txpoolcfg.go", "fee too low", "underpriced"],
  ["Erigon txpoolcfg.go", "can't replace blob-txn with a non-blob-txn", "other pool"],
  ["Reth rpc-eth-types/src/error/mod.rs", "already known", "taken"],
  ["Reth rpc-eth-types/src/error/mod.rs", "replacement transaction underpriced", "nonce held"],
  ["Reth rpc-eth-types/src/error/mod.rs", "address already reserved", "other pool"],
  [
    "Reth transaction-pool/src/error.rs",
    "insufficient gas price to replace existing transaction.",
    "nonce held",
  ],
  [
    "Reth transaction-pool/src/error.rs",
    "transaction type 3 conflicts with existing transaction for 0x11",
    "other pool",
  ],
  ["EthereumJS client/src/service/txpool.ts", "0xab: this transaction is already in the TxPool", "taken"],
  [
    "EthereumJS client/src/service/txpool.ts",
    "replacement gas too low, got tip 1, min: 2, got fee 1, min: 2",
    "nonce held",
  ],
  [
    "EthereumJS client/src/service/txpool.ts",
    "0x11 tries to send a tx with nonce 5, but account has nonce 7 (tx nonce too low)",
    "taken",
  ],
  [
    "EthereumJS client/src/service/txpool.ts",
    "Tx does not pay the minimum gas price of 100000000",
    "underpriced",
  ],
  // The client answers so after it has put the transaction into its pool.
  ["EthereumJS client/src/rpc/modules/eth.ts, -32603", "no peer connection available", "taken"],
  ["anvil", "max fee per gas less than block base fee", "underpriced"],
  ["anvil", "transaction already imported", "taken"],
];

describe("what a node says of a signed transaction", () => {
  it.each(TEXTS)("%s: %s", async (source, message, answer) => {
    const code = Number(/-32\d+/.exec(source)?.[0] ?? -32_000);
    const sent = await send({ refusal: { code, message } }).sent;
    expect(sent).toMatchObject({ answer, refusal: { code: "BRG_L1_REFUSED" } });
  });

  it("counts for nothing where the node has the transaction, or its nonce is used up", async () => {
    const refusal = { code: -32_000, message: "words of a client that is not known" };
    expect(await send({ refusal, hasIt: true }).sent).toMatchObject({ answer: "taken" });
    expect(await send({ refusal, count: 6 }).sent).toMatchObject({ answer: "taken" });
    await expect(send({ refusal }).sent).rejects.toMatchObject({ code: "BRG_L1_REFUSED" });
    const underpriced = { code: -32_000, message: "replacement transaction underpriced" };
    expect(await send({ refusal: underpriced, hasIt: true }).sent).toMatchObject({ answer: "taken" });
  });
});

test("a transaction that is taken costs one request, and one that cannot be paid is refused", async () => {
  const { methods, sent } = send({ refusal: null });
  expect(await sent).toEqual({ answer: "taken", refusal: null });
  expect(methods).toEqual(["eth_sendRawTransaction"]);
  for (const message of [
    "insufficient funds for gas * price + value",
    "InsufficientFunds, Account balance: 0, cumulative cost: 1",
    "Upfront cost exceeds account balance",
    "EIP-7702 transaction with authority already reserved",
    "intrinsic gas too low",
    "exceeds block gas limit",
  ])
    await expect(send({ refusal: { code: -32_000, message } }).sent, message).rejects.toMatchObject({
      code: "BRG_L1_REFUSED",
    });
});
