/** Tunings in this page: each has a worker, and what is known of it, which is kept in the browser. */

import { RollupError } from "@openledger/foundation/rollup-error";
import { forgetCheckpoint } from "@openledger/models/training/checkpoint";
import { type Signal, signal } from "@preact/signals";
import { problemOf } from "../words/problem.tsx";
import { forgetRun, keepRun, keptRun, keptRuns, type LocalRun } from "./kept-runs.ts";
import type { TuneEvent, TuneOrder, TuneReport } from "./tune-messages.ts";

/** The base that is beside the pages, as recipes name it. */
const BASE_NAME = "openledger-base";
/** Runs that this page has looked at; others lie in the browser's storage. */
const known = new Map<string, Signal<LocalRun>>();
const workers = new Map<string, Worker>();
/** How often a run's progress is written down: what is lost by a reload is seen again, since the state goes on. */
const KEEP_EVERY_MS = 1_000;
/** One core is left to the page itself. */
const MOST_THREADS = 8;

export const isTuningPossible = () => globalThis.crossOriginIsolated && "locks" in navigator;

/** @returns null where there is none */
export async function findRun(id: string): Promise<Signal<LocalRun> | null> {
  const there = known.get(id);
  if (there !== undefined) return there;
  const kept = await keptRun(id);
  return kept === undefined ? null : remember(kept);
}

export async function listRuns(): Promise<LocalRun[]> {
  return (await keptRuns()).sort((a, b) => b.createdAtMs - a.createdAtMs);
}

export async function beginRun(started: Pick<LocalRun, "name" | "rows" | "settings">): Promise<string> {
  const run: LocalRun = {
    ...started,
    id: crypto.randomUUID(),
    createdAtMs: Date.now(),
    state: "running",
    events: [],
    problem: null,
    files: null,
  };
  await keepRun(run);
  remember(run);
  return run.id;
}

/** Goes on with a run, in this tab alone. @returns false where another tab has it */
export async function workOn(id: string): Promise<boolean> {
  if (workers.has(id)) return true;
  const run = (await findRun(id))!;
  return new Promise((settle) => {
    void navigator.locks.request(`openledger.run.${id}`, { ifAvailable: true }, async (lock) => {
      settle(lock !== null);
      if (lock === null || workers.has(id)) return;
      change(run, { state: "running", problem: null });
      await tuneInWorker(run);
    });
  });
}

export function wish(id: string, wished: "stop" | "pause"): void {
  workers.get(id)?.postMessage({ kind: "wish", wish: wished } satisfies TuneOrder);
}

export async function deleteRun(id: string): Promise<void> {
  workers.get(id)?.terminate();
  workers.delete(id);
  known.delete(id);
  await Promise.all([forgetRun(id), forgetCheckpoint(id)]);
}

function remember(run: LocalRun): Signal<LocalRun> {
  const made = signal(run);
  known.set(run.id, made);
  return made;
}

function change(run: Signal<LocalRun>, changes: Partial<LocalRun>): void {
  run.value = { ...run.value, ...changes };
  void keepRun(run.value);
}

/** What comes again after a reload takes the place of what was there. */
function withEvent(events: readonly TuneEvent[], event: TuneEvent): TuneEvent[] {
  if (event.kind === "stage") return [...events.filter(({ kind }) => kind !== "stage"), event];
  if (event.kind !== "step")
    return [...events.filter((one) => one.kind !== event.kind || one.step !== event.step), event];
  const isBefore = (one: TuneEvent) => one.kind === "stage" || one.step < event.step;
  return [...events.filter(isBefore), event];
}

const baseUrl = () => new URL("./base", document.baseURI).href;
const threadCount = () => Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency - 1));

const startWorker = () => new Worker(new URL("./tune-worker.ts", import.meta.url), { type: "module" });

const MEASURED_STEPS = 3;
/** Looks at held-out rows, samples and states come on top of the steps. */
const BESIDE_STEPS = 1.2;

export interface TuneEstimate {
  readonly steps: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

/** Makes a few steps as the run would, and throws them away. @throws what tuneHere throws, as it came through */
export function measure(
  { rows, settings }: Pick<LocalRun, "rows" | "settings">,
  signal: AbortSignal,
): Promise<TuneEstimate> {
  const worker = startWorker();
  return new Promise<TuneEstimate>((settle, fail) => {
    let steps = 0;
    worker.onmessage = ({ data: report }: MessageEvent<TuneReport>) => {
      if (report.kind === "failed")
        return fail(new RollupError(report.code ?? "MOD_THREAD_ENDED", report.message));
      if (report.kind !== "event") return;
      const { event } = report;
      if (event.kind === "stage") steps = event.total;
      if (event.kind !== "step" || event.step < MEASURED_STEPS) return;
      const { secondsLeft, tokensPerSecond } = event;
      const perStep = secondsLeft / Math.max(1, steps - event.step);
      settle({ steps, tokensPerSecond, seconds: BESIDE_STEPS * perStep * steps });
    };
    worker.onerror = ({ message }) => fail(new Error(message));
    signal.addEventListener("abort", () => fail(signal.reason));
    const order = { baseUrl: baseUrl(), baseName: BASE_NAME, stateName: null, threadCount: threadCount() };
    worker.postMessage({ kind: "begin", rows, settings, ...order } satisfies TuneOrder);
  }).finally(() => worker.terminate());
}

/** Resolves when the worker has ended, however. */
function tuneInWorker(run: Signal<LocalRun>): Promise<void> {
  const { id, rows, settings } = run.value;
  const worker = startWorker();
  workers.set(id, worker);
  let keptAtMs = 0;
  return new Promise<void>((settle) => {
    const end = (changes: Partial<LocalRun>) => {
      worker.terminate();
      workers.delete(id);
      if (known.has(id)) change(run, changes);
      settle();
    };
    worker.onmessage = ({ data: report }: MessageEvent<TuneReport>) => {
      if (report.kind === "event") {
        run.value = { ...run.value, events: withEvent(run.value.events, report.event) };
        if (Date.now() - keptAtMs < KEEP_EVERY_MS) return;
        keptAtMs = Date.now();
        void keepRun(run.value);
      } else if (report.kind === "done") end({ state: "done", files: report.files });
      else if (report.kind === "paused") end({ state: "paused" });
      else end({ state: "failed", problem: { code: report.code, message: report.message } });
    };
    worker.onerror = ({ message }) => end({ state: "failed", problem: problemOf(new Error(message)) });
    const order = { baseUrl: baseUrl(), baseName: BASE_NAME, stateName: id, threadCount: threadCount() };
    worker.postMessage({ kind: "begin", rows, settings, ...order } satisfies TuneOrder);
  });
}
