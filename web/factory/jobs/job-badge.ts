/** Words and colour of a factory job's state, for its badge. */
import type { FactoryJob, JobState } from "@openledger/models/factory/factory-api";
import type { Tone } from "../../design/badge.tsx";

const STATES: Readonly<Record<JobState, { readonly tone: Tone; readonly text: string }>> = {
  queued: { tone: "wait", text: "queued" },
  running: { tone: "info", text: "running" },
  pausing: { tone: "wait", text: "pausing" },
  paused: { tone: "wait", text: "paused" },
  stopping: { tone: "wait", text: "stopping" },
  done: { tone: "good", text: "done" },
  failed: { tone: "bad", text: "failed" },
};

/** Badge of a job: its state, or the model as which it is registered. */
export function jobBadge({ modelId, state }: Pick<FactoryJob, "state" | "modelId">) {
  return state === "done" && modelId !== null
    ? ({ tone: "good", text: `registered as ${modelId}` } as const)
    : STATES[state];
}
