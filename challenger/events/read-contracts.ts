/** What contracts of disputes say when they are asked. Runs in pages, too. */
import { type Reader, readerOf } from "@openledger/bridge/l1/l1-client";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";

/** @throws BRG_L1_UNREACHABLE, BRG_L1_REFUSED, BRG_CONTRACT_REVERTED: as the next one */
export const readGame: Reader<typeof traceGameAbi> = readerOf(traceGameAbi, "games");

export const readDisputes: Reader<typeof disputesAbi> = readerOf(disputesAbi, "registry");
