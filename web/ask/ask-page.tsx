import type { PromptKind } from "@openledger/attribution/model/model-family";
import { useEffect, useState } from "preact/hooks";
import { useAction } from "../bridge/use-action.ts";
import { WalletChoice } from "../bridge/wallet-menu.tsx";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { holdings, mainAccount } from "../ledger/holdings.ts";
import type { Journey } from "../ledger/journey.ts";
import { journeys } from "../ledger/journey-store.ts";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showOpen } from "../words/format.ts";
import { answerHref, LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { AnswerCard } from "./answer-card.tsx";
import { askAndCheck, type CheckedAnswer, payChecked } from "./pay-answer.ts";
import { findServedModels, ownCopy, type ServedModel } from "./served-models.ts";

/** A question to a model, its answer checked in the page, and its payment. */
export function AskPage(props: PageProps) {
  const { site, live, rest } = props;
  const { value, problem } = useAnswer(live, "served models", () => findServedModels(site));
  const named = rest[0] === undefined ? null : Number(rest[0]);
  const model = value?.models.find(({ modelId }) => named === null || modelId === named);
  return (
    <>
      <section class="stack">
        <h1>Ask a model</h1>
        <p class="lead">
          You pay for an answer, and whoever's rows helped to make it are paid from that. This page checks the
          answer before you pay.
        </p>
      </section>
      {site.adapterServers.length > 0 && (
        <p>
          <a href="#/adapters">Or ask one of many adapters</a>, and watch its answer come.
        </p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      {value?.problems.map((one) => (
        <ProblemNotice key={one.message} problem={one} />
      ))}
      {value === undefined ? (
        problem === null && <p class="soft">Asking which models there are …</p>
      ) : model === undefined ? (
        <NoModel isAny={site.modelServers.length > 0} />
      ) : (
        <>
          {value.models.length > 1 && <Choice models={value.models} chosen={model} />}
          <ModelQuestion key={model.serverUrl} {...props} model={model} />
        </>
      )}
    </>
  );
}

function NoModel({ isAny }: { isAny: boolean }) {
  return (
    <section class="card stack narrow">
      <h2>{isAny ? "That model is not served here" : "No model is served here yet"}</h2>
      <p class="soft">
        {isAny
          ? "Its server does not answer, or it has another number. Try again in a moment."
          : "Who runs this server has named no model's server for its pages. The command line asks any: openledger models ask."}
      </p>
    </section>
  );
}

function Choice({ models, chosen }: { models: readonly ServedModel[]; chosen: ServedModel }) {
  return (
    <nav class="tabs" aria-label="Models">
      {models.map((model) => (
        <a
          key={model.serverUrl}
          href={`#/ask/${model.modelId}`}
          aria-current={model === chosen ? "page" : undefined}
        >
          Model {model.modelId}
        </a>
      ))}
    </nav>
  );
}

/** A question that was typed, and not yet paid, survives a reload of this tab, and nothing more. */
const QUESTION = "openledger.question";

/** A question to one model, its answer, and the payment. */
export function ModelQuestion({ site, live, model }: PageProps & { model: ServedModel }) {
  const [prompt, setPrompt] = useState(sessionStorage.getItem(QUESTION) ?? "");
  const [checked, setChecked] = useState<CheckedAnswer | null>(null);
  const [soFar, setSoFar] = useState("");
  const asking = useAction();
  const paying = useAction();
  const kind = useInputKind(model);
  const now = session.value;
  const owned = now !== null && holdings.value?.address === now.address ? holdings.value : null;
  const account = mainAccount(owned);
  const write = (text: string) => {
    sessionStorage.setItem(QUESTION, text);
    setPrompt(text);
    setChecked(null);
  };
  const ask = () =>
    asking.run(async () => {
      try {
        setChecked(await askAndCheck(now!, owned!, model, prompt, setSoFar));
      } finally {
        setSoFar("");
      }
    });
  const pay = () =>
    paying.run(async () => {
      await payChecked(now!, owned!, model, checked!);
      sessionStorage.removeItem(QUESTION);
      live.ring();
    });
  if (kind === "digit") {
    return (
      <Notice tone="info" title="This model reads pictures of digits.">
        <p>This page can only write text. Ask it with the command line: openledger models ask.</p>
      </Notice>
    );
  }
  const payment = checked === null ? undefined : paymentOf(checked);
  return (
    <>
      <form
        class="card stack"
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <div class="row">
          <h2>
            Model <LeafLink id={model.modelId} />
          </h2>
          <span class="push soft">{showOpen(model.priceWei)} OPEN an answer</span>
        </div>
        <Field
          label="Your text"
          value={prompt}
          onInput={write}
          lineCount={6}
          placeholder={
            kind === "email"
              ? "Paste an e-mail: the model says whether it is spam."
              : "Ask, or begin a text: the model goes on with it, or cites rows that have it."
          }
          help="Only the model's server and you see it; the ledger gets a hash of it."
          isDisabled={asking.isBusy || paying.isBusy}
        />
        {!model.isReady && (
          <Notice tone="wait" title="The ledger takes no payments for this model now.">
            <p>Its Datanet's owner has not approved it, or has revoked it.</p>
          </Notice>
        )}
        {now === null ? (
          <WalletChoice site={site} live={live} />
        ) : account === null ? (
          <p class="soft">
            {owned === null
              ? "Looking for your account …"
              : "You have no account in the ledger yet. A deposit on the bridge page opens one."}
          </p>
        ) : (
          <Button
            isMain
            type="submit"
            isBusy={asking.isBusy}
            isDisabled={prompt.trim() === "" || !model.isReady || paying.isBusy}
          >
            {asking.isBusy ? "Asking and checking …" : "Ask"}
          </Button>
        )}
        {asking.problem !== null && <ProblemNotice problem={asking.problem} />}
      </form>
      {soFar !== "" && <SoFar text={soFar} note="not checked yet" />}
      {soFar === "" && checked !== null && (
        <AnswerCard answer={checked.answer} words={checked.words} rewardWei={model.rewardWei}>
          {payment === undefined ? (
            <Button isMain isBusy={paying.isBusy} onClick={() => void pay()}>
              {`Pay ${showOpen(checked.answer.priceWei)} OPEN`}
            </Button>
          ) : (
            <Paid journey={payment} />
          )}
          {paying.problem !== null && <ProblemNotice problem={paying.problem} />}
        </AnswerCard>
      )}
    </>
  );
}

/** Words as they come. What is said with certainty comes with the answer. */
export function SoFar({ note, text }: { text: string; note: string }) {
  return (
    <section class="card stack" aria-label="The answer so far">
      <div class="row">
        <h2>The answer so far</h2>
        <span class="push" />
        <Badge tone="wait">{note}</Badge>
      </div>
      <blockquote class="said-text">{text}</blockquote>
    </section>
  );
}

function paymentOf({ answer }: CheckedAnswer): Journey | undefined {
  return journeys.value.find(({ receipt }) => receipt !== undefined && BigInt(receipt) === answer.receipt);
}

function Paid({ journey }: { journey: Journey }) {
  return (
    <p>
      <Badge tone="good">paid</Badge>{" "}
      {journey.hash !== undefined && <a href={answerHref(journey.hash)}>Where its money goes</a>} · At the end
      of the <Term name="epoch">epoch</Term> it may be drawn; then these shares are proven and paid.{" "}
      <a href="#/bridge">Its way to Ethereum</a> is among your transfers.
    </p>
  );
}

/** The page loads its copy of the model as soon as the model is looked at. */
function useInputKind(model: ServedModel): PromptKind | null {
  const [kind, setKind] = useState<PromptKind | null>(null);
  useEffect(() => {
    // A copy that cannot be had is told when a question needs it.
    ownCopy(model).then(
      ({ inputKind }) => setKind(inputKind),
      () => undefined,
    );
  }, [model.serverUrl]);
  return kind;
}
