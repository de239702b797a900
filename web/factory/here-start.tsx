import { type TextRow, wholeText } from "@openledger/attribution/rows/text-rows";
import { heldOutCount } from "@openledger/models/training/row-losses";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useAction } from "../bridge/use-action.ts";
import { Button } from "../design/button.tsx";
import { DropFiles } from "../design/drop-files.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { beginRun, isTuningPossible, measure, type TuneEstimate } from "../tuning/local-runs.ts";
import { rowsOfFile } from "../tuning/rows-of-file.ts";
import type { TuneSettings } from "../tuning/tune-messages.ts";
import { showCount, showCounted, showDuration } from "../words/format.ts";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { hereHref } from "./factory-links.ts";
import { NumberField, parseNumber, type TypedNumbers } from "./form/number-field.tsx";

const LIMITS = {
  rounds: { min: 0.1, max: 1_000, isWhole: false },
  rank: { min: 1, max: 64, isWhole: true },
  rate: { min: 1e-6, max: 0.1, isWhole: false },
  heldOutRows: { min: 0, max: 1_024, isWhole: true },
  rowsPerStep: { min: 1, max: 256, isWhole: true },
  rowTokens: { min: 8, max: 256, isWhole: true },
} as const;
type Name = keyof typeof LIMITS;
const NAMES = Object.keys(LIMITS) as Name[];

const DEFAULTS: TypedNumbers<Name> = {
  rounds: "6",
  rank: "8",
  rate: "0.003",
  heldOutRows: "0",
  rowsPerStep: "8",
  rowTokens: "128",
};
const LAST_PART = 0.1;
const SHOWN_ROWS = 3;
const SHOWN_CHARACTERS = 220;

interface Dropped {
  readonly fileName: string;
  readonly rows: readonly TextRow[];
}

/** Rows from a file of the reader, settings, an estimate; then the run begins in this page. */
export function HereStart() {
  const [dropped, setDropped] = useState<Dropped | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const take = async (file: File) => {
    setProblem(null);
    try {
      const rows = rowsOfFile(file.name, new Uint8Array(await file.arrayBuffer()));
      setDropped({ fileName: file.name, rows });
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return (
    <>
      <section class="stack">
        <h1>Tune in this browser</h1>
        <p class="lead">
          Your rows stay in this page. It fetches the base, trains an adapter on your own processor, and sends
          nothing anywhere.
        </p>
      </section>
      {!isTuningPossible() && (
        <Notice tone="wait" title="This browser does not let pages use several threads on one memory.">
          <p>Open the page over HTTPS or from this machine, in a current Chrome, Edge or Firefox.</p>
        </Notice>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {dropped === null ? (
        <section class="card stack">
          <DropFiles
            title="Drop a file with your rows"
            accept=".txt,.md,.jsonl,.ndjson,.csv,text/plain,text/csv"
            onFiles={([file]) => void take(file!)}
            help="Text: an empty line ends a row. JSON lines or CSV: a “text”, or a “prompt” and an “answer”."
          />
        </section>
      ) : (
        <Settings key={dropped.fileName} dropped={dropped} onOther={() => setDropped(null)} />
      )}
    </>
  );
}

function Settings({ dropped, onOther }: { dropped: Dropped; onOther: () => void }) {
  const { fileName, rows } = dropped;
  const [name, setName] = useState(fileName.replace(/\.[^.]*$/, "").slice(0, 80));
  const [typed, setTyped] = useState({
    ...DEFAULTS,
    heldOutRows: String(heldOutCount(rows.length)),
  });
  const starting = useAction();
  const settings = settingsOf(typed);
  const number = (of: Name, label: ComponentChildren, help: string) => (
    <NumberField
      {...{ ...LIMITS[of], label, help }}
      value={typed[of]}
      onInput={(value) => setTyped((now) => ({ ...now, [of]: value }))}
    />
  );
  const start = () =>
    starting.run(async () => {
      const id = await beginRun({ name: name.trim() || fileName, rows, settings: settings! });
      window.location.hash = hereHref(id);
    });
  return (
    <>
      <section class="card stack" aria-label="Your rows">
        <div class="row">
          <h2>
            {showCounted(rows.length, "row")} from {fileName}
          </h2>
          <span class="push" />
          <Button isSmall onClick={onOther}>
            Another file
          </Button>
        </div>
        <ol class="row-preview">
          {rows.slice(0, SHOWN_ROWS).map((row, i) => (
            <li key={i}>{wholeText(row).slice(0, SHOWN_CHARACTERS)}</li>
          ))}
        </ol>
      </section>
      <form
        class="card stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (settings !== null) void start();
        }}
      >
        <h2>How it is tuned</h2>
        <p class="soft">These fit most texts. Change nothing, and it works.</p>
        <Field label="Name" value={name} onInput={setName} help="For you alone." />
        <div class="settings-grid">
          {number(
            "rounds",
            <Term name="round (of a tuning)">Rounds</Term>,
            "More rounds fit the data better; too many only memorise it.",
          )}
          {number(
            "heldOutRows",
            <Term name="held-out rows">Held-out rows</Term>,
            "Never trained on: they show whether it really learns.",
          )}
        </div>
        <details>
          <summary class="row">More settings</summary>
          <div class="folded settings-grid">
            {number(
              "rank",
              <Term name="rank (of an adapter)">Rank</Term>,
              "8 is right for style and form; more holds more facts.",
            )}
            {number(
              "rate",
              <Term name="learning rate">Learning rate</Term>,
              "If the loss jumps, try a third of it.",
            )}
            {number("rowsPerStep", "Rows a step", "More make the training steadier and slower.")}
            {number(
              "rowTokens",
              <Term name="token">Tokens a row</Term>,
              "A longer text becomes several rows.",
            )}
          </div>
        </details>
        {settings !== null && <Estimate rows={rows} settings={settings} />}
        {starting.problem !== null && <ProblemNotice problem={starting.problem} />}
        <Button
          isMain
          type="submit"
          isBusy={starting.isBusy}
          isDisabled={settings === null || !isTuningPossible()}
        >
          Start tuning
        </Button>
      </form>
    </>
  );
}

function settingsOf(typed: TypedNumbers<Name>): TuneSettings | null {
  const parsed = NAMES.map((name) => [name, parseNumber(typed[name], LIMITS[name])] as const);
  if (parsed.some(([, value]) => value === null)) return null;
  const numbers = Object.fromEntries(parsed) as Record<Name, number>;
  return { ...numbers, lastPart: LAST_PART, seed: "page" };
}

/** What a reader changes in between is not measured for each key. */
const PAUSE_MS = 600;

function Estimate({ rows, settings }: { rows: readonly TextRow[]; settings: TuneSettings }) {
  const [found, setFound] = useState<TuneEstimate | Problem | null>(null);
  useEffect(() => {
    setFound(null);
    if (!isTuningPossible()) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      measure({ rows, settings }, abort.signal).then(
        (estimate) => setFound(estimate),
        (error: unknown) => !abort.signal.aborted && setFound(problemOf(error)),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [JSON.stringify(settings)]);
  if (found !== null && "message" in found) return <ProblemNotice problem={found} />;
  return (
    <p class="claim" role="status">
      {found === null ? (
        "Measuring how fast this machine is …"
      ) : (
        <>
          About <strong>{showDuration(1_000 * found.seconds)}</strong> for {showCount(found.steps)} steps:
          measured here just now, at {showCount(Math.round(found.tokensPerSecond))} tokens a second. It costs
          nothing but your processor's time.
        </>
      )}
    </p>
  );
}
