/** Runs the steps of the devnet's job (job-steps.ts) in their order and makes the report. */
import { defencesOf } from "@openledger/attribution/model/reply-assurance";
import type { Job } from "./job.ts";
import { JOB_STEPS, type JobResults, type JobStep } from "./job-steps.ts";
import { MODEL_NAMES } from "./parts.ts";
import { makeReport, type Report } from "./report.ts";

/** The job: real people, real mail, real transactions, proven and accepted by L1. */
export async function runJob(job: Job): Promise<Report> {
  const startedAtMs = Date.now();
  const { checks, epochs, models, transferWay } = await runSteps(JOB_STEPS, job);
  const modelIds = models.map(({ modelId }) => modelId);
  const defences = models.map(({ model, modelId, part }) => [
    `model ${modelId}, ${part.title}`,
    defencesOf(model.recipe),
  ]);
  const earnings = MODEL_NAMES.flatMap((name) => epochs[name].earnings);
  const parts = { checks, earnings, defences, modelId: modelIds[0]!, modelIds, transferWay };
  return makeReport(job, parts, Date.now() - startedAtMs);
}

/**
 * Runs the steps in their order. The terminal and the pages are told of each.
 * @throws TypeError where a step needs what none before it makes
 */
export async function runSteps(
  steps: readonly JobStep[],
  job: Job,
  nowMs: () => number = Date.now,
): Promise<JobResults> {
  const startedAtMs = nowMs();
  let results: Partial<JobResults> = {};
  for (const [index, step] of steps.entries()) {
    job.signal.throwIfAborted();
    const missing = step.needs.find((name) => !(name in results));
    if (missing !== undefined) throw new TypeError(`no step before "${step.title}" makes ${missing}`);
    job.console.title(step.title);
    job.announce(step.title, nowMs() + leftMs(steps, index, nowMs() - startedAtMs));
    results = { ...results, ...(await step.run(job, results as JobResults)) };
  }
  return results as JobResults;
}

/** Estimates the rest of the job as a step begins, by the pace of the steps before it: a busy machine is slower. */
function leftMs(steps: readonly JobStep[], index: number, tookMs: number): number {
  const sumMs = (some: readonly JobStep[]) => 1_000 * some.reduce((sum, { seconds }) => sum + seconds, 0);
  const doneMs = sumMs(steps.slice(0, index));
  const pace = doneMs < PACE_KNOWN_MS ? 1 : Math.min(MAX_PACE, Math.max(0.5, tookMs / doneMs));
  return pace * sumMs(steps.slice(index));
}

/** Sooner the pace says nothing. */
const PACE_KNOWN_MS = 10_000;
const MAX_PACE = 6;
