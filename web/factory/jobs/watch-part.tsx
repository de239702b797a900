/** Part "Training" of a job's page: the dashboard of its events, and the buttons to pause, stop, resume and delete it. */
import { rowNumber } from "@openledger/foundation/row-number";
import { percentOf, sayAccuracy, sayFolds } from "@openledger/models/factory/accuracy-words";
import type { FactoryJob, JobState, SortForm, WriteForm } from "@openledger/models/factory/factory-api";
import { lossWords, sayLosses } from "@openledger/models/tuning/training/row-losses";
import { useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { FactList } from "../../design/fact-list.tsx";
import { Notice } from "../../design/notice.tsx";
import { useAction } from "../../ledger/use-action.ts";
import { showCount, showDuration } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { Dashboard } from "../dashboard.tsx";
import { FACTORY_HREF, jobHref } from "../factory-links.ts";
import { TellingNotice } from "../telling-notice.tsx";
import { useJobEvents } from "./job-events.ts";
import type { JobPartProps } from "./job-part.ts";
import { viewRun } from "./run-view.ts";
import { SortDashboard } from "./sort-dashboard.tsx";

/** Texts of the job's stages. */
const STAGES: Readonly<Record<string, string>> = {
  waiting: "Waiting for its turn …",
  load: "Loading the base and the rows …",
  train: "Training …",
  features: "Computing each row's influence …",
  commit: "Committing to rows and owners …",
  write: "Writing the model …",
};

const RUNNING: readonly JobState[] = ["queued", "running", "pausing", "stopping"];

/** The training as it happens. */
export function WatchPart({ query, factorySession, job, live }: JobPartProps) {
  const { events, problem } = useJobEvents(factorySession, job.id);
  const acting = useAction();
  const [isAsking, setAsking] = useState(false);
  const act = (what: "pause" | "resume" | "stop") =>
    acting.run(async () => {
      query.set(await factorySession.factory.wish(job.id, what));
    });
  const remove = () =>
    acting.run(async () => {
      await factorySession.factory.deleteJob(job.id);
      window.location.hash = FACTORY_HREF;
    });
  const { failure, queuedBefore, stage, state } = job;
  const isRunning = RUNNING.includes(state);
  const view = viewRun(events);
  const done = view.stage !== null && view.stage.stage !== "train" ? view.stage : null;
  const doing = !isRunning
    ? null
    : state === "queued" && queuedBefore > 0
      ? `${queuedBefore === 1 ? "1 job is" : `${showCount(queuedBefore)} jobs are`} ahead of this one.`
      : stage === "train"
        ? null
        : `${STAGES[stage]}${done !== null && done.total > 1 ? ` ${showCount(done.done)} of ${showCount(done.total)}` : ""}`;
  const actions = (
    <>
      {(state === "running" || state === "queued") && (
        <Button isSmall isDisabled={acting.isBusy} onClick={() => void act("pause")}>
          Pause
        </Button>
      )}
      {(state === "running" || state === "paused") && stage === "train" && (
        <Button isSmall isDisabled={acting.isBusy} onClick={() => void act("stop")}>
          Stop and keep the model
        </Button>
      )}
      {(state === "paused" || state === "failed") && (
        <Button isSmall isMain isDisabled={acting.isBusy} onClick={() => void act("resume")}>
          Resume
        </Button>
      )}
      {!isRunning &&
        (isAsking ? (
          <Button isSmall isBusy={acting.isBusy} onClick={() => void remove()}>
            Delete the job and its files
          </Button>
        ) : (
          <Button isSmall onClick={() => setAsking(true)}>
            Delete
          </Button>
        ))}
    </>
  );
  return (
    <>
      {problem !== null && (
        <Notice tone="wait" title="The factory does not respond.">
          <p>
            This page continues when the factory is back. Jobs are on its disk. <code>{problem.code}</code>
          </p>
        </Notice>
      )}
      {failure !== null && <ProblemNotice problem={failure} />}
      {state === "done" && <Next job={job} />}
      {job.form.use === "write" ? (
        <Dashboard
          view={view}
          steps={job.steps}
          badge={null}
          isRunning={isRunning && state !== "queued"}
          live={live}
          doing={doing}
          showRow={(row) => showCount(rowNumber(row))}
          actions={actions}
        />
      ) : (
        <SortDashboard
          factorySession={factorySession}
          job={job}
          events={events}
          doing={doing}
          actions={actions}
        />
      )}
      {acting.problem !== null && <ProblemNotice problem={acting.problem} />}
      <Facts job={job} />
    </>
  );
}

function Next({ job }: { job: FactoryJob }) {
  const { accuracy, fit, losses, seconds } = job.result!;
  return (
    <section class="card stack" aria-label="Result">
      <h2>Your model is trained</h2>
      <p>Training took {showDuration(1_000 * seconds)}.</p>
      {losses !== null && (
        <>
          <p>
            <strong>{sayLosses(losses)}</strong>
          </p>
          <details class="small soft">
            <summary class="row">Loss in nats per token and bits per byte</summary>
            <ul>
              {lossWords(losses).map((words) => (
                <li key={words}>{words}</li>
              ))}
            </ul>
          </details>
        </>
      )}
      {accuracy !== null && (
        <p>
          <strong>{sayAccuracy(accuracy)}</strong>
        </p>
      )}
      {accuracy !== null && <p class="soft small">{sayFolds(accuracy)}</p>}
      {accuracy !== null && (
        <TellingNotice
          telling={accuracy.telling}
          remedy="Train it again without the field to see what it says of new rows."
        />
      )}
      {fit !== null && (
        <p class="soft small">
          The final model is trained on all rows and labels {percentOf(fit)} of them correctly.
        </p>
      )}
      <div class="row">
        <a class="button button-main" href={jobHref(job.id, "compare")}>
          {losses === null ? "Try it" : "Compare it with its base"}
        </a>
        {job.isRegistrable && job.modelId === null && (
          <a class="button" href={jobHref(job.id, "register")}>
            Register the model
          </a>
        )}
        <a class="button" href={jobHref(job.id, "export")}>
          Export the model
        </a>
      </div>
    </section>
  );
}

function Facts({ job }: { job: FactoryJob }) {
  const { form, heldOutCount, rowCount } = job;
  return (
    <section class="card">
      <details>
        <summary class="row">Training settings</summary>
        <div class="folded">
          <FactList
            facts={[
              [
                "Training rows / held-out rows",
                `${showCount(rowCount - heldOutCount)} / ${showCount(heldOutCount)}`,
              ],
              ...(form.use === "write" ? writerFacts(form) : sorterFacts(form)),
              ["Seed", form.seed],
            ]}
          />
        </div>
      </details>
    </section>
  );
}

const writerFacts = (form: WriteForm): [string, string | number][] => [
  ["Rounds", form.rounds],
  ["Rank, alpha", `${form.rank}, ${form.alpha}`],
  ["Tuned layers", form.targets.join(", ")],
  ["Weights of the base", form.weights ?? "by its size"],
  ["Learning rate, final fraction", `${form.rate}, ${form.lastPart}`],
  ["Rows per step, tokens per row", `${form.rowsPerStep}, ${form.rowTokens}`],
];

const sorterFacts = ({ countedFields, decay, folds }: SortForm): [string, string | number][] => [
  ...(countedFields === undefined
    ? []
    : [["Fields that count", countedFields.join(", ")] satisfies [string, string]]),
  ["Folds", folds],
  ["Smoothing", decay ?? "by the number of rows"],
];
