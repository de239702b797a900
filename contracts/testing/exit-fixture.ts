/**
 * Fixture of the tests of frozen ledgers: circuits of exits, freezing, exits with forged proofs, waiting
 * entries.
 */

import { type ExitData, exitElements } from "@openledger/circuits/exit/exit-statement";
import { challenge, evaluate } from "@openledger/circuits/field/element-vector";
import {
  type ContractEntry,
  type EntryRequest,
  toContractEntry,
} from "@openledger/circuits/ledger/operation";
import { exitSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import type { Address } from "viem";
import { ANY_FEE, type Fixture, type Role, randomElement } from "./rollup-fixture.ts";

/** A leaf's exit, then a slot's. */
export const EXIT_SIZES = [exitSizes(), exitSizes(8)] as const;
export const HARD_DEADLINE = 7n * 86_400n;

export interface ProvenExit {
  readonly exit: { circuit: number; commitment: bigint; key: bigint; recipient: Address; amountWei: bigint };
  readonly proof: ContractProof;
}

/** Queue entry as `QueueEntryAdded` states it. */
export interface WaitingEntry {
  readonly index: bigint;
  readonly entry: ContractEntry;
  readonly sender: Address;
}

/** The event as viem decodes it. */
type Added = Required<EntryRequest> & Omit<WaitingEntry, "entry">;

export const toAddress = (value: bigint): Address => `0x${value.toString(16).padStart(40, "0")}`;

export function exitActions(f: Fixture) {
  const { client, circuits, rollup, roles } = f;
  return {
    /** Makes an exit to be sent, with a proof for these elements; `commitment` is any element. */
    proveExit(circuit: number, data: ExitData): ProvenExit {
      const commitment = randomElement();
      const elements = exitElements(data);
      const z = challenge(circuits[circuit]!.circuitId, commitment, elements);
      const { key, amountWei } = data;
      return {
        exit: { circuit, commitment, key, recipient: toAddress(data.recipient), amountWei },
        proof: circuits[circuit]!.forge([commitment, evaluate(elements, z), z]),
      };
    },

    /** Makes the oldest entry older than HARD_DEADLINE and freezes; without an entry it queues one first. */
    async freeze(from: Role = "stranger"): Promise<void> {
      const head = BigInt((await rollup.read.state()).queueHead);
      if ((await rollup.read.queueEntries([head])) === 0n)
        await rollup.write.forceSetKey([2, 77n, ANY_FEE], { account: roles.alice });
      await f.passTime(HARD_DEADLINE + 1n);
      await rollup.write.freeze({ account: roles[from] });
    },

    async exit(closed: readonly ProvenExit[], from: Role = "stranger") {
      const hash = await rollup.write.exit(exitArguments(closed), { account: roles[from] });
      return client.waitForTransactionReceipt({ hash });
    },

    /** Simulates the exits. Throws as they would revert. */
    async tryExit(closed: readonly ProvenExit[], from: Role = "stranger"): Promise<void> {
      await rollup.simulate.exit(exitArguments(closed), { account: roles[from] });
    },

    /** Entries that were ever queued, in their order. */
    async queued(): Promise<WaitingEntry[]> {
      const events = await rollup.getEvents.QueueEntryAdded({}, { fromBlock: 0n });
      return events.map(({ args }) => {
        const { index, sender, ...entry } = args as Added;
        return { index, entry: toContractEntry(entry), sender };
      });
    },
  };
}

const exitArguments = (closed: readonly ProvenExit[]) =>
  [closed.map((s) => s.exit), closed.map((s) => s.proof)] as const;
