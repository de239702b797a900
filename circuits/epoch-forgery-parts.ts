/** Test support: forgeries of the kinds that turn a model's epochs, and the statements that refuse them. */
import { type Forgery, type Inputs, setInput } from "./forgery-check.ts";
import { type Build, honest, type SEALED_EPOCH, STATICS, type World } from "./forgery-world.ts";
import { hashModelBody, hashStatics, type Leaf, type ModelBody } from "./leaf.ts";
import { KIND, LEAF_KIND } from "./protocol.ts";
import { START_TIMESTAMP } from "./random-ledger.ts";
import { sealedHash } from "./rewards.ts";

export const OPENING_OF_BODY =
  "(isApproval + isSeal + isSettle + isClaim + isGenesis + opensForced) * (oldBody.out - bodyB) === 0;";
export const OPENING_OF_COUNTERS = "(isPay + opensModel) * (countersB - ";
export const IS_MODEL = "(isPay + opensModel) * (tagB - TAG_MODEL()) === 0;";
export const READY = "(isSeal + isSettle + isClaim) * (1 - ready) === 0;";
export const SEALABLE = "isSeal * (1 - isSealable) === 0;";
export const NEEDED = "isSettle * unsealed.out === 0;";
export const TERMS = "(isSettle + isGenesis) * (word0 - terms.out) === 0;";
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
    const before = world.ledger.requireRecord(operation.b!).model!;
    const lawful = { ...before, ...lawfulBody[kind]!(world, before) };
    const forged = hashModelBody({ ...lawful, ...changes(lawful) });
    return { ...operation, effectB: (leaf: Leaf) => ({ ...leaf, body: forged }) };
  };
export const sealedBy = (changes: Partial<typeof SEALED_EPOCH>) =>
  sealedHash(hashStatics(STATICS), { chain: 88n, epoch: 1n, sealBatch: 1n, amountWei: 7n, ...changes });
const lawfulBody: Record<number, (world: World, before: ModelBody) => Partial<ModelBody>> = {
  [KIND.seal]: () => ({ sealed: sealedBy({}), epochStart: START_TIMESTAMP }),
  [KIND.settle]: () => ({ sealed: 0n }),
  [KIND.claim]: () => ({}),
  [KIND.genesis]: () => ({ epochStart: START_TIMESTAMP }),
};

/** What every kind that opens a model must refuse. */
export function openings(kind: number): Forgery[] {
  const { b } = honest(kind);
  return [
    ...[LEAF_KIND.account, LEAF_KIND.datanet].map((leafKind) => ({
      rule: `a B that is a model but for its kind ${leafKind}`,
      kind,
      forged: ((world) => {
        world.set(b!, { kind: leafKind });
        return honest(kind);
      }) as Build,
      at: IS_MODEL,
      code: "OP_WRONG_LEAF_KIND",
    })),
    ...Array.from({ length: 9 }, (_, i) => ({
      rule: `another opening of B's body, field ${i}`,
      kind,
      forged: () => honest(kind),
      tamper: (inputs: Inputs) => {
        const rows = inputs.wideModel as bigint[][];
        setInput(inputs, "wideModel", [0, i], rows[0]![i]! + 1n);
      },
      at: OPENING_OF_BODY,
    })),
    ...["cap", "paymentCount", "epoch", "price"].map((name, i) => ({
      rule: `another opening of B's counters, ${name}`,
      kind,
      forged: () => honest(kind),
      tamper: (inputs: Inputs) => {
        const value = (inputs.wideRest as bigint[][])[0]![7 + i]! + 1n;
        setInput(inputs, "wideRest", [0, 7 + i], value);
        if (name === "epoch" && kind === KIND.seal) setBits(41, 25, (next) => next + 1n)(inputs);
      },
      at:
        kind === KIND.genesis && i < 3
          ? "isGenesis * (ready + cap + paymentCount + epoch) === 0;"
          : OPENING_OF_COUNTERS,
    })),
  ];
}
