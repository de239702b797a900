/** A thread of a challenger: started by challenger-thread.ts. */
import { setTimeout as sleep } from "node:timers/promises";
import { l1Error, l1Http } from "@openledger/bridge/l1/l1-client";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { createLedgerClient } from "@openledger/client/ledger-client";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { failureOf, type Outcome } from "@openledger/foundation/threads/task-outcome";
import { ask, serveTasks } from "@openledger/foundation/threads/task-worker";
import { type HelperLog, runTurns } from "@openledger/models/settler/turn-report";
import { type Address, BaseError, type Hex, zeroAddress } from "viem";
import { type Challenger, openChallenger, readingClient } from "./challenger.ts";
import type { ChallengerSender, ServedSetting } from "./challenger-setting.ts";
import type { ClaimingNews } from "./claiming/claiming-report.ts";
import type { ClaimableAnswer } from "./claiming/propose-claims.ts";
import type { GameState } from "./games/trace-moves.ts";
import type { WatchedCommitment } from "./model-commitments/watch-commitment.ts";
import { messageOf } from "./playing/describe-round.ts";
import { RecomputedModels } from "./playing/recompute.ts";
import type { RecomputeModules, RecomputeTask } from "./playing/watch-registry.ts";
import type { L1Call } from "./sending/l1-sender.ts";

export type ChallengerTask =
  | { readonly kind: "recompute"; readonly task: RecomputeTask }
  | { readonly kind: "run"; readonly task: RunTask };
export type ChallengerResults = {
  readonly recompute: Omit<WatchedCommitment, "failure"> & { readonly failure: PassedFailure | null };
  readonly run: null;
};
type PassedFailure = Exclude<Outcome, { readonly value: unknown }>;
interface RunTask {
  readonly setting: ServedSetting;
  readonly account: Address;
  readonly sequencerUrl: string | null;
  readonly requestTimeoutMs: number;
  readonly modelIds: readonly number[];
}

/** `send` comes back once it is mined. */
export type ChallengerQuestion =
  | { readonly kind: "send"; readonly call: L1Call }
  | { readonly kind: "spend"; readonly id: bigint; readonly wei: bigint }
  | { readonly kind: "turns" }
  | { readonly kind: "progress"; readonly line: string }
  | { readonly kind: "answerOf"; readonly modelId: number; readonly receipt: bigint }
  | {
      readonly kind: "report";
      readonly modelId: number;
      readonly what: keyof ClaimingNews;
      readonly args: readonly unknown[];
    }
  | {
      readonly kind: "log";
      readonly level: keyof HelperLog;
      readonly facts: object;
      readonly message: string;
    };

const asking = <Answer>(question: ChallengerQuestion) => ask(question) as Promise<Answer>;
const telling = (question: ChallengerQuestion) => void ask(question).catch(() => {});
const send = (call: L1Call) => asking<{ hash: Hex; gasUsed: bigint }>({ kind: "send", call });

const recomputed = new RecomputedModels();
/** Passed on as it is, it would be any other error, whose message has the node's address with its key. */
const coded = (error: unknown) => (error instanceof BaseError ? l1Error(error, "recompute a model") : error);

await serveTasks<ChallengerTask>(async () => {
  await initPoseidon();
  return async (task): Promise<ChallengerResults[keyof ChallengerResults]> => {
    if (task.kind === "run") return run(task.task);
    const modules: RecomputeModules = {
      send,
      spend: (id, wei) => asking({ kind: "spend", id, wei }),
      turns: () => asking<readonly GameState["turn"][]>({ kind: "turns" }),
      onProgress: (line) => telling({ kind: "progress", line }),
    };
    const { failure, ...found } = await recomputed.recompute(task.task, modules).catch((error: unknown) => {
      throw coded(error);
    });
    return { ...found, failure: failure && (failureOf(coded(failure)) as PassedFailure) };
  };
});

/** Until the thread is ended. The rollup's gate is fixed; a model may be registered with it at any time. */
async function run({ account, modelIds, requestTimeoutMs, sequencerUrl, setting }: RunTask): Promise<null> {
  const { rollup, rpcUrl } = setting;
  const publicClient = readingClient(l1Http(rpcUrl));
  const log: HelperLog = {
    info: (facts, message) => telling({ kind: "log", level: "info", facts, message }),
    error: (facts, message) =>
      telling({ kind: "log", level: "error", facts: { ...facts, err: undefined }, message }),
  };
  const report = (modelId: number): ClaimingNews => {
    const tell =
      (what: keyof ClaimingNews) =>
      (...args: readonly unknown[]) =>
        telling({ kind: "report", modelId, what, args });
    return {
      ...{ set: tell("set"), setMoney: tell("setMoney"), noteClaim: tell("noteClaim") },
      ...{ noteMove: tell("noteMove"), noteSuccess: tell("noteSuccess") },
      noteFailure(code, message) {
        tell("noteFailure")(code, message);
        return false;
      },
    };
  };
  let challenger: Challenger | null = null;
  let last = "";
  const open = async () => {
    const [gate, client] = await Promise.all([
      publicClient.readContract({ address: rollup!, abi: rollupAbi, functionName: "activationGate" }),
      createLedgerClient({
        ...{ rpcUrl, rollupAddress: rollup!, requestTimeoutMs },
        ...(sequencerUrl === null ? {} : { sequencerUrl }),
      }),
    ]);
    if (gate === zeroAddress) return null;
    const sender: ChallengerSender = { address: account, publicClient, send };
    const answerOf = (modelId: number, receipt: bigint) =>
      asking<ClaimableAnswer | undefined>({ kind: "answerOf", modelId, receipt });
    return openChallenger(
      { ...setting, disputes: gate },
      {
        ...{ sender, publicClient, proposing: { client, answerOf, log, report, modelIds } },
        onProgress: (line) => log.info({}, line),
      },
    );
  };
  const turn = async () => {
    challenger ??= await open();
    if (challenger === null) for (const id of modelIds) report(id).set({ stage: "unregistered" });
    for (let isWaiting = challenger !== null; isWaiting; ) {
      const look = await challenger!.look();
      for (const error of look.failures.slice(1)) log.error({}, `claiming: ${messageOf(error)}`);
      if (look.failures.length > 0) throw look.failures[0];
      ({ isWaiting } = look);
    }
    last = "";
    for (const id of modelIds) report(id).noteSuccess();
  };
  const noteFailure = (code: string, message: string) => {
    for (const id of modelIds) report(id).noteFailure(code, message);
    const isOther = last !== code;
    last = code;
    return isOther;
  };
  await runTurns("claiming", { turn, report: { noteFailure } }, log, {
    ...{ intervalMs: setting.everyMs!, signal: new AbortController().signal },
    sleep: (ms) => sleep(ms),
  });
  return null;
}
