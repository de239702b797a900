/** One judge of language models on a chain of its own. It believes any statement: the registry compares that with the model commitment. */
import { sha256 } from "@noble/hashes/sha2.js";
import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { deployContract } from "@openledger/contracts/build/deploy";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { startChain } from "@openledger/contracts/testing/chain";
import { refusalOf } from "@openledger/contracts/testing/refusal-of";
import { bytesToHex, decodeFunctionResult, encodeFunctionData, type Hex, zeroHash } from "viem";
import { type LeafTree, leafTree } from "../../statements/leaf-tree.ts";
import type { OpenedLeaf, StatementTuple } from "../../statements/model-commitment-calls.ts";

interface JudgeCall {
  readonly functionName: string;
  readonly args: readonly unknown[];
}

/** IDisputes.Fault. */
export const FAULT = { tokens: 1, duplicate: 15 } as const;

export async function startJudge(name: "TextTokens" | "TextOverlap") {
  const { accounts, client, clientsOf, gasOf, stop } = await startChain();
  const [account] = accounts as [Hex];
  const contracts = await compileContracts({ set: "disputes" });
  const contract = pickContract(contracts, name);
  const clients = clientsOf(account);
  const deploy = async (what: string, args: readonly Hex[]) =>
    (await deployContract(clients, what, pickContract(contracts, what), args)).contractAddress;
  const to = await deploy(name, name === "TextTokens" ? [await deploy("WordBorders", [])] : []);
  const errors = [...disputesAbi, ...traceGameAbi, ...contract.abi];
  return {
    stop,
    /** A function that judges nothing. */
    read: (functionName: string, args: readonly unknown[]) =>
      client.readContract({ address: to, abi: contract.abi, functionName, args } as never) as Promise<never>,
    /** A verdict's three parts; the name of the error that it reverts with. */
    async judge(
      call: JudgeCall,
    ): Promise<readonly [isRight: boolean, fault: number, place: bigint] | string> {
      const data = encodeFunctionData({ abi: contract.abi, ...call } as never);
      const refusal = await refusalOf(client, errors, { account, to, data });
      if (refusal !== null) return refusal;
      const { data: result } = await client.call({ account, to, data });
      const [functionName] = contract.abi.flatMap((item) =>
        item.type === "function" && item.outputs.length === 3 ? [item.name] : [],
      );
      return decodeFunctionResult({ abi: contract.abi, functionName: functionName!, data: result! }) as never;
    },
    /** Gas of a transaction. */
    async gasOf(call: JudgeCall): Promise<number> {
      const data = encodeFunctionData({ abi: contract.abi, ...call } as never);
      const hash = await client.sendTransaction({ account, to, data, gas: 1n << 24n } as never);
      return Number(await gasOf(hash));
    },
  };
}

/** Roots of these trees, and zeros. */
export function anyStatement(changed: Partial<StatementTuple>): StatementTuple {
  const [zero, none] = [0n, zeroHash];
  return {
    ...{ modelId: 3, staticsHash: zero, rowsRoot: zero, answering: zero, ownersCommitment: zero },
    ...{ payeeRoot: zero, binding: zero, split: zero, rowCount: 1, bucketCount: 8, columnCount: 8 },
    ...{ decay: zero, clipLength: 0, clipQuantile: 1n << 40n, sharesDuplicates: true },
    ...{ rows: none, tokens: none, facts: none },
    ...{ features: none, map: none, inputs: none, weights: none, columns: none, points: none },
    ...changed,
  };
}

export const rowTree = (contents: readonly Uint8Array[]): LeafTree =>
  leafTree(contents.map((content) => sha256(content)));

/** @param data what is shown: of a row its content */
export const openedLeaf = (tree: LeafTree, index: number, data: Uint8Array): OpenedLeaf => ({
  data: bytesToHex(data),
  path: tree.path(index).map((node) => bytesToHex(node)),
});
