/**
 * Part "Export" of a job's page: the factory makes the files of a form (adapter, whole model, published model), and the builder
 * saves them with their hashes.
 */
import type { ExportForm, FactoryExport } from "@openledger/models/factory/factory-api";
import { useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { Identifier } from "../../design/identifier.tsx";
import { saveFile } from "../../design/save-file.ts";
import { useAction } from "../../ledger/use-action.ts";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import type { JobPartProps } from "./job-part.ts";

interface Offered {
  readonly form: ExportForm;
  readonly title: string;
  readonly text: string;
}

const OF_WRITERS: readonly Offered[] = [
  {
    form: "adapter",
    title: "The adapter",
    text: "Small, in PEFT's format. OpenLoRA, PEFT and vLLM load it on top of the base model.",
  },
  {
    form: "merged",
    title: "Merged model",
    text: "The base model with the adapter merged into its weights, as safetensors. Runs wherever the base model does.",
  },
];
const PUBLISHED: Offered = {
  form: "model",
  title: "Published files",
  text: "Everything needed to serve, settle and verify the registered model, for openledger models serve.",
};
const OF_SORTERS: readonly Offered[] = [
  {
    form: "classifier",
    title: "The classifier",
    text: "One JSON file with the inputs' encoding and the weights of each label. examples/label-text.ts shows how to use it.",
  },
];
const FORMS = { sort: [...OF_SORTERS, PUBLISHED], write: [...OF_WRITERS, PUBLISHED] };

/** The model as files. */
export function ExportPart({ factorySession, job }: JobPartProps) {
  return (
    <div class="stack">
      {FORMS[job.form.use === "write" ? "write" : "sort"].map((one) => (
        <Export key={one.form} factorySession={factorySession} jobId={job.id} {...one} />
      ))}
    </div>
  );
}

type ExportProps = Offered & Pick<JobPartProps, "factorySession"> & { readonly jobId: string };

function Export({ factorySession, form, jobId, text, title }: ExportProps) {
  const [made, setMade] = useState<FactoryExport | null>(null);
  const making = useAction();
  const make = () =>
    making.run(async () => {
      setMade(await factorySession.factory.export(jobId, form));
    });
  const fetchFile = (file: FactoryExport["files"][number]) =>
    making.run(async () => {
      saveFile(file.name, await factorySession.factory.file(jobId, form, file));
    });
  return (
    <section class="card stack" aria-label={title}>
      <div class="row">
        <h2>{title}</h2>
        <span class="push" />
        {made === null && (
          <Button isSmall isBusy={making.isBusy} onClick={() => void make()}>
            Create the files
          </Button>
        )}
      </div>
      <p class="soft">{text}</p>
      {making.problem !== null && <ProblemNotice problem={making.problem} />}
      {made !== null && (
        <ul class="plain-list">
          {made.files.map(({ name, sha256, sizeBytes }) => (
            <li key={name} class="row">
              <Button
                isSmall
                isDisabled={making.isBusy}
                onClick={() => void fetchFile({ name, sha256, sizeBytes })}
              >
                {name}
              </Button>
              <span class="soft small">
                {showCount(Math.ceil(sizeBytes / 1024))} kB · SHA-256{" "}
                <Identifier value={sha256} label="the hash" />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
