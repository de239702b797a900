/**
 * Section of a job's page: free questions to its model at the factory, beside its base where it has one. A model that sorts takes a
 * text, a picture or a row of a table.
 */
import { inputFieldsOf } from "@openledger/attribution/inputs/model-inputs";
import { type ComparedAnswer, compareJob } from "@openledger/models/factory/job-words";
import { useState } from "preact/hooks";
import { AskedPicture, PictureInput } from "../../ask/picture-input.tsx";
import { AskedRow, TableInput } from "../../ask/table-input.tsx";
import { Chat } from "../../chat/chat.tsx";
import { useAction } from "../../ledger/use-action.ts";
import { useFieldChoices } from "../../rows/field-choices.ts";
import { useFactory } from "../use-factory.ts";
import { AnswerPair } from "./answer-pair.tsx";
import type { JobPartProps } from "./job-part.ts";

type Inputs = { readonly kind: "text" | "image" | "table" };

/** Asks the factory, and shows its answers until the page is left. Nothing is paid, and no row earns. */
export function TryModel({ factorySession, job, live, site }: Omit<JobPartProps, "query" | "rest">) {
  const isWriter = job.form.use === "write";
  const { value: inputs } = useFactory(`inputs ${job.id}`, async () => {
    if (isWriter) return null;
    const { recipe } = await factorySession.factory.lineage(job.id);
    return (recipe as { readonly inputs: Inputs }).inputs;
  });
  const [turns, setTurns] = useState<readonly ComparedAnswer[]>([]);
  const [prompt, setPrompt] = useState("");
  const asking = useAction();
  const ask = () =>
    asking.run(async () => {
      const prompts = [isWriter ? prompt.trim() : prompt];
      const { answers } = await compareJob(factorySession.factory, job.id, { prompts });
      setTurns((before) => [...before, ...answers]);
      setPrompt("");
    });
  const { value: dataset } = useFactory(job.datasetId, () => factorySession.factory.dataset(job.datasetId));
  const datanetId = inputs?.kind === "table" ? (dataset?.datanet?.id ?? null) : null;
  const choices = useFieldChoices({ live, site }, datanetId);
  if (inputs === undefined) return null;
  const fields = inputs === null ? null : inputFieldsOf({ inputs });
  const input = { value: prompt, onInput: setPrompt, isDisabled: asking.isBusy };
  return (
    <section class="stack" aria-label="Try it">
      <h2>Try it for free</h2>
      <Chat
        turns={turns.map((answer, i) => ({
          key: i,
          question: answer.prompt,
          answer: (
            <section class="card stack-s" aria-label="Answer">
              <AnswerPair {...answer} />
            </section>
          ),
        }))}
        question={prompt}
        onQuestion={setPrompt}
        label={isWriter ? "Your prompt" : "Text to classify"}
        lineCount={isWriter ? 2 : 4}
        {...(inputs?.kind === "image" && {
          questionInput: <PictureInput {...input} />,
          Question: AskedPicture,
        })}
        {...(fields !== null && {
          questionInput: <TableInput {...input} fields={fields} choices={choices} />,
          Question: AskedRow,
        })}
        help={`${isWriter ? "Both models answer it. " : ""}Nothing is paid, and no one else sees it.`}
        asking={asking}
        onAsk={() => void ask()}
        buttonLabel={isWriter ? "Ask both" : "Classify"}
      />
    </section>
  );
}
