/**
 * Test support: a small ledger whose members make random operations, valid ones and ones that must be refused.
 * Everything follows from one seed.
 */

import { TestRandom } from "@openledger/foundation/testing/test-random";
import type { BatchOpening } from "../batch/batch.ts";
import { packClaim } from "../batch/epoch-operations.ts";
import type { ReplayedSettlement } from "../batch/settlement-operation.ts";
import type { Operation, TreelessTrace as Trace } from "../batch/slot-trace.ts";
import { encodeAmount } from "../ledger/amount-float.ts";
import {
  accountLeaf,
  type DatanetBody,
  EMPTY_DATANET_BODY,
  hashDatanetBody,
  hashModelBody,
  hashStatics,
  type LeafState,
  type ModelBody,
  packBinding,
  packCounters,
} from "../ledger/leaf.ts";
import { type Genesis, genesisLedger, type Ledger } from "../ledger/ledger.ts";
import {
  leafReference,
  operationMessage,
  type QueueOperation,
  type SignedOperation,
} from "../ledger/operation.ts";
import { EMPTY_CLAIMED_ROOT, ownersCommitment, type Payee, packSplit, payeeRoot } from "../ledger/rewards.ts";
import {
  APPROVAL_DELAY_SECONDS,
  type BatchShape,
  EPOCH_SECONDS,
  KIND,
  KIND_RULES,
  type KindRule,
  kindRule,
  LEAF_KIND,
  WITHDRAW_ALL_WEI,
} from "../protocol.ts";
import type { TableBuilder } from "../table/table-builder.ts";
import { derivePublicKey, signMessage } from "./known-signers.ts";
import { postedOf, randomSettlement } from "./settlement/random-settlement.ts";

export const OPEN = 10n ** 18n;
export const START_TIMESTAMP = 1_800_000_000n;

interface Member {
  readonly id: number;
  readonly secret: bigint;
  readonly l1Owner: bigint;
}

const keys = new Map<bigint, bigint>();
/** x-coordinate of a secret's key, cached: the derivation takes milliseconds, and tests use few keys. */
export function keyXOf(secret: bigint): bigint {
  let keyX = keys.get(secret);
  if (keyX === undefined) {
    keyX = derivePublicKey(secret).x;
    keys.set(secret, keyX);
  }
  return keyX;
}

export const TEST_DOMAIN = 0x0123456789abcdefn;
const GENESIS: Genesis = { treasuryOwner: 0x7ea5n, operatorOwner: 0x09e7a702n, operatorKeyX: 5n };

/** Signs an operation for a leaf of the ledger. Missing fields are read from the ledger. */
export function signFor(
  ledger: Ledger,
  secret: bigint,
  fields: {
    kind: number;
    a: number;
    b?: number;
    amountCode?: bigint;
    words?: bigint[];
  } & Partial<SignedOperation>,
  domain: bigint = TEST_DOMAIN,
): SignedOperation {
  const operation = {
    kind: fields.kind,
    a: fields.a,
    b: fields.b ?? 0,
    amountCode: fields.amountCode ?? 0n,
    words: fields.words ?? [],
    nonce: fields.nonce ?? ledger.opened(fields.a).leaf.nonce,
    maxFeePerUnitWei: fields.maxFeePerUnitWei ?? 10n ** 15n,
  };
  const rule = kindRule(operation.kind)!;
  const bRef = rule.usesB && !rule.isCreate ? leafReference(ledger.opened(operation.b).leaf) : 0n;
  return {
    ...operation,
    signature: fields.signature ?? signMessage(secret, operationMessage(operation, { domain, bRef })),
  };
}

/** The ids of the worlds' first accounts, and of its payable model, which has a payee of itself. */
const [FIRST, SECOND, THIRD, PAYABLE] = [2, 3, 4, 6] as const;
/** The payee table of the worlds' datanet. */
const PAYEES: readonly Payee[] = [
  { contributorId: FIRST, validatorId: SECOND, rowCount: 100 },
  { contributorId: SECOND, validatorId: SECOND, rowCount: 50 },
  { contributorId: PAYABLE, validatorId: THIRD, rowCount: 150 },
];
const SPLIT = packSplit({ ownerParts: 20_000n, validatorParts: 6_554n });

