import type { Signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { useAction } from "../bridge/use-action.ts";
import { Button } from "../design/button.tsx";
import { Notice } from "../design/notice.tsx";
import { saveFile } from "../design/save-file.ts";
import type { LocalRun } from "../tuning/kept-runs.ts";
import { deleteRun, findRun, wish, workOn } from "../tuning/local-runs.ts";
import { showCount, showCounted } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { Dashboard } from "./dashboard.tsx";
import { FACTORY_HREF } from "./factory-links.ts";
import { viewRun } from "./jobs/run-view.ts";

const BADGES = {
  running: { tone: "info", text: "running here" },
  paused: { tone: "wait", text: "paused" },
  done: { tone: "good", text: "done" },
  failed: { tone: "bad", text: "failed" },
} as const;

/** A tuning in this browser: it goes on when its page is opened, from its last state. */
export function HereRun({ id }: { id: string }) {
  const [run, setRun] = useState<Signal<LocalRun> | null | undefined>(undefined);
  const [isElsewhere, setElsewhere] = useState(false);
  useEffect(() => {
    void findRun(id).then(async (found) => {
      setRun(found);
      if (found?.value.state === "running") setElsewhere(!(await workOn(id)));
    });
  }, [id]);
  if (run === undefined) return <p class="soft">Looking for it in this browser …</p>;
  if (run === null) {
    return (
      <Notice tone="wait" title="This browser does not know that run.">
        <p>
          Runs are kept where they were started, and nowhere else. <a href={FACTORY_HREF}>All runs here</a>
        </p>
      </Notice>
    );
  }
  return <Run run={run} isElsewhere={isElsewhere} />;
}

function Run({ isElsewhere, run }: { run: Signal<LocalRun>; isElsewhere: boolean }) {
  const { events, files, id, name, problem, rows, state } = run.value;
  const [wished, setWished] = useState<"stop" | "pause" | null>(null);
  const deleting = useAction();
  useEffect(() => setWished(null), [state]);
  const view = viewRun(events);
  const steps = view.stage?.stage === "train" ? view.stage.total : 0;
  const ask = (what: "stop" | "pause") => {
    setWished(what);
    wish(id, what);
  };
  const isRunning = state === "running";
  return (
    <>
      <section class="stack-s">
        <p class="soft small">
          <a href={FACTORY_HREF}>Factory</a> · in this browser
        </p>
        <h1>{name}</h1>
      </section>
      {isElsewhere && (
        <Notice tone="info" title="Another tab of this browser works on it.">
          <p>Watch it there, or close that tab and reload this one.</p>
        </Notice>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {files !== null && <Done name={name} files={files} />}
      <Dashboard
        view={view}
        steps={steps}
        badge={BADGES[state]}
        isRunning={isRunning}
        doing={
          wished !== null
            ? "Ending this step …"
            : isRunning && view.last === null
              ? "Fetching the base and looking at held-out rows …"
              : null
        }
        actions={
          state === "done" ? null : isRunning ? (
            <>
              <Button isSmall isDisabled={wished !== null || isElsewhere} onClick={() => ask("pause")}>
                Pause
              </Button>
              <Button isSmall isDisabled={wished !== null || isElsewhere} onClick={() => ask("stop")}>
                Stop and keep
              </Button>
            </>
          ) : (
            <Button isSmall isMain onClick={() => void workOn(id)}>
              Resume
            </Button>
          )
        }
        showRow={(row) => row + 1}
      />
      <section class="card stack">
        <h2>Only on this machine</h2>
        <p class="soft">
          {showCounted(rows.length, "row")} and this run are kept in this browser's storage, so that a reload
          finds them. They are stored nowhere else.
        </p>
        {deleting.problem !== null && <ProblemNotice problem={deleting.problem} />}
        <div class="row">
          <Button
            isSmall
            isBusy={deleting.isBusy}
            onClick={() =>
              void deleting.run(async () => {
                await deleteRun(id);
                window.location.hash = FACTORY_HREF;
              })
            }
          >
            Delete rows and run
          </Button>
        </div>
      </section>
    </>
  );
}

function Done({ files, name }: { name: string; files: NonNullable<LocalRun["files"]> }) {
  return (
    <section class="card stack" aria-label="Adapter">
      <h2>Your adapter is ready</h2>
      <p>
        Two files as PEFT reads them. Put them into one folder: OpenLoRA, PEFT and vLLM serve it from there.
      </p>
      <div class="row">
        {files.map(([file, bytes]) => (
          <Button key={file} onClick={() => saveFile(file, bytes)}>
            {file} <span class="soft small">{showCount(Math.ceil(bytes.length / 1024))} kB</span>
          </Button>
        ))}
      </div>
      <p class="soft small">
        The same rows, settings and base give these bytes on every machine. Nothing of {name} was sent.
      </p>
    </section>
  );
}
