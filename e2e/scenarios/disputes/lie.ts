/** What a hostile owner commits to: a model with one lie, made so that all else of the commitment fits it. */
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { TracedQuery } from "@openledger/challenger/games/claims/traced-model";
import type { FaultName } from "@openledger/challenger/model-commitments/read-windows";
import {
  type CommittedModel,
  type DisputeStatement,
  factBytes,
  type Leaves,
  type RowFact,
} from "@openledger/challenger/statements/committed-model";
import { readFact } from "@openledger/challenger/statements/leaf-bytes";

/** @typeParam Made the honest model, and what its owner knows of it */
export interface CommitmentLie<Made, Model = PublishedModel> {
  readonly name: string;
  readonly description: string;
  /** What the contract calls the place that a watcher shows. */
  readonly fault: FaultName;
  /** Whether its owner plays the game about it to its end; else the owner is silent. */
  readonly isFought: boolean;
  /** false where nobody serves the model. */
  readonly isServed?: boolean;
  make(made: Made): Promise<MadeLie<Model>>;
}

export interface MadeLie<Model> {
  /** As it is registered. */
  readonly model: Model;
  /** What the liar shows in a game about the row; null where there is nothing to show. */
  readonly own: TracedQuery | null;
  posted(modelId: number): CommittedModel;
}

/** Leaves of some trees that are others, by their place. */
export type Changes = Partial<
  Record<keyof Leaves, Readonly<Record<number, (leaf: Uint8Array) => Uint8Array>>>
>;

export const changedLeaves = (leaves: Leaves, changes: Changes): Leaves =>
  Object.fromEntries(
    Object.entries(leaves).map(([tree, own]) => [
      tree,
      own.map((leaf: Uint8Array, k: number) => changes[tree as keyof Leaves]?.[k]?.(leaf) ?? leaf),
    ]),
  ) as unknown as Leaves;

/** Leaves and numbers of a commitment to the honest model. */
export interface ToldLie {
  changes?(honest: CommittedModel): Changes;
  numbers?(honest: DisputeStatement): Partial<DisputeStatement>;
}

/** What such an owner posts instead of this. */
export const toldOf = (honest: CommittedModel, { changes, numbers }: ToldLie) => ({
  leaves: changedLeaves(honest.leaves, changes?.(honest) ?? {}),
  numbers: { ...honest.statement, ...numbers?.(honest.statement) },
});

/** Facts in which each row has its whole share, as if no clip cut it. */
export function wholeShares({ leaves }: CommittedModel): Changes {
  const facts = leaves.facts.map((leaf) => readFact(leaf)!);
  const sizeOf = (leader: number) => facts.filter((one) => one.leader === leader).length;
  const whole = facts.map((one) => ({ ...one, factor: ONE / BigInt(sizeOf(one.leader)) }));
  return { facts: Object.fromEntries(whole.map((one, k) => [k, () => factBytes(one)])) };
}

export const changedFact = (change: (fact: RowFact) => Partial<RowFact>) => (leaf: Uint8Array) => {
  const own = readFact(leaf)!;
  return factBytes({ ...own, ...change(own) });
};

/** 1, in numbers of 2^-40. */
export const ONE = 1n << 40n;

/** Whether only time shows it: an owner who makes no move, and leaves that nobody shows. */
export const isSlow = ({ fault, isFought }: Pick<CommitmentLie<never>, "fault" | "isFought">): boolean =>
  fault === "Unanswered" || (fault === "Row" && !isFought);

/** About the clip, of models of every family. */
export const clipLies = <Lie>(
  told: (name: string, description: string, fault: FaultName, lie: ToldLie) => Lie,
): readonly Lie[] => [
  told("limit", "a clip half as long, which rows exceed", "Lengths", {
    numbers: ({ clipLength }) => ({ clipLength: clipLength >> 1 }),
  }),
  told("clip", "a clip so long that it cuts no row", "Clip", {
    changes: wholeShares,
    numbers: () => ({ clipLength: 100_000 }),
  }),
];
