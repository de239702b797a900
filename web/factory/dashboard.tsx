/**
 * Dashboard of a tuning on a job's page: time left, tokens a second, losses (nats a token), sample answers and the hardest rows,
 * from the job's events.
 */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { Chart } from "../charts/chart.tsx";
import { Badge, type Tone } from "../design/badge.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import type { Live } from "../ledger/live.ts";
import { showCount } from "../words/format.ts";
import { Term } from "../words/term.tsx";
import type { RunView, TimeLeft } from "./jobs/run-view.ts";
import { sayTimeLeft } from "./jobs/time-left.ts";

interface DashboardProps {
  readonly view: RunView;
  readonly steps: number;
  /** null if the page says it elsewhere. */
  readonly badge: { readonly tone: Tone; readonly text: string } | null;
  /** Present activity, if it is not a step. */
  readonly doing: string | null;
  readonly isRunning: boolean;
  /** Has the page's clock. */
  readonly live: Pick<Live, "nowMs">;
  /** Pause, resume, stop. */
  readonly actions: ComponentChildren;
  /** Name of a row, with a link to it. */
  readonly showRow: (row: number) => ComponentChildren;
}

const nats = (loss: number) => loss.toFixed(3);

/** Progress of a tuning: the time left, the losses, sample answers, and the rows that it finds hard. */
export function Dashboard({ actions, badge, doing, isRunning, live, showRow, steps, view }: DashboardProps) {
  const { hardest, heldOut, last, samples, trained } = view;
  const step = last?.step ?? 0;
  return (
    <>
      <section class="card stack" aria-label="Progress">
        <div class="row">
          <h2>
            Step {showCount(step)} of {showCount(steps)}
          </h2>
          {badge !== null && <Badge tone={badge.tone}>{badge.text}</Badge>}
          <span class="push" />
          {actions}
        </div>
        <progress class="run-bar" max={steps} value={step} aria-label="Steps done" />
        <div class="columns columns-small run-figures">
          <Figure name="Time left">
            {isRunning && view.left !== null ? <Countdown left={view.left} live={live} /> : "–"}
          </Figure>
          <Figure name="Tokens per second">
            {last === null ? "–" : showCount(Math.round(last.tokensPerSecond))}
          </Figure>
          <Figure name={<Term name="loss">Loss, training rows</Term>}>
            {trained.length === 0 ? "–" : nats(trained.at(-1)!.loss)}
          </Figure>
          <Figure name={<Term name="held-out rows">Loss, held-out rows</Term>}>
            {heldOut.length === 0 ? "–" : nats(heldOut.at(-1)!.loss)}
          </Figure>
        </div>
        {doing !== null && (
          <p class="soft" role="status">
            {doing}
          </p>
        )}
      </section>
      <LossChart view={view} />
      <div class="columns">
        <Samples samples={samples} />
        <Hardest hardest={hardest} showRow={showRow} />
      </div>
    </>
  );
}

/** Time left, which passes on until the factory tells more. It alone is drawn again each second. */
function Countdown({ left: { number, seconds }, live }: { left: TimeLeft } & Pick<DashboardProps, "live">) {
  const endsAtMs = useMemo(() => Date.now() + 1_000 * seconds, [number]);
  return <>{sayTimeLeft(endsAtMs - live.nowMs.value)}</>;
}

function Figure({ children, name }: { name: ComponentChildren; children: ComponentChildren }) {
  return (
    <div>
      <p class="soft small">{name}</p>
      <p class="figure">{children}</p>
    </div>
  );
}

function LossChart({ view: { heldOut, trained } }: { view: RunView }) {
  const xs = [...new Set([...trained, ...heldOut].map(({ step }) => step))].sort((a, b) => a - b);
  const valuesOf = (points: RunView["heldOut"]) => {
    const at = new Map(points.map(({ loss, step }) => [step, loss]));
    return xs.map((x) => at.get(x) ?? null);
  };
  const series = [
    { label: "Training rows", values: valuesOf(trained) },
    ...(heldOut.length === 0 ? [] : [{ label: "Held-out rows", values: valuesOf(heldOut) }]),
  ];
  return (
    <section class="card">
      <Chart
        title="Loss"
        about={verdictOf({ heldOut, trained })}
        xs={xs}
        series={series}
        isCloseUp
        showX={(x) => showCount(x)}
        showY={nats}
      />
    </section>
  );
}

/** Reads the two curves in words: people ask when to stop. */
function verdictOf({ heldOut, trained }: Pick<RunView, "heldOut" | "trained">): string {
  const scale = "In nats per token; lower is better.";
  if (heldOut.length < 2) {
    return trained.length < 2
      ? `${scale} The curve starts with the first steps.`
      : `${scale} Held-out rows will show whether the model learns or only memorises its rows.`;
  }
  const best = heldOut.reduce((min, one) => (one.loss < min.loss ? one : min));
  const latest = heldOut.at(-1)!;
  if (latest.loss <= best.loss * 1.005)
    return `${scale} The loss on held-out rows still falls: ${nats(heldOut[0]!.loss)} at the start, ${nats(latest.loss)} now.`;
  return `${scale} The loss on held-out rows was lowest at step ${showCount(best.step)}: ${nats(best.loss)}. The model of that step is kept; later steps only memorise.`;
}

function Samples({ samples }: Pick<RunView, "samples">) {
  const latest = samples.at(-1);
  const first = samples.find(({ prompt }) => prompt === latest?.prompt);
  return (
    <section class="card stack" aria-label="Samples">
      <h2>Samples</h2>
      {latest === undefined ? (
        <p class="soft">The first sample appears with the first evaluation of held-out rows.</p>
      ) : (
        <>
          <SampleAnswer {...latest} />
          {first !== latest && first !== undefined && <SampleAnswer {...first} />}
        </>
      )}
    </section>
  );
}

function SampleAnswer({ prompt, step, text }: { step: number; prompt: string; text: string }) {
  const label = step === 0 ? "Before tuning" : `After step ${showCount(step)}`;
  return (
    <figure class="stack-s">
      <figcaption class="small soft">{label}</figcaption>
      <blockquote class="run-said">
        <span class="soft">{prompt}</span>
        {text}
      </blockquote>
    </figure>
  );
}

type HardRow = NonNullable<RunView["hardest"]>["rows"][number];

function Hardest({ hardest, showRow }: Pick<RunView, "hardest"> & Pick<DashboardProps, "showRow">) {
  const columns: Column<HardRow>[] = [
    { label: "Row", cell: ({ row }) => showRow(row) },
    { label: "Content", cell: ({ excerpt }) => <span class="run-excerpt">{excerpt}</span> },
    { label: "Loss", isNumber: true, cell: ({ loss }) => nats(loss) },
  ];
  return (
    <section class="card stack" aria-label="Hardest rows">
      <h2>Hardest rows</h2>
      <p class="soft small">
        Rows with the highest loss when they were last trained on: those that are least like what the base has
        read and like the other rows. A row in a language that the base hardly knows is hard without a fault.
        Look for wrong answers and cut texts.
      </p>
      <DataTable
        caption="Rows with the highest loss"
        columns={columns}
        rows={hardest?.rows ?? []}
        keyOf={({ row }) => row}
        empty="Shown after the first evaluation."
      />
    </section>
  );
}
