import { type Address, getContractAddress, type PublicClient, type WalletClient, zeroAddress } from "viem";
import { paddedGas } from "../l1/fee-policy.ts";
import { compileContracts, pickContract } from "./compile.ts";
import { type DeployOptions, deployContract } from "./deploy.ts";
import { FAMILY_JUDGES, FAMILY_RULES, type FamilyName } from "./dispute-judges.ts";
import { ledgerMathAbi } from "./disputes-abi.ts";
import { LEDGER_CHUNK_HASHES } from "./ledger-chunk-hashes.ts";
import { chunkCountFor, ledgerChunk } from "./ledger-tables.ts";

type Clients = Pick<DeployOptions, "walletClient" | "publicClient">;

/** What the contract's constructor takes. Nothing of it can be changed afterwards. */
export interface DisputesParameters {
  /** At least three days. */
  readonly windowSeconds: bigint;
  readonly leastBondWei: bigint;
  /** The least that a data-availability challenge of one leaf costs, and its answer earns; 32 times as much where gas is dear. */
  readonly availabilityChallengeFeeWei: bigint;
}

export const WEEK_SECONDS = 7n * 86_400n;

/** What the constructor of a game takes; the window is that of a query's claim. */
export interface TraceGameParameters extends Pick<DisputesParameters, "windowSeconds" | "leastBondWei"> {
  /** How long a player has for all moves of a game. */
  readonly sideSeconds: bigint;
  /** What a challenger puts in: it has to pay the owner's moves. */
  readonly stakeWei: bigint;
}

/** Of families, as they are deployed here. */
export const FAMILY_NUMBERS = { direct: 0, text: 1 } as const satisfies Record<FamilyName, number>;

/** What of the registry is not its terms. */
interface RegistryParts {
  /** An existing LedgerMath; default: a new one. */
  readonly math?: Address;
  /** The constants that challenges of models with so many rows read are stored. Default: none are. */
  readonly mostRows?: number;
  /** With them the family of language models, beside that of direct ones. */
  readonly games?: TraceGameParameters;
}

/**
 * The registry of committed models, which a rollup names as its `activationGate`, with the judges of each family.
 * Another transaction of the same account meanwhile makes it fail.
 * @throws RollupError CON_DEPLOY_FAILED
 */
export async function deployRegistry(
  clients: Clients,
  parameters: DisputesParameters,
  parts: RegistryParts = {},
): Promise<{ address: Address; math: Address; games: DeployedGames | null }> {
  const contracts = await compileContracts({ set: "disputes" });
  const deploy = async (name: string, args: readonly unknown[]) =>
    (await deployContract(clients, name, pickContract(contracts, name), args)).contractAddress;
  const math = parts.math ?? (await deployLedgerMath(clients));
  if (parts.mostRows !== undefined)
    await storeChunks(clients, math, await missingChunks(clients.publicClient, math, parts.mostRows));
  const borders = parts.games === undefined ? null : await deploy("WordBorders", []);
  const asked: Partial<Record<string, readonly Address[]>> = {
    ...{ DirectTies: [math], RowJudge: [math], TextJudge: [math] },
    ...(borders === null ? {} : { TextTokens: [borders] }),
  };
  const deployed = new Map<string, Address>();
  const families: object[] = [];
  for (const [name, names] of Object.entries(FAMILY_JUDGES) as [FamilyName, readonly string[]][]) {
    const hasGames = name === "text";
    if (hasGames && borders === null) continue;
    for (const judge of names)
      if (!deployed.has(judge)) deployed.set(judge, await deploy(judge, asked[judge] ?? []));
    families.push({ rules: FAMILY_RULES[name], judges: names.map((one) => deployed.get(one)!), hasGames });
  }
  const games = borders && (await deployGames({ ...clients, deploy }, parts.games!, { math, borders }));
  const { windowSeconds, leastBondWei, availabilityChallengeFeeWei } = parameters;
  const terms = [windowSeconds, leastBondWei, availabilityChallengeFeeWei];
  const address = await deploy("ModelCommitments", [...terms, math, games?.game ?? zeroAddress, families]);
  return { address, math, games };
}

/** The one contract of games, over receipts' queries and posted rows, and what it asks. */
export type DeployedGames = Readonly<Record<"borders" | "game" | "rules", Address>>;

async function deployGames(
  { deploy, publicClient, walletClient }: Clients & { deploy: Deploy },
  { leastBondWei, sideSeconds, stakeWei, windowSeconds }: TraceGameParameters,
  { borders, math }: Readonly<Record<"borders" | "math", Address>>,
): Promise<DeployedGames> {
  const rules = await deploy("TraceRules", []);
  const checks = await deploy("ClaimChecks", [math, borders]);
  const from = walletClient.account!.address;
  const nonce = await publicClient.getTransactionCount({ address: from, blockTag: "pending" });
  // Each of the two names the other: the registry comes next, and its address is known by its nonce.
  const expected = getContractAddress({ from, nonce: BigInt(nonce) + 1n });
  const terms = [windowSeconds, sideSeconds, leastBondWei, stakeWei];
  const game = await deploy("LedgerTraces", [rules, ...terms, checks, expected]);
  return { borders, game, rules };
}

type Deploy = (name: string, args: readonly unknown[]) => Promise<Address>;

/** @throws RollupError CON_DEPLOY_FAILED */
export async function deployLedgerMath(clients: Clients): Promise<Address> {
  const contract = pickContract(await compileContracts({ set: "disputes" }), "LedgerMath");
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
    const call = {
      ...({ address: math, abi: ledgerMathAbi, functionName: "storeChunk" } as const),
      args: [BigInt(index), ledgerChunk(index)] as const,
    };
    const { account, chain = null } = walletClient as WalletClient;
    // EthereumJS refuses an estimate that names fees, as viem's would.
    const gas = await publicClient.estimateContractGas({
      ...{ ...call, account: account!.address },
    });
    const hash = await (walletClient as WalletClient).writeContract({
      ...{ ...call, account: account!, chain, gas: paddedGas(gas) },
    });
    gasUsed += (await publicClient.waitForTransactionReceipt({ hash })).gasUsed;
    onStored(done + 1);
  }
  return gasUsed;
}
