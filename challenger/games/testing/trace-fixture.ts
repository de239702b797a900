/** A chain with the contracts of the game, and a small language model whose queries are traced. */

import { quantiseQuery } from "@openledger/attribution/features/quantise";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { compileContracts, pickContract } from "@openledger/contracts/build/compile";
import { deployContract } from "@openledger/contracts/build/deploy";
import { traceGameAbi as ledgerAbi } from "@openledger/contracts/build/trace-abi";
import { startChain } from "@openledger/contracts/testing/chain";
import { refusalOf } from "@openledger/contracts/testing/refusal-of";
import { adapterLayout, usualTargets } from "@openledger/models/architecture/adapter-layout";
import { answerRow } from "@openledger/models/architecture/loss-gradient";
import { loadModel, openModel } from "@openledger/models/files/load-model";
import { memorySource } from "@openledger/models/files/memory-source";
import { encodeTensors } from "@openledger/models/files/safetensors";
import { NONE } from "@openledger/models/kernels/kernels";
import { madeConfigs, makeModel } from "@openledger/models/testing/made-models";
import { runRowTask } from "@openledger/models/training/row-task";
import { type Abi, encodeFunctionData, type Hex, parseAbi, parseEther, zeroAddress } from "viem";
import type { TracedModel, TraceInputs } from "../../trace/query-program.ts";
import {
  describeModel,
  type LedgerModel,
  type TracedQuery,
  type TraceStatement,
  tracingKernels,
} from "../claims/traced-model.ts";
import { inputsOf } from "../claims/traced-text.ts";
import type { PlayerAccount } from "../played-moves.ts";
import { type PlayerOptions, TracePlayer } from "../trace-player.ts";

export const BOND_WEI = parseEther("1");
export const STAKE_WEI = parseEther("0.2");
export const HOUR_SECONDS = 3_600n;
/** What the game alone has besides: claims of no ledger's receipt. */
const freeTracesAbi = parseAbi([
  "struct Statement { address rollup; uint256 modelId; bytes32[] inputs; bytes32 programs; uint256 programCount; uint256 opCount; bytes32 program; bytes tokens; uint256 promptCount; bytes32 query; }",
  "function claim(Statement statement, bytes32[] path) payable returns (uint256 claimId)",
]);
const traceGameAbi = [...ledgerAbi, ...freeTracesAbi] as const;

/** Calls of one contract by anybody. */
export function callsOf(client: Awaited<ReturnType<typeof startChain>>["client"], address: Hex, abi: Abi) {
  const accountOf = (account: Hex): PlayerAccount => ({
    address: account,
    async send({ data, valueWei }) {
      const call = { account, to: address, data, value: valueWei, gas: 16_000_000n };
      const hash = await client.sendTransaction(call);
      return { gasUsed: (await client.getTransactionReceipt({ hash })).gasUsed };
    },
  });
  const read = <Result = never>(functionName: string, args: readonly unknown[] = []) =>
    client.readContract({ address, abi, functionName, args } as never) as Promise<Result>;
  return {
    accountOf,
    read,
    isRefuted: async (claimId: bigint) => (await read<readonly boolean[]>("claims", [claimId]))[3],
    /** Somebody who makes moves by this trace, whatever the claim is. */
    playerOf: (account: Hex, own: TracedQuery | null, changed: Partial<PlayerOptions> = {}) =>
      new TracePlayer({
        ...{ publicClient: client as never, game: address, account: accountOf(account), challenges: false },
        traceOf: () => own,
        ...changed,
      }),
    refusal: (account: Hex, data: Hex, value = 0n) =>
      refusalOf(client, abi, { account, to: address, data, value }),
    send: async (account: Hex, data: Hex, valueWei = 0n) =>
      Number((await accountOf(account).send({ data, valueWei })).gasUsed),
  };
}

/** The data of a call of the game. */
export const gameCall = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: traceGameAbi, functionName, args } as never);

