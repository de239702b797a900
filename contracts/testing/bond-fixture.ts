/** Fixture of the sequencer's bond: a rollup, the bond's contract, and preconfirmations by the sequencer's key. */
import {
  type Preconfirmation,
  preconfirmationTypedData,
} from "@openledger/circuits/wire/sequencer-preconfirmation";
import { hex32 } from "@openledger/foundation/hex";
import { createWalletClient, custom, getAddress, getContract, type Hex, parseEther, zeroHash } from "viem";
import { preconfirmationBondAbi } from "../bond/bond-abi.ts";
import { type Equivocation, equivocationCommitment, REVEAL_DELAY_BLOCKS } from "../bond/equivocation.ts";
import { compileContracts, pickContract } from "../build/compile.ts";
import { anvilAccount } from "./anvil-account.ts";
import { type Fixture, ROLES, startFixture } from "./rollup-fixture.ts";

export const ETH = parseEther("1");
const SEQUENCER_INDEX = ROLES.indexOf("sequencer");

export type BondFixture = Awaited<ReturnType<typeof startBondFixture>>;

/** @param depositWei what the constructor gets */
export async function startBondFixture(depositWei = 10n * ETH) {
  const f = await startFixture();
  return { ...f, ...(await deployBond(f, depositWei)) };
}

/** The bond of the rollup of another fixture. */
export async function deployBond({ client, deployment, roles }: Fixture, depositWei: bigint) {
  const { abi, bytecode } = pickContract(await compileContracts({ set: "bond" }), "PreconfirmationBond");
  const wallet = createWalletClient({
    account: roles.holder,
    chain: client.chain,
    transport: custom(client),
  });
  const hash = await wallet.deployContract({ abi, bytecode, args: [deployment.rollup], value: depositWei });
  const { contractAddress } = await client.getTransactionReceipt({ hash });
  const bond = getContract({ address: contractAddress!, abi: preconfirmationBondAbi, client });
  const rollup = {
    chainId: client.chain.id,
    rollupAddress: getAddress(deployment.rollup),
    sequencerAddress: roles.sequencer,
  };
  const balanceOf = (address: `0x${string}`) => client.getBalance({ address });

  return {
    bond,
    bonded: rollup,
    balanceOf,

    /** A preconfirmation by the sequencer, or by another account or of another rollup or chain. */
    async promise(
      operation: number | bigint,
      opIndex: number,
      overrides: { deadlineSeconds?: number; signer?: number; rollup?: Partial<typeof rollup> } = {},
    ): Promise<Preconfirmation> {
      const { deadlineSeconds = 2_000_000_000, signer = SEQUENCER_INDEX } = overrides;
      const facts = { operationHash: hex32(BigInt(operation)), opIndex, deadlineSeconds };
      const typed = preconfirmationTypedData({ ...rollup, ...overrides.rollup }, facts);
      return { ...facts, signature: await anvilAccount(signer).signTypedData(typed) };
    },

    /** Commits and shows, `REVEAL_DELAY` blocks later. */
    async show(equivocation: Equivocation, beneficiary = roles.bob, salt: Hex = zeroHash) {
      const by = { account: roles.stranger };
      const commitment = equivocationCommitment(equivocation, beneficiary, salt);
      await bond.simulate.commit([commitment], by);
      await bond.write.commit([commitment], by);
      // The answer to a call names the error; anvil calls in the block that is there.
      await client.mine({ blocks: Number(REVEAL_DELAY_BLOCKS) });
      await bond.simulate.show([equivocation, beneficiary, salt], by);
      return bond.write.show([equivocation, beneficiary, salt], by);
    },

    /** The bond as `securedWei` of equivocation.ts takes it. */
    async state() {
      const [bondWei, [announcedWei, availableAt], isForfeited, { timestamp }] = await Promise.all([
        bond.read.bondWei(),
        bond.read.announced(),
        bond.read.isForfeited(),
        client.getBlock(),
      ]);
      return { bondWei, announcedWei, availableAt, isForfeited, timeSeconds: timestamp };
    },

    /** The next block's time is this one. */
    async waitUntil(seconds: bigint): Promise<void> {
      await client.setNextBlockTimestamp({ timestamp: seconds });
      await client.mine({ blocks: 1 });
    },
  };
}
