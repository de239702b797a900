/** Calls of contracts of disputes at capped fees. A call that they would refuse is never sent, and says why. */

import { l1Call, l1Error } from "@openledger/bridge/l1/l1-client";
import { clientError } from "@openledger/client/client-errors";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  type Address,
  BaseError,
  decodeErrorResult,
  encodeFunctionData,
  formatEther,
  type Hex,
  InsufficientFundsError,
} from "viem";
import { challengerError } from "../challenger-errors.ts";
import { readGames } from "../games/trace-contracts.ts";
import type { L1Sender } from "../sending/l1-sender.ts";

const MOST_TRANSACTION_GAS = 2n ** 24n;
/** Errors of whichever contract has to do with a game. */
const GAMES_ABI = [...traceGameAbi, ...disputesAbi] as const;

/** Who sends calls to one contract. */
export interface GameAccount extends Pick<L1Sender, "address" | "publicClient"> {
  /** The contract: games, or the registry. */
  readonly game: Address;
  /** @throws CLI_L1_REVERTED with data.error, the contract's name for it; CON_L1_COST_ABOVE_CAP; CMD_NO_ETHER, BRG_L1_* */
  send(call: { readonly data: Hex; readonly valueWei: bigint }, what: string): ReturnType<L1Sender["send"]>;
}

type TraceSender = GameAccount & Omit<L1Sender, "send">;

/** @param address of the games, or of the registry that asks them @throws CMD_USAGE where there are none */
export async function traceSenderOf(sender: L1Sender, address: Address): Promise<TraceSender> {
  const { publicClient } = sender;
  if ((await publicClient.getCode({ address })) === undefined)
    throw challengerError("CMD_USAGE", `there is no contract at ${address}: check the address and --rpc`);
  const games = await readGames(publicClient, address);
  if (games === null)
    throw challengerError(
      "CMD_USAGE",
      `no contract at ${address} judges language models: openledger disputes deploy deploys one`,
    );
  return sendingTo(sender, games);
}

/** @param game the contract itself */
export function sendingTo<Sender extends Pick<L1Sender, "address" | "publicClient" | "send">>(
  sender: Sender,
  game: Address,
) {
  const { address: account, publicClient } = sender;
  const send: GameAccount["send"] = async ({ data, valueWei }, what) => {
    try {
      await publicClient.call({ account, to: game, data, value: valueWei, gas: MOST_TRANSACTION_GAS });
      return await sender.send({ to: game, data, valueWei });
    } catch (error) {
      const said = isRollupError(error, "BRG_L1_REFUSED") ? error.cause : error;
      if (!isWithoutEther(said)) {
        if (isRollupError(error)) throw error;
        throw l1Error(refusal(error, what), `send ${what}`);
      }
      const balanceWei = await l1Call("read the balance", () =>
        publicClient.getBalance({ address: account }),
      );
      const needed = valueWei === 0n ? "its gas" : `${formatEther(valueWei)} ETH and gas`;
      throw challengerError(
        "CMD_NO_ETHER",
        `${what} takes ${needed}, and ${account} has ${formatEther(balanceWei)} ETH`,
        { data: { account, balanceWei, valueWei }, cause: error },
      );
    }
  };
  return { ...sender, game, send };
}

/** A call of the registry, as `send` takes it. */
export const registryCall = ({ args, functionName, valueWei = 0n }: RegistryCall) => ({
  data: encodeFunctionData({ abi: disputesAbi, functionName, args } as never),
  valueWei,
});

export interface RegistryCall {
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly valueWei?: bigint;
}

/** By what nodes say: only some calls have an error of their own for it. */
function isWithoutEther(error: unknown): boolean {
  const saysSo = (one: unknown) => {
    const { details, message } = (one ?? {}) as Partial<BaseError>;
    return InsufficientFundsError.nodeMessage.test(String(details ?? message).toLowerCase());
  };
  return error instanceof BaseError ? error.walk(saysSo) !== null : saysSo(error);
}

function refusal(error: unknown, what: string): unknown {
  const raw = (error as BaseError).walk?.((one) => (one as { data?: unknown }).data !== undefined);
  const given = (raw as { data?: unknown } | null)?.data;
  const data = typeof given === "string" ? given : (given as { data?: string } | undefined)?.data;
  if (data === undefined || !data.startsWith("0x") || data.length < 10) return error;
  const { args = [], errorName } = decodeErrorResult({ abi: GAMES_ABI, data: data as Hex });
  const shown = (args as readonly unknown[]).map(String);
  return clientError("CLI_L1_REVERTED", `${what} is refused: ${errorName}(${shown.join(", ")})`, {
    data: { error: errorName, args: shown },
    cause: error,
  });
}