const WIDE_KINDS = KIND_RULES.filter(({ kind }) => kind !== KIND.null);

/**
 * Names of the possible outcomes of a kind's slot. A deposit to a new account fails on a full tree only,
 * which few worlds reach.
 */
export const outcomesOf = ({ kind, isQueue }: KindRule): string[] =>
  !isQueue ? [`${kind}`] : kind === KIND.depositNew ? ["16 executed"] : [`${kind}`, `${kind} executed`];

/** A ledger with three accounts, a published datanet, a payable model and a model that waits for its activation. */
export class RandomLedger {
  readonly random: TestRandom;
  readonly seen: Map<string, number>;
  readonly ledger: Ledger;
  readonly accounts: Member[] = [];
  readonly datanets: Member[] = [];
  readonly models: Member[] = [];
  timestamp = START_TIMESTAMP;
  batchNumber = 0n;
  opIndex = 0n;
  #queueIndex = 0;

  /** `seen`: how often each outcome was met, which several worlds may share. Kinds that lack one are drawn more often. */
  constructor(seed: number, depth: number, seen = new Map<string, number>()) {
    this.seen = seen;
    this.random = new TestRandom(seed);
    this.ledger = genesisLedger(GENESIS, depth);
    const put = (list: Member[], record: (owner: bigint, keyX: bigint) => LeafState) => {
      const id = this.ledger.nextId++;
      const secret = BigInt(1000 + (id % 5));
      const l1Owner = BigInt(0xa000 + id);
      this.ledger.put(id, record(l1Owner, keyXOf(secret)));
      list.push({ id, secret, l1Owner });
      return id;
    };
    for (let i = 0; i < 3; i++) {
      put(this.accounts, (l1Owner, keyX) => ({
        leaf: accountLeaf({ l1Owner, keyX, balance: 1000n * OPEN + BigInt(this.random.below(1e9)) }),
      }));
    }
    const published: DatanetBody = {
      ...EMPTY_DATANET_BODY,
      version: 1n,
      rowCount: 300n,
      publishedAt: START_TIMESTAMP - BigInt(APPROVAL_DELAY_SECONDS),
      rowsRoot: 11n,
      ownersCommitment: ownersCommitment(PAYEES.map((payee) => payee.rowCount)),
      payeeRoot: payeeRoot(PAYEES),
    };
    const datanetId = put(this.datanets, (l1Owner, keyX) => ({
      leaf: {
        ...accountLeaf({ l1Owner, keyX, balance: 50n * OPEN }),
        kind: LEAF_KIND.datanet,
        counters: 300n,
        body: hashDatanetBody(published),
      },
      datanet: published,
    }));
    for (const isReady of [true, false]) {
      const model: ModelBody = {
        statics: {
          featuresCommitment: 21n,
          ownersCommitment: published.ownersCommitment,
          payeeRoot: published.payeeRoot,
          binding: packBinding({
            datanetId: BigInt(datanetId),
            version: 1n,
            rowCount: 300n,
            predecessorId: 0n,
            drawBits: isReady ? 2n : 4n,
            featureCount: 256n,
          }),
          split: SPLIT,
        },
        closed: 0n,
        accruedRoot: published.payeeRoot,
        claimedRoot: EMPTY_CLAIMED_ROOT,
        // Others may then close it after some batches.
        epochStart: isReady ? START_TIMESTAMP + 9000n - BigInt(EPOCH_SECONDS) : 0n,
      };
      put(this.models, (l1Owner, keyX) => ({
        leaf: {
          ...accountLeaf({ l1Owner, keyX, balance: 20n * OPEN }),
          kind: LEAF_KIND.model,
          counters: packCounters({
            isReady,
            isApproved: isReady,
            cap: isReady ? 16n : 0n,
            paymentCount: 0n,
            epoch: isReady ? 1n : 0n,
            priceWei: OPEN / 10n,
          }),
          body: hashModelBody(model),
        },
        model,
        ...(isReady ? { rewards: { payees: PAYEES, accruedWei: [], claimedWei: [], closed: null } } : {}),
      }));
    }
  }

