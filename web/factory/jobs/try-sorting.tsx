/** Section of a sorting model's page: a text, a picture or a row of one's own, and the label that the model gives it, for free. */
import { inputFieldsOf } from "@openledger/attribution/inputs/model-inputs";
import { useState } from "preact/hooks";
import { AskedPicture, PictureInput } from "../../ask/picture-input.tsx";
import { AskedRow, TableInput } from "../../ask/table-input.tsx";
import { Chat } from "../../chat/chat.tsx";
import { Badge } from "../../design/badge.tsx";
import { useAction } from "../../ledger/use-action.ts";
import { useFieldChoices } from "../../rows/field-choices.ts";
import { useFactory } from "../use-factory.ts";
import type { JobPartProps } from "./job-part.ts";

interface Sorted {
  readonly prompt: string;
  readonly label: string;
}

/** Free questions to the model at the factory. */
export function TrySorting({ factorySession, job, live, site }: JobPartProps) {
  const { value: inputs } = useFactory(`inputs ${job.id}`, async () => {
    const { recipe } = await factorySession.factory.lineage(job.id);
    return (recipe as { readonly inputs: { readonly kind: "text" | "image" | "table" } }).inputs;
  });
  const [turns, setTurns] = useState<readonly Sorted[]>([]);
  const [prompt, setPrompt] = useState("");
  const asking = useAction();
  const ask = () =>
    asking.run(async () => {
      const { answers } = await factorySession.factory.compare(job.id, {
        prompts: [prompt],
        answerTokens: 1,
      });
      setTurns((before) => [...before, ...answers.map((one) => ({ prompt: one.prompt, label: one.tuned! }))]);
      setPrompt("");
    });
  const { value: dataset } = useFactory(job.datasetId, () => factorySession.factory.dataset(job.datasetId));
  const datanetId = inputs?.kind === "table" ? (dataset?.datanet?.id ?? null) : null;
  const choices = useFieldChoices({ live, site }, datanetId);
  if (inputs === undefined) return null;
  const fields = inputFieldsOf({ inputs });
  const input = { value: prompt, onInput: setPrompt, isDisabled: asking.isBusy };
  return (
    <section class="stack" aria-label="Try it">
      <h2>Try it</h2>
      <Chat
        turns={turns.map(({ label, prompt: question }, i) => ({
          key: i,
          question,
          answer: (
            <section class="card" aria-label="Answer">
              <Badge tone="good">{label}</Badge>
            </section>
          ),
        }))}
        question={prompt}
        onQuestion={setPrompt}
        label="Text to classify"
        lineCount={4}
        {...(inputs.kind === "image" && {
          questionInput: <PictureInput {...input} />,
          Question: AskedPicture,
        })}
        {...(fields !== null && {
          questionInput: <TableInput {...input} fields={fields} choices={choices} />,
          Question: AskedRow,
        })}
        help="Nothing is paid, and no one else sees it."
        asking={asking}
        onAsk={() => void ask()}
        buttonLabel="Classify"
      />
    </section>
  );
}
