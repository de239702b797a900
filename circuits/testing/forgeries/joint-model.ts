/**
 * Test support: MODEL as a ready model of three datanets, and what each of them has published. It is none of the worlds' own,
 * since most operations have nothing to do with several datanets.
 */
import { hashStatics, packBinding, packCounters } from "../../ledger/leaf.ts";
import type { Payee } from "../../ledger/payee-shards.ts";
import { EMPTY_CLAIMED_ROOT, ownersCommitment, payeeRoot } from "../../ledger/rewards.ts";
import { KIND, MAX_PAYEE_COUNT } from "../../protocol.ts";
import {
  BINDING,
  type Build,
  CLOSED,
  COUNTERS_OF_MODEL,
  DATANET,
  honest,
  MODEL,
  NEW_DATANET,
  OTHER_DATANET,
  ownerOf,
  PAYEES,
  PAYER,
  PUBLISHED,
  RECIPIENT,
  STATICS,
  type World,
} from "./forgery-world.ts";
import type { LawlessOperation } from "./lawless-slot.ts";

/** Datanets of the model, in their places. */
export const JOINT_DATANETS = [DATANET, OTHER_DATANET, NEW_DATANET] as const;
const TABLES: readonly (readonly Payee[])[] = [
  PAYEES,
  [{ contributorId: RECIPIENT, validatorId: CLOSED, rowCount: 7 }],
  [
    { contributorId: PAYER, validatorId: PAYER, rowCount: 5 },
    { contributorId: RECIPIENT, validatorId: MODEL, rowCount: 6 },
  ],
];
const ABSENT: Payee = { contributorId: 0, validatorId: 0, rowCount: 0 };
/** Payees of the model, in the places of their shards. */
export const JOINT_PAYEES: readonly Payee[] = TABLES.flatMap((payees, s) =>
  s === TABLES.length - 1
    ? payees
    : [...payees, ...Array<Payee>(MAX_PAYEE_COUNT - payees.length).fill(ABSENT)],
);
const rowsOf = (payees: readonly Payee[]) => payees.map(({ rowCount }) => rowCount);
const rowCountOf = (payees: readonly Payee[]) => BigInt(rowsOf(payees).reduce((sum, rows) => sum + rows, 0));
export const JOINT_BINDING = {
  ...BINDING,
  rowCount: rowCountOf(JOINT_PAYEES),
  furtherDatanets: JOINT_DATANETS.slice(1) as readonly number[],
};
export const JOINT_STATICS = {
  ...STATICS,
  ownersCommitment: ownersCommitment(rowsOf(JOINT_PAYEES)),
  payeeRoot: payeeRoot(JOINT_PAYEES),
  binding: packBinding(JOINT_BINDING),
};

interface JointOptions {
  readonly counters?: Partial<typeof COUNTERS_OF_MODEL> & { readonly approvals?: number };
  readonly statics?: Partial<typeof STATICS>;
}

/** Makes MODEL one of three datanets, not approved unless `counters` say so. */
export function makeJoint(world: World, { counters, statics }: JointOptions = {}): World {
  for (const [position, id] of JOINT_DATANETS.entries()) {
    const payees = TABLES[position]!;
    // Any version of the further datanets is right.
    world.setDatanet(id, {
      ...PUBLISHED,
      version: 1n + BigInt(position) * 5n,
      rowCount: rowCountOf(payees),
      ownersCommitment: ownersCommitment(rowsOf(payees)),
      payeeRoot: payeeRoot(payees),
    });
  }
  const record = world.ledger.requireLeaf(MODEL);
  const rewards = { payees: JOINT_PAYEES, accruedWei: [], claimedWei: [], closed: null };
  world.ledger.put(MODEL, { ...record, rewards });
  const body = { accruedRoot: JOINT_STATICS.payeeRoot, claimedRoot: EMPTY_CLAIMED_ROOT };
  world.setBody(MODEL, { ...body, statics: { ...JOINT_STATICS, ...statics } });
  world.set(MODEL, { counters: packCounters({ ...COUNTERS_OF_MODEL, isApproved: false, ...counters }) });
  return world;
}

/** An approval of MODEL by a datanet, of three unless `options` make it another model. */
export const jointApproval =
  (a: number, options: JointOptions = {}, changes: Partial<LawlessOperation> = {}): Build =>
  (world) => {
    makeJoint(world, options);
    const words = [hashStatics({ ...JOINT_STATICS, ...options.statics })];
    return honest(KIND.approveModel, { a, b: MODEL, words, ...changes });
  };

/** An operation on the same model. */
export const onJoint =
  (operation: () => LawlessOperation, options: JointOptions = {}): Build =>
  (world) => {
    makeJoint(world, options);
    return operation();
  };

/** A forced kind's words, with A's owner as the sender. */
export const forcedBy = (a: number, words: readonly bigint[] = [0n, 0n, 0n]): bigint[] => [
  ...words,
  ownerOf(a),
];