  opening(shape: BatchShape): BatchOpening {
    this.batchNumber += 1n;
    this.timestamp += BigInt(this.random.below(4000));
    return {
      shape,
      domain: TEST_DOMAIN,
      oldRoot: this.ledger.root,
      batchNumber: this.batchNumber,
      firstOpIndex: this.opIndex,
      oldNextId: this.ledger.nextId,
      idFeeWei: OPEN,
      timestamp: this.timestamp,
      feeAccountId: this.random.pick([1, 1, this.accounts[0]!.id]),
      feePerUnitWei: 10n ** 12n,
    };
  }

  /** A transfer between two of the accounts. */
  transfer(): SignedOperation {
    const from = this.random.pick(this.accounts);
    const to = this.random.pick(this.accounts);
    const amountCode = encodeAmount(BigInt(1 + this.random.below(1000)) * 10n ** 12n);
    return signFor(this.ledger, from.secret, { kind: KIND.transfer, a: from.id, b: to.id, amountCode });
  }

  /** A random operation that the ledger accepts now, or null if the chosen kind has none. */
  operation(isWide: boolean): Operation {
    const { random, ledger } = this;
    const lacking = WIDE_KINDS.filter((rule) => outcomesOf(rule).some((name) => !this.seen.has(name)));
    const { kind } = !isWide
      ? { kind: random.pick([KIND.transfer, KIND.transfer, KIND.commitData, KIND.payInference]) }
      : random.pick(lacking.length > 0 && random.below(4) > 0 ? lacking : WIDE_KINDS);
    const account = random.pick([...this.accounts, ...this.datanets]);
    const amountCode = encodeAmount(BigInt(1 + random.below(1000)) * 10n ** BigInt(random.below(15)));
    const member = random.pick([...this.accounts, ...this.datanets, ...this.models]);
    const sign = (by: Member, fields: Parameters<typeof signFor>[2]) => signFor(ledger, by.secret, fields);
    const datanet = this.datanets[0]!;
    switch (kind) {
      case KIND.transfer:
        return sign(account, {
          kind,
          a: account.id,
          b: random.pick([account.id, member.id, 1, 0]),
          amountCode,
        });
      case KIND.commitData:
        return sign(account, {
          kind,
          a: account.id,
          b: datanet.id,
          amountCode: BigInt(1 + random.below(500)),
          words: [random.field()],
        });
      case KIND.payInference:
        return sign(account, {
          kind,
          a: account.id,
          b: random.pick([0, 0, 0, 1].map((i) => this.models[i]!.id)),
          amountCode: encodeAmount(OPEN / 10n + BigInt(random.below(9)) * 10n ** 15n),
          words: [random.field()],
        });
      case KIND.createAccount:
      case KIND.createDatanet:
        return sign(account, {
          kind,
          a: account.id,
          amountCode,
          words: [BigInt(0xb000 + random.below(1000)), keyXOf(1000n)],
        });
      case KIND.createModel:
        return sign(account, {
          kind,
          a: account.id,
          amountCode,
          words: [
            BigInt(0xc000 + random.below(1000)),
            keyXOf(1001n),
            random.field(),
            random.field(),
            random.field(),
            packBinding({
              datanetId: BigInt(datanet.id),
              version: 1n,
              rowCount: 300n,
              predecessorId: 3n,
              drawBits: 0n,
              featureCount: 32n,
            }),
            OPEN / 100n + (BigInt(random.below(2 ** 32)) << 96n),
          ],
        });
      case KIND.withdraw:
        return sign(member, {
          kind,
          a: member.id,
          words: [BigInt(0xd000 + random.below(99)), BigInt(random.below(1e9))],
        });
      case KIND.publishVersion: {
        const fresh = this.random.below(2) === 0 || ledger.requireLeaf(datanet.id).datanet!.version > 1n;
        const published = [ownersCommitment(PAYEES.map((payee) => payee.rowCount)), payeeRoot(PAYEES)];
        const words = fresh
          ? [random.field(), ...published, 300n, BigInt(random.below(5))]
          : [11n, ...published, 300n, 0n];
        return sign(datanet, { kind, a: datanet.id, words });
      }
      case KIND.approveModel: {
        const model = random.pick(this.models);
        const statics = ledger.requireLeaf(model.id).model!.statics;
        return sign(datanet, { kind, a: datanet.id, b: model.id, words: [hashStatics(statics)] });
      }
      case KIND.revokeModel:
        return sign(datanet, { kind, a: datanet.id, b: random.pick(this.models).id });
      case KIND.closeEpoch: {
        const model = random.pick([0, 0, 1].map((i) => this.models[i]!));
        const by = random.pick([model, model, account]);
        return sign(by, { kind, a: by.id, b: model.id });
      }
      case KIND.claimRewards: {
        const payeeIndex = random.below(PAYEES.length);
        const role = random.pick([0, 1] as const);
        const id = role === 0 ? PAYEES[payeeIndex]!.contributorId : PAYEES[payeeIndex]!.validatorId;
        const owner = [...this.accounts, ...this.models].find((m) => m.id === id)!;
        const by = random.below(8) === 0 ? account : owner;
        return sign(by, { kind, a: by.id, b: this.models[0]!.id, words: [packClaim(payeeIndex, role)] });
      }
      case KIND.settle:
      case KIND.activation:
        return randomSettlement(kind, random, ledger, random.pick(this.models), PAYEES, TEST_DOMAIN);
      case KIND.setKey:
        // To the same key, so that the member can go on signing.
        return sign(member, { kind, a: member.id, words: [keyXOf(member.secret)] });
      default:
        return this.queueEntry(kind);
    }
  }

