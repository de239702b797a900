/** Part "Training" of a job's page: the dashboard of its events, and the buttons to pause, stop, resume and delete it. */
import { rowNumber } from "@openledger/foundation/row-number";
import type { FactoryJob, JobState, SortForm, WriteForm } from "@openledger/models/factory/factory-api";
import { lossWords, sayLosses } from "@openledger/models/tuning/training/row-losses";
import { useState } from "preact/hooks";
import { useAction } from "../../bridge/use-action.ts";
import { Button } from "../../design/button.tsx";
import { FactList } from "../../design/fact-list.tsx";
import { Notice } from "../../design/notice.tsx";
import { showCount, showDuration } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { Dashboard } from "../dashboard.tsx";
import { FACTORY_HREF, jobHref } from "../factory-links.ts";
import { useJobEvents } from "./job-events.ts";
import { percentOf, sayAccuracy } from "./job-figures.ts";
import type { JobPartProps } from "./job-part.ts";
import { viewRun } from "./run-view.ts";
import { SortDashboard } from "./sort-dashboard.tsx";

/** Texts of the job's stages. */
const STAGES: Readonly<Record<string, string>> = {
  waiting: "Waits for its turn …",
  load: "Loads the base and the rows …",
  train: "Trains …",
  features: "Computes each row's influence …",
  commit: "Commits to rows and owners …",
  write: "Writes the model …",
};

const RUNNING: readonly JobState[] = ["queued", "running", "pausing", "stopping"];

/** The training as it happens. */
export function WatchPart({ query, factorySession, job }: JobPartProps) {
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
      ? `${queuedBefore === 1 ? "1 job is" : `${showCount(queuedBefore)} jobs are`} before this one.`
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
          Stop and keep
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
            Really delete it all
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
        <Notice tone="wait" title="The factory does not answer.">
          <p>
            This page goes on by itself when it is back. Jobs are on its disk. <code>{problem.code}</code>
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
          isRunning={isRunning}
          doing={doing}
          showRow={(row) => showCount(rowNumber(row))}
          actions={actions}
        />
      ) : (
        <SortDashboard job={job} events={events} doing={doing} actions={actions} />
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
      <p>It took {showDuration(1_000 * seconds)}.</p>
      {losses !== null && (
        <>
          <p>
            <strong>{sayLosses(losses)}</strong>
          </p>
          <details class="small soft">
            <summary class="row">In nats a token and bits a byte</summary>
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
      {fit !== null && (
        <p class="soft small">
          The final model learned from all rows, and labels {percentOf(fit)} of them so.
        </p>
      )}
      <div class="row">
        <a class="button button-main" href={jobHref(job.id, "compare")}>
          {losses === null ? "Try it" : "Compare it with its base"}
        </a>
        {job.isRegistrable && job.modelId === null && (
          <a class="button" href={jobHref(job.id, "register")}>
            Register it
          </a>
        )}
        <a class="button" href={jobHref(job.id, "export")}>
          Export it
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
        <summary class="row">Settings of this run</summary>
        <div class="folded">
          <FactList
            facts={[
              [
                "Rows trained on / held out",
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
  ["Base's weights", form.weights ?? "by its size"],
  ["Learning rate, part at the end", `${form.rate}, ${form.lastPart}`],
  ["Rows a step, tokens a row", `${form.rowsPerStep}, ${form.rowTokens}`],
];

const sorterFacts = ({ decay, folds }: SortForm): [string, string | number][] => [
  ["Folds", folds],
  ["Smoothing", decay ?? "by the number of rows"],
];
