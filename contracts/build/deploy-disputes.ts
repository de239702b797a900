import { type Address, getContractAddress, type PublicClient, type WalletClient } from "viem";
import { type CompiledContracts, compileContracts, pickContract } from "./compile.ts";
import { type DeployOptions, deployContract } from "./deploy.ts";
import { TEXT_JUDGES } from "./dispute-judges.ts";
import { ledgerMathAbi } from "./disputes-abi.ts";
import { LEDGER_CHUNK_HASHES } from "./ledger-chunk-hashes.ts";
import { chunkCountFor, ledgerChunk } from "./ledger-tables.ts";

type Clients = Pick<DeployOptions, "walletClient" | "publicClient">;

/** What the contract's constructor takes. Nothing of it can be changed afterwards. */
export interface DisputesParameters {
  /** At least three days. */
  readonly windowSeconds: bigint;
  readonly leastBondWei: bigint;
  /** What a data-availability challenge of one leaf costs, and what its answer earns. */
  readonly availabilityChallengeFeeWei: bigint;
}

export const WEEK_SECONDS = 7n * 86_400n;

/**
 * The contract for direct models, with its judges, and the ledger's arithmetic that it asks. @param math an existing LedgerMath;
 * default: a new one, with no chunk stored
 * @throws RollupError CON_DEPLOY_FAILED
 */
export async function deployDirectDisputes(
  clients: Clients,
  { windowSeconds, leastBondWei, availabilityChallengeFeeWei }: DisputesParameters,
  math?: Address,
): Promise<Address> {
  const { deploy, used } = await prepare(clients, math);
  const judges = [await deploy("DirectJudge", []), await deploy("DirectTies", [used])];
  return deploy("DirectDisputes", [windowSeconds, leastBondWei, availabilityChallengeFeeWei, used, judges]);
}

/** What the constructor of a game takes; the window is that of a query's claim. */
export interface TraceGameParameters extends Pick<DisputesParameters, "windowSeconds" | "leastBondWei"> {
  /** How long a player has for all moves of a game. */
  readonly sideSeconds: bigint;
  /** What a challenger puts in: it has to pay the owner's moves. */
  readonly stakeWei: bigint;
}

/**
 * The same for language models, with its judges, and the one contract of games: over receipts' queries, and over posted rows.
 * Another transaction of the same account meanwhile makes it fail.
 *
 * @param math the ledger's arithmetic
 * @throws RollupError CON_DEPLOY_FAILED
 */
export async function deployTextDisputes(
  clients: Clients,
  modelCommitment: DisputesParameters,
  { leastBondWei, sideSeconds, stakeWei, windowSeconds }: TraceGameParameters,
  math: Address,
): Promise<Record<"borders" | "disputes" | "game" | "rules", Address>> {
  const { deploy } = await prepare(clients, math);
  const rules = await deploy("TraceRules", []);
  const borders = await deploy("WordBorders", []);
  const checks = await deploy("ClaimChecks", [math, borders]);
  const judges: Address[] = [];
  const asked = { TextJudge: [math], TextTokens: [borders], TextOverlap: [] };
  for (const name of TEXT_JUDGES) judges.push(await deploy(name, asked[name]));
  const from = clients.walletClient.account!.address;
  const nonce = await clients.publicClient.getTransactionCount({ address: from, blockTag: "pending" });
  // Each of the two names the other: the second one's address is known by its nonce.
  const expected = getContractAddress({ from, nonce: BigInt(nonce) + 1n });
  const terms = [windowSeconds, sideSeconds, leastBondWei, stakeWei];
  const game = await deploy("LedgerTraces", [rules, ...terms, checks, expected]);
  const own = [
    modelCommitment.windowSeconds,
    modelCommitment.leastBondWei,
    modelCommitment.availabilityChallengeFeeWei,
    math,
  ];
  const disputes = await deploy("TextDisputes", [...own, judges, game]);
  return { borders, disputes, game, rules };
}

/**
 * One gate before several such contracts, of direct and of language models, say: a rollup names it as `activationGate`.
 * @throws RollupError CON_DEPLOY_FAILED
 */
export async function deployActivationGates(clients: Clients, members: readonly Address[]): Promise<Address> {
  const gates = pickContract(await compileContracts({ set: "disputes" }), "ActivationGates");
  return (await deployContract(clients, "ActivationGates", gates, [members])).contractAddress;
}

/**
 * A gate for direct models, with the constants that challenges of so many rows read.
 * @throws RollupError CON_DEPLOY_FAILED
 */
export async function deployDirectGate(
  clients: Clients,
  parameters: DisputesParameters,
  mostRows: number,
): Promise<Address> {
  const math = await deployLedgerMath(clients);
  await storeChunks(clients, math, await missingChunks(clients.publicClient, math, mostRows));
  return deployDirectDisputes(clients, parameters, math);
}

async function prepare(clients: Clients, math?: Address) {
  const contracts = await compileContracts({ set: "disputes" });
  return {
    used: math ?? (await deployLedgerMath(clients, contracts)),
    deploy: async (name: string, args: readonly unknown[]) =>
      (await deployContract(clients, name, pickContract(contracts, name), args)).contractAddress,
  };
}

/** @throws RollupError CON_DEPLOY_FAILED */
export async function deployLedgerMath(clients: Clients, contracts?: CompiledContracts): Promise<Address> {
  const contract = pickContract(contracts ?? (await compileContracts({ set: "disputes" })), "LedgerMath");
  return (await deployContract(clients, "LedgerMath", contract, [LEDGER_CHUNK_HASHES])).contractAddress;
}

/** Chunks of constants that nobody has stored, of those that a model of so many rows can be challenged with. */
export async function missingChunks(
  client: PublicClient,
  math: Address,
  rowCount: number,
): Promise<number[]> {
  const indices = Array.from({ length: chunkCountFor(rowCount) }, (_, index) => index);
  const places = await Promise.all(
    indices.map((index) =>
      client.readContract({
        address: math,
        abi: ledgerMathAbi,
        functionName: "chunks",
        args: [BigInt(index)],
      }),
    ),
  );
  return indices.filter((index) => BigInt(places[index]!) === 0n);
}

/** One transaction of some 6 million gas each. Returns the gas of all. */
export async function storeChunks(
  { walletClient, publicClient }: Clients,
  math: Address,
  indices: readonly number[],
  onStored: (done: number) => void = () => {},
): Promise<bigint> {
  let gasUsed = 0n;
  for (const [done, index] of indices.entries()) {
    const hash = await (walletClient as WalletClient).writeContract({
      address: math,
      abi: ledgerMathAbi,
      functionName: "storeChunk",
      args: [BigInt(index), ledgerChunk(index)],
      account: walletClient.account,
      chain: walletClient.chain ?? null,
    });
    gasUsed += (await publicClient.waitForTransactionReceipt({ hash })).gasUsed;
    onStored(done + 1);
  }
  return gasUsed;
}
