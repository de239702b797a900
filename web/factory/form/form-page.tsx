/**
 * Page "#/factory/new/rows/ROWS/sort" or "…/on/BASE": a model builder changes the proposed settings, reads what training takes on this factory,
 * and starts the job.
 */
import type { FactoryEstimate, FactoryForm, FormView } from "@openledger/models/factory/factory-api";
import { measuredWords } from "@openledger/models/factory/job-words";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { Notice } from "../../design/notice.tsx";
import { askUntilAnswered } from "../../ledger/ask-again.ts";
import { rollupKey, rollupOf } from "../../ledger/rollup-storage.ts";
import { useAction } from "../../ledger/use-action.ts";
import { showCount, showCounted, showDuration } from "../../words/format.ts";
import { Open } from "../../words/open.tsx";
import { type Problem, ProblemNotice } from "../../words/problem.tsx";
import { jobHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";
import { ChoiceSteps } from "../jobs/run-steps.tsx";
import { TellingNotice } from "../telling-notice.tsx";
import { useFactory } from "../use-factory.ts";
import { FormFields } from "./form-fields.tsx";
import { formOf, type TypedForm, typedOf } from "./typed-form.ts";

interface FormPageProps {
  readonly factorySession: FactorySession;
  /** null for a model that sorts. */
  readonly baseId: string | null;
  readonly datasetId: string;
}

/** Storage key of the draft, which survives a reload of this tab. */
const keyOf = ({ baseId, datasetId, factorySession: { client } }: FormPageProps) =>
  `${rollupKey("form", rollupOf(client))} ${baseId} ${datasetId}`;

/** Settings of a job, its estimate, and the start. */
export function FormPage(props: FormPageProps) {
  const { baseId, datasetId, factorySession } = props;
  const { problem, value: view } = useFactory(`form ${baseId} ${datasetId}`, () =>
    factorySession.factory.form(baseId, datasetId),
  );
  return (
    <>
      <ChoiceSteps at={2} datasetId={datasetId} />
      {problem !== null && <ProblemNotice problem={problem} />}
      {view !== undefined ? (
        <Settings {...props} view={view} />
      ) : (
        problem === null && <p class="soft">Loading defaults …</p>
      )}
    </>
  );
}

function Settings({ view, ...props }: FormPageProps & { view: FormView }) {
  const { baseId, datasetId, factorySession } = props;
  const storedForm = sessionStorage.getItem(keyOf(props));
  const [typed, setTyped] = useState<TypedForm>(() => ({
    ...typedOf(view.form),
    ...(storedForm === null ? {} : (JSON.parse(storedForm) as TypedForm)),
  }));
  const starting = useAction();
  const [refused, setRefused] = useState<string | null>(null);
  // What the rows have stays while the next estimate is measured.
  const [measured, setMeasured] = useState<FactoryEstimate | null>(null);
  const form = formOf(typed, view.form);
  const write = (next: TypedForm) => {
    sessionStorage.setItem(keyOf(props), JSON.stringify(next));
    setTyped(next);
  };
  const start = () =>
    starting.run(async () => {
      const job = await factorySession.factory.begin({ baseId, datasetId, form: form! });
      sessionStorage.removeItem(keyOf(props));
      window.location.hash = jobHref(job.id);
    });
  return (
    <>
      <section class="stack">
        <h1>Settings</h1>
        <p class="lead">
          These defaults usually suit {showCounted(view.rowCount, "row")}. Change them as you like.
        </p>
      </section>
      {!view.isRegistrable && (
        <Notice tone="wait" title="This model can be exported but not registered.">
          <p>{view.whyNot}</p>
        </Notice>
      )}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (form !== null) void start();
        }}
      >
        <FormFields
          typed={typed}
          defaults={typedOf(view.form)}
          isRegistrable={view.isRegistrable}
          isPermissioned={view.isPermissioned}
          terms={view.terms}
          fields={measured?.fields ?? []}
          telling={measured?.telling ?? []}
          onTyped={write}
        />
        <section class="card stack" aria-label="Estimate">
          <h2>Estimate</h2>
          {form === null ? (
            <p class="soft">Correct the field marked above.</p>
          ) : (
            <Estimate
              {...props}
              form={form}
              onFound={setMeasured}
              onRefused={(isRefused) => setRefused(isRefused ? JSON.stringify(form) : null)}
            />
          )}
          {starting.problem !== null && <ProblemNotice problem={starting.problem} />}
          <Button
            isMain
            type="submit"
            isBusy={starting.isBusy}
            isDisabled={form === null || refused === JSON.stringify(form)}
          >
            Start training
          </Button>
        </section>
      </form>
    </>
  );
}

/** Pause before an estimate, so that not every key causes one. */
const PAUSE_MS = 800;

interface EstimateProps extends FormPageProps {
  readonly form: FactoryForm;
  readonly onFound: (estimate: FactoryEstimate) => void;
  /** Says whether a job of this form could never begin. */
  readonly onRefused: (isRefused: boolean) => void;
}

function Estimate({ baseId, datasetId, factorySession, form, onFound, onRefused }: EstimateProps) {
  const [found, setFound] = useState<FactoryEstimate | Problem | null>(null);
  useEffect(() => {
    setFound(null);
    let stop = () => {};
    const timer = setTimeout(() => {
      stop = askUntilAnswered(
        () => factorySession.factory.estimate({ baseId, datasetId, form }),
        (outcome) => {
          setFound(outcome.state === "found" ? outcome.value : outcome.problem);
          if (outcome.state === "found") onFound(outcome.value);
          onRefused(outcome.state !== "found" && !/^SRV_|UNREACHABLE/.test(outcome.problem.code ?? ""));
        },
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [JSON.stringify(form)]);
  if (found === null) return <p class="soft">Measuring a few training steps …</p>;
  if ("message" in found) return <ProblemNotice problem={found} />;
  const seconds = (of: number) => showDuration(1_000 * of);
  return (
    <>
      <div class="columns columns-small">
        <div>
          <p class="soft small">Time</p>
          <p class="figure">about {seconds(found.seconds.total)}</p>
        </div>
        <div>
          <p class="soft small">Steps</p>
          <p class="figure">{showCount(found.steps)}</p>
        </div>
        <div>
          <p class="soft small">Registration</p>
          <p class="figure">
            {found.registerFeeWei === null ? (
              "–"
            ) : (
              <>
                <Open wei={BigInt(found.registerFeeWei)} isBare /> <small>OPEN fee</small>
              </>
            )}
          </p>
        </div>
      </div>
      <p class="soft small">{measuredWords(found, seconds)} Training is free here.</p>
      <TellingNotice telling={found.telling} remedy="To leave a field out, clear its box above." />
    </>
  );
}