  /** A random queue entry, executable or not. */
  queueEntry(kind: number): QueueOperation {
    const { random, ledger } = this;
    const target = random.pick([...this.accounts, ...this.datanets, ...this.models]);
    const isStranger = random.below(3) === 0;
    const isMissing = random.below(5) === 0;
    const id = isMissing ? ledger.nextId + random.below(4) : target.id;
    const owner = isStranger ? 0xbadn : ledger.opened(id).leaf.l1Owner || 0xbadn;
    const base = {
      kind,
      queueIndex: this.#queueIndex++,
      a: 0,
      b: 0,
      amountWei: 0n,
      word1: 0n,
      word2: 0n,
      word3: 0n,
      word4: 0n,
      sender: owner,
    };
    const { balance } = ledger.opened(id).leaf;
    switch (kind) {
      case KIND.depositNew:
        return { ...base, amountWei: OPEN, word1: 0xe000n + BigInt(random.below(99)), word2: keyXOf(1002n) };
      case KIND.depositTo:
        return { ...base, b: id, amountWei: OPEN + BigInt(random.below(1e9)), word1: owner };
      case KIND.forcedWithdraw:
        return {
          ...base,
          a: id,
          word1: 0xf00dn,
          amountWei: random.pick([1n, balance, balance + 1n, WITHDRAW_ALL_WEI]),
        };
      case KIND.forcedTransfer: {
        const recipient = random.pick([...this.accounts, ...this.models]).id;
        return {
          ...base,
          a: id,
          b: random.below(5) === 0 ? ledger.nextId + random.below(4) : recipient,
          word1: random.below(4) === 0 ? 0xbadn : ledger.opened(recipient).leaf.l1Owner,
          amountWei: random.pick([1n, balance, balance + 1n, WITHDRAW_ALL_WEI]),
        };
      }
      case KIND.forcedClaimRewards: {
        const payeeIndex = random.below(PAYEES.length + 1);
        const role = random.pick([0, 1] as const);
        const payee = PAYEES[payeeIndex];
        const member = (role === 0 ? payee?.contributorId : payee?.validatorId) ?? id;
        const a = random.below(4) === 0 ? id : member;
        const b = random.pick([this.models[0]!.id, this.models[0]!.id, this.models[1]!.id, id]);
        const sender = isStranger ? 0xbadn : ledger.opened(a).leaf.l1Owner || 0xbadn;
        return { ...base, a, b, word1: packClaim(payeeIndex, role), sender };
      }
      case KIND.forcedCloseEpoch:
        return {
          ...base,
          b: random.pick([this.models[0]!.id, this.models[0]!.id, this.models[1]!.id, id]),
          word1: this.timestamp + BigInt(random.below(2) * EPOCH_SECONDS),
        };
      case KIND.forcedPayInference: {
        const model = random.pick([this.models[0]!.id, this.models[0]!.id, this.models[1]!.id, id]);
        return {
          ...base,
          a: id,
          b: model,
          word1: random.below(4) === 0 ? 0xbadn : ledger.opened(model).leaf.l1Owner || 0xbadn,
          word2: random.field(),
          // About the price, and about the balance.
          amountWei: random.pick([OPEN / 10n - 1n, OPEN / 10n, balance, balance + 1n, WITHDRAW_ALL_WEI]),
        };
      }
      case KIND.forcedRevokeModel:
      case KIND.forcedApproveModel: {
        const b = random.pick([...this.models.map((model) => model.id), id]);
        const { leaf, model } = ledger.opened(b);
        const by = random.below(3) === 0 ? id : this.datanets[0]!.id;
        const sender = isStranger ? 0xbadn : ledger.opened(by).leaf.l1Owner || 0xbadn;
        if (kind === KIND.forcedRevokeModel) return { ...base, a: by, b, sender };
        const rest = (model?.statics.binding ?? 0n) >> 88n;
        const queuedAt = this.timestamp + BigInt(random.below(3) * APPROVAL_DELAY_SECONDS);
        // One word at most is wrong.
        const wrong = random.below(6);
        return {
          ...base,
          a: by,
          b,
          sender,
          amountWei: BigInt.asUintN(39, rest ^ BigInt(wrong === 0)) | (queuedAt << 39n),
          word1: wrong === 1 ? 0xbadn : leaf.l1Owner || 0xbadn,
          word2: model === undefined || wrong === 2 ? random.field() : hashStatics(model.statics),
        };
      }
      case KIND.forcedCommitData:
        return {
          ...base,
          a: id,
          b: random.pick([this.datanets[0]!.id, this.datanets[0]!.id, id, ledger.nextId]),
          amountWei: random.pick([1n, 40n, 2n ** 32n - 1n]),
          word2: random.field(),
        };
      case KIND.forcedPublishVersion: {
        const a = random.below(3) === 0 ? id : this.datanets[0]!.id;
        const sender = isStranger ? 0xbadn : ledger.opened(a).leaf.l1Owner || 0xbadn;
        const owners = ownersCommitment(PAYEES.map((payee) => payee.rowCount));
        const published = { amountWei: 300n, word1: random.field(), word2: owners, word3: payeeRoot(PAYEES) };
        return { ...base, a, sender, ...published, word4: BigInt(random.below(5)) };
      }
      case KIND.forcedSetKey: {
        const member = [...this.accounts, ...this.datanets, ...this.models].find((m) => m.id === id);
        return { ...base, a: id, word1: keyXOf(member?.secret ?? 1000n) };
      }
      default:
        return { ...base, a: id, word1: owner };
    }
  }

