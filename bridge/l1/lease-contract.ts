import { sequencerLeaseAbi } from "@openledger/contracts/build/lease-abi";
import { type Address, encodeFunctionData, type Hex } from "viem";
import { type L1Client, type Reader, readerOf } from "./l1-client.ts";

const readLease: Reader<typeof sequencerLeaseAbi> = readerOf(sequencerLeaseAbi, "lease");

/** The lease as a block has it. */
export interface LeaseState {
  /** 0: nobody has taken it yet. */
  readonly epoch: number;
  /** Nobody else may take it before, by the block's time. */
  readonly endsAtSeconds: number;
  /** Where its holder serves clients and provers. */
  readonly url: string;
}

/** contracts/lease/ISequencerLease.sol as a typed object. @throws BRG_L1_* from every method that asks */
export class LeaseContract {
  readonly client: L1Client;
  readonly address: Address;

  constructor({ address, client }: { client: L1Client; address: Address }) {
    this.client = client;
    this.address = address;
  }

  async read(blockNumber?: bigint): Promise<LeaseState> {
    const at = blockNumber === undefined ? {} : { blockNumber };
    const read = readLease(this.client, this.address);
    const [epoch, endsAt, url] = await Promise.all([
      read("epoch", [], at),
      read("endsAt", [], at),
      read("url", [], at),
    ]);
    return { epoch: Number(epoch), endsAtSeconds: Number(endsAt), url };
  }

  operator(): Promise<Address> {
    return readLease(this.client, this.address)("operator", []);
  }
}

export const encodeTake = (afterEpoch: number, durationSeconds: number, url: string): Hex =>
  encodeFunctionData({
    abi: sequencerLeaseAbi,
    functionName: "take",
    args: [BigInt(afterEpoch), BigInt(durationSeconds), url],
  });

export const encodeExtend = (ofEpoch: number, durationSeconds: number): Hex =>
  encodeFunctionData({
    abi: sequencerLeaseAbi,
    functionName: "extend",
    args: [BigInt(ofEpoch), BigInt(durationSeconds)],
  });

export const encodeRelease = (ofEpoch: number): Hex =>
  encodeFunctionData({ abi: sequencerLeaseAbi, functionName: "release", args: [BigInt(ofEpoch)] });
