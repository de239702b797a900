/**
 * Test support: inputs of a table's parts that the parts' own rows allow and no honest batch has: null slots with a foreign
 * key, used slots of zeros, units that are not used and have fields, leaves of zeros. Whether the whole equation
 * would take them does not matter here: C has to fix what the terms are made of before anybody knows.
 */
import type { CircuitInputs } from "../../compiler/witness-calculator.ts";
import { DUMMY } from "../../field/curve/dummy-signature.ts";
import { hashTagged } from "../../field/poseidon.ts";
import { COUNTERS, FIELD_ORDER, KIND, MESSAGE_CORE } from "../../protocol.ts";
import { derivePublicKey, signMessage } from "../known-signers.ts";
import { SMALL_TABLE } from "../table-world.ts";
import type { PartSort } from "./part-binding.ts";

export interface Pattern {
  readonly sort: PartSort;
  readonly what: string;
  readonly inputs: CircuitInputs;
}

const WINDOW = SMALL_TABLE.low + SMALL_TABLE.top;
const SECRET = 0x5eedn;
const FOREIGN = 0xabad1deaabad1deaabad1deaabad1deaabad1dean;
const bitsOf = (value: bigint, count: number) =>
  Array.from({ length: count }, (_, i) => (value >> BigInt(i)) & 1n);
const ones = (count: number) => (1n << BigInt(count)) - 1n;
const challenges = { gamma: 0x9a44an, power: Array.from({ length: 9 }, (_, i) => 0xa1fan ** BigInt(i + 1)) };

interface Slot {
  readonly kind: number;
  readonly a: bigint;
  readonly b: bigint;
  readonly code: bigint;
  readonly next: bigint;
  readonly slack: bigint;
  readonly bRef: bigint;
  readonly payload: bigint;
  readonly feePerUnit: bigint;
}
const ZEROS: Slot = {
  kind: 0,
  a: 0n,
  b: 0n,
  code: 0n,
  next: 0n,
  slack: 0n,
  bRef: 0n,
  payload: 0n,
  feePerUnit: 0n,
};
const FILLED: Omit<Slot, "kind"> = {
  a: 9n,
  b: 33n,
  code: 12_345n,
  next: 8n,
  slack: 77n,
  feePerUnit: 5n,
  bRef: FOREIGN,
  payload: 0xfeedn,
};
/** The largest amount of the table, 2^35 - 1 times 10^18, with the largest ids and fees. */
const LARGEST: Omit<Slot, "kind"> = {
  a: ones(3 * WINDOW),
  b: ones(3 * WINDOW),
  code: ones(35) | (18n << 35n),
  next: ones(40),
  slack: ones(64),
  feePerUnit: ones(64),
  bRef: FIELD_ORDER - 1n,
  payload: FIELD_ORDER - 1n,
};

/** L1's is a hash, so it is not 0. */
const DOMAIN = 0xd0a1n;

/** Signature of a slot by a known secret key. The circuit checks nothing of a null slot's key. */
function signatureOf(slot: Slot): bigint[] {
  const { kind, a, b, code, next, slack, feePerUnit, bRef, payload } = slot;
  if (kind === KIND.null) return [FOREIGN, DUMMY.keyY, DUMMY.signature.r8x, DUMMY.signature.s];
  const core =
    BigInt(kind) +
    (a << MESSAGE_CORE.a) +
    (b << MESSAGE_CORE.b) +
    (code << MESSAGE_CORE.amount) +
    ((next - 1n) << MESSAGE_CORE.nonce) +
    ((feePerUnit + slack) << MESSAGE_CORE.maxFee);
  const element = ((core % FIELD_ORDER) + FIELD_ORDER) % FIELD_ORDER;
  const key = derivePublicKey(SECRET);
  const { r8x, s } = signMessage(SECRET, [DOMAIN, [element, bRef, payload]]);
  return [key.x, key.y, r8x, s];
}

