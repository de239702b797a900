/** Fixture of votes on a node: contracts, an account with votes, and a proposal from start to queue. */
import {
  type Address,
  createWalletClient,
  custom,
  getContract,
  getContractAddress,
  type Hex,
  keccak256,
  stringToHex,
} from "viem";
import { compileContracts, pickContract } from "../build/compile.ts";
import { GOVERNANCE_CONTRACTS, type GovernanceOptions, governanceArguments } from "../build/governance.ts";
import { governanceTimelockAbi, openGovernorAbi, rollupRegistryAbi } from "../build/governance-abi.ts";
import { type connect, type Fixture, OPEN } from "./rollup-fixture.ts";

export const THIRTY_DAYS = 30n * 86_400n;
const VOTE_GAS = 300_000n;
export const TEST_GOVERNANCE: GovernanceOptions = {
  delaySeconds: THIRTY_DAYS,
  votingDelayBlocks: 2,
  votingPeriodBlocks: 6,
  proposalThresholdWei: 1_000n * OPEN,
  quorumPercent: 4,
};

/** Call of a proposal. */
export interface GovernedCall {
  readonly target: Address;
  readonly data: Hex;
}

/** Addresses of the contracts before their deployment, for an account that has sent nothing yet. */
export function governanceAddresses(deployer: Address) {
  const at = (nonce: bigint) => getContractAddress({ from: deployer, nonce });
  return { timelock: at(0n), governor: at(1n), registry: at(2n) };
}

export type GovernanceFixture = Awaited<ReturnType<typeof deployGovernance>>;

/** @param deployer see governanceAddresses */
export async function deployGovernance(
  f: Pick<Fixture, "rollup" | "token" | "roles"> & { client: Awaited<ReturnType<typeof connect>> },
  deployer: Address,
  options = TEST_GOVERNANCE,
) {
  const { client, roles, rollup, token } = f;
  const addresses = governanceAddresses(deployer);
  const contracts = await compileContracts({ set: "governance" });
  const contractsHash = "11".repeat(32);
  const args = governanceArguments(options, {
    ...addresses,
    token: token.address,
    rollup: rollup.address,
    contractsHash,
  });
  const wallet = createWalletClient({ account: deployer, chain: client.chain, transport: custom(client) });
  for (const name of GOVERNANCE_CONTRACTS) {
    const { abi, bytecode } = pickContract(contracts, name);
    await wallet.deployContract({ abi, bytecode, args: args[name] });
  }
  const timelock = getContract({ address: addresses.timelock, abi: governanceTimelockAbi, client });
  const governor = getContract({ address: addresses.governor, abi: openGovernorAbi, client });
  const registry = getContract({ address: addresses.registry, abi: rollupRegistryAbi, client });

  const described = (calls: readonly GovernedCall[], text: string) => {
    const targets = calls.map(({ target }) => target);
    const values = calls.map(() => 0n);
    const datas = calls.map(({ data }) => data);
    return {
      whole: [targets, values, datas, text] as const,
      hashed: [targets, values, datas, keccak256(stringToHex(text))] as const,
    };
  };
  const account = roles.alice;
  return {
    timelock,
    governor,
    registry,

    /** The supply of OPEN votes by alice's hand. */
    async delegate() {
      await token.write.delegate([account], { account: roles.holder });
      await client.mine({ blocks: 1 });
    },

    /**
     * Passes a proposal: Alice proposes, `voters` vote for it, and anybody queues it. @returns how to carry
     * it out
     */
    async pass(calls: readonly GovernedCall[], text: string, voters: readonly Address[] = [account]) {
      const { hashed, whole } = described(calls, text);
      const id = await governor.read.hashProposal(hashed);
      await governor.write.propose(whole, { account });
      const mineBehind = async (block: bigint) =>
        client.mine({ blocks: Number(block - (await client.getBlockNumber())) + 1 });
      await mineBehind(await governor.read.proposalSnapshot([id]));
      // The vote that extends the deadline takes more gas than an estimate of the block before it says.
      for (const voter of voters) await governor.write.castVote([id, 1], { account: voter, gas: VOTE_GAS });
      // Votes that reach the quorum late extend it.
      await mineBehind(await governor.read.proposalDeadline([id]));
      await governor.write.queue(hashed, { account: roles.stranger });
      const eta = await governor.read.proposalEta([id]);
      const execute = async () => {
        const by = { account: roles.stranger };
        // The answer to a call names the error.
        await governor.simulate.execute(hashed, by);
        return governor.write.execute(hashed, by);
      };
      return { id, eta, execute };
    },

    /** The next block's time is this one. */
    async waitUntil(seconds: bigint): Promise<void> {
      await client.setNextBlockTimestamp({ timestamp: seconds });
      await client.mine({ blocks: 1 });
    },
  };
}
