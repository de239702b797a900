/** A rollup with a short true history on a local node: real ledger, real commitments, proofs from known trapdoors. */

import type { Operation } from "@openledger/circuits/batch/slot-trace";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { genesisLedger, type Ledger } from "@openledger/circuits/ledger/ledger";
import type { QueueOperation } from "@openledger/circuits/ledger/operation";
import { type BatchShape, KIND } from "@openledger/circuits/protocol";
import type { CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import { closedCommitment, TableBuilder } from "@openledger/circuits/table/table-builder";
import { keyXOf, signFor } from "@openledger/circuits/testing/random-ledger";
import { toContractProof } from "@openledger/circuits/wire/groth16-proof";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import {
  ANY_FEE,
  type ClosedBatch,
  type deployFixture,
  OPEN,
  SHAPES,
  startDeployed,
} from "@openledger/contracts/testing/rollup-fixture";
import { type DerivedCircuit, type VerifyProof, verifierKey } from "@openledger/verifier/replay/verify-keys";
import type { Address, Hex } from "viem";
import { createL1Client } from "../l1/l1-client.ts";
import { type HistoryEvent, type HistoryOptions, readL1History } from "../l1/l1-history.ts";
import { RollupContract } from "../l1/rollup-contract.ts";

export const OPERATOR_SECRET = 7n;
const ALICE_SECRET = 11n;
const BOB_SECRET = 12n;

export type HistoryFixture = Awaited<ReturnType<typeof startHistoryFixture>>;

/** Circuits with keys of a setup, behind all others, and the secrets that all of them share. */
export type RealCircuits = NonNullable<Parameters<typeof deployFixture>[4]>;

interface HistoryFixtureOptions {
  sequencer?: Address;
  /** Owner of leaf 0; the contracts' fixture's where absent. */
  treasuryOwner?: Address;
  /** Shapes of the batch circuits; SHAPES where absent. */
  shapes?: readonly BatchShape[];
  settlementSizes?: readonly CircuitSizes[];
  real?: RealCircuits;
}

/**
 * Starts a history. `sequencer`: account that may submit; the contracts' fixture's where absent. `settlementSizes`:
 * further circuits.
 */
export async function startHistoryFixture(options: HistoryFixtureOptions = {}) {
  await initPoseidon();
  const treasuryOwner = options.treasuryOwner ?? anvilAccount(2).address;
  const operatorOwner = anvilAccount(3).address;
  const operatorKeyX = keyXOf(OPERATOR_SECRET);
  const ledger: Ledger = genesisLedger({
    treasuryOwner: BigInt(treasuryOwner),
    operatorOwner: BigInt(operatorOwner),
    operatorKeyX,
  });
  const chain = await startDeployed(
    {
      genesisRoot: ledger.root,
      treasuryOwner,
      operatorOwner,
      operatorKeyX,
      ...(options.sequencer === undefined ? {} : { sequencer: options.sequencer }),
    },
    options.shapes ?? SHAPES,
    options.settlementSizes,
    options.real,
  );
  const l1 = chain.deployed;
  const rollup = new RollupContract({
    client: createL1Client({ rpcUrl: chain.url, pollIntervalMs: 10 }),
    address: l1.deployment.rollup,
  });
  const registered = await rollup.circuits();
  const valid = new Set<string>();

  return {
    l1,
    rollup,
    ledger,
    rpcUrl: chain.url,
    stop: () => chain.stop(),

    /** The registered keys, as if they had been derived. */
    derived: registered.map(
      (circuit): DerivedCircuit => ({
        sort: circuit.sort,
        size0: circuit.size0,
        size1: circuit.size1,
        tableSizes: circuit.tableSizes,
        key: verifierKey(circuit),
      }),
    ),

    /** Uses the contract's verifier, whoever asks. All readers of a history ask for the same proofs: once a valid one. */
    verifyProof: (async (key, proof, [commitment, evaluation, z, blobLow = 0n, blobHigh = 0n]) => {
      const { index } = registered.find((circuit) => circuit.key.delta[0][0] === key.delta[0][1])!;
      const statement = {
        circuit: index,
        commitment: commitment!,
        evaluation: evaluation!,
        challenge: z!,
        blobLow,
        blobHigh,
      };
      const contractProof = toContractProof(proof);
      const name = [statement, contractProof].flatMap(Object.values).flat(2).join();
      if (valid.has(name)) return true;
      try {
        await l1.rollup.read.verifyProofs([[statement], [contractProof]]);
        valid.add(name);
        return true;
      } catch {
        return false;
      }
    }) satisfies VerifyProof,

    /** Executes operations and closes them, on top of the present ledger. */
    async close(
      operations: (ledger: Ledger) => readonly Operation[],
      after?: ClosedBatch,
      shape: BatchShape = l1.shapes[0]!,
    ): Promise<ClosedBatch> {
      const draft = await l1.draft(after === undefined ? {} : { after: after.content });
      const builder = new TableBuilder(ledger, { ...draft, shape });
      for (const operation of operations(ledger)) builder.add(operation);
      const closed = builder.close();
      return l1.close(closed.batch.data, { commitment: closedCommitment(closed) });
    },

    transfer: (from: "alice" | "bob", to: number, wei: bigint, domain: bigint) =>
      signFor(
        ledger,
        from === "alice" ? ALICE_SECRET : BOB_SECRET,
        { kind: KIND.transfer, a: from === "alice" ? 2 : 3, b: to, amountCode: encodeAmount(wei) },
        domain,
      ),

    /** Entries that wait in the queue, as operations. */
    async queueOperations(): Promise<QueueOperation[]> {
      const { queueHead } = await rollup.state();
      const events = await l1.client.getContractEvents({
        address: rollup.address,
        abi: l1.rollup.abi,
        eventName: "QueueEntryAdded",
        fromBlock: 0n,
        strict: true,
      });
      return events
        .map(({ args }) => ({
          kind: args.kind,
          queueIndex: Number(args.index),
          a: args.a,
          b: args.b,
          amountWei: args.amountWei,
          word1: args.word1,
          word2: args.word2,
          word3: args.word3,
          word4: args.word4,
          sender: BigInt(args.sender),
        }))
        .filter((operation) => operation.queueIndex >= queueHead);
    },

    /**
     * Deposits, transfers, a withdrawal, a new account, a deposit that is refused, a forced withdrawal, a payout, a
     * burn, and two batches in one transaction: five batches.
     */
    async makeHistory(
      submit: (closed: readonly ClosedBatch[]) => Promise<unknown> = (closed) => l1.submit(closed),
    ): Promise<void> {
      const { alice, bob } = l1.roles;
      const domain = await rollup.domain();
      const wait = async (hash: Promise<Hex>) => l1.client.waitForTransactionReceipt({ hash: await hash });
      await wait(
        l1.rollup.write.depositNew([100n * OPEN, alice, keyXOf(ALICE_SECRET), ANY_FEE], { account: alice }),
      );
      await wait(
        l1.rollup.write.depositNew([50n * OPEN, bob, keyXOf(BOB_SECRET), ANY_FEE], { account: bob }),
      );
      const deposits = await this.queueOperations();
      await submit([await this.close(() => deposits)]);
      const second = await this.close((now) => [
        this.transfer("alice", 3, 5n * OPEN, domain),
        signFor(
          now,
          ALICE_SECRET,
          { kind: KIND.withdraw, a: 2, words: [BigInt(bob), 7n * OPEN], nonce: 1n },
          domain,
        ),
        signFor(
          now,
          BOB_SECRET,
          {
            kind: KIND.createAccount,
            a: 3,
            amountCode: encodeAmount(3n * OPEN),
            words: [BigInt(bob), keyXOf(BOB_SECRET)],
          },
          domain,
        ),
      ]);
      await submit([second]);
      await wait(l1.rollup.write.depositTo([2, 9n * OPEN, bob, ANY_FEE], { account: alice }));
      await wait(l1.rollup.write.forceWithdraw([3, 11n * OPEN, alice, ANY_FEE], { account: bob }));
      const forced = await this.queueOperations();
      await submit([await this.close(() => forced)]);
      await wait(l1.rollup.write.finalizeWithdrawal([bob], { account: alice }));
      await wait(l1.rollup.write.burnAccrued({ account: alice }));
      const fourth = await this.close(() => [this.transfer("alice", 3, OPEN, domain)]);
      const fifth = await this.close(
        () => [this.transfer("bob", 2, 2n * OPEN, domain), this.transfer("alice", 1, OPEN, domain)],
        fourth,
      );
      await submit([fourth, fifth]);
      // One entry waits.
      await wait(l1.rollup.write.depositTo([3, 4n * OPEN, bob, ANY_FEE], { account: alice }));
    },
  };
}

/** The true history with some events changed. */
export function doctored(change: (event: HistoryEvent) => HistoryEvent | null) {
  return async function* (options: HistoryOptions): AsyncGenerator<HistoryEvent> {
    for await (const event of readL1History(options)) {
      const changed = change(event);
      if (changed !== null) yield changed;
    }
  };
}
