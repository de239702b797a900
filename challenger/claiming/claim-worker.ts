/** A thread that traces claims and games of language models: started by claim-thread.ts. */
import { workerData } from "node:worker_threads";
import { failureOf, type Outcome } from "@openledger/foundation/threads/task-outcome";
import { ask, serveTasks } from "@openledger/foundation/threads/task-worker";
import { RecentModels } from "@openledger/models/paid/recent-models";
import { type Address, createPublicClient, type Hex, http } from "viem";
import { type ClaimingModel, receiptClaim } from "../games/receipt-claim.ts";
import type { PlayedMove, TracePlayer } from "../games/trace-player.ts";
import { tracedPlayer } from "../games/traced-player.ts";
import { sizeOf } from "../trace/trace-op.ts";
import { openPromisedModel } from "./promised-model.ts";

export interface ClaimSeat {
  readonly rpcUrl: string;
  readonly rollup: Address;
  /** Where bases are that recipes do not find. */
  readonly base: string | undefined;
  /** Folders of published models by their leaves. */
  readonly folders: ReadonlyMap<number, string>;
}

export interface ClaimedText {
  readonly payerId: number;
  readonly salt: bigint;
  readonly prompt: string;
  readonly answer: string;
}
export type ClaimTask = { readonly modelId: number } & (
  | { readonly kind: "claim"; readonly receipt: ClaimedText }
  | { readonly kind: "play"; readonly game: Address; readonly address: Address }
);
export type ClaimResults = {
  readonly claim: { readonly data: Hex; readonly query: Int16Array };
  readonly play: { readonly moves: readonly PlayedMove[]; readonly failures: readonly Outcome[] };
};
/** `send` comes back once it is mined, with its gas. */
export type ClaimQuestion = { readonly modelId: number } & (
  | { readonly kind: "send"; readonly call: { readonly data: Hex; readonly valueWei: bigint } }
  | { readonly kind: "progress"; readonly line: string }
);

interface Held extends ClaimingModel {
  /** By contract. */
  readonly players: Map<Address, TracePlayer>;
}

/** Of models that are held open at once; one is, whatever it takes. */
const MOST_BYTES = 2 ** 31;
/** A number of a trace with its trees, 4.25, and programs. */
const BYTES_PER_NUMBER = 5;
/** Of a model at once: one that is made, and as much as two of them that a player keeps of operations in games. */
const TRACES = 3;

const { base, folders, rollup, rpcUrl } = workerData as ClaimSeat;
const publicClient = createPublicClient({ transport: http(rpcUrl) });

const models = new RecentModels<Held>(MOST_BYTES, async (modelId) => {
  const folder = folders.get(modelId)!;
  const { setting, terms, traced } = await openPromisedModel({ folder, rollup, modelId, base }, (line) =>
    progress(modelId, line),
  );
  const { inputs, programs } = traced.model;
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0);
  const longest = sum(programs.of(programs.count).map(sizeOf));
  // Inputs, and copies of them with columns as rows, are in every trace, and held once.
  const shared = 2 * sum(inputs.map(({ length }) => length));
  const numbers = shared + TRACES * Math.max(0, longest - shared);
  const value = { traced, terms, kernels: setting.kernels, players: new Map() };
  return { value, bytes: BYTES_PER_NUMBER * numbers };
});

await serveTasks<ClaimTask>(async () => async (task): Promise<ClaimResults[keyof ClaimResults]> => {
  const { modelId } = task;
  const model = await models.get(modelId);
  if (task.kind === "claim") {
    const { data, query } = receiptClaim(model, task.receipt);
    return { data, query: query.query };
  }
  const { address, game } = task;
  const player = model.players.get(game) ?? playerOf(modelId, model, game, address);
  model.players.set(game, player);
  const { failures, moves } = await player.playOnce();
  return { moves, failures: failures.map(({ error }) => failureOf(error)) };
});

function playerOf(modelId: number, model: ClaimingModel, game: Address, address: Address): TracePlayer {
  const send = (call: { readonly data: Hex; readonly valueWei: bigint }) =>
    ask({ kind: "send", modelId, call } satisfies ClaimQuestion) as Promise<{ gasUsed: bigint }>;
  return tracedPlayer({
    ...model,
    ...{ publicClient, game, challenges: false, account: { address, send } },
    onProgress: (line) => progress(modelId, line),
  });
}

function progress(modelId: number, line: string): void {
  void ask({ kind: "progress", modelId, line } satisfies ClaimQuestion).catch(() => {});
}