const slotInputs = (slot: Slot): CircuitInputs => ({
  domain: DOMAIN,
  feePerUnit: slot.feePerUnit,
  ...challenges,
  used: BigInt(slot.kind !== KIND.null),
  aBits: bitsOf(slot.a, 3 * WINDOW),
  bBits: bitsOf(slot.b, 3 * WINDOW),
  amountBits: bitsOf(slot.code, 40),
  nextBits: bitsOf(slot.next, 40),
  slackBits: bitsOf(slot.slack, 64),
  bRef: slot.bRef,
  signature: signatureOf(slot),
});

const transfer = (what: string, slot: Slot): Pattern => ({
  sort: "transfer",
  what,
  inputs: slotInputs({ ...slot, payload: 0n }),
});
const used = KIND.transfer;
const transfers = (): Pattern[] => [
  transfer("used", { ...FILLED, kind: used }),
  transfer("null", ZEROS),
  transfer("null, with slack and a fee", { ...ZEROS, slack: ones(64), feePerUnit: 5n }),
  transfer("used, all zeros", { ...ZEROS, kind: used, next: 1n }),
  transfer("used, all zeros, no nonce before", { ...ZEROS, kind: used }),
  transfer("used, from a leaf to itself", { ...FILLED, kind: used, b: FILLED.a }),
  transfer("used, the largest of all", { ...LARGEST, kind: used }),
];

interface MemberState {
  readonly chain?: bigint;
  readonly open?: bigint;
  readonly surplus?: bigint;
  readonly gap?: bigint;
}
const member = (
  what: string,
  slot: Slot,
  { chain = 0n, open = 0n, surplus = 0n, gap = 0n }: MemberState = {},
): Pattern => ({
  sort: "member",
  what,
  inputs: {
    ...slotInputs(slot),
    timePoint: 0x71ce0n,
    payload: slot.payload,
    isPay: BigInt(slot.kind === KIND.payInference),
    chain,
    open,
    surplusBits: bitsOf(surplus, 64),
    gapBits: bitsOf(gap, 11),
  },
});
const members = (): Pattern[] => [
  member("null", ZEROS),
  member(
    "null, with chain, surplus and gap",
    { ...ZEROS, slack: 3n },
    { chain: FOREIGN, surplus: ones(64), gap: ones(11) },
  ),
  ...([KIND.commitData, KIND.payInference] as const).flatMap((kind) => {
    const isPay = kind === KIND.payInference;
    const name = isPay ? "used to pay" : "used to commit";
    const open = isPay ? FOREIGN : 0n;
    return [
      member(name, { ...FILLED, kind }, { chain: FOREIGN, open, surplus: 9n, gap: 2n }),
      member(`${name}, all zeros`, { ...ZEROS, kind, next: 1n }),
      member(`${name}, all zeros, no nonce before`, { ...ZEROS, kind }),
      member(`${name}, of nothing to a begun chain`, { ...ZEROS, kind, next: 1n }, { chain: FOREIGN, open }),
      member(`${name}, without a payload`, { ...FILLED, kind, payload: 0n }, { chain: FOREIGN }),
      member(
        `${name}, the largest of all`,
        { ...LARGEST, kind },
        { chain: FIELD_ORDER - 1n, open, surplus: ones(64), gap: ones(11) },
      ),
    ];
  }),
];