export async function startTraceGame() {
  const { accounts, client, clientsOf, passTime, stop } = await startChain();
  const [deployer, owner, challenger, stranger] = accounts as [Hex, Hex, Hex, Hex];
  const contracts = await compileContracts({ set: "testing" });
  const deploy = async (name: string, args: readonly unknown[]) => {
    const contract = pickContract(contracts, name);
    return (await deployContract(clientsOf(deployer), name, contract, args)).contractAddress;
  };
  const rules = await deploy("TraceRules", []);
  const times = [72n * HOUR_SECONDS, 36n * HOUR_SECONDS];
  const game = await deploy("FreeTraces", [rules, ...times, BOND_WEI, STAKE_WEI]);
  const calls = callsOf(client, game, traceGameAbi);
  return {
    ...{ client, game, rules, owner, challenger, stranger, passTime, stop, ...calls },
    publicClient: client as never,
    /** Claims, by the owner; the claim's id. */
    async claim({ path, statement }: { statement: TraceStatement; path: readonly Hex[] }): Promise<bigint> {
      await calls.send(owner, gameCall("claim", [statement, path]), BOND_WEI);
      return calls.read("claimCount");
    },
    owedWei: (who: Hex): Promise<bigint> => calls.read("owedWei", [who]),
  };
}

/** Any model of made weights, with an adapter and a map of random numbers. */
interface SmallModel {
  readonly model: TracedModel;
  readonly inputs: TraceInputs;
  /** The query as the engine makes it. */
  queryOf(tokens: readonly number[], promptCount: number): Int16Array;
}

const FEATURES = 16;
const TINY = { ...madeConfigs.llama, num_hidden_layers: 1, vocab_size: 40, intermediate_size: 32 };

/** The smallest language model, of 40 tokens, and what texts of at most seven are traced with. */
export async function tinyTraced(named: LedgerModel = { rollup: zeroAddress, modelId: 7n }) {
  const small = await smallModel(TINY, 6);
  const model = describeModel(named, small.model, small.inputs);
  return { model, kernels: tracingKernels("wasm", model) };
}

/** @param config as made-models.ts has them */
export async function smallModel(
  config: Readonly<Record<string, unknown>>,
  maxRows: number,
): Promise<SmallModel> {
  const { tensors } = makeModel(config, "traced");
  const files = new Map([
    ["config.json", new TextEncoder().encode(JSON.stringify(config))],
    ["model.safetensors", encodeTensors(tensors)],
  ]);
  const opened = await openModel(memorySource("made", files));
  const { shape } = opened;
  const settings = { rank: 2, alpha: 4, targets: usualTargets(shape) };
  const adapter = adapterLayout(shape, settings);
  let map = NONE;
  let features = NONE;
  const { adapterBlocks, model } = await loadModel(opened, {
    ...{ kernels: "wasm", maxRows, isTraining: true, adapter: settings, adapterBlocks: 1 },
    placeMore: (plan) => {
      map = plan.take(adapter.floatCount * FEATURES);
      features = plan.take(FEATURES);
    },
  });
  await opened.close();
  const { arena } = model.kernels;
  const random = new SeededRandom("traced adapter");
  const adapterAt = model.adapter!.at;
  for (let k = 0; k < adapter.floatCount; k++) arena[adapterAt + k] = 0.2 * (random.nextFraction() - 0.5);
  for (let k = 0; k < adapter.floatCount * FEATURES; k++) arena[map + k] = random.nextFraction() - 0.5;
  const inputs = inputsOf(model, map, { featureCount: FEATURES, maxRows });
  const gradient = adapterBlocks[0]!;
  return {
    model: { shape, adapter, featureCount: FEATURES, maxRows },
    inputs,
    queryOf(tokens, promptCount) {
      const row = answerRow(tokens.slice(0, promptCount), tokens.slice(promptCount));
      const block = { at: gradient, floatCount: adapter.floatCount };
      runRowTask(model, { row, block, into: { parameters: NONE, adapter: gradient } });
      const left = { at: gradient, rowStride: adapter.floatCount, columnStride: 1 };
      const right = { at: map, rowStride: FEATURES, columnStride: 1 };
      model.kernels.multiply(1, FEATURES, adapter.floatCount, left, right, features, FEATURES, false);
      return quantiseQuery(Float64Array.from(arena.slice(features, features + FEATURES))).values;
    },
  };
}
