/** Windows of committed models, as L1 has them: bonds, what was shown, and who was admitted. Runs in pages, too. */

import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import {
  type Address,
  type ContractEventName,
  formatEther,
  getContract,
  type Hash,
  type Hex,
  type PublicClient,
  toHex,
  zeroAddress,
} from "viem";
import {
  type EventArguments,
  type EventFact,
  EventLog,
  type EventSource,
  eventsOf,
  type FactLog,
  type RawLog,
  untoldError,
  untoldOf,
} from "../events/event-log.ts";
import { readDisputes } from "../events/read-contracts.ts";
import { type Registry, readRegistry } from "./registry.ts";

/** In the contract's order. */
const FAULT_NAMES = [
  ...["Entry", "Tokens", "Residual", "RowLength", "Lengths", "Factor", "Input", "Optimum"],
  ...["RowTooLong", "Unanswered", "Cell", "Point", "Statics", "VersionRow", "Clip", "Duplicate"],
  ...["Size", "Curvature", "Inverse", "Logit", "Peak", "Digest", "Scale", "Row"],
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

export interface ModelCommitmentWindow {
  readonly id: bigint;
  readonly modelId: number;
  readonly staticsHash: bigint;
  readonly owner: Address;
  /** By whose rules it is judged; null where they are not this software's. */
  readonly family: FamilyName | null;
  /** In whose state its rows are, and which may take the model's activation by it. */
  readonly rollup: Address;
  readonly bondWei: bigint;
  readonly endsAtSeconds: bigint;
  /** "open": anyone may still refute it. "counts": the window has ended and nothing was shown. */
  readonly state: "open" | "counts" | "refuted";
  /** Data-availability challenges that nobody has answered. */
  readonly openAvailabilityChallengeCount: number;
  /** Whether the node has told of all of them that are open, and of all answers. */
  readonly isWhole: boolean;
  /** Who refuted it, else null. */
  readonly refutedBy: Address | null;
  /** What he has shown: a fault's name, its place in the contract's counting, his reward. */
  readonly refutation: { fault: string; place: bigint; rewardWei: bigint; transactionHash: Hex } | null;
  /** Where it was posted. L1 may take a block back, and give another one its number. */
  readonly blockHash: Hash;
}

/** Sums and hashes as JSON has them. */
export type RegistryFact = EventFact & { readonly id: number } & (
    | {
        readonly what: "committed";
        readonly modelId: number;
        readonly owner: Address;
        readonly rollup: Address;
        readonly family: number;
        readonly bondWei: string;
        readonly endsAt: number;
        readonly staticsHash: string;
        readonly blockHash: Hash;
      }
    | {
        readonly what: "refuted";
        readonly by: Address;
        readonly fault: number;
        readonly place: string;
        readonly rewardWei: string;
        readonly transactionHash: Hash;
      }
    | {
        readonly what: "asked";
        readonly tree: number;
        readonly index: string;
        readonly who: Address;
        readonly answerBy: string;
        readonly feeWei: string;
      }
    | { readonly what: "answered"; readonly tree: number; readonly index: string }
  );
export type RegistryFactOf<What extends RegistryFact["what"]> = Extract<RegistryFact, { what: What }>;

export type RegistryEvent<Name extends ContractEventName<typeof disputesAbi>> = EventArguments<
  typeof disputesAbi,
  Name
>;
export const { decode: decodeRegistryEvent, selectorOf: registrySelector } = eventsOf(disputesAbi);

/** @param modelId of this model alone */
export function registrySources(address: Address, modelId?: number): EventSource<RegistryFact>[] {
  const model = modelId === undefined ? null : toHex(modelId, { size: 32 });
  const others = (["Refuted", "AvailabilityChallenged", "Answered"] as const).map(registrySelector);
  return [
    { address, factOf, topics: [registrySelector("ModelCommitted"), null, model] },
    { address, factOf, topics: [others] },
  ];
}

function factOf(log: RawLog): RegistryFact {
  const { args, eventName } = decodeRegistryEvent(log);
  const block = Number(log.blockNumber);
  const { blockHash, transactionHash } = log;
  switch (eventName) {
    case "ModelCommitted": {
      const { bondWei, endsAt, family, modelId, owner, rollup, statement } = args;
      const sums = { bondWei: `${bondWei}`, endsAt: Number(endsAt), staticsHash: `${statement.staticsHash}` };
      const named = { id: Number(args.id), modelId: Number(modelId), owner, rollup, family };
      return { what: "committed", ...named, ...sums, block, blockHash };
    }
    case "Refuted": {
      const { challenger: by, fault, place, rewardWei } = args;
      const shown = { by, fault, place: `${place}`, rewardWei: `${rewardWei}`, transactionHash };
      return { what: "refuted", id: Number(args.id), ...shown, block };
    }
    case "AvailabilityChallenged": {
      const { answerBy, feeWei, index, tree, who } = args;
      const asked = { tree, index: `${index}`, who, answerBy: `${answerBy}`, feeWei: `${feeWei}` };
      return { what: "asked", id: Number(args.id), ...asked, block };
    }
    case "Answered":
      return { what: "answered", id: Number(args.id), tree: args.tree, index: `${args.index}`, block };
    default:
      throw new RangeError(`the event ${eventName} was not asked for`);
  }
}

export interface WindowOptions {
  /** Of this model alone. */
  readonly modelId?: number;
}

/** All, oldest first: what L1 has of each now. */
export async function readWindows(
  client: PublicClient,
  address: Address,
  options: WindowOptions = {},
): Promise<readonly ModelCommitmentWindow[]> {
  return (await openWindows(client, address, options).windows()).windows;
}

/** For one look: nothing is kept. */
export function openWindows(
  client: PublicClient,
  address: Address,
  { modelId }: WindowOptions = {},
): WindowReader {
  const log = new EventLog(client, registrySources(address, modelId));
  return new WindowReader(client, address, log, modelId === undefined);
}

/** The registry's windows as a log of its events has them. */
export class WindowReader {
  readonly log: FactLog<RegistryFact>;
  readonly address: Address;
  readonly #client: PublicClient;
  readonly #hasAll: boolean;
  #registry: Registry | null = null;
  /** Windows that have ended: nothing changes them. */
  readonly #counted = new Set<string>();

  /** @param hasAll whether the log has the events of all model commitments */
  constructor(client: PublicClient, address: Address, log: FactLog<RegistryFact>, hasAll = true) {
    this.log = log;
    this.address = address;
    this.#client = client;
    this.#hasAll = hasAll;
  }

  async facts<What extends RegistryFact["what"]>(what: What): Promise<RegistryFactOf<What>[]> {
    return (await this.log.read()).filter((fact) => fact.what === what) as RegistryFactOf<What>[];
  }

  /**
   * All that the node tells of, and what it leaves out: the contract counts model commitments, and challenges of each that are
   * open. Attack: an owner never hears of a challenge, or a watcher of a false model commitment.
   */
  async windows(): Promise<{ windows: readonly ModelCommitmentWindow[]; untold: readonly Error[] }> {
    let windows: readonly ModelCommitmentWindow[] = [];
    const count = () => readDisputes(this.#client, this.address)("modelCommitmentCount", []);
    const untold = await untoldOf(this.log, async () => {
      const counted = this.#hasAll ? await count() : 0n;
      windows = await this.#windows();
      const isWhole = BigInt(windows.length) >= counted;
      const missing = isWhole ? [] : [`of ${counted - BigInt(windows.length)} model commitments`];
      for (const one of windows)
        if (!one.isWhole) missing.push(`of all data-availability challenges of model commitment ${one.id}`);
      return missing;
    });
    return { windows, untold: untold.map(untoldError) };
  }

  async #windows(): Promise<ModelCommitmentWindow[]> {
    this.#registry ??= await readRegistry(this.#client, this.address);
    const { families } = this.#registry ?? { families: [] };
    const all = (await this.log.read()) as readonly RegistryFact[];
    const others = new Map<number, RegistryFact[]>();
    for (const fact of all) {
      const own = others.get(fact.id) ?? [];
      if (fact.what !== "committed") others.set(fact.id, own);
      own.push(fact);
    }
    const disputes = getContract({ address: this.address, abi: disputesAbi, client: this.#client });
    const { timestamp } = await this.#client.getBlock();
    const posted = all.filter(({ what }) => what === "committed") as RegistryFactOf<"committed">[];
    return Promise.all(
      posted.map(async (fact) => {
        const own = others.get(fact.id) ?? [];
        const shown = own.find((one) => one.what === "refuted") as RegistryFactOf<"refuted"> | undefined;
        const name = `${fact.id}/${fact.blockHash}`;
        // By the event: a node may answer calls by a newer state than it has events of.
        const isOver = shown === undefined && timestamp >= BigInt(fact.endsAt);
        const isCounted =
          this.#counted.has(name) || (isOver && (await disputes.read.counts([BigInt(fact.id)])));
        if (isCounted) this.#counted.add(name);
        const [, , , , openCount] = this.#counted.has(name)
          ? [0, 0, 0, 0, 0]
          : await disputes.read.modelCommitments([BigInt(fact.id)]);
        const told = openAmong(own).size;
        return {
          id: BigInt(fact.id),
          modelId: fact.modelId,
          staticsHash: BigInt(fact.staticsHash),
          family: families[fact.family] ?? null,
          owner: fact.owner,
          rollup: fact.rollup,
          bondWei: BigInt(fact.bondWei),
          endsAtSeconds: BigInt(fact.endsAt),
          state: shown !== undefined ? "refuted" : isCounted ? "counts" : "open",
          openAvailabilityChallengeCount: openCount,
          isWhole: shown !== undefined || isCounted || told === openCount,
          refutedBy: shown?.by ?? null,
          refutation: shown === undefined ? null : refutationOf(shown),
          blockHash: fact.blockHash,
        } satisfies ModelCommitmentWindow;
      }),
    );
  }
}

/** Leaves that were asked for, and not shown, by their place. */
export function openAmong(own: readonly RegistryFact[]): Map<string, RegistryFactOf<"asked">> {
  const open = new Map<string, RegistryFactOf<"asked">>();
  for (const fact of own) {
    if (fact.what === "asked") open.set(`${fact.tree}/${fact.index}`, fact);
    if (fact.what === "answered") open.delete(`${fact.tree}/${fact.index}`);
  }
  return open;
}

const refutationOf = ({ fault, place, rewardWei, transactionHash }: RegistryFactOf<"refuted">) => ({
  fault: FAULT_NAMES[fault] ?? `fault ${fault}`,
  place: BigInt(place),
  rewardWei: BigInt(rewardWei),
  transactionHash,
});

/** What a watcher says once nothing is left to look at. */
export const recomputedLine = ({ id, modelId }: Pick<ModelCommitmentWindow, "id" | "modelId">): string =>
  `  recomputed: model commitment ${id} of model ${modelId} is right`;

/** What L1 knows of a model commitment. */
export function modelCommitmentLines(modelCommitment: ModelCommitmentWindow): string[] {
  const { bondWei, endsAtSeconds, id, modelId } = modelCommitment;
  const { openAvailabilityChallengeCount, refutedBy, rollup, state } = modelCommitment;
  const until = new Date(Number(endsAtSeconds) * 1000).toISOString();
  return [
    `model commitment ${id} of model ${modelId} of rollup ${rollup}: ${state}, window until ${until}, bond ${formatEther(bondWei)} ETH, ${openAvailabilityChallengeCount} open data-availability challenges`,
    ...(refutedBy === null ? [] : [`  refuted by ${refutedBy}`]),
  ];
}

/** By the registry: which rollups may take which models' Activations. */
export interface ReadAdmission {
  readonly modelId: number;
  /** J. */
  readonly word: bigint;
  /** null where its statics promise no window, and so for every rollup. */
  readonly rollup: Address | null;
  readonly modelCommitmentId: bigint | null;
}

/** All, oldest first. @param options.modelId of this model alone */
export function readAdmissions(
  client: PublicClient,
  address: Address,
  { modelId }: WindowOptions = {},
): Promise<ReadAdmission[]> {
  const model = modelId === undefined ? null : toHex(modelId, { size: 32 });
  const log = new EventLog(client, []);
  return log.said(address, [registrySelector("Admitted"), null, model], admissionOf);
}

function admissionOf(log: RawLog): ReadAdmission {
  const { id, modelId, rollup, word } = decodeRegistryEvent(log).args as RegistryEvent<"Admitted">;
  const isPosted = rollup !== zeroAddress;
  return {
    modelId: Number(modelId),
    word,
    rollup: isPosted ? rollup : null,
    modelCommitmentId: isPosted ? id : null,
  };
}