interface RowChange {
  readonly tag: bigint;
  readonly isMember: boolean;
  readonly asked: bigint;
  readonly isZero?: boolean;
  readonly isChanged?: boolean;
  readonly id?: bigint;
}
function row({ tag, isMember, asked, isZero = false, isChanged = false, id = 11n }: RowChange): Pattern {
  const leaf = isZero ? [tag, ...Array<bigint>(5).fill(0n)] : [tag, 4n, FOREIGN, 0x4e1n, 10n ** 18n, 0xca1n];
  const [, nonce, , , balance, rest] = leaf as [bigint, bigint, bigint, bigint, bigint, bigint];
  const by = isChanged ? 1n : 0n;
  const byMember = isMember ? by : 0n;
  const children = Array<bigint>(8).fill(isZero ? 0n : FOREIGN);
  children[Number(id & 7n)] = hashTagged(tag, leaf.slice(1));
  const what = [
    `of tag ${tag}`,
    ...(isMember ? ["a member"] : []),
    `asked ${asked}`,
    ...(isZero ? ["all zeros"] : []),
    ...(isChanged ? ["changed"] : []),
    `id ${id}`,
  ].join(", ");
  return {
    sort: "row",
    what,
    inputs: {
      ...challenges,
      idBits: bitsOf(id, 3 * WINDOW),
      first: BigInt(!isZero),
      isMember: BigInt(isMember),
      askedBits: bitsOf(asked, 12),
      leaf,
      newNonce: nonce + by,
      newBalance: balance + by,
      newRest: rest + byMember,
      children: [children],
    },
  };
}
const rows = (): Pattern[] => [
  ...[257n, 258n, 259n].flatMap((tag) =>
    [false, true].flatMap((isMember) =>
      [0n, 9n].map((asked) => row({ tag, isMember, asked, isChanged: asked > 0n })),
    ),
  ),
  row({ tag: 257n, isMember: false, asked: 0n, isZero: true, id: 0n }),
  row({ tag: 259n, isMember: true, asked: 0n, isZero: true, id: 0n, isChanged: true }),
  // A path's equations have other factors for each position in its node.
  ...Array.from({ length: 8 }, (_, position) =>
    row({ tag: 258n, isMember: true, asked: ones(12), isChanged: true, id: 56n + BigInt(position) }),
  ),
];

interface UnitState {
  readonly isUsed: boolean;
  readonly isModel: boolean;
  readonly asked: bigint;
  readonly isZero?: boolean;
}
function unit({ isUsed, isModel, asked, isZero = false }: UnitState): Pattern {
  const flags = { ready: isZero ? 0n : 1n, approved: isZero ? 0n : 1n, cap: isZero ? 0n : 9n };
  const opening = {
    ...flags,
    count: isZero ? 0n : 4n,
    epoch: isZero ? 0n : 2n,
    price: isZero ? 0n : 10n ** 15n,
  };
  const shown = Object.fromEntries(
    Object.entries(opening).map(([name, value]) => [name, isModel ? value : 0n]),
  ) as typeof opening;
  const packed =
    shown.ready |
    (shown.approved << COUNTERS.approved) |
    (shown.cap << COUNTERS.cap) |
    (shown.count << COUNTERS.paymentCount) |
    (shown.epoch << COUNTERS.epoch) |
    (shown.price << COUNTERS.price);
  const newCounters = isModel ? packed : isZero ? 0n : 1_234n;
  const state = isZero
    ? [0n, 0n, 0n, 0n, 0n, newCounters, 0n]
    : [0xca1n, 0xca2n, FOREIGN + 1n, ones(96), FOREIGN + 2n, newCounters, 0xb0d1n];
  return {
    sort: "unit",
    what: [
      isUsed ? "used" : "not used",
      isModel ? "model" : "datanet",
      `asked ${asked}`,
      ...(isZero ? ["all zeros"] : []),
    ].join(", "),
    inputs: {
      ...challenges,
      idBits: bitsOf(isZero ? 0n : ones(24), 24),
      isUsed: BigInt(isUsed),
      isModel: BigInt(isModel),
      askedBits: bitsOf(asked, 12),
      lastBits: bitsOf(isZero ? 0n : ones(12), 12),
      ref: isZero ? 0n : FOREIGN,
      state,
      readyBit: shown.ready,
      approvedBit: shown.approved,
      capBits: bitsOf(shown.cap, 16),
      countBits: bitsOf(shown.count, 16),
      epochBits: bitsOf(shown.epoch, 24),
      priceBits: bitsOf(shown.price, 96),
    },
  };
}
const units = (): Pattern[] =>
  [false, true].flatMap((isModel) => [
    unit({ isUsed: true, isModel, asked: 0n }),
    unit({ isUsed: true, isModel, asked: 9n }),
    unit({ isUsed: true, isModel, asked: 0n, isZero: true }),
    unit({ isUsed: false, isModel, asked: 0n }),
    unit({ isUsed: false, isModel, asked: 0n, isZero: true }),
  ]);

/** All patterns of a sort. Needs `initPoseidon`. */
export const hostilePatterns = (sort: PartSort): Pattern[] =>
  ({ transfer: transfers, member: members, row: rows, unit: units })[sort]();
