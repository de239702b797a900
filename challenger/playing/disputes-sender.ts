/** Calls of the registry ModelCommitments at capped fees. A call that it would refuse is never sent, and says why. */

import { l1Error } from "@openledger/client/actions/l1/l1-result";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { type Address, encodeFunctionData, type PublicClient } from "viem";
import { challengerError } from "../challenger-errors.ts";
import type { L1Sender } from "../sending/l1-sender.ts";

export interface DisputesAccount {
  readonly disputes: Address;
  readonly terms: DisputesTerms;
  /** @throws CLI_L1_REVERTED with data.error, the contract's name for it; CON_L1_COST_ABOVE_CAP */
  send(call: DisputesCall): ReturnType<L1Sender["send"]>;
}

export interface DisputesCall {
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly valueWei?: bigint;
}

/** What the contract was deployed with. */
export interface DisputesTerms {
  readonly windowSeconds: bigint;
  readonly leastBondWei: bigint;
  readonly availabilityChallengeFeeWei: bigint;
  readonly math: Address;
}

/** @throws CMD_USAGE where there is no such contract */
export async function readTerms(publicClient: PublicClient, address: Address): Promise<DisputesTerms> {
  const read = (functionName: "windowSeconds" | "leastBondWei" | "availabilityChallengeFeeWei" | "math") =>
    publicClient.readContract({ address, abi: disputesAbi, functionName });
  if ((await publicClient.getCode({ address })) === undefined)
    throw challengerError("CMD_USAGE", `there is no contract at ${address}: check the address and --rpc`);
  try {
    const [windowSeconds, leastBondWei, availabilityChallengeFeeWei, math] = await Promise.all([
      ...[read("windowSeconds"), read("leastBondWei"), read("availabilityChallengeFeeWei"), read("math")],
    ]);
    return { windowSeconds, leastBondWei, availabilityChallengeFeeWei, math } as DisputesTerms;
  } catch (cause) {
    throw challengerError("CMD_USAGE", `the contract at ${address} is no registry of committed models`, {
      cause,
    });
  }
}

/** @param disputes the registry @throws CMD_USAGE */
export async function disputesSenderOf<Sender extends Pick<L1Sender, "address" | "publicClient" | "send">>(
  sender: Sender,
  disputes: Address,
): Promise<Omit<Sender, "send"> & DisputesAccount> {
  const { address: account, publicClient } = sender;
  const terms = await readTerms(publicClient, disputes);
  return {
    ...sender,
    disputes,
    terms,
    async send({ args, functionName, valueWei = 0n }) {
      const call = { abi: disputesAbi, functionName, args } as never;
      const request = { address: disputes, account, value: valueWei, ...(call as object) };
      await publicClient.simulateContract(request as never).catch((error: unknown) => {
        throw l1Error(error, functionName);
      });
      return sender.send({ to: disputes, data: encodeFunctionData(call), valueWei });
    },
  };
}
