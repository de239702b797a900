import { activationHash } from "@openledger/circuits/ledger/rewards";
import { FAMILY_RULES } from "@openledger/contracts/build/dispute-judges";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  type PublicClient,
  zeroAddress,
} from "viem";
import { clientError } from "../../client-errors.ts";
import { staticsOf } from "../../sequencer/model-reads.ts";
import type { LedgerModelLeaf } from "../../sequencer/model-schemas.ts";
import { type ModelOnL1, NOTHING_ON_L1 } from "./model-answers.ts";

/** Of a ledger client, or any other way to the rollup's contract. */
export interface L1Reader {
  readonly l1: PublicClient;
  readonly rollupAddress: Address;
}

export type ReadModelOnL1ErrorCode = "CLI_UNREACHABLE";

/**
 * Asks the gate that the rollup's contract names whether it has admitted this model by a commitment, and whether the model's
 * settlements wait for claims. The leaf may come from a liar: what is looked up is bound to the hash of its statics, which
 * `checkAnswer` compares with the customer's own copy.
 * @throws CLI_UNREACHABLE
 * @example
 * ```ts
 * const onL1 = await readModelOnL1(client, await getModel(client, 11));
 * console.log(onL1.isCommitted ? "anyone could refute its rows" : "its rows are its server's word");
 * ```
 */
export async function readModelOnL1(
  { l1, rollupAddress }: L1Reader,
  leaf: LedgerModelLeaf,
): Promise<ModelOnL1> {
  try {
    const contract = { address: rollupAddress, abi: rollupAbi } as const;
    const gate = await l1.readContract({ ...contract, functionName: "activationGate" });
    return gate === zeroAddress ? NOTHING_ON_L1 : await askRegistry(l1, rollupAddress, gate, leaf);
  } catch (cause) {
    // A gate that is no registry promises nothing that is known here.
    if (isOtherContract(cause)) return NOTHING_ON_L1;
    throw clientError("CLI_UNREACHABLE", `cannot read what L1 has of model ${leaf.id}`, {
      data: { server: "L1", modelId: leaf.id },
      cause,
    });
  }
}

async function askRegistry(
  l1: PublicClient,
  rollup: Address,
  gate: Address,
  leaf: LedgerModelLeaf,
): Promise<ModelOnL1> {
  // Loaded here: most clients never ask.
  const { disputesAbi } = await import("@openledger/contracts/build/disputes-abi");
  const registry = { address: gate, abi: disputesAbi } as const;
  const { hash: statics, payeeRoot } = staticsOf(leaf);
  const word = activationHash({ modelId: leaf.id, statics, cap: leaf.counters.cap, payeeRoot });
  const modelId = BigInt(leaf.id);
  const [families, games, id] = await Promise.all([
    l1.readContract({ ...registry, functionName: "families" }),
    l1.readContract({ ...registry, functionName: "games" }),
    l1.readContract({ ...registry, functionName: "admissions", args: [rollup, modelId, word] }),
  ]);
  const [isCommitted, isClaimed] = await Promise.all([
    id === 0n ? false : isOfKnownFamily(id),
    games === zeroAddress ? false : isRegistered(games),
  ]);
  return { isCommitted, isClaimed };

  /** By rules that nobody has, nobody could refute it. */
  async function isOfKnownFamily(commitmentId: bigint): Promise<boolean> {
    const commitment = await l1.readContract({
      ...registry,
      functionName: "modelCommitments",
      args: [commitmentId],
    });
    const rules = families[commitment[7]]?.rules;
    return Object.values(FAMILY_RULES).some((known) => known === rules);
  }

  async function isRegistered(address: Address): Promise<boolean> {
    const { traceGameAbi } = await import("@openledger/contracts/build/trace-abi");
    const model = { address, abi: traceGameAbi, functionName: "models" } as const;
    const [registered] = await l1.readContract({ ...model, args: [rollup, modelId] });
    return registered === statics;
  }
}

const isOtherContract = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk(
    (one) => one instanceof ContractFunctionRevertedError || one instanceof ContractFunctionZeroDataError,
  ) !== null;
