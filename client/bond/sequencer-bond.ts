/**
 * The sequencer's bond: ETH on Ethereum (contracts/bond/) that is lost if it signs contradicting promises. `openledger operator
 * bond` and `verify equivocation` read it, add to it, withdraw from it, and show it two such promises.
 */

import { preconfirmationBondAbi } from "@openledger/contracts/bond/bond-abi";
import {
  type BondState,
  type Equivocation,
  equivocationCommitment,
  equivocationOf,
  isBondCode,
  securedWei,
} from "@openledger/contracts/bond/equivocation";
import type { Address, Hex } from "viem";
import type { L1Result } from "../actions/l1/l1-result.ts";
import { callContract, type L1Call, type L1Options } from "../actions/l1/l1-transaction.ts";
import { clientError } from "../client-errors.ts";
import { effectOf, type L1Effect } from "../l1-proposal.ts";
import { type LedgerClient, requireWallet } from "../ledger-client.ts";
import type { Preconfirmation } from "../sequencer/sequencer-schemas.ts";

/** The bond of one rollup's sequencer. */
export class SequencerBond {
  readonly #client: LedgerClient;
  readonly address: Address;

  private constructor(client: LedgerClient, address: Address) {
    this.#client = client;
    this.address = address;
  }

  /**
   * Checks that the contract's code is the bond's, for the client's rollup and its sequencer.
   * @throws CLI_BOND_INVALID
   */
  static async open(client: LedgerClient, address: Address): Promise<SequencerBond> {
    const { l1, rollupAddress, sequencerAddress } = client;
    const code = await l1.getCode({ address });
    if (!isBondCode(code, { chainId: client.chain.id, rollupAddress, sequencerAddress }))
      throw clientError(
        "CLI_BOND_INVALID",
        `${address} is not the bond of rollup ${rollupAddress}'s sequencer`,
        {
          data: { reason: "code", address, rollupAddress },
        },
      );
    return new SequencerBond(client, address);
  }

  get #contract() {
    return { address: this.address, abi: preconfirmationBondAbi } as const;
  }

  /** Reads everything at one block. */
  async state(): Promise<BondState> {
    const { l1 } = this.#client;
    const { number: blockNumber, timestamp: timeSeconds } = await l1.getBlock();
    const at = { ...this.#contract, blockNumber } as const;
    const [bondWei, [announcedWei, availableAt], isForfeited] = await Promise.all([
      l1.readContract({ ...at, functionName: "bondWei" }),
      l1.readContract({ ...at, functionName: "announced" }),
      l1.readContract({ ...at, functionName: "isForfeited" }),
    ]);
    return { bondWei, announcedWei, availableAt, isForfeited, timeSeconds };
  }

  /** Amount that is bonded until a preconfirmation's deadline, and `marginSeconds` longer, in wei. */
  async securedWeiFor(
    { deadlineSeconds }: Pick<Preconfirmation, "deadlineSeconds">,
    marginSeconds = 86_400,
  ): Promise<bigint> {
    return securedWei(await this.state(), BigInt(deadlineSeconds + marginSeconds));
  }

  deposit(amountWei: bigint, options: L1Options = {}): Promise<L1Result> {
    const from = requireWallet(this.#client).account.address;
    return this.#send("deposit", [], "BondDeposited", { from, amountWei }, options, amountWei);
  }

  /** Announces a withdrawal of so much, in place of any earlier one; 0 takes that back. The sequencer's account alone may. */
  announceWithdrawal(amountWei: bigint, options: L1Options = {}): Promise<L1Result> {
    return this.#send("announceWithdrawal", [amountWei], "WithdrawalAnnounced", { amountWei }, options);
  }

  withdraw(options: L1Options = {}): Promise<L1Result> {
    return this.#send("withdraw", [], "BondWithdrawn", {}, options);
  }

  /**
   * Checks two preconfirmations of one place with different operations.
   * @throws CON_EQUIVOCATION_INVALID
   */
  equivocation(first: Preconfirmation, second: Preconfirmation): Promise<Equivocation> {
    const { chain, rollupAddress, sequencerAddress } = this.#client;
    return equivocationOf({ chainId: chain.id, rollupAddress, sequencerAddress }, first, second);
  }

  /** Commits to an equivocation that `show` shows later. Store the salt first: without it nothing can be shown. */
  commit(
    equivocation: Equivocation,
    beneficiary: Address,
    salt: Hex,
    options: L1Options = {},
  ): Promise<L1Result> {
    const commitment = equivocationCommitment(equivocation, beneficiary, salt);
    return this.#send("commit", [commitment], "EquivocationCommitted", { commitment }, options);
  }

  /** Block from which the committed equivocation can be shown; null where nobody has committed. */
  async showableFromBlock(
    equivocation: Equivocation,
    beneficiary: Address,
    salt: Hex,
  ): Promise<bigint | null> {
    const read = this.#contract;
    const { l1 } = this.#client;
    const commitment = equivocationCommitment(equivocation, beneficiary, salt);
    const [committedAt, delay] = await Promise.all([
      l1.readContract({ ...read, functionName: "committedAt", args: [commitment] }),
      l1.readContract({ ...read, functionName: "REVEAL_DELAY" }),
    ]);
    return committedAt === 0n ? null : committedAt + delay;
  }

  /** Takes the bond: half to the beneficiary, half burned. */
  show(
    equivocation: Equivocation,
    beneficiary: Address,
    salt: Hex,
    options: L1Options = {},
  ): Promise<L1Result> {
    const { opIndex } = equivocation;
    const facts = { beneficiary, opIndex };
    return this.#send("show", [equivocation, beneficiary, salt], "EquivocationShown", facts, options);
  }

  #send(
    functionName: string,
    args: readonly unknown[],
    event: L1Effect["event"],
    facts: Parameters<typeof effectOf>[2],
    options: L1Options,
    valueWei?: bigint,
  ): Promise<L1Result> {
    const effect = { ...effectOf("bond", event, facts), address: this.address };
    const call: L1Call = { ...this.#contract, functionName, args, effect };
    return callContract(this.#client, valueWei === undefined ? call : { ...call, valueWei }, options);
  }
}