  /** Fills a batch with random operations; refused ones are counted and change nothing. */
  fill(
    builder: TableBuilder,
    shape: BatchShape,
  ): { traces: Trace[]; refusedCodes: string[]; settlements: ReplayedSettlement[]; burnedWei: bigint } {
    const traces: Trace[] = [];
    const settlements: ReplayedSettlement[] = [];
    const refusedCodes: string[] = [];
    const narrowExpected = this.random.below(shape.narrow + 1);
    const wideExpected = this.random.below(shape.wide + 1);
    const attempt = (isWide: boolean) => {
      const operation = this.operation(isWide);
      if (!builder.hasRoomFor(operation)) return;
      const rootBefore = this.ledger.root;
      const posted = "modelId" in operation ? postedOf(this.ledger, operation) : null;
      try {
        const { trace } = builder.add(operation);
        traces.push(trace);
        const outcome = `${trace.record.kind}${trace.record.isValid ? " executed" : ""}`;
        this.seen.set(outcome, (this.seen.get(outcome) ?? 0) + 1);
        if (posted !== null) settlements.push(posted);
      } catch (error) {
        refusedCodes.push((error as { code: string }).code);
        if (this.ledger.root !== rootBefore) throw new Error("a refused operation changed the root");
      }
    };
    for (let i = 0; i < narrowExpected; i++) attempt(false);
    for (let i = 0; i < wideExpected; i++) attempt(true);
    this.opIndex += BigInt(builder.signedCount);
    const burnedWei = settlements.reduce((sum, posted) => sum + posted.burnedWei, 0n);
    return { traces, refusedCodes, settlements, burnedWei };
  }
}
