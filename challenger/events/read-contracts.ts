/** What contracts of disputes say when they are asked. Runs in pages, too. */
import { l1Call } from "@openledger/bridge/l1/l1-client";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import type {
  Abi,
  Address,
  ContractFunctionArgs,
  ContractFunctionName,
  ContractFunctionReturnType,
  PublicClient,
} from "viem";

type Reads = "pure" | "view";

const readerOf =
  <const Of extends Abi>(abi: Of, where: string) =>
  (client: Pick<PublicClient, "readContract">, address: Address) =>
  <const Name extends ContractFunctionName<Of, Reads>>(
    functionName: Name,
    args: ContractFunctionArgs<Of, Reads, Name>,
  ) =>
    l1Call(`read ${functionName} of the ${where}`, () =>
      client.readContract({ address, abi, functionName, args } as never),
    ) as Promise<ContractFunctionReturnType<Of, Reads, Name>>;

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_CONTRACT_REVERTED: as the next one */
export const readGame = readerOf(traceGameAbi, "games");

export const readDisputes = readerOf(disputesAbi, "registry");
