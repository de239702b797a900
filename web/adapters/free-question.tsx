import { streamCompletion } from "@openledger/client/actions/answers/completion-stream";
import { useState } from "preact/hooks";
import { SoFar } from "../ask/ask-page.tsx";
import type { Adapter } from "../ask/listed-adapters.ts";
import { useAction } from "../bridge/use-action.ts";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { ProblemNotice } from "../words/problem.tsx";

const ANSWER_TOKENS = 128;

/** An adapter that is not on the ledger: nobody is paid, and nothing is proven. */
export function FreeQuestion({ adapter }: { adapter: Adapter }) {
  const [prompt, setPrompt] = useState("");
  const [text, setText] = useState("");
  const [isDone, setDone] = useState(false);
  const asking = useAction();
  const ask = () =>
    asking.run(async () => {
      setText("");
      setDone(false);
      const order = { serverUrl: adapter.serverUrl, model: adapter.name, prompt, maxTokens: ANSWER_TOKENS };
      await streamCompletion(order, setText);
      setDone(true);
    });
  return (
    <>
      <form
        class="card stack"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <Field
          label="Your text"
          value={prompt}
          onInput={setPrompt}
          lineCount={6}
          placeholder="Begin a text: the adapter goes on with it."
          help="Free of charge: there is no receipt, and no row earns. Only the server sees your text."
          isDisabled={asking.isBusy}
        />
        <Button isMain type="submit" isBusy={asking.isBusy} isDisabled={prompt.trim() === ""}>
          Ask
        </Button>
        {asking.problem !== null && <ProblemNotice problem={asking.problem} />}
      </form>
      {isDone ? (
        <section class="card stack" aria-label="Answer">
          <div class="row">
            <h2>The answer</h2>
            <span class="push" />
            <Badge tone="plain">free, not attributed</Badge>
          </div>
          <blockquote class="said-text">{text === "" ? "(nothing)" : text}</blockquote>
        </section>
      ) : (
        text !== "" && <SoFar text={text} note="being made" />
      )}
    </>
  );
}
