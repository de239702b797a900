/** Test support: forgeries of the kinds that turn a model's epochs, and the statements that refuse them. */

import { expectedSettlementHash } from "../../batch/settlement-operation.ts";
import {
  hashModelBody,
  hashStatics,
  type Leaf,
  type LeafState,
  type ModelBody,
  packCounters,
  unpackCounters,
} from "../../ledger/leaf.ts";
import { accruedRoot, activationHash, claimedRoot, closedHash } from "../../ledger/rewards.ts";
import { KIND, LEAF_KIND } from "../../protocol.ts";
import { START_TIMESTAMP } from "../random-ledger.ts";
import { type ForgeryOfKind, type Inputs, setInput } from "./forgery-check.ts";
import { type Build, CLOSED, type CLOSED_EPOCH, honest, STATICS, type World } from "./forgery-world.ts";

export const OPENING_OF_BODY =
  "(isApproval + isCloseEpoch + isSettle + isClaimRewards + isActivation + opensForced) * (oldBody.out - bodyB) === 0;";
export const OPENING_OF_COUNTERS = "(isPay + opensModel) * (countersB - ";
const IS_MODEL = "(isPay + opensModel) * (tagB - TAG_MODEL()) === 0;";
export const READY = "(isCloseEpoch + isSettle + isClaimRewards) * (1 - ready) === 0;";
export const CLOSABLE = "isCloseEpoch * (1 - isEpochClosable) === 0;";
export const NEEDED = "isSettle * unclosed.out === 0;";
export const TERMS = "(isSettle + isActivation) * (word0 - terms.out) === 0;";
export const NO_A = "(1 - isSigned - isForced) * aId === 0;";

const readBits = (inputs: Inputs, from: number, width: number): bigint =>
  (inputs.wideScratchBits as bigint[][])[0]!
    .slice(from, from + width)
    .reduceRight((sum, bit) => 2n * sum + bit, 0n);
/** Replaces some of the digits that the active kind compares. */
export const setBits =
  (from: number, width: number, change: (value: bigint) => bigint) =>
  (inputs: Inputs): void => {
    const value = BigInt.asUintN(width, change(readBits(inputs, from, width)));
    for (let i = 0; i < width; i++)
      setInput(inputs, "wideScratchBits", [0, from + i], (value >> BigInt(i)) & 1n);
  };

/** The body after the lawful operation with some fields replaced, in B's leaf. */
export const withBody =
  (kind: number, changes: (lawful: ModelBody) => Partial<ModelBody>): Build =>
  (world) => {
    const operation = honest(kind);
    const before = world.ledger.requireLeaf(operation.b!).model!;
    const lawful = { ...before, ...lawfulBody[kind]!(world, before) };
    const forged = hashModelBody({ ...lawful, ...changes(lawful) });
    return { ...operation, effectB: (leaf: Leaf) => ({ ...leaf, body: forged }) };
  };
export const closedBy = (changes: Partial<typeof CLOSED_EPOCH>) =>
  closedHash(hashStatics(STATICS), { chain: 88n, epoch: 1n, closingBatch: 1n, amountWei: 7n, ...changes });
const lawfulBody: Record<number, (world: World, before: ModelBody) => Partial<ModelBody>> = {
  [KIND.closeEpoch]: () => ({ closed: closedBy({}), epochStart: START_TIMESTAMP }),
  [KIND.settle]: () => ({ closed: 0n }),
  [KIND.claimRewards]: () => ({}),
  [KIND.activation]: () => ({ epochStart: START_TIMESTAMP }),
};

