/** Builds a dashboard's view of a job from its events. */
import type { JobEvent } from "@openledger/models/factory/factory-api";

type Of<Kind> = Extract<JobEvent, { kind: Kind }>;

export interface RunView {
  readonly stage: { readonly stage: string; readonly done: number; readonly total: number } | null;
  readonly last: Of<"step"> | null;
  /** Mean losses of as many neighbouring steps as make a curve of at most MAX_POINTS, at the last of them. */
  readonly trained: readonly { readonly step: number; readonly loss: number }[];
  readonly heldOut: readonly { readonly step: number; readonly loss: number }[];
  readonly samples: readonly Of<"sample">[];
  readonly hardest: Of<"hardest"> | null;
  /** Time left by what was measured last; null before the first step. */
  readonly left: TimeLeft | null;
}

export interface TimeLeft {
  /** Number of the event that tells it. */
  readonly number: number;
  readonly seconds: number;
}

/** Points of a curve: more than a screen shows apart. */
const MAX_POINTS = 150;

export function viewRun(events: readonly JobEvent[]): RunView {
  const of = <Kind extends JobEvent["kind"]>(kind: Kind) =>
    events.filter((event): event is Of<Kind> => event.kind === kind);
  const steps = of("step");
  const stage = events.findLast((event) => event.kind === "stage");
  const heldOut = new Map(of("heldOut").map(({ loss, step }) => [step, loss]));
  return {
    stage: stage !== undefined && "done" in stage ? stage : null,
    last: steps.at(-1) ?? null,
    trained: curveOf(steps),
    heldOut: [...heldOut].sort(([a], [b]) => a - b).map(([step, loss]) => ({ step, loss })),
    samples: of("sample").toSorted((a, b) => a.step - b.step),
    hardest: of("hardest").at(-1) ?? null,
    left: timeLeft(steps.at(-1), of("stage")),
  };
}

/** Steps come with it. Behind the last one, the rows whose influence is computed tell how long the others take. */
function timeLeft(step: Of<"step"> | undefined, stages: readonly Of<"stage">[]): TimeLeft | null {
  const rows = stages.filter(({ number, stage }) => stage === "features" && number > (step?.number ?? 0));
  const [first, last] = [rows[0], rows.at(-1)];
  if (first !== undefined && last !== undefined && last.done > first.done) {
    const secondsEach = (last.atMs - first.atMs) / 1_000 / (last.done - first.done);
    return { number: last.number, seconds: secondsEach * (last.total - last.done) };
  }
  return step === undefined ? null : { number: step.number, seconds: step.secondsLeft };
}

function curveOf(steps: readonly Of<"step">[]): { step: number; loss: number }[] {
  const together = Math.ceil(steps.length / MAX_POINTS);
  const points: { step: number; loss: number }[] = [];
  for (let from = 0; from < steps.length; from += together) {
    const some = steps.slice(from, from + together);
    points.push({
      step: some.at(-1)!.step,
      loss: some.reduce((sum, { loss }) => sum + loss, 0) / some.length,
    });
  }
  return points;
}
