import { sequencerLeaseAbi } from "@openledger/contracts/build/lease-abi";
import { type Address, encodeFunctionData, type Hex } from "viem";
import { type L1Client, l1Call } from "./l1-client.ts";

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

  read(blockNumber?: bigint): Promise<LeaseState> {
    const target = {
      ...{ abi: sequencerLeaseAbi, address: this.address },
      ...(blockNumber === undefined ? {} : { blockNumber }),
    } as const;
    const { client } = this;
    return l1Call("read the lease", async () => {
      const [epoch, endsAt, url] = await Promise.all([
        client.readContract({ ...target, functionName: "epoch" }),
        client.readContract({ ...target, functionName: "endsAt" }),
        client.readContract({ ...target, functionName: "url" }),
      ]);
      return { epoch: Number(epoch), endsAtSeconds: Number(endsAt), url };
    });
  }

  operator(): Promise<Address> {
    const target = { abi: sequencerLeaseAbi, address: this.address, functionName: "operator" } as const;
    return l1Call("read the lease's operator", () => this.client.readContract(target));
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