/** Forgeries that every kind that opens a model must refuse. */
export function openings(kind: number): ForgeryOfKind[] {
  const { b } = honest(kind);
  return [
    ...[LEAF_KIND.account, LEAF_KIND.datanet].map((leafKind) => ({
      rule: `a B that is a model but for its kind ${leafKind}`,
      forged: ((world) => {
        world.set(b!, { kind: leafKind });
        return honest(kind);
      }) as Build,
      at: IS_MODEL,
      code: "OP_WRONG_LEAF_KIND",
    })),
    ...bodyOpenings(kind),
    ...(["isReady", "cap", "paymentCount", "epoch", "priceWei"] as const).map((name) => ({
      rule: `another opening of B's counters, ${name}`,
      forged: ((world) => {
        const counters = unpackCounters(world.leaf(b!).counters);
        // The inputs show what the rules require, and the leaf has something else.
        const required = name === "isReady" ? kind !== KIND.activation : counters[name];
        const held = name === "isReady" ? !required : counters[name] + 1n;
        world.set(b!, { counters: packCounters({ ...counters, [name]: held }) });
        return honest(kind, { shownCounters: { [name]: required } });
      }) as Build,
      tamper: (inputs: Inputs) => {
        if (name === "epoch" && kind === KIND.closeEpoch) setBits(41, 25, (next) => next - 1n)(inputs);
      },
      at: OPENING_OF_COUNTERS,
    })),
  ];
}

const STATICS_FIELDS = ["featuresCommitment", "ownersCommitment", "payeeRoot", "binding", "split"] as const;
const BODY_FIELDS = ["closed", "accruedRoot", "claimedRoot", "epochStart"] as const;

/** Forged body in field `i` of the opening: with the amounts and epochs that a forger would choose. */
function falseBody(kind: number, i: number, { model, rewards }: LeafState): Partial<LeafState> {
  const body = model!;
  const field = BODY_FIELDS[i - 5];
  if (field === undefined) {
    const name = STATICS_FIELDS[i]!;
    // The validator's part of the split.
    const statics = { ...body.statics, [name]: body.statics[name] + (name === "split" ? 1n << 16n : 1n) };
    return { model: { ...body, statics } };
  }
  if (field === "accruedRoot" && rewards !== undefined) {
    const accruedWei = rewards.accruedWei.map((wei) => wei + 65_536n);
    return {
      model: { ...body, accruedRoot: accruedRoot(rewards.payees, accruedWei) },
      rewards: { ...rewards, accruedWei },
    };
  }
  if (field === "claimedRoot" && rewards !== undefined && rewards.claimedWei.length > 0)
    return {
      model: { ...body, claimedRoot: claimedRoot([]) },
      rewards: { ...rewards, claimedWei: [] },
    };
  const isCloseEpoch = kind === KIND.closeEpoch || kind === KIND.forcedCloseEpoch;
  if (field === "closed" && isCloseEpoch) return { model: { ...body, closed: 0n } };
  return { model: { ...body, [field]: body[field] + (field === "epochStart" ? -1n : 1n) } };
}

/** False openings of B's body, with the effect that each would have. */
export function bodyOpenings(kind: number): ForgeryOfKind[] {
  const isCloseEpoch = kind === KIND.closeEpoch || kind === KIND.forcedCloseEpoch;
  return Array.from({ length: 9 }, (_, i) => ({
    rule: `another opening of B's body, field ${i}`,
    forged: (world: World) => {
      // A Close requires that nothing is closed: CLOSED has a closed epoch.
      const b = isCloseEpoch && i === 5 ? CLOSED : honest(kind).b!;
      const record = world.ledger.requireLeaf(b);
      const shown = { ...record, ...falseBody(kind, i, record) };
      world.ledger.put(b, shown);
      const operation = honest(kind, { b });
      const { settlement } = operation;
      if (kind === KIND.settle)
        return { ...operation, words: [expectedSettlementHash(shown, { modelId: b, ...settlement! })] };
      if (kind !== KIND.activation) return operation;
      const { statics, accruedRoot: payeeRoot } = shown.model!;
      const terms = { modelId: b, statics: hashStatics(statics), cap: settlement!.cap!, payeeRoot };
      return { ...operation, words: [activationHash(terms)] };
    },
    at: OPENING_OF_BODY,
  }));
}
