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

type Reader<Of extends Abi> = (
  client: Pick<PublicClient, "readContract">,
  address: Address,
) => <const Name extends ContractFunctionName<Of, Reads>>(
  functionName: Name,
  args: ContractFunctionArgs<Of, Reads, Name>,
) => Promise<ContractFunctionReturnType<Of, Reads, Name>>;

const readerOf =
  <const Of extends Abi>(abi: Of, where: string): Reader<Of> =>
  (client, address) =>
  (functionName, args) =>
    l1Call(`read ${functionName} of the ${where}`, () =>
      client.readContract({ address, abi, functionName, args } as never),
    ) as never;

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_CONTRACT_REVERTED: as the next one */
export const readGame: Reader<typeof traceGameAbi> = readerOf(traceGameAbi, "games");

export const readDisputes: Reader<typeof disputesAbi> = readerOf(disputesAbi, "registry");
