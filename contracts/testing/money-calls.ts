/** Random calls of the walk of Exits.money.all.test.ts that hold no batch, each with what the model says of it. */

import { queueOperationOf } from "@openledger/circuits/batch/batch";
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { packClaim } from "@openledger/circuits/batch/epoch-operations";
import { hashStatics } from "@openledger/circuits/ledger/leaf";
import type { Ledger } from "@openledger/circuits/ledger/ledger";
import { type EntryRequest, toContractEntry } from "@openledger/circuits/ledger/operation";
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { BINDING, FIELD_ORDER, KIND, KIND_RULES, WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import type { TestRandom } from "@openledger/foundation/testing/test-random";
import { encodeFunctionData, type Hex, prepareEncodeFunctionData } from "viem";
import { rollupAbi } from "../build/rollup-abi.ts";
import { type ProvenExit, toAddress } from "./exit-fixture.ts";
import { FORCED_KINDS } from "./invariant-oracle.ts";
import { DATANET, FREE_IDS, MODELS, PAYEES } from "./money-ledger.ts";
import type { Moment, MoneyModel, Waiting } from "./money-oracle.ts";
import { ANY_FEE, type Fixture, OPEN, type Role, slot } from "./rollup-fixture.ts";

export const USERS = ["alice", "bob", "stranger"] as const;
export const QUEUE_KINDS = KIND_RULES.filter((rule) => rule.isQueue).map((rule) => rule.kind);
const MODEL_IDS = Object.values(MODELS);
/** Ids of existing leaves, one that never exists, and those that come to be. */
const IDS = [0, 1, 2, 3, 4, 5, ...MODEL_IDS, DATANET, 10, ...FREE_IDS];

/** A selector is the hash of a whole signature: one for each function is enough. */
const prepareCall = (functionName: string) =>
  prepareEncodeFunctionData({ abi: rollupAbi, functionName: functionName as "submitBatches" });
const preparedCalls = new Map<string, ReturnType<typeof prepareCall>>();

export interface Call {
  readonly name: string;
  readonly from: Role;
  readonly data: Hex;
  /** Returns true if the call is to be accepted; the model has then changed. */
  readonly take: (at: Moment) => boolean;
}

export interface AnyExit extends ProvenExit {
  /** True if the proof shows another statement. */
  readonly isSpoiled: boolean;
}

/** Maker of one round's calls. */
export class MoneyCalls {
  readonly f: Fixture;
  readonly random: TestRandom;
  readonly model: MoneyModel;
  readonly ledger: Ledger;
  readonly #kinds: readonly number[];

  /** @param isDepositing makes so many deposits that they fill their half of the queue */
  constructor(round: Pick<MoneyCalls, "f" | "random" | "model" | "ledger">, isDepositing: boolean) {
    this.f = round.f;
    this.random = round.random;
    this.model = round.model;
    this.ledger = round.ledger;
    const deposits = Array.from({ length: 12 }, () => KIND.depositNew);
    this.#kinds = isDepositing ? [...QUEUE_KINDS, ...deposits] : QUEUE_KINDS;
  }

  call(name: string, from: Role, functionName: string, args: readonly unknown[], take: Call["take"]): Call {
    const prepared = preparedCalls.get(functionName) ?? prepareCall(functionName);
    preparedCalls.set(functionName, prepared);
    return { name, from, data: encodeFunctionData({ ...prepared, args } as never), take };
  }

  word(role: Role): bigint {
    return BigInt(this.f.roles[role]);
  }

  user(): Role {
    return this.random.pick([...USERS]);
  }

  /** True, except once in `of` calls. */
  isOften(of: number): boolean {
    return this.random.below(of) !== 0;
  }

  /** User who owns a leaf; any user if none does. */
  #ownerOf(id: number): Role {
    const owner = this.ledger.leaf(id)?.leaf.l1Owner;
    return USERS.find((role) => this.word(role) === owner) ?? this.user();
  }

  /** A deposit or a forced operation that the ledger may or may not be able to execute. */
  queueing(): Call {
    const { random } = this;
    const { roles } = this.f;
    const kind = random.pick(this.#kinds);
    if (kind === KIND.forcedClaimRewards) return this.#forceClaimRewards();
    if (FORCED_KINDS.includes(kind)) return this.#force(kind);
    const id = random.pick(IDS);
    const owner = this.#ownerOf(id);
    const from = this.isOften(3) ? owner : this.user();
    const other = this.user();
    const anyWei = BigInt(1 + random.below(30)) * OPEN + BigInt(random.below(1_000_000));
    const ofLeaf = this.isOften(9) ? anyWei : WITHDRAW_ALL_WEI;
    switch (kind) {
      case KIND.depositNew: {
        const words = [anyWei, this.word(owner), 5n];
        return this.#queue("depositNew", from, [anyWei, roles[owner], 5n], { kind, words });
      }
      case KIND.depositTo: {
        const words = [anyWei, this.word(owner)];
        return this.#queue("depositTo", from, [id, anyWei, roles[owner]], { kind, b: id, words });
      }
      case KIND.forcedWithdraw: {
        const words = [ofLeaf, this.word(other)];
        return this.#queue("forceWithdraw", from, [id, ofLeaf, roles[other]], { kind, a: id, words });
      }
      case KIND.forcedSetKey:
        return this.#queue("forceSetKey", from, [id, anyWei], { kind, a: id, words: [0n, anyWei] });
      case KIND.forcedSetOwner: {
        const words = [0n, this.word(other)];
        return this.#queue("forceSetOwner", from, [id, roles[other]], { kind, a: id, words });
      }
      case KIND.forcedTransfer: {
        const b = random.pick(IDS);
        const recipient = this.isOften(4) ? this.#ownerOf(b) : other;
        const words = [ofLeaf, this.word(recipient)];
        return this.#queue("forceTransfer", from, [id, b, ofLeaf, roles[recipient]], {
          kind,
          a: id,
          b,
          words,
        });
      }
      default: {
        const b = random.pick([...MODEL_IDS, id]);
        // The word is the entry's time, which nobody knows yet.
        return this.#queue("forceCloseEpoch", from, [b], { kind, b, words: [0n, 0n] });
      }
    }
  }

  #forceClaimRewards(): Call {
    const { random } = this;
    // A payee of each shard, or an absent place between or behind them.
    const payeeIndex = random.pick([
      ...presentPayees(PAYEES).map(([position]) => position),
      2,
      PAYEES.length,
    ]);
    const role = random.pick([PAYEE_ROLE.contributor, PAYEE_ROLE.validator]);
    const isValidator = role === PAYEE_ROLE.validator;
    const owners = PAYEES[payeeIndex];
    const member = isValidator ? owners?.validatorId : owners?.contributorId;
    const a = member !== undefined && this.isOften(4) ? member : random.pick(IDS);
    const from = this.isOften(3) ? this.#ownerOf(a) : this.user();
    const b = random.pick([...MODEL_IDS, MODELS.old, MODELS.young, a]);
    const words = [0n, packClaim(payeeIndex, role)];
    return this.#queue("forceClaimRewards", from, [a, b, payeeIndex, isValidator], {
      kind: KIND.forcedClaimRewards,
      a,
      b,
      words,
    });
  }

  /** Call of `force`. One in eight has fields that no circuit could take. */
  #force(kind: number): Call {
    const { random } = this;
    const isDatanets = kind !== KIND.forcedPayInference && kind !== KIND.forcedCommitData;
    const a = isDatanets && this.isOften(5) ? DATANET : random.pick(IDS);
    const models = [MODELS.old, MODELS.young, ...MODEL_IDS, a];
    const b = kind === KIND.forcedCommitData ? random.pick([DATANET, DATANET, a]) : random.pick(models);
    const from = this.isOften(4) ? this.#ownerOf(a) : this.user();
    const { model } = this.ledger.leaf(b) ?? {};
    const statics = model !== undefined && this.isOften(5) ? hashStatics(model.statics) : 5n;
    const owner = this.word(this.isOften(5) ? this.#ownerOf(b) : this.user());
    const count = BigInt(random.below(1_000));
    const fields: Partial<EntryRequest> = {
      [KIND.forcedPayInference]: { b, amountWei: count * (OPEN / 100n), word1: owner, word2: 7n },
      [KIND.forcedRevokeModel]: { b },
      [KIND.forcedApproveModel]: {
        b,
        word1: owner,
        word2: statics,
        amountWei: (model?.statics.binding ?? 0n) >> BINDING.predecessor,
      },
      [KIND.forcedCommitData]: { b, amountWei: count, word2: count + 1n },
      [KIND.forcedPublishVersion]: { amountWei: count, word1: 1n, word2: 2n, word3: count << 96n, word4: 4n },
    }[kind]!;
    const spoilt = [{ amountWei: 1n << 95n }, { word1: FIELD_ORDER }, { a: 2 ** 24 }];
    const isSpoilt = !this.isOften(8);
    const entry = toContractEntry({ kind, a, ...fields, ...(isSpoilt ? random.pick(spoilt) : {}) });
    const { amountWei, word1, word2, word3, word4 } = entry;
    const words = [amountWei, word1, word2, word3, word4];
    const call = this.#queue("force", from, [entry], { kind, a, b: Number(entry.b), words });
    return isSpoilt ? { ...call, take: () => false } : call;
  }

  #queue(
    name: string,
    from: Role,
    args: readonly unknown[],
    fields: Pick<SlotRecord, "kind" | "words"> & Partial<SlotRecord>,
  ): Call {
    const sender = this.word(from);
    const [amountWei, word1, word2 = 0n, ...others] = fields.words;
    const wordCount = fields.kind === KIND.forcedPublishVersion ? 6 : 4;
    const words = [amountWei!, word1!, word2, sender, ...others].slice(0, wordCount);
    const record = slot(fields.kind, words, { a: fields.a ?? 0, b: fields.b ?? 0 });
    // Often any fee; else one that the queue may have risen above.
    const maxFeeWei = this.isOften(6) ? ANY_FEE : BigInt(this.random.below(4)) * OPEN;
    return this.call(name, from, name, [...args, maxFeeWei], (at) =>
      this.model.takeEntry(record, sender, maxFeeWei, at),
    );
  }

  /** Random call that is no entry and no batch. */
  anyCall(exits: readonly AnyExit[]): Call {
    const { random } = this;
    const from = this.user();
    const oneOrTwo = <T>(pick: () => T) => Array.from({ length: 1 + random.below(2) }, pick);
    switch (random.below(10)) {
      case 0:
        return this.burn(from);
      case 1:
      case 2:
      case 3:
        return this.finalizeWithdrawal(from, this.word(this.user()));
      case 4:
      case 5:
        return this.refund(
          from,
          oneOrTwo(() => this.#anyEntry()),
          random.below(5) === 0,
        );
      case 6:
        return this.freeze(from);
      default:
        return this.exit(
          from,
          oneOrTwo(() => random.pick([...exits])),
        );
    }
  }

  burn(from: Role): Call {
    return this.call("burnAccrued", from, "burnAccrued", [], () => this.model.takeBurn());
  }

  finalizeWithdrawal(from: Role, owner: bigint): Call {
    return this.call("finalizeWithdrawal", from, "finalizeWithdrawal", [toAddress(owner)], () =>
      this.model.takePayout(owner),
    );
  }

  freeze(from: Role): Call {
    return this.call("freeze", from, "freeze", [], (at) => this.model.takeFreeze(at));
  }

  /** Picks a waiting entry, or one that a batch has executed. */
  #anyEntry(): Waiting {
    const { consumed, state } = this.model;
    const isWaiting = state.queue.length > 0 && (consumed.length === 0 || this.isOften(8));
    return this.random.pick(isWaiting ? state.queue : consumed);
  }

  refund(from: Role, entries: readonly Waiting[], isAltered = false): Call {
    const stated = entries.map(({ record, sender, index }) => {
      const entry = toContractEntry(queueOperationOf(record, 0));
      return { index, entry, sender: toAddress(sender) };
    });
    const [first] = stated;
    if (isAltered && first !== undefined) {
      const changes = [
        { entry: { ...first.entry, amountWei: first.entry.amountWei ^ 1n } },
        { sender: toAddress(entries[0]!.sender ^ 1n) },
        // Like a deposit, whose sender would be credited.
        {
          entry: {
            ...first.entry,
            kind: BigInt(KIND.depositTo) ^ BigInt(KIND.depositNew) ^ first.entry.kind,
          },
        },
      ];
      Object.assign(first, this.random.pick(changes));
    }
    return this.call("refund", from, "refund", [stated], () => this.model.takeRefunds(entries, isAltered));
  }

  exit(from: Role, some: readonly AnyExit[]): Call {
    const args = [some.map((s) => s.exit), some.map((s) => s.proof)];
    const taken = some.map(({ exit, isSpoiled }) => ({
      ...exit,
      recipient: BigInt(exit.recipient),
      isSpoiled,
    }));
    return this.call("exit", from, "exit", args, () => this.model.takeExits(taken));
  }
}
